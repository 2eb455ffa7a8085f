//! Who examines others, and who looks after a network: promises with a deposit, pools that pay, fines that are
//! pardoned, and whatever anyone may do, all of it typed.

use crate::{
    case::{Case, settles, types},
    court::{CENT, Court, DUE},
    test_attesters::{OK, SILENCE, Says},
};
use atoma_client::request_key;
use atoma_localnet::ClockMode;
use atoma_network::testing::{DAY, PARTS, PRICE, Trial, UNITS, World, attesters, examined_task};
use atoma_types::{
    ComputeUnits, EngineClass, Numerics, Rule,
    chain::{HitStage, NewTask},
    hash::Hash32,
    message::Signed,
};
use serde_json::{Value, json};

/// A public key of RFC 8032: any will do for a node that never signs.
const RESPONSE_KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const USDC: u64 = 1_000_000;
/// A request costs so many times what it does elsewhere: a ticket must be worth an examination.
const TIMES: u64 = 1_000;

/// What the first line of an output says under a name.
fn text(lines: &[Value], name: &str) -> String {
    let text = lines[0][name].as_str();
    text.unwrap_or_else(|| panic!("no `{name}` in {lines:?}"))
        .to_owned()
}

#[tokio::test]
async fn an_attester_deposits_by_a_command_and_has_it_back_by_another() {
    let world = World::start_with(|config| config.clock = ClockMode::Adjustable).await;
    let (owner, attester) = (world.party().await, world.party().await);
    let revision = "11".repeat(32);
    let create = [
        "task",
        "create",
        "some-model",
        "--revision",
        &revision,
        "--security",
        "sampling-consensus",
    ];
    let task = text(&types(&world, &owner, &create).await.unwrap(), "task");
    let funded = types(&world, &owner, &["task", "fund", &task, "2"]).await;
    assert_eq!(funded.unwrap()[0]["pool_micro_usdc"], json!(2 * USDC));

    let register = [
        "node",
        "register",
        "--url",
        "http://127.0.0.1:9",
        "--collateral",
        "100",
        "--response-key",
        RESPONSE_KEY,
    ];
    let node = text(&types(&world, &attester, &register).await.unwrap(), "node");
    let does = async |words: &[&str]| types(&world, &attester, words).await;
    does(&["node", "subscribe", &node, &task, "--price", "1"])
        .await
        .unwrap();
    // no more is deposited than its owner has said
    let attest = ["node", "attest", &node, &task];
    let dear = does(&[&attest[..], &["--deposit", "7.99"]].concat()).await;
    assert!(dear.unwrap_err().contains("a deposit of 8.00 USDC"));
    let attests = does(&attest).await.unwrap();
    assert_eq!(attests[0]["attests"], json!(true));
    assert_eq!(attests[0]["deposit_micro_usdc"], json!(8 * USDC));
    assert!(does(&attest).await.unwrap_err().contains("attests_already"));
    let shown = does(&["task", "show", &task]).await.unwrap();
    assert_eq!(shown[0]["pool_micro_usdc"], json!(2 * USDC));
    assert_eq!(shown[1]["attests"], json!(true));

    // nothing is earned yet, and the deposit comes back
    let collect = ["node", "collect", &node, &task];
    assert!(does(&collect).await.unwrap_err().contains("no_fees"));
    let resigned = does(&["node", "resign", &node, &task]).await.unwrap();
    assert_eq!(resigned[0]["became_credit_micro_usdc"], json!(8 * USDC));
    assert!(does(&collect).await.unwrap_err().contains("not_attesting"));
    let withdrawn = does(&["node", "withdraw", &node]).await.unwrap();
    assert_eq!(withdrawn[0]["withdrawn_micro_usdc"], json!(8 * USDC));

    // the node moves; only its owner says so
    let moves = ["node", "set-url", &node, "http://127.0.0.1:10"];
    let stranger = types(&world, &owner, &moves).await.unwrap_err();
    assert!(stranger.contains("not_node_owner"), "{stranger}");
    assert_eq!(does(&moves).await.unwrap()[0]["url"], "http://127.0.0.1:10");
    world.audit();
}

/// A node that has served a user on an examined task, and doesn't run.
async fn served() -> Trial {
    let world = World::start_with(|config| {
        config.clock = ClockMode::Adjustable;
        config.params.sample_permille = 1_000;
    })
    .await;
    let engine = EngineClass {
        model: Hash32([1; 32]),
        numerics: Numerics::DetF32V1,
        rule: Rule::Exact,
    };
    let (operator, user) = (world.party().await, world.party().await);
    let stranger = world.party().await;
    let task = NewTask::chat("model", engine, PRICE);
    let task = examined_task(&world, &stranger, task).await;
    attesters(&world, &stranger, task).await;
    let requests = request_key(&user);
    Trial::between(world, (operator, user, requests), task, TIMES).await
}

