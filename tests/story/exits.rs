//! Ways out that nobody can close: an address that its dollars' issuer has frozen stops nobody else, and what was
//! bought under one version of the rules is settled and paid out under it.

use crate::case::{bodies, evidence, of_a_wallet, settles, types};
use atoma_keys::SigningKey;
use atoma_network::testing::{DAY, PARTS, Trial, UNITS};
use atoma_types::{Address, MicroUsdc};
use serde_json::json;

/// A node that has claimed all that it served.
async fn settled() -> Trial {
    let trial = of_a_wallet().await;
    settles(&trial).await;
    trial
}

fn address(key: &SigningKey) -> Address {
    key.public_key().address()
}

/// What is bought, what of it is claimed, and the protocol's share of that.
fn sums() -> (i64, i64, i64) {
    let claimed = PARTS.iter().sum::<u64>() as i64;
    (UNITS as i64, claimed, claimed / 100)
}

#[tokio::test]
async fn frozen_parties_stop_nobody_and_take_their_money_elsewhere() {
    let trial = settled().await;
    let (world, ledger) = (&trial.world, &trial.world.ledger);
    let (user, operator) = (address(&trial.user), address(&trial.operator));
    let (elsewhere, stranger) = (
        address(&SigningKey::from_seed(&[7; 32])),
        world.party().await,
    );
    let accounts = || trial.accounts_and(Some(elsewhere));
    let before = accounts().await;
    world.freeze(user, true).await;
    world.freeze(operator, true).await;
    let (stack, node) = (trial.stack.to_string(), trial.node.to_string());

    // a frozen user spends nothing
    let unit = trial.unit(2).0.to_string();
    let demand = [
        "dispute", "demand", "--stack", &stack, "--node", &node, "--unit", &unit,
    ];
    let refused = types(world, &trial.user, &demand).await;
    assert!(refused.unwrap_err().contains("DENIED"));
    // and what is due is done without its coins: the node is paid, the rest is credit
    trial.advance(3 * DAY).await;
    let refused = types(world, &trial.user, &["stack", "close", &stack]).await;
    assert!(refused.unwrap_err().contains("DENIED"));
    let (bought, claimed, fee) = sums();
    let done = accounts().await;
    let moved = [
        ("escrow", -bought),
        ("stack's credit", bought - claimed),
        ("node's credit", claimed - fee),
        ("task's fees", fee),
    ];
    assert_eq!(before.moved(&done), moved);

    let refused = types(world, &trial.operator, &["node", "withdraw", &node]).await;
    assert!(refused.unwrap_err().contains("DENIED"));
    let to = elsewhere.to_string();
    let withdraw = ["node", "withdraw", &node, "--to", &to];
    types(world, &trial.operator, &withdraw).await.unwrap();
    let withdraw = ["stack", "withdraw", &stack, "--to", &to];
    let withdrawn = types(world, &trial.user, &withdraw).await.unwrap();
    assert_eq!(
        withdrawn[0]["withdrawn_micro_usdc"],
        json!(bought - claimed)
    );
    let moved = [
        ("stack's credit", claimed - bought),
        ("node's credit", fee - claimed),
        ("elsewhere", bought - fee),
    ];
    assert_eq!(done.moved(&accounts().await), moved);

    // thawed, it is paid as ever
    let before = ledger.usdc(operator).await.unwrap();
    world.freeze(operator, false).await;
    let sent = ledger
        .transfer_usdc(&stranger, operator, MicroUsdc(1))
        .await;
    sent.unwrap();
    assert_eq!(ledger.usdc(operator).await.unwrap().0, before.0 + 1);
}

#[tokio::test]
async fn what_an_old_version_sold_is_settled_and_paid_out_beside_a_newer_database() {
    let mut trial = settled().await;
    let before = trial.accounts().await;
    trial.world = trial.world.upgraded().await;
    let (world, task) = (&trial.world, trial.task.to_string());
    let (stack, node) = (trial.stack.to_string(), trial.node.to_string());

    // nothing new is sold
    let buy = ["stack", "buy", &task, "--units", "1000", "--max-price", "1"];
    let refused = types(world, &trial.user, &buy).await.unwrap_err();
    assert!(refused.contains("wrong_version"), "{refused}");
    // a demand and its conviction, a claim and its pay: none of them asks the database
    let unit = trial.unit(2).0.to_string();
    let demand = [
        "dispute", "demand", "--stack", &stack, "--node", &node, "--unit", &unit,
    ];
    types(world, &trial.user, &demand).await.unwrap();
    let (evidence, bodies) = (evidence(&trial, 2), bodies(&trial));
    let answer = ["dispute", "answer", &stack, &node, &unit];
    let shown = ["--evidence", &evidence, "--bodies", &bodies];
    let answer = [&answer[..], &shown].concat();
    let answered = types(world, &trial.operator, &answer).await.unwrap();
    assert_eq!(answered[0]["record"], json!(2));
    trial.advance(3 * DAY).await;
    let closed = types(world, &trial.user, &["stack", "close", &stack]).await;
    let (bought, claimed, fee) = sums();
    let demand_fee = trial.stack().await.terms.demand_fee.0 as i64;
    let closed = &closed.unwrap()[0];
    assert_eq!(closed["withdrawn_micro_usdc"], json!(bought - claimed));
    let withdraw = ["node", "withdraw", &node];
    types(world, &trial.operator, &withdraw).await.unwrap();
    let moved = [
        ("user", bought - claimed - demand_fee),
        ("escrow", -bought),
        ("operator", claimed - fee + demand_fee),
        // it waits there for the new version
        ("task's fees", fee),
    ];
    assert_eq!(before.moved(&trial.accounts().await), moved);
    leaves(&trial).await;
}

/// A node of an old version leaves with all of its collateral; the database isn't asked for that either.
async fn leaves(trial: &Trial) {
    let (world, task) = (&trial.world, trial.task.to_string());
    let node = trial.node.to_string();
    let operates = async |words: &[&str]| types(world, &trial.operator, words).await;
    let before = trial.accounts().await;
    let more = ["node", "add-collateral", &node, "1"];
    let refused = operates(&more).await.unwrap_err();
    assert!(refused.contains("wrong_version"), "{refused}");
    for step in [
        &["node", "unsubscribe", &node, &task][..],
        &["node", "unbond", &node],
    ] {
        operates(step).await.unwrap();
    }
    trial.advance(7 * DAY + 1).await;
    operates(&["node", "leave", &node]).await.unwrap();
    operates(&["node", "withdraw", &node]).await.unwrap();
    let collateral = world.collateral.0 as i64;
    let moved = [("operator", collateral), ("collateral", -collateral)];
    assert_eq!(before.moved(&trial.accounts().await), moved);
}
