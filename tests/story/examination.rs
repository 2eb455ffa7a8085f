//! Examinations of tickets: of innocent, guilty, silent and lying parties, and where each one's money is afterwards. The
//! node claims, draws, shows and is paid by itself; attesters of the tests say what each story is about.

use crate::{
    case::types,
    court::{CENT, Court, DUE, USDC},
    test_attesters::{GUILTY, OK, SILENCE, Says},
    town::HOUR,
};
use atoma_types::chain::HitStage;
use serde_json::json;

/// Every ticket is examined.
const ALL: u64 = 1_000;
/// How long an examiner has.
const VERDICT_WINDOW: u64 = 12 * HOUR;

#[tokio::test(flavor = "multi_thread")]
async fn an_innocent_node_is_paid_and_its_examiner_from_the_pool() {
    let mut court = Court::claimed(ALL, Says::examiner(false)).await;
    let examiner = court.reaches(HitStage::Passed).await.examiner;
    assert_eq!(court.shown().await, "passed");
    // the node is away: whoever wants it to be paid has it paid
    court.town.stop_node().await;
    court.town.world.advance(HOUR + 1).await;
    let (stack, world) = (court.stack.to_string(), &court.town.world);
    let due = court.town.does(&["stack", "due", &stack]).await;
    assert_eq!(due[0]["call"], "settlement::claim");
    assert_eq!(due.len(), 1, "all is paid");
    let (claim, fee) = (court.claim, court.fee);
    let paid = [
        ("user", -claim),
        ("node's credit", court.pay()),
        ("task's fees", fee),
        ("pool", DUE - 10 * CENT),
        ("attesters' fees", 10 * CENT),
    ];
    assert_eq!(court.moved().await, paid);

    // anyone has the examiner's fee made its credit, and its owner takes it out
    let before = court.accounts().await;
    let (node, task) = (examiner.node.to_string(), court.town.task().to_string());
    let collected = court.town.does(&["node", "collect", &node, &task]).await;
    assert_eq!(collected[0]["became_credit_micro_usdc"], json!(10 * CENT));
    let mut attesters = court.town.attesters.iter();
    let owner = attesters.find(|attester| attester.node == examiner.node);
    let withdraw = ["node", "withdraw", &node];
    types(world, &owner.unwrap().key, &withdraw).await.unwrap();
    let collected = court.town.does(&["task", "collect", &task]).await;
    assert_eq!(collected[0]["collected_micro_usdc"], json!(fee));
    let moved = before.moved(&court.accounts().await);
    let taken = [
        ("task's fees", -fee),
        ("attesters' fees", -10 * CENT),
        ("attesters", 10 * CENT),
        ("treasury", fee),
    ];
    assert_eq!(moved, taken);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guilty_node_is_convicted_and_its_user_has_all_back() {
    let says = Says {
        examiner: Some(true),
        jury: [GUILTY; 7],
    };
    let court = Court::claimed(ALL, says).await;
    court.convicted().await;
    assert_eq!(court.shown().await, "closed");
    // the command that closed the stack may have taken it out already
    court.withdraws().await;
    let fine = 10 * court.claim;
    let moved = [
        ("collateral", -fine),
        ("fines", fine - 70 * CENT),
        ("pool", -10 * CENT),
        // what the examiner gave with its word comes back beside what all are paid
        ("attesters' fees", 80 * CENT + 2 * USDC),
        ("attesters", -2 * USDC),
    ];
    assert_eq!(court.moved().await, moved);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_examiner_that_accuses_an_innocent_node_pays_the_jury() {
    let says = Says {
        examiner: Some(true),
        jury: [OK; 7],
    };
    let court = Court::claimed(ALL, says).await;
    court.reaches(HitStage::Cleared).await;
    assert_eq!(court.shown().await, "cleared");
    court.town.paid(court.stack).await;
    let moved = [
        ("user", -court.claim),
        ("node's credit", court.pay()),
        ("task's fees", court.fee + 2 * USDC - 70 * CENT),
        ("pool", DUE),
        ("attesters' fees", 70 * CENT),
        // what it gave with its word
        ("attesters", -2 * USDC),
    ];
    assert_eq!(court.moved().await, moved);
}

/// The examiner saw the very record that the user then challenges.
#[tokio::test(flavor = "multi_thread")]
async fn an_examiner_that_passes_a_wrong_answer_is_fined_when_a_challenge_is_won() {
    let says = Says {
        examiner: Some(false),
        jury: [GUILTY; 7],
    };
    let court = Court::claimed(ALL, says).await;
    court.reaches(HitStage::Passed).await;
    court.challenges().await;
    let guilty = "convicted: guilty by the jury of a challenge";
    assert_eq!(court.decided().await, guilty);
    assert_eq!(court.withdraws().await, json!(court.claim + 5 * USDC));
    let fine = 10 * court.claim;
    let moved = [
        ("collateral", -fine),
        ("fines", fine - 70 * CENT),
        ("task's fees", 2 * USDC),
        ("deposits", -2 * USDC),
        ("attesters' fees", 70 * CENT),
    ];
    assert_eq!(court.moved().await, moved);
}

/// Its owner claims by hand what the node, which is away, then shows to nobody.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_hides_the_record_from_its_examiner_is_convicted() {
    let mut court = Court::served(ALL).await;
    court.town.drop_node();
    court.claims_by_hand().await;
    let stack = court.stack.to_string();
    let due = court.town.does(&["stack", "due", &stack]).await;
    let calls: Vec<_> = due.iter().map(|line| line["call"].clone()).collect();
    assert_eq!(calls, ["audit::draw", "audit::examine"]);
    let hidden = "the node must show it to the examiner";
    assert_eq!(court.shown().await, hidden);
    // a node is left a second for it
    court.town.world.advance(HOUR + 2_000).await;
    // nothing else is to be done by the user than to close the stack
    court.town.closes(court.stack).await;
    let fine = 10 * court.claim;
    assert_eq!(
        court.moved().await,
        [("collateral", -fine), ("fines", fine)]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_examiner_is_replaced_and_after_two_the_due_goes_to_the_user() {
    let says = Says {
        examiner: None,
        jury: [SILENCE; 7],
    };
    let court = Court::claimed(ALL, says).await;
    let first = court.reaches(HitStage::Examining).await;
    court.town.world.advance(VERDICT_WINDOW + 1).await;
    // the node shows the next one the same record
    court
        .town
        .waits(async || {
            let hit = court.hit().await.unwrap();
            (hit.silent.is_some(), hit.stage) == (true, HitStage::Examining)
        })
        .await;
    let second = court.hit().await.unwrap();
    assert_ne!(second.examiner, first.examiner);
    assert_eq!((second.unit, second.seq), (first.unit, first.seq));
    assert_eq!(second.silent, Some(first.examiner));
    court.town.world.advance(VERDICT_WINDOW + 1).await;
    // nobody examines it any more: it is payable, for its window is over, too
    court
        .town
        .waits(async || court.lease().await.tickets.is_empty())
        .await;
    // nobody could say anything of it, so nothing is known of those who said nothing
    assert_eq!(court.struck_off().await, 0);
    assert_eq!(court.withdraws().await, json!(DUE));
    let moved = [
        ("user", DUE - court.claim),
        ("node's credit", court.pay()),
        ("task's fees", court.fee),
    ];
    assert_eq!(court.moved().await, moved);
}
