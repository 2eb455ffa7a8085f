//! The records of a lease: all of them, page after page, for the owner of its stack alone.

use crate::{
    common::{Answer, Backend, World, post},
    receipts::chain,
};
use atoma_engine::testing::{InstantOptions, InstantUpstream};
use atoma_keys::SigningKey;
use atoma_runtime::{Runtime, SystemRandom};
use atoma_types::{
    NodeId, StackId, TimestampMs,
    http::QUERY,
    message::{Domain, EvidenceLeaf, LeaseQuery, MessageSignature, Receipt, RequestHeader, Signed},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures::future::join_all;
use http::{Request, StatusCode};
use http_body_util::Full;

/// More than go into one answer.
const REQUESTS: usize = 260;

struct Asking<'a> {
    world: &'a World,
    url: String,
    node: NodeId,
    stack: StackId,
}

impl Asking<'_> {
    async fn with(&self, key: &SigningKey, stack: StackId, at: TimestampMs, which: &str) -> Answer {
        let query = LeaseQuery {
            domain: Domain::default(),
            network: self.world.ledger.network(),
            stack,
            node: self.node,
            asked_at_ms: at,
        };
        let query = Signed::new(query, key);
        let url = format!("{}/v1/leases/{}/records{which}", self.url, self.stack);
        let request = Request::get(url)
            .header(QUERY, query.to_text())
            .body(Full::new(Bytes::new()))
            .unwrap();
        post(&self.world.http, request).await
    }

    async fn page(&self, which: &str) -> Vec<(Signed<RequestHeader>, Signed<Receipt>)> {
        let now = Runtime::system().now();
        let asked = self.with(&self.world.request_key, self.stack, now, which);
        let answer = asked.await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let answer = answer.json();
        let records = answer["records"].as_array().unwrap().iter();
        let records = records.map(|text| {
            let bytes = BASE64_STANDARD.decode(text.as_str().unwrap()).unwrap();
            let leaf = EvidenceLeaf::from_bytes(&bytes).unwrap();
            let signature = |bytes: &[u8]| MessageSignature::try_from(bytes).unwrap();
            let header = Signed::decode(leaf.header, signature(&leaf.header_signature));
            let receipt = Signed::decode(leaf.receipt, signature(&leaf.receipt_signature));
            (header.unwrap(), receipt.unwrap())
        });
        records.collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_of_a_stack_gets_all_records_of_its_lease_in_pages_and_nobody_else_gets_any() {
    let upstream = InstantUpstream::start(InstantOptions::default()).await;
    let world = World::start(Backend::Upstream(upstream.unwrap())).await;
    let node = world.node().await;
    let (id, url) = (node.node_id(), node.url());
    let stack = world.buy(1_000_000).await;
    let asking = Asking {
        world: &world,
        url: url.clone(),
        node: id,
        stack,
    };
    assert!(asking.page("").await.is_empty());
    let body = world.chat(r#","max_tokens":4"#);
    for _ in 0..REQUESTS / 20 {
        let sent =
            (0..20).map(|_| world.send(&url, world.header(id, stack, body.as_bytes()), &body));
        for answer in join_all(sent).await {
            assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        }
    }

    let first = asking.page("?after=0").await;
    assert_eq!(first.len(), 256);
    let rest = asking.page("?after=256").await;
    assert_eq!(rest.len(), REQUESTS - 256);
    assert!(asking.page(&format!("?after={REQUESTS}")).await.is_empty());
    let most = u64::MAX;
    assert!(asking.page(&format!("?after={most}")).await.is_empty());
    let key = world.request_key.public_key();
    let records = first.into_iter().chain(rest);
    let receipts = records.map(|(header, receipt)| {
        header.verify(&key).unwrap();
        assert_eq!(receipt.message().request_hash, header.hash());
        receipt
    });
    // their links and sums are right, and none is left out
    chain(receipts.collect());

    let now = Runtime::system().now();
    let (ours, stranger) = (&world.request_key, SigningKey::generate(&SystemRandom));
    let code = |answer: Answer| answer.code();
    let asked = asking.with(&stranger, stack, now, "?after=0").await;
    assert_eq!(code(asked), "bad_signature");
    let other = world.buy(1_000).await;
    let asked = asking.with(ours, other, now, "?after=0").await;
    assert_eq!(code(asked), "bad_signature");
    let old = TimestampMs(now.0 - 3_600_000);
    let asked = asking.with(ours, stack, old, "?after=0").await;
    assert_eq!(code(asked), "request_expired");
    let asked = asking.with(ours, stack, now, "?after=none").await;
    assert_eq!(code(asked), "invalid_body");
    let unsigned = world.get(format!("{url}/v1/leases/{stack}/records")).await;
    assert_eq!(unsigned.1["error"]["code"], "missing_header");
    node.drain_and_stop().await;
}
