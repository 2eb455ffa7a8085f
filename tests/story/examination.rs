//! Examinations of tickets: of innocent, guilty, silent and lying parties, and where each one's money is afterwards.

use crate::{
    case::types,
    court::{CENT, GUILTY, OK, USDC, challenge, close, withdraw},
};
use atoma_client::request_key;
use atoma_network::testing::{Accounts, Court, DAY};
use atoma_types::chain::{HitStage, calls, events::Outcome};
use serde_json::json;

/// What the node claims, of it the protocol's share, what goes into the pool, and what the node gets.
const CLAIM: i64 = 350 * CENT;
const FEE: i64 = CLAIM / 100;
const DUE: i64 = 25_000;
const PAY: i64 = CLAIM - FEE - DUE;

/// A claim whose examiner is drawn: here every ticket is examined.
async fn drawn() -> Court {
    let court = Court::start(1_000, request_key).await;
    court.trial.settle().await;
    court.anyone().await;
    court
}

/// The same with the record shown.
async fn disclosed() -> Court {
    let court = drawn().await;
    court.disclose().await;
    court
}

/// What `atoma dispute show` says of the ticket.
async fn shown(court: &Court) -> String {
    let (trial, stack) = (&court.trial, court.trial.stack.to_string());
    let lines = types(&trial.world, &trial.user, &["dispute", "show", &stack]).await;
    lines.unwrap()[0]["state"].as_str().unwrap().to_owned()
}

/// The window is over, and whoever wants it has the node paid.
async fn paid(court: &Court) {
    court.trial.advance(DAY + 1).await;
    court.anyone().await;
}

#[tokio::test]
async fn an_innocent_node_is_paid_and_its_examiner_from_the_pool() {
    let court = drawn().await;
    let before = Accounts::of(&court).await;
    assert_eq!(shown(&court).await, "the node must show it to the examiner");
    court.disclose().await;
    assert_eq!(shown(&court).await, "examined");
    court.examiner_says(false).await;
    assert_eq!(shown(&court).await, "passed");
    let examiner = court.hit().await.examiner;
    paid(&court).await;
    let after = Accounts::of(&court).await;
    assert_eq!(
        before.moved(&after),
        [
            ("escrow", -CLAIM),
            ("node's credit", PAY),
            ("task's fees", FEE),
            ("pool", DUE - 10 * CENT),
            ("attesters' fees", 10 * CENT),
        ]
    );

    // anyone has the examiner's fee made its credit, and its owner takes it out
    let collect = calls::CollectAttesterFees {
        task: court.trial.task.into(),
        node: examiner.node.into(),
    };
    court.trial.run(&court.stranger, collect).await.unwrap();
    let attesters = court.attesters.iter();
    let mut owners = attesters.filter(|attester| attester.node == examiner.node);
    let owner = &owners.next().unwrap().key;
    let withdraw = ["node", "withdraw", &examiner.node.to_string()];
    types(&court.trial.world, owner, &withdraw).await.unwrap();
    let moved = after.moved(&Accounts::of(&court).await);
    let fee = 10 * CENT;
    assert_eq!(moved, [("attesters' fees", -fee), ("attesters", fee)]);
}

#[tokio::test]
async fn a_guilty_node_is_convicted_and_its_user_has_all_back() {
    let court = disclosed().await;
    let before = Accounts::of(&court).await;
    court.examiner_says(true).await;
    assert_eq!(shown(&court).await, "accused");
    let outcome = court.judge(false, [GUILTY; 7]).await;
    assert_eq!(outcome, Outcome::Guilty);
    assert_eq!(close(&court).await, json!(5 * USDC));
    assert_eq!(
        before.moved(&Accounts::of(&court).await),
        [
            ("user", 5 * USDC),
            ("escrow", -5 * USDC),
            ("collateral", -10 * CLAIM),
            ("fines", 10 * CLAIM - 70 * CENT),
            ("pool", -10 * CENT),
            // what the examiner gave with its word comes back beside what all are paid
            ("attesters' fees", 80 * CENT + 2 * USDC),
            ("attesters", -2 * USDC),
        ]
    );
}

#[tokio::test]
async fn an_examiner_that_accuses_an_innocent_node_pays_the_jury() {
    let court = disclosed().await;
    let before = Accounts::of(&court).await;
    court.examiner_says(true).await;
    let outcome = court.judge(false, [OK; 7]).await;
    assert_eq!(outcome, Outcome::Acquitted);
    assert_eq!(court.hit().await.stage, HitStage::Cleared);
    paid(&court).await;
    assert_eq!(
        before.moved(&Accounts::of(&court).await),
        [
            ("escrow", -CLAIM),
            ("node's credit", PAY),
            ("task's fees", FEE + 2 * USDC - 70 * CENT),
            ("pool", DUE),
            ("attesters' fees", 70 * CENT),
            // what it gave with its word
            ("attesters", -2 * USDC),
        ]
    );
}

/// The examiner saw the very record that the user then challenges.
#[tokio::test]
async fn an_examiner_that_passes_a_wrong_answer_is_fined_when_a_challenge_is_won() {
    let court = disclosed().await;
    court.examiner_says(false).await;
    let before = Accounts::of(&court).await;
    challenge(&court, court.hit().await.unit).await;
    assert_eq!(court.judge(true, [GUILTY; 7]).await, Outcome::Guilty);
    withdraw(&court).await;
    assert_eq!(
        before.moved(&Accounts::of(&court).await),
        [
            ("user", 5 * USDC),
            ("escrow", -5 * USDC),
            ("collateral", -10 * CLAIM),
            ("fines", 10 * CLAIM - 70 * CENT),
            ("task's fees", 2 * USDC),
            ("deposits", -2 * USDC),
            ("attesters' fees", 70 * CENT),
        ]
    );
}

#[tokio::test]
async fn a_node_that_hides_the_record_from_its_examiner_is_convicted() {
    let court = drawn().await;
    let before = Accounts::of(&court).await;
    // a node is left a second for it
    court.trial.advance(DAY + 2_000).await;
    // nothing else is to be done by the user than to close the stack
    assert_eq!(close(&court).await, json!(5 * USDC));
    assert_eq!(
        before.moved(&Accounts::of(&court).await),
        [
            ("user", 5 * USDC),
            ("escrow", -5 * USDC),
            ("collateral", -10 * CLAIM),
            ("fines", 10 * CLAIM),
        ]
    );
}

#[tokio::test]
async fn a_silent_examiner_is_replaced_and_after_two_the_due_goes_to_the_user() {
    let court = disclosed().await;
    let before = Accounts::of(&court).await;
    let silence = court.trial.stack().await.terms.sampling.unwrap();
    let silence = silence.verdict_window_ms.0 + 1;
    let first = court.hit().await.examiner;
    court.trial.advance(silence).await;
    court.anyone().await;
    let second = court.hit().await;
    assert_ne!(second.examiner, first);
    assert_eq!((court.struck_off().await, second.silent), (1, 1));
    // the same record for the next one
    court.disclose().await;
    court.trial.advance(silence).await;
    // nobody examines it any more: it is payable, for its window is over, too
    court.anyone().await;
    assert_eq!(court.struck_off().await, 2);
    withdraw(&court).await;
    assert_eq!(
        before.moved(&Accounts::of(&court).await),
        [
            ("user", DUE),
            ("escrow", -CLAIM),
            ("node's credit", PAY),
            ("task's fees", FEE),
        ]
    );
}
