//! The disk is full for a while: nothing may be lost, health must say so, and the node must go on by
//! itself once there is room.

use crate::arena::{Arena, chat, eventually};
use atoma_runtime::Runtime;
use http::StatusCode;

#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_was_full_once_stops_nothing_for_good() {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let (id, url) = (node.node_id(), node.url());
    let stack = arena.buy(100_000).await;
    let body = chat(2, false);
    let ask = async || {
        let header = arena.header(id, stack, body.as_bytes(), Runtime::system().now());
        arena.send(&url, header, &body).await
    };
    assert_eq!(ask().await.status(), StatusCode::OK);

    // no row fits any more
    let disk = rusqlite::Connection::open(arena.node_folder().join("journal.sqlite")).unwrap();
    disk.execute_batch(
        "CREATE TRIGGER full BEFORE INSERT ON receipts BEGIN SELECT RAISE(ABORT, 'full'); END",
    )
    .unwrap();
    let waiting = async {
        let answer = ask().await;
        assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");
    };
    let meanwhile = async {
        let status = async |path: &str| arena.get(&format!("{url}{path}")).await.status();
        eventually("health says so", async || {
            status("/healthz").await == StatusCode::SERVICE_UNAVAILABLE
        })
        .await;
        assert_eq!(status("/readyz").await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(ask().await.code(), "unavailable", "nothing new is begun");
        disk.execute_batch("DROP TRIGGER full").unwrap();
        eventually("it is well again", async || {
            status("/healthz").await == StatusCode::OK
        })
        .await;
    };
    tokio::join!(waiting, meanwhile);
    assert_eq!(ask().await.status(), StatusCode::OK);

    // and what was served is settled
    arena.close(stack).await;
    arena.network.localnet.audit().unwrap();
    node.drain_and_stop().await;
    arena.network.stop().await;
}
