//! A user who thinks that an answer is wrong stakes a bond on it, and a jury of attesters decides.

use crate::{
    case::types,
    court::{CENT, Court, DUE, USDC},
    test_attesters::{GUILTY, OK, SILENCE, Says},
};
use atoma_network::testing::DAY;
use serde_json::json;

/// Nobody examines it.
const NONE: u64 = 0;

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_that_is_won_gives_all_back_and_the_fine_pays_the_jury() {
    // one looked at something else, one not at all
    let jury = [GUILTY, GUILTY, OK, GUILTY, GUILTY, SILENCE, GUILTY];
    let court = Court::claimed(NONE, Says::jury(jury)).await;
    let (stack, node) = (court.stack.to_string(), court.town.id().await.to_string());
    let words = ["dispute", "challenge", "--bond", "4.99", "--stack", &stack];
    let words = [&words[..], &["--node", &node, "--unit", "1"]].concat();
    let dear = types(&court.town.world, &court.town.user, &words).await;
    assert!(dear.unwrap_err().contains("the bond is 5.00 USDC"));
    let challenged = court.challenges().await;
    assert_eq!(challenged["outcome"], "challenged");
    assert_eq!(challenged["bond_micro_usdc"], json!(5 * USDC));
    let listed = court.challenge().await;
    assert_eq!(
        (&listed["state"], &listed["bond_micro_usdc"]),
        (&json!("open"), &json!(5 * USDC))
    );
    court.outwaits(6).await;
    let guilty = "convicted: guilty by the jury of a challenge";
    assert_eq!(court.decided().await, guilty);
    assert_eq!(court.withdraws().await, json!(court.claim + 5 * USDC));
    let fine = 10 * court.claim - 50 * CENT;
    let moved = [
        ("collateral", -10 * court.claim),
        ("fines", fine),
        ("task's fees", USDC),
        ("deposits", -USDC),
        ("attesters' fees", 50 * CENT),
    ];
    assert_eq!(court.moved().await, moved);
    assert_eq!(court.struck_off().await, 1);

    // a week later nobody can pardon it any more
    let convicted = court.accounts().await;
    let (world, stranger) = (&court.town.world, &court.town.attesters[0].key);
    let forfeit = ["node", "forfeit", &node];
    let early = types(world, stranger, &forfeit).await.unwrap_err();
    assert!(early.contains("pardon_not_over"), "{early}");
    world.advance(7 * DAY + 1).await;
    types(world, stranger, &forfeit).await.unwrap();
    let moved = convicted.moved(&court.accounts().await);
    assert_eq!(moved, [("fines", -fine), ("treasury", fine)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_challenge_that_is_lost_costs_the_bond_and_the_node_is_paid() {
    let jury = [OK, OK, OK, GUILTY, OK, OK, OK];
    let court = Court::claimed(NONE, Says::jury(jury)).await;
    court.challenges().await;
    assert_eq!(court.decided().await, "the jury found nothing wrong");
    assert_eq!(court.withdraws().await, 0);
    court.town.paid(court.stack).await;
    // six are paid out of the bond; who accused an innocent node is fined
    let moved = [
        ("user", -court.claim - 5 * USDC),
        ("node's credit", court.pay()),
        ("task's fees", court.fee + 5 * USDC - 60 * CENT + USDC),
        ("pool", DUE),
        ("deposits", -USDC),
        ("attesters' fees", 60 * CENT),
    ];
    assert_eq!(court.moved().await, moved);

    let (paid, node) = (court.accounts().await, court.town.id().await.to_string());
    court.town.operates(&["node", "withdraw", &node]).await;
    let moved = paid.moved(&court.accounts().await);
    let pay = court.pay();
    assert_eq!(moved, [("operator", pay), ("node's credit", -pay)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_jury_that_cannot_decide_is_paid_from_the_bond_and_its_rest_comes_back() {
    let jury = [GUILTY, GUILTY, OK, GUILTY, GUILTY, OK, OK];
    let court = Court::claimed(NONE, Says::jury(jury)).await;
    court.challenges().await;
    assert_eq!(court.decided().await, "the jury couldn't decide");
    assert_eq!(court.withdraws().await, json!(5 * USDC - 70 * CENT));
    court.town.paid(court.stack).await;
    let moved = [
        ("user", -court.claim - 70 * CENT),
        ("node's credit", court.pay()),
        ("task's fees", court.fee),
        ("pool", DUE),
        ("attesters' fees", 70 * CENT),
    ];
    assert_eq!(court.moved().await, moved);
}
