//! Gathering without a network, and what a node shows.

use super::*;
use crate::{
    check::{CheckKind, Outcome, Verdict, check},
    sample::{ANSWER, BODY, NETWORK, Plan, SHARDS, Sample, salt, user},
};
use atoma_types::message::Salt;

/// Receipts kept in memory.
#[derive(Debug)]
struct Kept(Vec<(Signed<RequestHeader>, Signed<Receipt>)>);

impl KeptReceipts for Kept {
    fn of_request(&self, request: RequestId) -> Option<KeptExchange> {
        let mut kept = self.0.iter();
        let (header, receipt) = kept.find(|(_, r)| r.message().request_id == request)?;
        Some(KeptExchange {
            header: Some(header.clone()),
            receipt: Some(receipt.clone()),
            second: None,
        })
    }

    fn around(&self, receipt: &Receipt, span: u64) -> Vec<Signed<Receipt>> {
        let receipts = self.0.iter().map(|(_, receipt)| receipt);
        let near = receipts.filter(|r| r.message().seq.abs_diff(receipt.seq) <= span);
        near.cloned().collect()
    }
}

fn offline(receipts: Option<Kept>) -> Sources {
    let reason = || "offline".into();
    Sources {
        ledger: Err(reason()),
        walrus: Err(reason()),
        nodes: Err(reason()),
        receipts: match receipts {
            Some(kept) => Ok(Box::new(kept)),
            None => Err(reason()),
        },
        keys: vec![user()],
        shards: SHARDS,
        threads: atoma_runtime::Threads::Real,
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
    let sources = offline(Some(Kept(sample.exchanges.clone())));
    let id = sample.exchanges[1].0.message().request_id;
    let alone = Given {
        request: Some(id),
        ..Given::default()
    };
    let found = gather(&alone, &sources).await.unwrap();
    use CheckKind::{Answer, Blob, Body, Neighbours, Pack, Place, Record, Request};
    passes(&found[0], &[Request, Place, Neighbours]);
    assert_eq!(outcome(&found[0], Record).name(), "skipped");

    let with_bodies = Given {
        request_body: Some(Bytes::from_static(b"another")),
        ..alone.clone()
    };
    let found = gather(&with_bodies, &sources).await.unwrap();
    assert_eq!(outcome(&found[0], Body).name(), "failed");

    // the salt follows from the user's key, is given, or isn't to be had
    let right = Given {
        request_body: Some(Bytes::from_static(BODY)),
        answer_body: Some(Bytes::from_static(ANSWER)),
        ..alone.clone()
    };
    let found = gather(&right, &sources).await.unwrap();
    passes(&found[0], &[Body, Answer]);
    let stranger = Sources {
        keys: Vec::new(),
        ..offline(Some(Kept(sample.exchanges.clone())))
    };
    let found = gather(&right, &stranger).await.unwrap();
    let missing = outcome(&found[0], Body);
    assert!(missing.detail().contains("salt"), "{missing:?}");
    let told = Given {
        salt: Some(salt()),
        ..right
    };
    let found = gather(&told, &stranger).await.unwrap();
    passes(&found[0], &[Body, Answer]);

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
async fn a_client_that_chose_its_salt_otherwise_has_good_records() {
    let sample = Sample::new(&Plan::default());
    let header = &sample.exchanges[0].0;
    let id = header.message().request_id;
    assert_ne!(user().salt_of(id).reveal(), salt().reveal());
    let given = Given {
        request: Some(id),
        pack: Some(sample.pack.clone()),
        request_body: Some(Bytes::from_static(BODY)),
        answer_body: Some(Bytes::from_static(ANSWER)),
        ..Given::default()
    };
    let wrong = Some(Salt::new([1; 32]));
    for salt in [None, wrong] {
        let given = Given {
            salt,
            ..given.clone()
        };
        let found = gather(&given, &offline(None)).await.unwrap();
        passes(&found[0], &[CheckKind::Body, CheckKind::Answer]);
    }
    let other = Given {
        answer_body: Some(Bytes::from_static(b"another")),
        ..given
    };
    let found = gather(&other, &offline(None)).await.unwrap();
    assert_eq!(outcome(&found[0], CheckKind::Answer).name(), "failed");
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
