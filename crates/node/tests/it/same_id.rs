//! Whoever signs a request chooses its id, and may take one that was somebody else's.

use crate::common::{Backend, World, eventually, walrus::Walrus};
use atoma_engine::testing::{InstantOptions, InstantUpstream};
use atoma_evidence::{
    pack::ReceiptProof,
    receipt::{proof_path, receipt_path},
};
use atoma_types::message::{Receipt, RequestHeader, Signed};
use http::StatusCode;

/// The first receipt of the id was shown to whoever asked for any of them.
#[tokio::test(flavor = "multi_thread")]
async fn of_an_id_that_two_stacks_have_used_each_is_shown_its_own_receipt() {
    let server = InstantUpstream::start(InstantOptions::default()).await;
    let world = World::start(Backend::Upstream(server.unwrap())).await;
    let walrus = Walrus::start(&world.dir.path().join("walrus")).await;
    let mut config = world.config();
    config.evidence = Some(walrus.config());
    let node = world.node_with(config).await;
    let url = node.url();
    let body = world.chat(r#","max_tokens":4"#);
    let stacks = [world.buy(1_000).await, world.buy(1_000).await];
    let request_id = world
        .header(node.node_id(), stacks[0], body.as_bytes())
        .request_id;
    let mut receipts = Vec::new();
    for stack in stacks {
        let header = RequestHeader {
            request_id,
            ..world.header(node.node_id(), stack, body.as_bytes())
        };
        let answer = world.send(&url, header, &body).await;
        receipts.push(answer.receipt().0);
    }
    for (stack, receipt) in stacks.into_iter().zip(receipts) {
        let (status, shown) = world
            .get(url.clone() + &receipt_path(stack, request_id))
            .await;
        assert_eq!(status, StatusCode::OK, "{shown}");
        let text = shown["receipt"].as_str().unwrap();
        assert_eq!(Signed::<Receipt>::from_text(text).unwrap(), receipt);
        let proof = async || {
            let (status, proof) = world
                .get(url.clone() + &proof_path(stack, request_id))
                .await;
            assert_eq!(status, StatusCode::OK, "{proof}");
            serde_json::from_value::<ReceiptProof>(proof).unwrap()
        };
        eventually("it is stored", async || proof().await.storage.is_some()).await;
        assert_eq!(proof().await.receipt, receipt);
    }

    // a stack that hasn't used it has none, and without a stack nothing is asked
    let other = world.buy(1_000).await;
    for path in [
        receipt_path(other, request_id),
        proof_path(other, request_id),
    ] {
        let (status, _) = world.get(url.clone() + &path).await;
        assert_eq!(status, StatusCode::NOT_FOUND);
        let (without, _) = path.split_once('?').unwrap();
        let (status, refusal) = world.get(format!("{url}{without}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(refusal["error"]["code"], "invalid_body");
    }
    node.drain_and_stop().await;
}
