//! A node that stops passes on what still comes; one that was moved passes nothing on.

use super::pair::{Behind, Pair, exact, when_full};
use crate::common::eventually;
use atoma_node::ForwardConfig;
use atoma_types::ComputeUnits;
use bytes::Bytes;
use http::StatusCode;
use std::{fs, path::Path, time::Duration};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_passes_on_what_comes_until_its_own_answers_are_complete() {
    let (own, other) = (
        Behind::slow(Duration::from_millis(100)).await,
        Behind::quick().await,
    );
    let engines = [own.engine.clone(), other.engine.clone()];
    let mut pair = Pair::start(engines, when_full()).await;
    let (node, url) = (pair.first().node_id(), pair.first().url());
    let long = pair.begun(400).await;
    let stopping = pair.stop_first();
    let ready = format!("{url}/readyz");
    eventually("it says that it stops", || async {
        pair.world.get(ready.clone()).await.0 == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;
    for more in [r#","max_tokens":4"#, r#","max_tokens":4,"stream":true"#] {
        let body = Bytes::from(pair.world.chat(more));
        let passed_on = pair.stack.chat(node, body).await.unwrap();
        let receipt = passed_on.whole().await.unwrap().receipt.unwrap();
        assert!(receipt.second().is_some());
    }
    assert!(!stopping.is_finished(), "its own answer still runs");
    assert_eq!((own.server.requests(), other.server.requests()), (1, 2));

    // with that it ends
    drop(long);
    stopping.await.unwrap();
    let address = url.trim_start_matches("http://");
    assert!(TcpStream::connect(address).await.is_err());
    pair.world.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_stops_passes_nothing_on_where_its_operator_does_not_want_it() {
    let (own, other) = (
        Behind::slow(Duration::from_millis(20)).await,
        Behind::quick().await,
    );
    let engines = [own.engine.clone(), other.engine.clone()];
    let not_then = ForwardConfig {
        draining: false,
        ..when_full()
    };
    let mut pair = Pair::start(engines, not_then).await;
    let node = pair.first().node_id();
    let long = pair.begun(400).await;
    let stopping = pair.stop_first();
    let body = Bytes::from(pair.world.chat(r#","max_tokens":4"#));
    eventually("the door is closed", || async {
        pair.stack.chat(node, body.clone()).await.is_err()
    })
    .await;
    assert_eq!(other.server.requests(), 0);
    drop(long);
    stopping.await.unwrap();
}

/// The files of a node that runs.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    let files = fs::read_dir(from).unwrap().map(|entry| entry.unwrap());
    for file in files.filter(|entry| entry.path().is_file()) {
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// Whoever has moved the node signs its receipts: one more of ours, even for what another node has computed, could
/// be the second under its number.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_another_process_has_moved_passes_nothing_on() {
    let pair = Pair::start([exact(), exact()], when_full()).await;
    let world = &pair.world;
    let (node, url) = (pair.first().node_id(), pair.first().url());
    let stack = world.lease_of(node, 1_000).await;
    let elsewhere = world.dir.path().join("elsewhere");
    copy(&pair.first_folder(), &elsewhere);
    let moved = world.config_of(&pair.wallet, elsewhere);
    let moved = world.node_over(moved, exact()).await;
    assert_eq!(moved.node_id(), node);
    let ready = format!("{url}/readyz");
    eventually("the first one notices", || async {
        world.get(ready.clone()).await.0 == StatusCode::SERVICE_UNAVAILABLE
    })
    .await;

    let body = world.chat(r#","max_tokens":4"#);
    let header = world.header(node, stack, body.as_bytes());
    let refused = world.send(&url, header, &body).await;
    assert_eq!(
        refused.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "{refused:?}"
    );
    assert_eq!(refused.code(), "unavailable");
    assert_eq!(pair.signed_by_second().await, 0);
    assert_eq!(pair.stack.room(node), ComputeUnits(20_000));
}
