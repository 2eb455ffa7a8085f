//! The calls that programs make by themselves, typed by hand (docs/protocol.md, section 5): those that no other story
//! types.

use crate::case::{settles, types};
use atoma_client::request_key;
use atoma_keys::SigningKey;
use atoma_localnet::ClockMode;
use atoma_network::testing::{DAY, PARTS, Trial, UNITS, World};
use atoma_types::{
    Address, ComputeUnits, MicroUsdc, NodeId, TaskId, chain::NodeStatus, hash::Hash32,
};
use serde_json::{Value, json};

/// A public key of RFC 8032: any will do for a node that never signs.
const RESPONSE_KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const USDC: u64 = 1_000_000;
/// So large that the treasury's parts of the fees are more than nothing.
const TIMES: u64 = 1_000;
const HOUR: u64 = DAY / 24;

async fn world() -> World {
    World::start_with(|config| config.clock = ClockMode::Adjustable).await
}

/// A party types what goes well.
async fn does(world: &World, key: &SigningKey, words: &[&str]) -> Vec<Value> {
    let done = types(world, key, words).await;
    done.unwrap_or_else(|error| panic!("{words:?}: {error}"))
}

/// A party types what is refused.
async fn fails(world: &World, key: &SigningKey, words: &[&str]) -> String {
    let done = types(world, key, words).await;
    done.expect_err(&words.join(" "))
}

/// A node that has served a user whose commands can close the stack.
async fn trial() -> Trial {
    let world = world().await;
    let (operator, user) = (world.party().await, world.party().await);
    let task = world.task(&operator, "model").await;
    let requests = request_key(&user);
    Trial::between(world, (operator, user, requests), task, TIMES).await
}

/// Moves the ledger's clock to so long after the beginning of the next day.
async fn next_day(world: &World, after: u64) {
    let now = world.ledger.clock().await.unwrap().0;
    world.advance((now / DAY + 1) * DAY - now + after).await;
}

#[tokio::test]
async fn a_stack_is_added_to_watched_taken_back_and_paid_out() {
    let trial = trial().await;
    let (world, user) = (&trial.world, &trial.user);
    let (stack, node) = (trial.stack.to_string(), trial.node.to_string());
    let before = trial.stack().await;

    let added = does(world, user, &["stack", "top-up", &stack, "1000000"]).await;
    assert_eq!(added[0]["ungranted_units"], json!(1_000_000));
    does(world, user, &["stack", "extend", &stack, "3600"]).await;
    let held = trial.stack().await;
    assert_eq!(held.expires_at_ms.0, before.expires_at_ms.0 + HOUR);
    assert_eq!(held.escrow.0, UNITS * TIMES + USDC);

    let watcher = Address::new([9; 32]);
    let names = ["stack", "set-watcher", &stack];
    does(world, user, &[&names[..], &[&watcher.to_string()]].concat()).await;
    assert_eq!(trial.stack().await.watcher, Some(watcher));
    does(world, user, &names).await;
    assert_eq!(trial.stack().await.watcher, None);
    let refused = fails(world, &trial.operator, &["stack", "revoke", &stack]).await;
    assert!(refused.contains("stack_not_expired"), "{refused}");
    does(world, user, &["stack", "revoke", &stack]).await;
    let held = trial.stack().await;
    assert_eq!((held.ungranted, held.free.0), (ComputeUnits::ZERO, USDC));

    // the node keeps what it claims, and gives back the rest
    settles(&trial).await;
    let release = ["node", "release", &node, &stack];
    let refused = fails(world, user, &release).await;
    assert!(refused.contains("not_"), "{refused}");
    does(world, &trial.operator, &release).await;
    let claimed = PARTS.iter().sum::<u64>() * TIMES;
    let held = trial.stack().await;
    assert_eq!(held.lease(trial.node).unwrap().units.0, claimed);
    // what it gave back is nobody's: the owner grants it again, or takes it back
    does(world, user, &["stack", "revoke", &stack]).await;
    let back = does(world, user, &["stack", "withdraw", &stack]).await;
    let rest = UNITS * TIMES - claimed;
    assert_eq!(back[0]["withdrawn_micro_usdc"], json!(USDC + rest));
}

#[tokio::test]
async fn fees_are_reported_and_a_share_of_the_treasury_is_credited() {
    let trial = trial().await;
    let (world, anyone) = (&trial.world, trial.world.party().await);
    let (stack, node, task) = (
        trial.stack.to_string(),
        trial.node.to_string(),
        trial.task.to_string(),
    );
    settles(&trial).await;
    trial.advance(DAY + 1).await;
    let due = does(world, &anyone, &["stack", "due", &stack]).await;
    assert_eq!(due[0]["call"], "settlement::claim");
    let fee = PARTS.iter().sum::<u64>() * TIMES / 100;
    let collected = does(world, &anyone, &["task", "collect", &task]).await;
    assert_eq!(collected[0]["collected_micro_usdc"], json!(fee));

    // of today nothing can be reported, and nothing is paid before the middle of the next day
    let report = ["node", "report", &node];
    let early = fails(world, &anyone, &report).await;
    assert!(
        early.contains("nothing_to_report") || early.contains("reports_closed"),
        "{early}"
    );
    next_day(world, HOUR).await;
    does(world, &anyone, &report).await;
    let share = ["node", "share", &node];
    let early = fails(world, &anyone, &share).await;
    assert!(early.contains("payments_not_open"), "{early}");
    world.advance(DAY / 2).await;
    let before = world.ledger.node(trial.node).await.unwrap().earnings.0;
    does(world, &anyone, &share).await;
    let after = world.ledger.node(trial.node).await.unwrap().earnings.0;
    // all fees of the day were its own, and a tenth of the treasury is paid out
    assert_eq!(after - before, fee / 10);
    let again = fails(world, &anyone, &share).await;
    assert!(again.contains("no_share"), "{again}");
}

