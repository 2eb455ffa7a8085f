//! Our client, with honest and with lying servers: thin wrappers of the real one.

use super::server::Server;
use atoma_walrus::{
    client::{ClientError, StoreRequest, WalrusClient},
    http::HttpOptions,
    quilt::{QuiltBlob, Tags},
    store::{Fault, PutOptions},
};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::{Method, StatusCode},
    middleware::{Next, from_fn},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

const ONCE: StoreRequest = StoreRequest::permanent(1);

fn blob(size: u32) -> Bytes {
    (0..size).map(|i| (i * 7 % 251) as u8).collect()
}

/// Changes the text of answers to some method.
fn rewriting(routes: Router, method: Method, change: fn(String) -> String) -> Router {
    routes.layer(from_fn(move |request: Request, next: Next| {
        let method = method.clone();
        async move {
            let mine = request.method() == method;
            let response = next.run(request).await;
            if !mine {
                return response;
            }
            let (mut parts, body) = response.into_parts();
            let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
            parts.headers.remove("content-length");
            let text = change(String::from_utf8(body.to_vec()).unwrap());
            Response::from_parts(parts, Body::from(text))
        }
    }))
}

/// Answers the first `times` requests of a method otherwise, after or instead of doing them.
fn failing(
    routes: Router,
    method: Method,
    times: u32,
    done: bool,
    answer: fn() -> Response,
) -> Router {
    let left = Arc::new(AtomicU32::new(times));
    routes.layer(from_fn(move |request: Request, next: Next| {
        let (mine, left) = (request.method() == method, left.clone());
        async move {
            let one_less = |left: u32| left.checked_sub(1);
            let order = Ordering::SeqCst;
            if !mine || left.fetch_update(order, order, one_less).is_err() {
                return next.run(request).await;
            }
            if done {
                drop(next.run(request).await);
            }
            answer()
        }
    }))
}

async fn server(wrap: impl FnOnce(Router) -> Router) -> Server {
    Server::start_with(HttpOptions::default(), wrap).await
}

#[tokio::test]
async fn blobs_go_there_and_back() {
    let server = Server::start().await;
    let client = server.client();
    for size in [0, 1, 100_000] {
        let blob = blob(size);
        let stored = client
            .store(blob.clone(), StoreRequest::permanent(2))
            .await
            .unwrap();
        let object = stored.object.unwrap();
        assert!(!object.deletable && stored.end_epoch == 3 && stored.cost > 0);
        assert_eq!(client.read(stored.blob_id).await.unwrap(), blob);
        assert_eq!(
            client.lookup(stored.blob_id).await.unwrap(),
            Some(u64::from(size))
        );
        let again = client.store(blob, ONCE).await.unwrap();
        assert_eq!((again.object, again.cost), (None, 0));
        assert_eq!(again.object_id, Some(object.id));
    }
    let stored = client.store(blob(5_000), ONCE).await.unwrap();
    let range = client
        .read_range_unchecked(stored.blob_id, 10..4_000)
        .await
        .unwrap();
    assert_eq!(range, blob(5_000)[10..4_000]);
    let missing = "A".repeat(43).parse().unwrap();
    let read = client.read(missing).await;
    assert!(matches!(read, Err(ClientError::NotFound(id)) if id == missing));
    assert_eq!(client.lookup(missing).await.unwrap(), None);
    let large = client
        .store(vec![0; 1_900_000].into(), ONCE)
        .await
        .unwrap_err();
    assert_eq!(large.code(), "walrus_coding", "refused before it is sent");
}

#[tokio::test]
async fn quilts_go_there_and_back() {
    let server = Server::start().await;
    let client = server.client();
    let blobs: Vec<QuiltBlob> = (0..4_u32)
        .map(|i| QuiltBlob {
            identifier: format!("blob {i}"),
            tags: if i == 2 {
                Tags::from([("a".into(), "b".into())])
            } else {
                Tags::new()
            },
            data: blob(100 * i).to_vec(),
        })
        .collect();
    let stored = client.store_quilt(blobs.clone(), ONCE).await.unwrap();
    for (blob, (name, patch)) in blobs.iter().zip(&stored.patches) {
        assert_eq!(*name, blob.identifier);
        let read = client.read_patch(*patch).await.unwrap();
        assert_eq!(
            (read.data, read.tags),
            (blob.data.clone(), blob.tags.clone())
        );
        let named = client
            .read_from_quilt(stored.stored.blob_id, name)
            .await
            .unwrap();
        assert_eq!(named.data, blob.data);
    }
    let lying = self::server(|routes| {
        rewriting(routes, Method::PUT, |text| {
            text.replace("quiltPatchId\":\"", "quiltPatchId\":\"A")
        })
    });
    let error = lying
        .await
        .client()
        .store_quilt(blobs, ONCE)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "walrus_lying_publisher");
}

#[tokio::test]
async fn lying_publishers_are_caught() {
    let lies: [fn(String) -> String; 5] = [
        |text| text.replace("\"deletable\":false", "\"deletable\":true"),
        |text| text.replace("\"size\":1000", "\"size\":1001"),
        |text| text.replace("\"endEpoch\":2", "\"endEpoch\":1"),
        |text| text.replace("\"storageSize\":", "\"storageSize\":1,\"was\":"),
        |text| {
            let at = text.find("\"blobId\":\"").unwrap() + 10;
            format!("{}{}{}", &text[..at], "A".repeat(43), &text[at + 43..])
        },
    ];
    for lie in lies {
        let server = server(|routes| rewriting(routes, Method::PUT, lie)).await;
        let error = server.client().store(blob(1_000), ONCE).await.unwrap_err();
        assert_eq!(error.code(), "walrus_lying_publisher", "{error}");
    }
    // it says that all is well, and has stored the blob where nobody finds it
    let elsewhere = Server::start().await;
    let server = Server::start().await;
    let mut config = server.config();
    config.publisher = Some(elsewhere.url.clone());
    let client = WalrusClient::new(config).unwrap();
    let error = client.store(blob(1_000), ONCE).await.unwrap_err();
    assert_eq!(error.code(), "walrus_lying_publisher", "{error}");
}

