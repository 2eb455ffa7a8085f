//! More requests at once than a stack can pay.

use crate::processes::Network;
use atoma_types::chain::Event;
use futures::StreamExt;
use std::{collections::BTreeSet, sync::Arc};

/// Requests sent at the same time.
const REQUESTS: usize = 1_000;
/// Requests that the stack has units for.
const PAID_FOR: u64 = 100;
/// Tokens of an answer: one, so that every request costs the same.
const ANSWER_TOKENS: u32 = 1;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_on_a_stack_for_a_hundred() {
    let network = Network::start().await;

    // what one request costs, from a first one on a stack of its own
    let probe = network.buy(1_000).await;
    let answer = probe
        .ask("Hello!", ANSWER_TOKENS, 1_000)
        .await
        .expect("an answer");
    assert_eq!(answer.status, 200, "{}", answer.code());
    let cost = answer.receipt.expect("a receipt").message().units.0;
    assert!(cost > 1);

    let user = Arc::new(network.buy(cost * PAID_FOR).await);
    // from now on: an open network may have a long history
    let mut events = network.ledger.subscribe().await.expect("events");
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..REQUESTS {
        let user = Arc::clone(&user);
        tasks.spawn(async move { user.ask("Hello!", ANSWER_TOKENS, cost).await });
    }
    let (mut served, mut refused) = (Vec::new(), 0);
    while let Some(answer) = tasks.join_next().await {
        let answer = answer.expect("no panic").expect("an answer");
        match answer.status {
            200 => served.push(answer.receipt.expect("a receipt")),
            402 => refused += 1,
            other => panic!("{other}: {}", answer.code()),
        }
    }
    assert_eq!(served.len() as u64, PAID_FOR, "{refused} were refused");
    assert_eq!(refused, REQUESTS - served.len());
    let sum: u64 = served.iter().map(|receipt| receipt.message().units.0).sum();
    let places: BTreeSet<u64> = served.iter().map(|receipt| receipt.message().seq).collect();
    assert_eq!(
        places.len() as u64,
        PAID_FOR,
        "receipts have places of their own"
    );
    assert_eq!(sum, cost * PAID_FOR);

    // a used-up lease is settled by itself, in as many claims as it takes, and the ledger pays what the receipts say
    let ledger = &network.ledger;
    let mut paid = 0;
    while paid < sum {
        let event = events
            .next()
            .await
            .expect("events go on")
            .expect("events can be read");
        if let Event::Claimed(claimed) = event.event
            && claimed.stack == user.stack
        {
            // micro-USDC equal units at this price
            paid += claimed.paid.0 + claimed.fee.0;
        }
    }
    assert_eq!(paid, sum);
    let stack = ledger.stack(user.stack).await.expect("the stack");
    assert_eq!(stack.leases[0].paid_units.0, sum);
    assert_eq!(stack.escrow.0, 0);

    // the probe's stack comes back on its owner's word
    network.closes(probe.stack);
}
