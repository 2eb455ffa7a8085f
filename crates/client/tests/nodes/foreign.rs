//! What is no word of a node's about a request: receipts for others, and records that nobody has signed.

use crate::{
    scripted::{COST, Change, Junk},
    world::World,
};
use atoma_client::{Client, ClientError, KeptReceipt, ReceiptError, StackHandle};
use atoma_types::{Address, ComputeUnits, NetworkId, NodeId, RequestId, StackId, hash::Hash32};
use std::time::Duration;
use tokio::time::{sleep, timeout};

async fn ask(stack: &StackHandle, world: &World, act: &str) -> Result<(), ClientError> {
    let body = format!(r#"{{"act":"{act}","max_tokens":10}}"#);
    let answer = stack.chat(world.node.id, body).await?;
    answer.whole().await.map(|_| ())
}

async fn opened(world: &World) -> (Client, StackHandle) {
    let client = world.client();
    let stack = world.leased(&client).await;
    ask(&stack, world, "plain").await.unwrap();
    (client, stack)
}

/// All that is kept, in the order of its numbers.
async fn kept(client: &Client) -> Vec<KeptReceipt> {
    client.receipts().flush().await.unwrap();
    let mut kept = client.receipts().list(None).unwrap();
    kept.sort_by_key(|kept| (kept.seq, kept.fault.is_some()));
    kept
}

/// So many good ones are kept, and nothing else.
async fn has_good(client: &Client, many: u64) {
    let kept = kept(client).await.into_iter();
    let kept: Vec<_> = kept.map(|kept| (kept.seq, kept.fault)).collect();
    let good: Vec<_> = (1..=many).map(|seq| (seq, None)).collect();
    assert_eq!(kept, good);
}

const CHANGES: [Change; 5] = [
    |receipt| receipt.network = NetworkId([9; 32]),
    |receipt| receipt.stack = StackId(Address::new([9; 32])),
    |receipt| receipt.node = NodeId(Address::new([9; 32])),
    |receipt| receipt.request_id = RequestId([9; 16]),
    |receipt| receipt.request_hash = Hash32([9; 32]),
];

/// Such a receipt was the node's last word: the request was never asked about again, its true record was one too many, and
/// nothing more was signed on the lease.
#[tokio::test(start_paused = true)]
async fn a_receipt_for_another_request_is_no_last_word_and_its_record_is_found_in_the_lease() {
    for change in CHANGES {
        let world = World::simulated().await;
        let node = world.node.id;
        let (client, stack) = opened(&world).await;
        world.node.shows(Some(change));
        let mut cut = stack
            .chat(node, r#"{"act":"cut","max_tokens":10}"#)
            .await
            .unwrap();
        let (id, receipt) = (cut.request_id, cut.receipt());
        cut.whole().await.unwrap_err();
        let found = receipt.await.expect("its record is in the lease's");
        assert_eq!((found.request_id, found.units), (id, COST));
        ask(&stack, &world, "plain").await.unwrap();
        assert_eq!(stack.fill_gaps(node).await.unwrap(), None);
        has_good(&client, 3).await;
        assert_eq!(client.distrusted(node), None);
        ask(&stack, &world, "plain").await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_node_that_shows_receipts_for_others_is_asked_on_until_it_shows_the_true_one() {
    for change in CHANGES {
        let world = World::simulated().await;
        let node = world.node.id;
        let (client, stack) = opened(&world).await;
        world.node.shows(Some(change));
        world.node.withholds(true);
        let body = r#"{"act":"cut","max_tokens":10}"#;
        let mut cut = stack.chat(node, body).await.unwrap();
        let mut receipt = Box::pin(cut.receipt());
        cut.whole().await.unwrap_err();
        let early = timeout(Duration::from_secs(3_600), &mut receipt).await;
        assert!(early.is_err(), "it isn't said to have none");
        assert_eq!(stack.charged_unanswered(node), ComputeUnits::ZERO);
        world.node.shows(None);
        assert_eq!(receipt.await.unwrap().units, COST);
        assert_eq!(stack.charged_unanswered(node), COST);
        has_good(&client, 2).await;
    }
}

/// Its node had the last word: who waited was told that there is none, and a good one that came later was paid by nobody but
/// who signed.
#[tokio::test(start_paused = true)]
async fn a_bad_receipt_that_is_signed_ends_no_wait_for_the_good_one() {
    let world = World::simulated().await;
    let node = world.node.id;
    let (client, stack) = opened(&world).await;
    world
        .node
        .shows(Some(|receipt| receipt.units = ComputeUnits(31)));
    let body = r#"{"act":"cut","max_tokens":10}"#;
    let mut cut = stack.chat(node, body).await.unwrap();
    let mut receipt = Box::pin(cut.receipt());
    cut.whole().await.unwrap_err();
    let early = timeout(Duration::from_secs(3_600), &mut receipt).await;
    assert!(early.is_err(), "there may be a good one: {early:?}");
    world.node.shows(None);
    assert_eq!(receipt.await.unwrap().units, COST);
    assert_eq!(stack.charged_unanswered(node), COST);
    // and the bad one is kept beside it, once
    let kept = kept(&client).await;
    let faults: Vec<_> = kept.iter().map(|kept| kept.fault.is_some()).collect();
    assert_eq!(faults, [false, false, true]);
}

#[tokio::test(start_paused = true)]
async fn what_comes_beside_an_answer_for_another_stack_is_not_kept_as_this_requests() {
    let world = World::simulated().await;
    let node = world.node.id;
    let (client, stack) = opened(&world).await;
    let error = ask(&stack, &world, "other_stack").await.unwrap_err();
    let ClientError::Receipt { reason, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(reason, ReceiptError::Stack);
    // its node is asked for the true one
    sleep(Duration::from_secs(1)).await;
    has_good(&client, 2).await;
    ask(&stack, &world, "plain").await.unwrap();
    assert_eq!(stack.fill_gaps(node).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_second_receipt_for_an_earlier_request_is_kept_beside_the_first() {
    let world = World::simulated().await;
    let (client, stack) = opened(&world).await;
    ask(&stack, &world, "receipt_before").await.unwrap_err();
    sleep(Duration::from_secs(1)).await;
    let kept = kept(&client).await;
    let of_first = kept
        .iter()
        .filter(|other| other.request_id == kept[0].request_id);
    let faults: Vec<_> = of_first.map(|kept| kept.fault.is_some()).collect();
    assert_eq!(faults, [false, true]);
    assert_eq!(kept.len(), 3, "and the true one for this request");
    assert!(kept[1..].iter().any(|kept| kept.fault.is_none()));
}

/// Each look wrote a page of them to the disk, every ten seconds for as long as the lease was open.
#[tokio::test(start_paused = true)]
async fn records_that_nobody_has_signed_fill_no_disk_and_are_soon_asked_for_seldom() {
    for (junk, faulty) in [
        (Junk::Unsigned, 0),
        (Junk::Unasked, 0),
        (Junk::OtherStack, 0),
        (Junk::Overcharged, 7),
    ] {
        let world = World::simulated().await;
        let (client, stack) = opened(&world).await;
        world.node.skips(1);
        world.node.shows_junk(junk, 20);
        ask(&stack, &world, "plain").await.unwrap();
        sleep(Duration::from_secs(3_600)).await;
        let pages = world.node.pages();
        assert!((6..=7).contains(&pages), "{junk:?}: {pages}");
        // one of each page at most, where its node has signed it for what was asked
        let kept = kept(&client).await;
        let found = kept.iter().filter(|kept| kept.fault.is_some()).count();
        assert!(found <= faulty, "{junk:?}: {found}");
        let good = kept.iter().filter(|kept| kept.fault.is_none());
        assert_eq!(good.map(|kept| kept.seq).collect::<Vec<_>>(), [1, 3]);
    }
}
