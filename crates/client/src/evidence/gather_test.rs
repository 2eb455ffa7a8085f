//! Gathering without a network, and from a node.

use super::*;
use crate::{
    evidence::{
        CheckKind, Outcome, Verdict, check,
        sample::{NETWORK, NODE, Plan, SHARDS, STACK, Sample, node, user},
    },
    store::{LaneKey, Row, Store},
};
use atoma_types::{ComputeUnits, TimestampMs};
use axum::{Json, Router, extract::Path, http::StatusCode, routing::get};

fn offline(receipts: Option<Receipts>) -> Sources {
    let reason = "offline".to_owned();
    Sources {
        ledger: Err(reason.clone()),
        walrus: Err(reason.clone()),
        nodes: Err(reason.clone()),
        receipts: receipts.ok_or(reason),
        keys: vec![user()],
        shards: SHARDS,
    }
}

fn outcome(gathered: &Gathered, kind: CheckKind) -> Outcome {
    let report = check(gathered);
    let found = report.checks.into_iter().find(|check| check.kind == kind);
    found.unwrap().outcome
}

fn passes(gathered: &Gathered, kinds: &[CheckKind]) {
    for kind in kinds {
        let outcome = outcome(gathered, *kind);
        assert!(
            matches!(outcome, Outcome::Passed(_)),
            "{kind:?}: {outcome:?}"
        );
    }
    assert_eq!(check(gathered).verdict(), Verdict::Incomplete);
}

#[tokio::test]
async fn a_pack_gives_all_its_records_or_one() {
    let sample = Sample::new(&Plan::default());
    let given = Given {
        pack: Some(sample.pack.clone()),
        blob: Some(sample.bytes.id),
        ..Given::default()
    };
    let all = gather(&given, &offline(None)).await.unwrap();
    assert_eq!(all.len(), 3);
    for gathered in &all {
        use CheckKind::{Answer, Blob, Body, Neighbours, Pack, Place, Record, Request};
        passes(
            gathered,
            &[Request, Body, Answer, Place, Record, Pack, Blob],
        );
        // nobody knows whether the node signed those beside it
        let neighbours = outcome(gathered, Neighbours);
        assert!(matches!(neighbours, Outcome::Skipped(_)));
    }
    let one = Given {
        seq: Some(2),
        ..given.clone()
    };
    let found = gather(&one, &offline(None)).await.unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].receipt, Ok(sample.exchanges[1].1.clone()));
    let none = Given {
        request: Some(RequestId([9; 16])),
        ..given.clone()
    };
    let none = gather(&none, &offline(None)).await;
    assert!(matches!(none, Err(GatherError::NoRecord)));

    // who has no key of the parties can't read sealed bodies, and the first one's are open
    let strangers = Sources {
        keys: Vec::new(),
        ..offline(None)
    };
    let all = gather(&given, &strangers).await.unwrap();
    passes(&all[0], &[CheckKind::Body, CheckKind::Answer]);
    let sealed = outcome(&all[1], CheckKind::Body);
    assert!(sealed.detail().contains("sealed"), "{sealed:?}");
}

#[tokio::test]
async fn what_this_machine_keeps_a_proof_and_a_pack_add_up() {
    let sample = Sample::new(&Plan::default());
    let store = Store::open(None).unwrap();
    for (header, receipt) in &sample.exchanges {
        let r = receipt.message();
        store.keep(Row {
            key: LaneKey {
                stack: STACK,
                node: NODE,
                lane: 0,
            },
            seq: r.seq,
            hash: receipt.hash(),
            request: r.request_id,
            units: ComputeUnits(1),
            received: TimestampMs(1),
            header: header.to_bytes(),
            receipt: receipt.to_bytes(),
            fault: None,
        });
    }
    store.flush().await.unwrap();
    let sources = offline(Some(Receipts::new(store)));
    let id = sample.exchanges[1].0.message().request_id;
    let alone = Given {
        request: Some(id),
        ..Given::default()
    };
    let found = gather(&alone, &sources).await.unwrap();
    use CheckKind::{Blob, Body, Neighbours, Pack, Place, Record, Request};
    passes(&found[0], &[Request, Place, Neighbours]);
    assert_eq!(outcome(&found[0], Record).name(), "skipped");

    let with_bodies = Given {
        request_body: Some(Bytes::from_static(b"another")),
        ..alone.clone()
    };
    let found = gather(&with_bodies, &sources).await.unwrap();
    assert_eq!(outcome(&found[0], Body).name(), "failed");

    let more = Given {
        proof: Some(sample.proof()),
        pack: Some(sample.pack.clone()),
        ..alone.clone()
    };
    let found = gather(&more, &sources).await.unwrap();
    passes(&found[0], &[Record, Pack, Blob, Body]);
    assert!(found[0].path.is_ok());

    // another pack than the one that the proof speaks of
    let other = Sample::new(&Plan {
        receipt: |receipt| receipt.times.finished_ms.0 += 1,
        ..Plan::default()
    });
    let wrong = Given {
        pack: Some(other.pack),
        ..more
    };
    let found = gather(&wrong, &sources).await.unwrap();
    let failed: Vec<_> = check(&found[0]).failed().map(|check| check.kind).collect();
    assert!(
        failed.contains(&Blob) && failed.contains(&Record),
        "{failed:?}"
    );

    // a proof of another receipt for the same request is seen as such
    let other = Given {
        proof: Some(ReceiptProof {
            receipt: Signed::new(
                Receipt {
                    network: NETWORK,
                    seq: 1,
                    ..sample.exchanges[1].1.message().clone()
                },
                &user(),
            ),
            ..sample.proof()
        }),
        ..alone
    };
    let found = gather(&other, &sources).await.unwrap();
    let reason = found[0].path.as_ref().unwrap_err();
    assert_eq!(
        *reason,
        Gap::absent("the node's proof is of another receipt")
    );
}

#[tokio::test]
async fn a_bare_id_is_not_enough() {
    let unknown = Given {
        request: Some(RequestId([1; 16])),
        ..Given::default()
    };
    let unknown = gather(&unknown, &offline(None)).await;
    assert!(matches!(unknown, Err(GatherError::UnknownRequest(_))));
    let nothing = gather(&Given::default(), &offline(None)).await;
    assert!(matches!(nothing, Err(GatherError::Nothing)));
    let gone = Given {
        blob: Some(BlobId([1; 32])),
        ..Given::default()
    };
    let gone = gather(&gone, &offline(None)).await;
    assert!(matches!(gone, Err(GatherError::NoPack(reason)) if reason == "offline"));
}

#[tokio::test]
async fn a_node_is_asked_for_its_proof() {
    let proof = Sample::new(&Plan::default()).proof();
    let (served, id) = (proof.clone(), proof.request_id);
    let answer = move |Path(asked): Path<String>| async move {
        if asked == id.to_string() {
            Ok(Json(served))
        } else {
            Err(StatusCode::NOT_FOUND)
        }
    };
    let router = Router::new().route("/v1/receipts/{id}/proof", get(answer));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    let node = Node { url, ..node() };
    assert_eq!(fetch_proof(&node, id).await.unwrap(), proof);
    assert!(fetch_proof(&node, RequestId([9; 16])).await.is_err());
    server.abort();
}
