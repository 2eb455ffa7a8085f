//! What a node shows about its receipts.

use crate::scripted::ENGINE;
use atoma_client::evidence::{AskNodes, NodeProofs, ReceiptProof};
use atoma_keys::SigningKey;
use atoma_runtime::Sockets;
use atoma_types::{
    Address, ComputeUnits, DurationMs, MicroUsdc, NetworkId, NodeId, RequestId, StackId, TaskId,
    TimestampMs, Usage,
    chain::{FeesInEpoch, Node, NodeStatus, Pending, Standing},
    hash::Hash32,
    message::{Domain, Endpoint, Origin, Receipt, RequestHeader, RequestTimes, Signed},
};
use axum::{
    Json, Router,
    extract::{Path, Query},
    http::StatusCode,
    routing::get,
};
use std::collections::HashMap;

const NOW: TimestampMs = TimestampMs(7);
const NETWORK: NetworkId = NetworkId([1; 32]);
const STACK: StackId = StackId(Address::new([2; 32]));
const NODE: NodeId = NodeId(Address::new([3; 32]));
const REQUEST: RequestId = RequestId([4; 16]);

fn proof(key: &SigningKey) -> ReceiptProof {
    let header = RequestHeader {
        domain: Domain::default(),
        network: NETWORK,
        stack: STACK,
        node: NODE,
        task: TaskId(Address::new([5; 32])),
        request_id: REQUEST,
        endpoint: Endpoint::ChatCompletions,
        body_hash: Hash32::of(b"body"),
        lane: 0,
        ceiling: ComputeUnits(1),
        max_units: ComputeUnits(1),
        issued_at_ms: NOW,
        expires_at_ms: NOW,
        origin: Origin::Own,
    };
    let header = Signed::new(header, key);
    let receipt = Receipt {
        domain: Domain::default(),
        network: NETWORK,
        stack: STACK,
        node: NODE,
        seq: 1,
        request_id: REQUEST,
        request_hash: header.hash(),
        response_hash: Hash32::of(b"answer"),
        usage: Usage::default(),
        units: ComputeUnits(1),
        cumulative_units: ComputeUnits(1),
        times: RequestTimes {
            started_ms: NOW,
            first_token_ms: NOW,
            finished_ms: NOW,
        },
        engine: ENGINE,
        output_fingerprint: None,
        previous: Hash32::ZERO,
        base: 0,
        history: Hash32::ZERO,
    };
    ReceiptProof {
        request_id: REQUEST,
        header,
        receipt: Signed::new(receipt, key),
        storage: None,
        settlement: None,
    }
}

fn node(url: String, key: &SigningKey) -> Node {
    Node {
        id: NODE,
        version: 1,
        number: 0,
        owner: key.public_key().address(),
        collateral: MicroUsdc(1),
        fresh: MicroUsdc::ZERO,
        matures_at_ms: TimestampMs(0),
        at_stake: MicroUsdc::ZERO,
        unbonding_ms: DurationMs(0),
        earnings: MicroUsdc::ZERO,
        pending: Pending::default(),
        status: NodeStatus::Active,
        url,
        response_key: key.public_key(),
        sealing_key: None,
        attestation: None,
        standing: Standing::default(),
        subscriptions: 1,
        current: FeesInEpoch::default(),
        previous: FeesInEpoch::default(),
        reported: FeesInEpoch::default(),
    }
}

#[tokio::test]
async fn a_node_is_asked_for_its_proof() {
    let key = SigningKey::from_seed(&[43; 32]);
    let proof = proof(&key);
    let served = proof.clone();
    let answer = move |Path(asked): Path<String>, Query(of): Query<HashMap<String, String>>| async move {
        if asked == REQUEST.to_string() && of["stack"] == STACK.to_string() {
            Ok(Json(served))
        } else {
            Err(StatusCode::NOT_FOUND)
        }
    };
    let router = Router::new().route("/v1/receipts/{id}/proof", get(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let (nodes, node) = (AskNodes::new(Sockets::Tcp).unwrap(), node(url, &key));
    assert_eq!(nodes.proof(&node, (STACK, REQUEST)).await.unwrap(), proof);
    let other = StackId(Address::new([9; 32]));
    for of in [(STACK, RequestId([9; 16])), (other, REQUEST)] {
        assert!(nodes.proof(&node, of).await.is_err());
    }
    server.abort();
}