#[tokio::test]
async fn a_node_attests_its_release_serves_and_leaves() {
    let world = world().await;
    let (owner, operator) = (world.party().await, world.party().await);
    let revision = "11".repeat(32);
    let create = ["task", "create", "some-model", "--revision", &revision];
    let create = [&create[..], &["--security", "confidential-compute"]].concat();
    let task = does(&world, &owner, &create).await[0]["task"].clone();
    let task = task.as_str().unwrap().to_owned();
    let id: TaskId = task.parse().unwrap();
    let release = Hash32([5; 32]).to_string();
    does(&world, &owner, &["task", "release", &task, &release]).await;
    let twice = fails(&world, &owner, &["task", "release", &task, &release]).await;
    assert!(twice.contains("released_already"), "{twice}");

    let register = [
        "node",
        "register",
        "--url",
        "http://127.0.0.1:9",
        "--collateral",
        "100",
    ];
    let register = [&register[..], &["--response-key", RESPONSE_KEY]].concat();
    let node = does(&world, &operator, &register).await[0]["node"].clone();
    let node = node.as_str().unwrap().to_owned();
    let node_id: NodeId = node.parse().unwrap();
    let blob = "A".repeat(43);
    let attest = [
        "tee",
        "register",
        &node,
        "--release",
        &release,
        "--evidence",
        &blob,
    ];
    let attest = [&attest[..], &["--until", "2099-01-01T00:00:00Z"]].concat();
    does(&world, &operator, &attest).await;
    let stated = world
        .ledger
        .node(node_id)
        .await
        .unwrap()
        .attestation
        .unwrap();
    assert_eq!(stated.release, Hash32([5; 32]));
    // a release counts after its delay, and the owner can withdraw it at once
    let subscribe = ["node", "subscribe", &node, &task, "--price", "1"];
    world.advance(DAY + 1).await;
    does(&world, &operator, &subscribe).await;
    let sync = ["node", "sync", &node, &task];
    does(&world, &owner, &sync).await;
    let seen = world.ledger.task(id).await.unwrap();
    assert_eq!(seen.subscriptions[0].matured, MicroUsdc(100 * USDC));
    does(
        &world,
        &owner,
        &["task", "withdraw-release", &task, &release],
    )
    .await;
    assert!(world.ledger.task(id).await.unwrap().releases.is_empty());

    // nobody need go from a task that has room
    let evict = [
        "node",
        "evict",
        &node,
        &task,
        "--evicted",
        &node,
        "--price",
        "1",
    ];
    let refused = fails(&world, &operator, &evict).await;
    assert!(
        refused.contains("subscriptions_not_full") || refused.contains("subscribed_already"),
        "{refused}"
    );
    let bound = fails(&world, &operator, &["node", "unbond", &node]).await;
    assert!(bound.contains("node_has_subscriptions"), "{bound}");
    does(&world, &operator, &["node", "unsubscribe", &node, &task]).await;
    does(&world, &operator, &["node", "unbond", &node]).await;
    let early = fails(&world, &operator, &["node", "leave", &node]).await;
    assert!(early.contains("unbonding_not_over"), "{early}");
    world.advance(7 * DAY + 1).await;
    does(&world, &operator, &["node", "leave", &node]).await;
    let left = world.ledger.node(node_id).await.unwrap();
    assert_eq!(
        (left.status, left.collateral),
        (NodeStatus::Left, MicroUsdc::ZERO)
    );
    let paid = does(&world, &operator, &["node", "withdraw", &node]).await;
    assert_eq!(paid[0]["withdrawn_micro_usdc"], json!(100 * USDC));
    does(&world, &owner, &["task", "deprecate", &task]).await;
    assert!(world.ledger.task(id).await.unwrap().is_deprecated());
}

#[tokio::test]
async fn a_network_is_for_development_from_its_beginning_or_never() {
    let world = world().await;
    let admin = SigningKey::from_seed(&world.localnet().admin_key().to_seed());
    let sets = ["network", "set-development"];
    let asked = fails(&world, &admin, &sets).await;
    assert!(asked.contains("--yes"), "{asked}");
    let stranger = world.party().await;
    let yes = ["network", "set-development", "--yes"];
    let refused = fails(&world, &stranger, &yes).await;
    assert!(refused.contains("not the administrator"), "{refused}");
    does(&world, &admin, &yes).await;
    assert!(world.ledger.db().await.unwrap().development);
    // below its floor, and what is no object of the network isn't taken over
    does(
        &world,
        &admin,
        &["network", "set-param", "maturity_ms", "1000"],
    )
    .await;
    let db = world.ledger.deployment().db.to_string();
    let refused = fails(&world, &admin, &["network", "migrate", &db]).await;
    assert!(
        refused.contains("neither node, task nor stack"),
        "{refused}"
    );

    let later = self::world().await;
    later.node(&later.party().await).await;
    let admin = SigningKey::from_seed(&later.localnet().admin_key().to_seed());
    let late = fails(&later, &admin, &yes).await;
    assert!(late.contains("in_use"), "{late}");
}
