//! A user who thinks that an answer is wrong stakes a bond on it, and a jury of attesters decides.

use crate::{
    case::types,
    court::{CENT, GUILTY, OK, USDC, challenge, withdraw},
};
use atoma_client::request_key;
use atoma_network::testing::{Accounts, Court, DAY};
use atoma_types::chain::events::Outcome;
use serde_json::json;

/// A node has claimed three and a half dollars of a stack of five, and nobody examines it.
async fn claimed() -> Court {
    let court = Court::start(0, request_key).await;
    court.trial.settle().await;
    court
}

/// What `atoma dispute list` says of the one challenge.
async fn listed(court: &Court) -> String {
    let (trial, stack) = (&court.trial, court.trial.stack.to_string());
    let lines = types(&trial.world, &trial.user, &["dispute", "list", &stack]).await;
    let lines = lines.unwrap();
    assert_eq!((lines.len(), &lines[0]["what"]), (1, &json!("challenge")));
    assert_eq!(lines[0]["bond_micro_usdc"], json!(5 * USDC));
    lines[0]["state"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_challenge_that_is_won_gives_all_back_and_the_fine_pays_the_jury() {
    let court = claimed().await;
    let before = Accounts::of(&court).await;
    let (stack, node) = (court.trial.stack.to_string(), court.trial.node.to_string());
    let words = ["dispute", "challenge", "--bond", "4.99", "--stack", &stack];
    let words = [&words[..], &["--node", &node, "--unit", "1"]].concat();
    let dear = types(&court.trial.world, &court.trial.user, &words).await;
    assert!(dear.unwrap_err().contains("the bond is 5.00 USDC"));
    let challenged = challenge(&court, court.trial.unit(2)).await;
    assert_eq!(challenged["outcome"], "challenged");
    assert_eq!(listed(&court).await, "open");
    assert_eq!(challenged["bond_micro_usdc"], json!(5 * USDC));

    // one looked at something else, one not at all
    let verdicts = [GUILTY, GUILTY, OK, GUILTY, GUILTY, None, GUILTY];
    assert_eq!(court.judge(true, verdicts).await, Outcome::Guilty);
    let guilty = "convicted: guilty by the jury of a challenge";
    assert_eq!(listed(&court).await, guilty);
    assert_eq!(withdraw(&court).await, json!(10 * USDC));
    let convicted = Accounts::of(&court).await;
    let moved = before.moved(&convicted);
    assert_eq!(
        moved,
        [
            ("user", 5 * USDC),
            ("escrow", -5 * USDC),
            ("collateral", -35 * USDC),
            ("fines", 35 * USDC - 50 * CENT),
            ("task's fees", USDC),
            ("deposits", -USDC),
            ("attesters' fees", 50 * CENT),
        ]
    );
    assert_eq!(court.struck_off().await, 1);

    // a week later nobody can pardon it any more
    let node = court.trial.node.to_string();
    let forfeit = ["node", "forfeit", &node];
    let (world, stranger) = (&court.trial.world, &court.stranger);
    let early = types(world, stranger, &forfeit).await.unwrap_err();
    assert!(early.contains("pardon_not_over"), "{early}");
    court.trial.advance(7 * DAY + 1).await;
    types(world, stranger, &forfeit).await.unwrap();
    let fine = 35 * USDC - 50 * CENT;
    let moved = convicted.moved(&Accounts::of(&court).await);
    assert_eq!(moved, [("fines", -fine), ("treasury", fine)]);
}

#[tokio::test]
async fn a_challenge_that_is_lost_costs_the_bond_and_the_node_is_paid() {
    let court = claimed().await;
    let before = Accounts::of(&court).await;
    challenge(&court, court.trial.unit(2)).await;
    let verdicts = [OK, OK, OK, GUILTY, OK, OK, OK];
    assert_eq!(court.judge(true, verdicts).await, Outcome::Acquitted);
    assert_eq!(listed(&court).await, "the jury found nothing wrong");
    assert_eq!(withdraw(&court).await, 0);
    // six are paid out of the bond; who accused an innocent node is fined
    let judged = Accounts::of(&court).await;
    assert_eq!(
        before.moved(&judged),
        [
            ("user", -5 * USDC),
            ("task's fees", 5 * USDC - 60 * CENT + USDC),
            ("deposits", -USDC),
            ("attesters' fees", 60 * CENT),
        ]
    );

    court.trial.advance(DAY + 1).await;
    court.anyone().await;
    let fee = 35 * CENT / 10;
    let due = 25_000;
    let paid = judged.moved(&Accounts::of(&court).await);
    let pay = 350 * CENT - fee - due;
    assert_eq!(
        paid,
        [
            ("escrow", -350 * CENT),
            ("node's credit", pay),
            ("task's fees", fee),
            ("pool", due),
        ]
    );
    let (world, node) = (&court.trial.world, court.trial.node.to_string());
    let withdraw = ["node", "withdraw", &node];
    types(world, &court.trial.operator, &withdraw)
        .await
        .unwrap();
    let moved = judged.moved(&Accounts::of(&court).await);
    assert!(moved.contains(&("operator", pay)), "{moved:?}");
}

#[tokio::test]
async fn a_jury_that_cannot_decide_is_paid_from_the_bond_and_its_rest_comes_back() {
    let court = claimed().await;
    let before = Accounts::of(&court).await;
    challenge(&court, court.trial.unit(2)).await;
    let verdicts = [GUILTY, GUILTY, OK, GUILTY, GUILTY, OK, OK];
    assert_eq!(court.judge(true, verdicts).await, Outcome::Hung);
    assert_eq!(listed(&court).await, "the jury couldn't decide");
    withdraw(&court).await;
    assert_eq!(
        before.moved(&Accounts::of(&court).await),
        [("user", -70 * CENT), ("attesters' fees", 70 * CENT)]
    );
}
