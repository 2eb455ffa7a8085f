//! kill -9 of ledger and node under load, at moments nobody chose.

use crate::{
    processes::{Network, Rules},
    user::User,
};
use atoma_runtime::{Random, SystemRandom};
use atoma_types::{chain::Event, message::Receipt};
use futures::StreamExt;
use parking_lot::Mutex;
use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// How many crashes, unless `ATOMA_TEST_CRASHES` says otherwise.
const CRASHES: usize = 6;
/// Users that ask all the time.
const USERS: usize = 4;
/// The longest time between two crashes.
const MAX_PAUSE_MS: u64 = 700;

/// How long a user waits before asking again a node that isn't there.
const BACK_OFF: Duration = Duration::from_millis(5);

type Receipts = Arc<Mutex<BTreeMap<u64, Receipt>>>;

#[tokio::test(flavor = "multi_thread")]
async fn units_money_and_receipts_add_up_after_crashes() {
    let crashes =
        std::env::var("ATOMA_TEST_CRASHES").map_or(CRASHES, |n| n.parse().expect("a number"));
    let mut network = Network::own(Rules::default()).await;
    let user = Arc::new(network.buy(10_000_000).await);
    let receipts = Receipts::default();
    let stop = Arc::new(AtomicBool::new(false));
    let askers: Vec<_> = (0..USERS)
        .map(|_| {
            tokio::spawn(ask_until(
                Arc::clone(&user),
                Arc::clone(&receipts),
                Arc::clone(&stop),
            ))
        })
        .collect();

    for crash in 0..crashes {
        let pause = random() % MAX_PAUSE_MS;
        tokio::time::sleep(Duration::from_millis(pause)).await;
        if random().is_multiple_of(2) {
            network.node.kill();
            network.restart_node();
        } else {
            network.crash_localnet();
        }
        println!(
            "crash {} after {pause} ms, {} receipts",
            crash + 1,
            receipts.lock().len()
        );
    }
    stop.store(true, Ordering::Relaxed);
    for asker in askers {
        asker.await.expect("no panic");
    }
    // one more answer, so that the node has followed the ledger to its end
    let last = loop {
        match user.ask("Hello!", 4, 1_000).await {
            Some(answer) if answer.status == 200 => break answer.receipt.expect("a receipt"),
            _ => tokio::time::sleep(BACK_OFF).await,
        }
    };
    keep(&receipts, last.message());

    // the node's journal: every receipt that a user got stands in it, with its place and sum
    let lease = user.lease().await.expect("an answer");
    let committed = lease["committed"].as_u64().expect("units");
    let receipts = receipts.lock().clone();
    assert_eq!(committed, last.message().cumulative_units.0, "{lease}");
    for receipt in receipts.values() {
        assert!(receipt.cumulative_units.0 <= committed);
    }
    // neighbours are linked
    for (place, receipt) in &receipts {
        if let Some(next) = receipts.get(&(place + 1)) {
            let bytes = bcs::to_bytes(receipt).expect("a receipt encodes");
            assert_eq!(next.previous, atoma_types::hash::Hash32::of(&bytes));
            assert_eq!(
                receipt.cumulative_units.0 + next.units.0,
                next.cumulative_units.0
            );
        }
    }

    // and the ledger pays exactly that
    let ledger = &network.ledger;
    let deposited = ledger.stack(user.stack).await.expect("the stack").escrow;
    let back = network.closes(user.stack);
    let mut events = std::pin::pin!(ledger.events(None));
    let mut paid = 0;
    loop {
        let event = events
            .next()
            .await
            .expect("events go on")
            .expect("events can be read");
        match event.event {
            Event::Claimed(claimed) => paid += claimed.paid.0 + claimed.fee.0,
            Event::LeaseClosed(closed) => {
                assert_eq!(closed.paid_units.0, committed);
                break;
            }
            _ => {}
        }
    }
    let stack = ledger.stack(user.stack).await.expect("the stack");
    assert_eq!(stack.leases[0].paid_units.0, committed);
    assert_eq!(stack.escrow.0, 0);
    assert_eq!(paid + back + stack.free.0, deposited.0);
}

async fn ask_until(user: Arc<User>, receipts: Receipts, stop: Arc<AtomicBool>) {
    while !stop.load(Ordering::Relaxed) {
        match user.ask("Hello!", 8, 1_000).await {
            Some(answer) if answer.status == 200 => {
                keep(&receipts, answer.receipt.expect("a receipt").message());
            }
            // down, or just up again: requests signed before a restart are refused
            _ => tokio::time::sleep(BACK_OFF).await,
        }
    }
}

/// Two different receipts for one place would be fraud.
fn keep(receipts: &Receipts, receipt: &Receipt) {
    let mut receipts = receipts.lock();
    if let Some(other) = receipts.insert(receipt.seq, receipt.clone()) {
        assert_eq!(&other, receipt, "one place, two receipts");
    }
}

fn random() -> u64 {
    SystemRandom.next_u64()
}