#[tokio::test]
async fn lying_aggregators_are_caught_and_another_is_asked() {
    let lying =
        server(|routes| rewriting(routes, Method::GET, |text| text.replace('1', "2"))).await;
    let text = Bytes::from("1 is the truth");
    let put = lying
        .store
        .put(text.clone(), PutOptions::default())
        .await
        .unwrap();
    let id = put.object().blob_id;
    let error = lying.client().read(id).await.unwrap_err();
    assert_eq!(error.code(), "walrus_lying_aggregator");

    let honest = Server::start().await;
    honest
        .store
        .put(text.clone(), PutOptions::default())
        .await
        .unwrap();
    let mut config = honest.config();
    config.aggregators.insert(0, lying.url.clone());
    let client = WalrusClient::new(config).unwrap();
    assert_eq!(client.read(id).await.unwrap(), text);
    // a network of another number of shards has other ids
    let mut config = honest.config();
    config.shards = 1000;
    let wrong = WalrusClient::new(config).unwrap();
    assert_eq!(
        wrong.read(id).await.unwrap_err().code(),
        "walrus_lying_aggregator"
    );
}

#[tokio::test]
async fn transient_failures_are_tried_again_and_nothing_is_paid_twice() {
    let failed = || {
        let text = r#"{"error":{"failurePhase":"upload","errorMsg":"no luck"}}"#;
        ([("content-type", "application/json")], text).into_response()
    };
    let answers: [(bool, fn() -> Response); 5] = [
        (false, || StatusCode::TOO_MANY_REQUESTS.into_response()),
        (false, || StatusCode::SERVICE_UNAVAILABLE.into_response()),
        // the write was done, and its answer lost
        (true, || StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        (true, || StatusCode::GATEWAY_TIMEOUT.into_response()),
        (false, failed),
    ];
    for (done, answer) in answers {
        let server = server(|routes| failing(routes, Method::PUT, 3, done, answer)).await;
        let stored = server.client().store(blob(10), ONCE).await.unwrap();
        let live = server.store.registry().live().await.unwrap();
        assert_eq!(live.len(), 1, "one object, paid once");
        assert_eq!(stored.object_id, Some(live[0].id));
    }
    let server = server(|routes| failing(routes, Method::PUT, 4, false, failed)).await;
    let error = server.client().store(blob(10), ONCE).await.unwrap_err();
    assert_eq!(error.code(), "walrus_failed");
}

#[tokio::test]
async fn refusals_are_final_and_reads_are_tried_again() {
    let unavailable = || StatusCode::SERVICE_UNAVAILABLE.into_response();
    let server = server(|routes| failing(routes, Method::GET, 3, false, unavailable)).await;
    let client = server.client();
    let put = server
        .store
        .put(blob(10), PutOptions::default())
        .await
        .unwrap();
    assert_eq!(client.read(put.object().blob_id).await.unwrap(), blob(10));

    (0..7).for_each(|node| server.store.set_fault(node, Fault::Down).unwrap());
    let error = client.read(put.object().blob_id).await.unwrap_err();
    let ClientError::Refused {
        status: 503,
        reason,
        ..
    } = &error
    else {
        panic!("{error}");
    };
    assert_eq!(reason, "BLOB_UNAVAILABLE");
    let refused = client
        .store(blob(11), StoreRequest::permanent(99))
        .await
        .unwrap_err();
    assert!(!refused.is_transient() && refused.to_string().contains("MALFORMED_REQUEST"));

    let mut config = server.config();
    config.publisher = Some("http://127.0.0.1:1".parse().unwrap());
    let nobody = WalrusClient::new(config.clone()).unwrap();
    let error = nobody.store(blob(12), ONCE).await.unwrap_err();
    assert_eq!(error.code(), "walrus_unreachable");
    config.publisher = None;
    let reader = WalrusClient::new(config).unwrap();
    let stored = reader.store(blob(12), ONCE).await;
    assert!(matches!(stored, Err(ClientError::NoPublisher)));
}

#[tokio::test]
async fn answers_that_never_come_or_never_end_are_given_up() {
    let endless = server(|_| {
        Router::new().fallback(async || {
            let chunks = futures::stream::repeat_with(|| {
                Ok::<_, std::io::Error>(Bytes::from_static(&[0; 4096]))
            });
            Body::from_stream(chunks)
        })
    })
    .await;
    let mut config = endless.config();
    config.max_blob = 1 << 20;
    let client = WalrusClient::new(config).unwrap();
    let id = "A".repeat(43).parse().unwrap();
    assert_eq!(client.read(id).await.unwrap_err().code(), "walrus_too_long");

    let silent =
        server(|_| Router::new().fallback(async || std::future::pending::<()>().await)).await;
    let mut config = silent.config();
    config.attempts = 2;
    config.timeouts.read = Duration::from_millis(50);
    let client = WalrusClient::new(config).unwrap();
    assert_eq!(
        client.read(id).await.unwrap_err().code(),
        "walrus_timed_out"
    );
}