#[tokio::test]
async fn whatever_is_due_about_a_stack_is_done_by_whoever_asks_for_it() {
    let trial = served().await;
    settles(&trial).await;
    let (stack, stranger) = (trial.stack.to_string(), trial.world.party().await);
    let due = async || {
        let due = ["stack", "due", &stack];
        let lines = types(&trial.world, &stranger, &due).await.unwrap();
        let called = lines.iter().map(|line| line["call"].as_str().unwrap());
        called.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(due().await, ["audit::draw", "audit::examine"]);
    assert!(due().await.is_empty(), "the node's turn");
    trial.advance(DAY + 1).await;
    assert_eq!(due().await, ["audit::undisclosed"]);
    assert!(due().await.is_empty(), "all is void");
    let withdraw = ["stack", "withdraw", &stack];
    let back = types(&trial.world, &trial.user, &withdraw).await.unwrap();
    assert_eq!(back[0]["withdrawn_micro_usdc"], json!(UNITS * TIMES));
    trial.world.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attester_whose_program_is_away_says_by_hand_what_it_found() {
    // nobody but six of a jury says anything by itself
    let jury = [OK, OK, OK, OK, OK, OK, SILENCE];
    let court = Court::claimed(1_000, Says::jury(jury)).await;
    let (town, stack) = (&court.town, court.stack.to_string());
    let key_of = |node| {
        let mut attesters = town.attesters.iter();
        &attesters.find(|one| one.node == node).unwrap().key
    };
    let says = async |key, words: &[&str]| {
        let say = [&["audit", "say", &stack][..], words].concat();
        types(&town.world, key, &say).await
    };
    let examiner = court.reaches(HitStage::Examining).await.examiner;
    let refused = says(&town.user, &["ok"]).await.unwrap_err();
    assert!(
        refused.contains("nothing is to be said with this key"),
        "{refused}"
    );
    let examiner = key_of(examiner.node);
    let bad = format!("3:{}", Hash32([5; 32]));
    let dear = says(examiner, &[&bad, "--bond", "1"]).await.unwrap_err();
    assert!(dear.contains("an accusation stakes 2.00 USDC"), "{dear}");
    let said = says(examiner, &["ok"]).await.unwrap();
    assert_eq!(said[0]["accused"], json!(false));
    assert_eq!(court.shown().await, "passed");

    court.challenges().await;
    let juror = key_of(court.last_juror().await);
    let committed = says(juror, &["ok"]).await.unwrap();
    assert_eq!(committed[0]["call"], "audit::commit");
    court.reveals(6).await;
    let other = says(juror, &[&bad]).await.unwrap_err();
    assert!(other.contains("wrong_reveal"), "{other}");
    let revealed = says(juror, &["ok"]).await.unwrap();
    assert_eq!(revealed[0]["call"], "audit::reveal");
    assert_eq!(court.decided().await, "the jury found nothing wrong");
    town.paid(court.stack).await;
    let moved = [
        ("user", -court.claim - 5 * CENT * 100),
        ("node's credit", court.pay()),
        ("task's fees", court.fee + 430 * CENT),
        ("pool", DUE - 10 * CENT),
        ("attesters' fees", 80 * CENT),
    ];
    assert_eq!(court.moved().await, moved);
}

#[tokio::test]
async fn a_fine_is_pardoned_by_the_administrator_alone() {
    let trial = Case::start().await;
    settles(&trial).await;
    let one = trial.records[1].1.clone();
    let mut dear = one.message().clone();
    dear.units = ComputeUnits(dear.units.0 + 1);
    let other = Signed::new(dear, &trial.operator).to_text();
    let guilty = ["dispute", "equivocation", &one.to_text(), &other];
    types(&trial.world, &trial.user, &guilty).await.unwrap();
    let node = trial.node.to_string();
    let pardon = ["network", "pardon", &node];
    let refused = types(&trial.world, &trial.operator, &pardon).await;
    assert!(refused.unwrap_err().contains("not the administrator"));
    let admin = trial.world.localnet().admin_key();
    let pardoned = types(&trial.world, admin, &pardon).await.unwrap();
    let fine = 10 * PARTS.iter().sum::<u64>();
    assert_eq!(pardoned[0]["pardoned_micro_usdc"], json!(fine));
    let node = trial.world.ledger.node(trial.node).await.unwrap();
    assert_eq!(node.pending.fines.0, 0);
    trial.world.audit();
}
