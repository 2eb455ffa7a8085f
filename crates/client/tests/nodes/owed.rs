//! Requests that come to nothing, and are claimed all the same: whoever asked pays, and not who signed for them.

use crate::{scripted::COST, world::World};
use atoma_client::{CloseUntil, Ended, Owed, ReceiptWait, RequestTry, StackHandle, Voucher};
use atoma_types::{ComputeUnits, chain::Params, message::Endpoint};
use futures::future::join_all;
use std::time::Duration;
use tokio::time::timeout;

const MAX: ComputeUnits = ComputeUnits(40);
/// What nobody owes.
const FREE: ComputeUnits = ComputeUnits(50);
/// What a node names as the sum of receipts that nobody has seen.
const NAMED: u64 = 1 << 62;
const LONG: Duration = Duration::from_secs(60);

/// So many requests at once; who waits for their receipts.
async fn ask(stack: &StackHandle, world: &World, act: &str, many: usize) -> Vec<ReceiptWait> {
    let asked = (0..many).map(|_| {
        let body = format!(r#"{{"act":"{act}","n_units":{NAMED},"max_tokens":10}}"#);
        let id = stack.client().runtime().request_id();
        RequestTry::new(id, Endpoint::ChatCompletions, body.into(), MAX)
    });
    let asked: Vec<_> = asked.collect();
    let (waits, answers): (Vec<_>, Vec<_>) = asked
        .iter()
        .map(|request| stack.try_once_watched(world.node.id, request))
        .unzip();
    for answer in join_all(answers).await {
        answer.unwrap().whole().await.unwrap();
    }
    waits
}

async fn voucher(mut wait: ReceiptWait) -> Voucher {
    match wait.ended().await {
        Ended::Refused(voucher) => voucher,
        other => panic!("{other:?}"),
    }
}

/// All were signed for at once, so that each could be claimed; and none was charged to anybody.
#[tokio::test]
async fn what_is_refused_at_once_and_claimed_is_charged_to_who_asked() {
    let world = World::with(Params {
        dispute_window_ms: 200,
        settle_grace_ms: 2_000,
        ..Params::default()
    })
    .await;
    let client = world.client();
    let stack = world.leased(&client).await;
    let mut owed: Vec<Owed> = Vec::new();
    for wait in ask(&stack, &world, "refuse_and_serve", 4).await {
        owed.extend(voucher(wait).await.owed(FREE));
    }
    assert_eq!(world.node.highest_ceiling(), ComputeUnits(160));
    assert_eq!(owed.len(), 3, "three times forty are all that is exposed");
    let mut charged = Box::pin(join_all(owed));
    let early = timeout(Duration::from_millis(500), &mut charged).await;
    assert!(early.is_err(), "nobody has claimed them yet");
    settled(&world, &stack).await;
    let charged = timeout(LONG, charged).await.unwrap();
    assert_eq!(charged, [MAX; 3], "what was paid for nothing");
    assert_eq!(3 * MAX.0, 4 * COST.0);
}

/// The node claims what it has receipts for, and is paid.
async fn settled(world: &World, stack: &StackHandle) {
    let (settler, ledger, id) = (world.node.clone(), world.ledger.clone(), stack.id());
    let settle = async {
        loop {
            let calls = vec![settler.settle(id).into(), settler.release(id).into()];
            if ledger.execute(&settler.owner, calls).await.is_ok() {
                break;
            }
        }
    };
    let closing = stack.close_with(CloseUntil::Settled, LONG, |_| {});
    let (closed, ()) = tokio::join!(closing, settle);
    closed.unwrap();
    stack.close().await.unwrap();
}

/// One good answer whose receipt named any sum ended all that was owed, before it and after it.
#[tokio::test]
async fn what_a_receipt_names_of_others_frees_nobody_who_owes() {
    let world = World::with(Params {
        dispute_window_ms: 200,
        settle_grace_ms: 2_000,
        ..Params::default()
    })
    .await;
    let client = world.client();
    let stack = world.leased(&client).await;
    ask(&stack, &world, "names", 1).await;
    let room = stack.room(world.node.id);
    assert_eq!(room, ComputeUnits(10_000 - COST.0), "nor is it room");
    let mut owed: Vec<Owed> = Vec::new();
    for wait in ask(&stack, &world, "refuse_and_serve", 4).await {
        owed.extend(voucher(wait).await.owed(FREE));
    }
    assert_eq!(owed.len(), 3, "110 are exposed");
    settled(&world, &stack).await;
    let charged = timeout(LONG, join_all(owed)).await.unwrap();
    let sum: u64 = charged.iter().map(|units| units.0).sum();
    // its first answer was paid for, and isn't among what it settled
    assert_eq!(sum, 4 * COST.0 - COST.0, "{charged:?}");
}

#[tokio::test(start_paused = true)]
async fn what_a_receipt_names_of_others_frees_nobody_who_owes_already() {
    let world = World::simulated().await;
    let client = world.client();
    let stack = world.leased(&client).await;
    let mut owed: Vec<Owed> = Vec::new();
    for wait in ask(&stack, &world, "refuse", 4).await {
        owed.extend(voucher(wait).await.owed(FREE));
    }
    assert_eq!(owed.len(), 3);
    ask(&stack, &world, "names", 1).await;
    let charged = join_all(owed.into_iter().map(|owed| timeout(LONG, owed))).await;
    let free = charged.iter().filter(|charged| charged.is_ok()).count();
    assert_eq!(free, 1, "80 are exposed still");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_owed_no_more_once_receipts_have_settled_it() {
    let world = World::simulated().await;
    let client = world.client();
    let stack = world.leased(&client).await;
    let mut owed: Vec<Owed> = Vec::new();
    for wait in ask(&stack, &world, "refuse", 4).await {
        owed.extend(voucher(wait).await.owed(FREE));
    }
    assert_eq!(owed.len(), 3);
    let mut charged = Box::pin(join_all(owed));
    ask(&stack, &world, "plain", 1).await;
    let early = timeout(Duration::from_secs(1), &mut charged).await;
    assert!(early.is_err(), "130 are loose");
    // each costs thirty
    ask(&stack, &world, "plain", 1).await;
    ask(&stack, &world, "plain", 1).await;
    ask(&stack, &world, "plain", 1).await;
    let charged = timeout(LONG, charged).await.unwrap();
    assert_eq!(charged, [ComputeUnits::ZERO; 3]);
    // one after the other leave no more than one loose, which is free
    for _ in 0..20 {
        for wait in ask(&stack, &world, "refuse", 1).await {
            assert!(voucher(wait).await.owed(FREE).is_none());
        }
    }
}
