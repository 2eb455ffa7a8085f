//! The journal is deleted, put back from a copy, or copied: the node's own operator does it, by accident.
//! Going on, the node would sign other receipts under numbers that it has given out, which convict it.

use crate::arena::{Answer, Arena, chat, eventually};
use atoma_node::RunningNode;
use atoma_runtime::Runtime;
use atoma_types::{
    ComputeUnits, StackId,
    chain::{LeaseState, Selection},
};
use http::StatusCode;
use std::{fs, path::Path};

async fn ask(arena: &Arena, node: &RunningNode, stack: StackId) -> Answer {
    let body = chat(2, false);
    let now = Runtime::system().now();
    let header = arena.header(node.node_id(), stack, body.as_bytes(), now);
    arena.send(&node.url(), header, &body).await
}

/// The node serves nothing on a stack from before, says what happened, and serves a new one.
async fn refuses(arena: &Arena, node: &RunningNode, stack: StackId) {
    says_what_happened(&ask(arena, node, stack).await);
    let fresh = arena.buy(100_000, Selection::Single).await;
    eventually("a new stack is served", async || {
        ask(arena, node, fresh).await.status() == StatusCode::OK
    })
    .await;
    says_what_happened(&ask(arena, node, stack).await);
}

/// A client learns that this stack is of no use here; where the node can't know what it signed, also why.
fn says_what_happened(answer: &Answer) {
    let json = answer.json();
    let message = json["error"]["message"].as_str().unwrap();
    let why = match &*answer.code() {
        "unknown_stack" => [
            "the node has lost its records of this stack: use another node, or a new stack",
            "this node holds no open lease on the stack",
        ]
        .contains(&message),
        "lease_exhausted" => message == "the lease is being settled",
        _ => false,
    };
    assert!(why, "{answer:?}");
}

/// What the node was paid for on a stack, once it is.
async fn paid(arena: &Arena, node: &RunningNode, stack: StackId) -> ComputeUnits {
    let state = async || {
        let stack = arena.ledger.stack(stack).await.unwrap();
        stack.lease(node.node_id()).unwrap().state.clone()
    };
    eventually("the lease is paid", async || {
        matches!(state().await, LeaseState::Closed { .. })
    })
    .await;
    match state().await {
        LeaseState::Closed { paid_units, .. } => paid_units,
        other => panic!("{other:?}"),
    }
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
async fn a_node_without_its_journal_does_not_begin_its_leases_anew() {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let stack = arena.buy(100_000, Selection::Single).await;
    assert_eq!(ask(&arena, &node, stack).await.status(), StatusCode::OK);
    node.drain_and_stop().await;
    for ending in ["", "-wal", "-shm"] {
        let file = arena.node_folder().join(format!("journal.sqlite{ending}"));
        let _ = fs::remove_file(file);
    }
    let node = arena.node().await;
    refuses(&arena, &node, stack).await;
    node.drain_and_stop().await;
    // not even after another start
    let node = arena.node().await;
    refuses(&arena, &node, stack).await;
    node.drain_and_stop().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_journal_that_was_put_back_settles_what_it_has_and_serves_nothing_old() {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let stack = arena.buy(100_000, Selection::Single).await;
    let first = ask(&arena, &node, stack).await;
    assert_eq!(first.status(), StatusCode::OK);
    node.drain_and_stop().await;
    let backup = arena.folder.path().join("backup");
    copy(&arena.node_folder(), &backup);
    let node = arena.node().await;
    assert_eq!(ask(&arena, &node, stack).await.status(), StatusCode::OK);
    // bought and served after the copy: the journal that is put back has never heard of it
    let later = arena.buy(100_000, Selection::Single).await;
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
    refuses(&arena, &node, later).await;
    refuses(&arena, &node, stack).await;
    let receipt = crate::gateway::receipt_of(&first);
    assert_eq!(paid(&arena, &node, stack).await, receipt.units);
    node.drain_and_stop().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_of_a_node_serves_nothing_old_and_stops_the_original() {
    let arena = Arena::start().await;
    let original = arena.node().await;
    let stack = arena.buy(100_000, Selection::Single).await;
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
    refuses(&arena, &second, stack).await;
    original.drain_and_stop().await;
    second.drain_and_stop().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_was_moved_on_purpose_goes_on() {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let stack = arena.buy(100_000, Selection::Single).await;
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
