//! The same seed gives the same trace: a ledger, a node, a model and a client in one task's time, over
//! connections in memory, with no thread but the one that runs the test.

use atoma_client::{BuyRequest, Client, ClientConfig, StackHandle};
use atoma_engine::{Embedded, EmbeddedOptions, builtin};
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_network::{Network, POCKET_MONEY, Silent, fund};
use atoma_runtime::{Runtime, Threads};
use atoma_types::{ComputeUnits, DurationMs, Price, TimestampMs, chain::Params, hash::Hash32};
use futures::StreamExt;
use std::{path::Path, sync::Arc, time::Duration};

/// Midnight of the first of January 2026.
const START: TimestampMs = TimestampMs(1_767_225_600_000);
const PRICE: Price = Price(2_000_000);
const REQUESTS: usize = 3;
/// Nothing comes for so long: the ledger's events are over.
const QUIET: Duration = Duration::from_secs(2);

/// What can be seen of a run, in order: one line each.
#[derive(Debug, PartialEq, Eq)]
struct Trace(Vec<String>);

#[test]
fn the_same_seed_gives_the_same_trace() {
    let (first, again, other) = (run(7), run(7), run(8));
    for (number, (first, again)) in first.0.iter().zip(&again.0).enumerate() {
        assert_eq!(first, again, "line {number} differs");
    }
    assert_eq!(first, again);
    assert_ne!(first, other);
    let receipts = |trace: &Trace| trace.0.iter().filter(|l| l.starts_with("receipt")).count();
    assert_eq!(receipts(&first), REQUESTS);
}

fn run(seed: u64) -> Trace {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .unwrap();
    runtime.block_on(story(seed, folder.path()))
}

/// Buys a stack, asks, checks the receipts, closes the stack.
async fn story(seed: u64, folder: &Path) -> Trace {
    let runtime = Runtime::simulated(seed, START);
    let mut trace = Trace(Vec::new());
    let network = Network::builder(folder.to_owned())
        .localnet(|config| config.runtime = runtime.clone())
        .params(Params {
            dispute_window_ms: 60_000,
            ..Params::default()
        })
        .serving(Arc::new(model()))
        .node(PRICE)
        .start()
        .await
        .unwrap();
    trace.add("network", network.ledger.network());

    let wallet = SigningKey::from_seed(&runtime.random.bytes());
    let address = wallet.public_key().address();
    fund(&network.ledger, "user", address, POCKET_MONEY, &Silent)
        .await
        .unwrap();
    let client =
        Client::with_ledger(network.ledger.clone(), wallet, ClientConfig::default()).unwrap();
    let stack = client
        .buy(BuyRequest {
            task: network.task.unwrap(),
            units: ComputeUnits(20_000),
            max_price: Some(PRICE),
            nodes: 0,
            lifetime: DurationMs(3_600_000),
        })
        .await
        .unwrap();
    stack.engage().await.unwrap();
    for number in 0..REQUESTS {
        ask(&stack, number, &runtime, &mut trace).await;
    }
    let closed = stack.close().await.unwrap();
    trace.add("closed", format!("{} {closed:?}", runtime.now()));
    events(&network.ledger, &mut trace).await;
    drop((stack, client));
    network.stop().await;
    trace.add("stopped", runtime.now());
    trace
}

/// The model inside the binary, whose worker is a task.
fn model() -> Embedded {
    builtin::load_with(EmbeddedOptions {
        threads: Some(1),
        worker: Threads::InLine,
        ..EmbeddedOptions::default()
    })
    .unwrap()
}

async fn ask(stack: &StackHandle, number: usize, runtime: &Runtime, trace: &mut Trace) {
    let body = format!(
        r#"{{"model":"atoma-tiny","messages":[{{"role":"user","content":"Tell me {number}."}}],"max_tokens":8}}"#
    );
    let node = *stack.nodes().first().unwrap();
    let answer = stack.chat(node, body).await.unwrap().whole().await.unwrap();
    trace.add(
        "request",
        format!("{} {}", runtime.now(), answer.request_id),
    );
    trace.add(
        "answer",
        format!("{} {}", answer.status, Hash32::of(&answer.body)),
    );
    let receipt = answer.receipt.unwrap();
    trace.add("receipt", receipt.signed().to_text());
}

/// All that happened on the ledger, and when.
async fn events(ledger: &Ledger, trace: &mut Trace) {
    let mut events = ledger.events(None);
    while let Ok(Some(event)) = tokio::time::timeout(QUIET, events.next()).await {
        let event = event.unwrap();
        let checkpoint = ledger.checkpoint(event.checkpoint).await.unwrap();
        trace.add(
            "event",
            format!(
                "{} {} {} {} {:?}",
                checkpoint.time, checkpoint.digest, event.transaction, event.index, event.event
            ),
        );
    }
}

impl Trace {
    fn add(&mut self, what: &str, value: impl std::fmt::Display) {
        self.0.push(format!("{what} {value}"));
    }
}
