//! What counts as too much to do: requests, the engine's queue, and what its server says.

use super::pair::{Behind, Pair, always, when_full};
use atoma_client::RequestOptions;
use atoma_engine::{Engine, Load, testing::Altered};
use atoma_node::ForwardConfig;
use http::StatusCode;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_has_no_room_for_is_passed_on() {
    let (own, other) = (Behind::busy().await, Behind::quick().await);
    let engines = [own.engine.clone(), other.engine.clone()];
    let pair = Pair::start(engines, when_full()).await;
    for (n, more) in ["", r#","stream":true"#].into_iter().enumerate() {
        let whole = pair.whole(more).await;
        assert_eq!(whole.status, StatusCode::OK, "{whole:?}");
        assert!(whole.receipt.unwrap().second().is_some());
        assert_eq!(own.server.requests(), n as u64 + 1, "it was asked first");
    }
    // what may not go, its user hears of
    let kept = RequestOptions {
        no_forward: true,
        ..RequestOptions::default()
    };
    let refused = pair.ask("", kept).await.whole().await.unwrap();
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(other.server.requests(), 2);
    let (by_user, by_first) = pair.paid().await;
    assert_eq!(by_user, by_first);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_other_has_room_for_either_is_refused_and_costs_nothing() {
    let (own, other) = (Behind::busy().await, Behind::busy().await);
    let engines = [own.engine.clone(), other.engine.clone()];
    let pair = Pair::start(engines, always()).await;
    let refused = pair.whole("").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let said: serde_json::Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(said["error"]["code"], "overloaded");
    assert_eq!(
        (pair.forwarded("nobody").await, other.server.requests()),
        (1, 1),
        "others are asked once"
    );
    let room = pair.stack.room(pair.first().node_id());
    assert_eq!(room.0, 20_000);
    assert_eq!(pair.signed_by_second().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_before_the_engine_counts_as_work() {
    let (own, other) = (Behind::quick().await, Behind::quick().await);
    let waiting = Arc::new(AtomicUsize::new(0));
    let told = waiting.clone();
    let queued = Altered::new(own.engine.clone()).saying(move |load| Load {
        waiting: told.load(SeqCst),
        most_waiting: 4,
        ..load
    });
    let above_half = ForwardConfig {
        above_permille: 500,
        ..when_full()
    };
    let engines = [Arc::new(queued) as Arc<dyn Engine>, other.engine.clone()];
    let pair = Pair::start(engines, above_half).await;
    for (wait, passed_on) in [(0, false), (2, false), (3, true), (0, false)] {
        waiting.store(wait, SeqCst);
        let receipt = pair.whole("").await.receipt.unwrap();
        assert_eq!(receipt.second().is_some(), passed_on, "{wait} of 4 wait");
    }
    assert_eq!((own.server.requests(), other.server.requests()), (3, 1));
}
