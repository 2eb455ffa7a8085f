//! The journal is deleted, put back from a copy, or copied: the node's own operator does it, by accident. The node
//! goes on from what the ledger says, is convicted of nothing, and loses no more than what it had not settled.

use crate::arena::{Answer, Arena, chat, eventually};
use atoma_node::RunningNode;
use atoma_runtime::Runtime;
use atoma_types::{
    ComputeUnits, StackId,
    chain::{Clock, calls},
};
use http::StatusCode;
use std::{fs, path::Path};

async fn ask(arena: &Arena, node: &RunningNode, stack: StackId) -> Answer {
    let body = chat(2, false);
    let now = Runtime::system().now();
    let header = arena.header(node.node_id(), stack, body.as_bytes(), now);
    arena.send(&node.url(), header, &body).await
}

/// The node takes nothing that was signed before its start and a little longer, and then goes on from what the
/// ledger says; at once on what it gets from now on, too.
async fn goes_on_later(arena: &Arena, node: &RunningNode, stack: StackId) -> Answer {
    let early = ask(arena, node, stack).await;
    assert_eq!(early.code(), "issued_before_restart", "{early:?}");
    let later = std::cell::RefCell::new(None);
    eventually("the stack is served again", async || {
        let answer = ask(arena, node, stack).await;
        let served = answer.status() == StatusCode::OK;
        *later.borrow_mut() = Some(answer);
        served
    })
    .await;
    later.into_inner().unwrap()
}

/// The owner closes a stack; what its node is paid for.
async fn paid(arena: &Arena, node: &RunningNode, stack: StackId) -> ComputeUnits {
    let close = calls::BeginClose {
        stack: stack.into(),
        clock: Clock,
    };
    let closing = arena.ledger.execute(&arena.user, vec![close.into()]);
    closing.await.unwrap();
    let lease = async || {
        let stack = arena.ledger.stack(stack).await.unwrap();
        stack.lease(node.node_id()).unwrap().clone()
    };
    eventually("the lease is over", async || lease().await.closed).await;
    lease().await.paid_units
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_its_journal_goes_on_from_what_the_ledger_says() {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let stack = arena.buy(100_000).await;
    assert_eq!(ask(&arena, &node, stack).await.status(), StatusCode::OK);
    node.drain_and_stop().await;
    for ending in ["", "-wal", "-shm"] {
        let file = arena.node_folder().join(format!("journal.sqlite{ending}"));
        let _ = fs::remove_file(file);
    }
    let node = arena.node().await;
    let later = goes_on_later(&arena, &node, stack).await;
    let receipt = crate::gateway::receipt_of(&later);
    assert_eq!(receipt.seq, 1, "the ledger knows of none");
    assert_eq!(paid(&arena, &node, stack).await, receipt.units);
    node.drain_and_stop().await;
    arena.network.localnet.audit().unwrap();
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_was_put_back_goes_on_and_settles_what_it_has() {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let stack = arena.buy(100_000).await;
    let first = ask(&arena, &node, stack).await;
    assert_eq!(first.status(), StatusCode::OK);
    node.drain_and_stop().await;
    let backup = arena.folder.path().join("backup");
    copy(&arena.node_folder(), &backup);
    let node = arena.node().await;
    assert_eq!(ask(&arena, &node, stack).await.status(), StatusCode::OK);
    // bought and served after the copy: the journal that is put back has never heard of it
    let later = arena.buy(100_000).await;
    assert_eq!(ask(&arena, &node, later).await.status(), StatusCode::OK);
    node.drain_and_stop().await;

    // over the file itself, so that only what it holds is older
    let name = "journal.sqlite";
    for ending in ["-wal", "-shm"] {
        let _ = fs::remove_file(arena.node_folder().join(format!("{name}{ending}")));
    }
    for ending in ["", "-wal"] {
        let file = format!("{name}{ending}");
        if backup.join(&file).exists() {
            fs::copy(backup.join(&file), arena.node_folder().join(&file)).unwrap();
        }
    }
    let node = arena.node().await;
    // the ledger knows of the one that the journal has never heard of
    let unheard = crate::gateway::receipt_of(&goes_on_later(&arena, &node, later).await);
    let again = ask(&arena, &node, stack).await;
    let (first, again) = (
        crate::gateway::receipt_of(&first),
        crate::gateway::receipt_of(&again),
    );
    assert_eq!((first.seq, again.seq), (1, 2));
    assert_eq!(paid(&arena, &node, stack).await, again.cumulative_units);
    assert_eq!(paid(&arena, &node, later).await, unheard.units);
    node.drain_and_stop().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_node_stops_the_original_and_goes_on() {
    let arena = Arena::start().await;
    let original = arena.node().await;
    let stack = arena.buy(100_000).await;
    let served = ask(&arena, &original, stack).await;
    assert_eq!(served.status(), StatusCode::OK);
    let copied = arena.folder.path().join("copy");
    copy(&arena.node_folder(), &copied);
    let mut config = arena.config();
    config.data_dir = copied;
    let second = arena.node_with(config).await;
    eventually("the original serves nothing more", async || {
        ask(&arena, &original, stack).await.status() != StatusCode::OK
    })
    .await;
    goes_on_later(&arena, &second, stack).await;
    original.drain_and_stop().await;
    second.drain_and_stop().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_was_moved_on_purpose_goes_on() {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let stack = arena.buy(100_000).await;
    assert_eq!(ask(&arena, &node, stack).await.status(), StatusCode::OK);
    node.drain_and_stop().await;
    let moved = arena.folder.path().join("moved-here");
    copy(&arena.node_folder(), &moved);
    fs::write(moved.join("moved"), "").unwrap();
    let mut config = arena.config();
    config.data_dir = moved.clone();
    let node = arena.node_with(config).await;
    assert_eq!(ask(&arena, &node, stack).await.status(), StatusCode::OK);
    assert!(!moved.join("moved").exists(), "it counts once");
    node.drain_and_stop().await;
    arena.network.stop().await;
}
