//! Records that a node makes up of what its user has signed: copies of one, and those of requests that it refused. None
//! of them is signed for, whoever fetches it and however often.

use crate::{watch::Watched, world::World};
use atoma_client::{Client, ClientError, ReceiptError, RequestOptions, StackHandle};
use atoma_types::{ComputeUnits, message::Endpoint};

async fn ask(stack: &StackHandle, world: &World, act: &str) -> Result<(), ClientError> {
    let body = format!(r#"{{"act":"{act}","max_tokens":10}}"#);
    let options = RequestOptions {
        max_units: Some(ComputeUnits(40)),
        ..RequestOptions::default()
    };
    let endpoint = Endpoint::ChatCompletions;
    let answer = stack.request(world.node.id, endpoint, body.into(), options);
    answer.await?.whole().await.map(|_| ())
}

/// How many receipts of a lease are good.
fn good(client: &Client, stack: &StackHandle) -> usize {
    let kept = client.receipts().list(Some(stack.id())).unwrap();
    kept.iter().filter(|kept| kept.fault.is_none()).count()
}

fn is_unshown(asked: &Result<(), ClientError>, wanted: u64) -> bool {
    matches!(asked, Err(ClientError::Unshown { seq, .. }) if *seq == wanted)
}

#[tokio::test]
async fn of_copies_in_one_page_the_first_counts_and_nothing_more_is_signed() {
    let watched = Watched::served(1).await.asking();
    let (client, stack) = (watched.client.clone(), watched.stack.clone());
    let node = watched.world.node.id;
    ask(&stack, &watched.world, "cut").await.unwrap_err();
    watched.world.node.repeats_last(200);
    ask(&stack, &watched.world, "plain").await.unwrap();
    let before = watched.world.node.highest_ceiling();
    // those that were looked at again are no better
    for _ in 0..3 {
        assert_eq!(stack.fill_gaps(node).await.unwrap(), Some(3));
        let asked = ask(&stack, &watched.world, "plain").await;
        assert!(is_unshown(&asked, 3), "{asked:?}");
    }
    client.receipts().flush().await.unwrap();
    assert_eq!(good(&client, &stack), 3);
    assert_eq!(watched.world.node.highest_ceiling(), before);
    // nor does the next program take them
    let id = stack.id();
    drop((stack, client));
    let client = watched.world.client();
    let stack = client.open(id).await.unwrap();
    assert_eq!(stack.fill_gaps(node).await.unwrap(), Some(3));
    assert!(is_unshown(&ask(&stack, &watched.world, "plain").await, 3));
}

#[tokio::test]
async fn a_refusal_is_remembered_by_the_next_program_and_by_others() {
    let world = World::start().await;
    let node = world.node.id;
    let (one, other) = (world.client(), world.client());
    let ours = world.leased(&one).await;
    let theirs = other.open(ours.id()).await.unwrap();
    ask(&ours, &world, "plain").await.unwrap();
    ask(&ours, &world, "refuse_and_serve").await.unwrap();
    one.receipts().flush().await.unwrap();
    ask(&theirs, &world, "plain").await.unwrap();
    assert_eq!(theirs.fill_gaps(node).await.unwrap(), Some(2));
    assert_eq!(other.distrusted(node), Some(ReceiptError::Refused));
    let id = ours.id();
    drop((ours, one));
    let next = world.client();
    let stack = next.open(id).await.unwrap();
    assert_eq!(stack.fill_gaps(node).await.unwrap(), Some(2));
    next.receipts().flush().await.unwrap();
    assert_eq!(good(&next, &stack), 2);
}
