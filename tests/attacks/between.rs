//! Somebody stands between user and node: they see every byte, and may add headers of their own.

use crate::arena::{Arena, PATIENCE, chat, signed_headers};
use atoma_http::client::{AnswerLimits, get, post_json};
use atoma_runtime::Runtime;
use atoma_types::{
    http::{EVIDENCE, QUERY},
    message::{Domain, LeaseQuery, OpenEvidence, Signed},
};
use http::{HeaderValue, StatusCode};

const LIMITS: AnswerLimits = AnswerLimits::within(PATIENCE, 1 << 20);

#[tokio::test(flavor = "multi_thread")]
async fn a_header_on_the_way_does_not_publish_a_prompt() {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let (id, url) = (node.node_id(), node.url());
    let stack = arena.buy(100_000).await;
    let body = chat(2, false);
    let header = || arena.header(id, stack, body.as_bytes(), Runtime::system().now());
    let send = async |evidence: &str, word_for_it: bool| {
        let signed = arena.sign(header());
        let mut request = post_json(&format!("{url}/v1/chat/completions"), body.clone());
        let word = OpenEvidence {
            domain: Domain::default(),
            network: arena.ledger.network(),
            request: signed.hash(),
        };
        let word = Signed::new(word, &arena.request_key).to_text();
        let evidence = match word_for_it {
            true => format!("{evidence} {word}"),
            false => evidence.to_owned(),
        };
        let headers = signed_headers(&signed).into_iter();
        for (name, value) in headers.chain([(EVIDENCE, evidence)]) {
            let value = HeaderValue::from_str(&value).unwrap();
            request.headers_mut().insert(name, value);
        }
        let answer = arena.http.ask(request, LIMITS).await.unwrap();
        crate::arena::Answer(answer)
    };
    assert_eq!(send("open", false).await.code(), "invalid_header");
    // nor does the word for another request
    let other = arena.sign(header());
    let word = OpenEvidence {
        domain: Domain::default(),
        network: arena.ledger.network(),
        request: other.hash(),
    };
    let word = Signed::new(word, &arena.request_key).to_text();
    let reused = send(&format!("open {word}"), false).await;
    assert_eq!(reused.code(), "bad_signature");
    assert_eq!(send("open", true).await.status(), StatusCode::OK);
    node.drain_and_stop().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn how_much_of_a_lease_is_used_is_its_owners_to_ask() {
    let arena = Arena::start().await;
    let node = arena.node().await;
    let (id, url) = (node.node_id(), node.url());
    let stack = arena.buy(100_000).await;
    let body = chat(2, false);
    let now = Runtime::system().now();
    let served = arena.send(&url, arena.header(id, stack, body.as_bytes(), now), &body);
    assert_eq!(served.await.status(), StatusCode::OK);

    let url = format!("{url}/v1/leases/{stack}");
    let stranger = arena.get(&url).await;
    assert_ne!(stranger.status(), StatusCode::OK, "{stranger:?}");
    let text = String::from_utf8_lossy(stranger.0.body()).into_owned();
    assert!(!text.contains("committed"), "{text}");

    let ask = async |key, at| {
        let query = LeaseQuery {
            domain: Domain::default(),
            network: arena.ledger.network(),
            stack,
            node: id,
            asked_at_ms: at,
        };
        let query = Signed::new(query, key).to_text();
        let mut request = get(&url);
        let value = HeaderValue::from_str(&query).unwrap();
        request.headers_mut().insert(QUERY, value);
        let answer = arena.http.ask(request, LIMITS).await.unwrap();
        crate::arena::Answer(answer)
    };
    let owner = ask(&arena.request_key, now).await;
    assert!(owner.json()["committed"].as_u64().unwrap() > 0, "{owner:?}");
    assert_eq!(ask(&arena.operator, now).await.code(), "bad_signature");
    let old = atoma_types::TimestampMs(now.0 - 3_600_000);
    assert_eq!(ask(&arena.request_key, old).await.code(), "request_expired");
    node.drain_and_stop().await;
    arena.network.stop().await;
}
