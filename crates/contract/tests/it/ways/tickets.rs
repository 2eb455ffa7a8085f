//! Settlements, demands, proofs.

use super::codes::Scene;
use crate::world::*;
use atoma_types::{
    ComputeUnits, NetworkId, NodeId, ObjectId, StackId, TaskId,
    chain::{AbortCode, AbortCode::*, calls},
    message::{Message, Receipt, RequestHeader, Signed},
};

pub(crate) fn scenes() {
    settlements();
    demands();
    records();
}

/// What is wrong with a message.
type Change<'a, T> = &'a dyn Fn(&mut T);

fn bytes<T: Message>(message: T, signer: u8) -> (Vec<u8>, Vec<u8>) {
    let signed = Signed::new(message, &key(signer));
    (signed.bytes().to_vec(), signed.signature().to_bytes())
}

fn settlements() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5_000);
    chain.serve(&w, 1_000);
    let mut s = Scene::new(w);
    let good = chain.settle_call();
    let (header, receipt) = chain.last.clone().unwrap();
    let (header, receipt) = (header.message().clone(), receipt.message().clone());
    s.case(NotLeaseOwner, STRANGER, good.clone());
    s.case(NoTicket, STRANGER, s.w.claim_call(chain.stack, node));
    s.case(
        FromMismatch,
        OPERATOR,
        calls::Settle {
            from_seq: 1,
            to_seq: 2,
            ..good.clone()
        },
    );
    let id = ObjectId::new([1; 32]);
    let receipts: [(AbortCode, Change<'_, Receipt>); 6] = [
        (ReceiptWrongNetwork, &|r| r.network = NetworkId([1; 32])),
        (ReceiptWrongStack, &|r| r.stack = StackId(id)),
        (ReceiptWrongNode, &|r| r.node = NodeId(id)),
        (CountMismatch, &|r| r.seq = 2),
        (ClaimMismatch, &|r| r.cumulative_units = ComputeUnits(999)),
        (HistoryTooShort, &|r| r.base = 1),
    ];
    for (code, change) in receipts {
        let mut changed = receipt.clone();
        change(&mut changed);
        let (last_receipt, receipt_signature) = bytes(changed, OPERATOR);
        s.case(
            code,
            OPERATOR,
            calls::Settle {
                last_receipt,
                receipt_signature,
                ..good.clone()
            },
        );
    }
    let (last_receipt, receipt_signature) = bytes(receipt, STRANGER);
    s.case(
        ReceiptBadSignature,
        OPERATOR,
        calls::Settle {
            last_receipt,
            receipt_signature,
            ..good.clone()
        },
    );
    s.case(
        ReceiptInvalid,
        OPERATOR,
        calls::Settle {
            last_receipt: vec![1],
            ..good.clone()
        },
    );
    let headers: [(AbortCode, Change<'_, RequestHeader>); 5] = [
        (HeaderWrongNetwork, &|h| h.network = NetworkId([1; 32])),
        (HeaderWrongStack, &|h| h.stack = StackId(id)),
        (HeaderWrongNode, &|h| h.node = NodeId(id)),
        (HeaderWrongTask, &|h| h.task = TaskId(id)),
        (ClaimAboveCeilings, &|h| h.ceiling = ComputeUnits(999)),
    ];
    for (code, change) in headers {
        let mut changed = header.clone();
        change(&mut changed);
        let (header, signature) = bytes(changed, USER);
        s.case(
            code,
            OPERATOR,
            calls::Settle {
                headers: vec![header],
                header_signatures: vec![signature],
                ..good.clone()
            },
        );
    }
    let (one, signature) = bytes(header, STRANGER);
    s.case(
        HeaderBadSignature,
        OPERATOR,
        calls::Settle {
            headers: vec![one],
            header_signatures: vec![signature],
            ..good.clone()
        },
    );
    s.case(
        HeaderInvalid,
        OPERATOR,
        calls::Settle {
            headers: vec![vec![1]],
            ..good.clone()
        },
    );
    s.case(
        HeaderCountInvalid,
        OPERATOR,
        calls::Settle {
            headers: Vec::new(),
            ..good.clone()
        },
    );
    s.case(
        LanesNotRising,
        OPERATOR,
        calls::Settle {
            headers: [good.headers.clone(), good.headers.clone()].concat(),
            header_signatures: [
                good.header_signatures.clone(),
                good.header_signatures.clone(),
            ]
            .concat(),
            ..good.clone()
        },
    );
    let mut more = chain.clone();
    more.serve(&s.w, 5_000);
    s.case(ClaimAboveLease, OPERATOR, more.settle_call());
    s.play();
    let mut late = s.w.clone();
    late.now += 3 * DAY;
    let mut end = Scene::new(late);
    end.case(DeadlinePassed, OPERATOR, good.clone());
    end.play();
    s.w.settle(&chain);
    s.case(NothingClaimed, OPERATOR, good);
    s.case(WindowNotOver, STRANGER, s.w.claim_call(chain.stack, node));
    s.case(TicketOpen, STRANGER, expire_call(chain.stack, node));
    s.play();
    let mut last_moment = Scene::new(s.w.clone());
    last_moment.w.now += DAY;
    let call = last_moment.w.claim_call(chain.stack, node);
    last_moment.case(WindowNotOver, STRANGER, call);
    last_moment.play();
}

fn demands() {
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5_000);
    chain.serve(&w, 1_000);
    w.settle(&chain);
    let stack = chain.stack;
    let mut s = Scene::new(w);
    let good = s.w.demand_call(stack, node, 1);
    s.case(NotWatcher, STRANGER, good.clone());
    let mut cheap = good.clone();
    cheap.fee.0.0 -= 1;
    s.case(WrongFee, USER, cheap);
    s.case(UnitNotSettled, USER, s.w.demand_call(stack, node, 1_000));
    s.case(NoSuchDemand, OPERATOR, answer_call(&chain, 1));
    s.case(
        AnswerTimeNotOver,
        STRANGER,
        s.w.undisclosed_call(stack, node),
    );
    s.play();
    s.w.ok(USER, good.clone());
    s.case(AlreadyDemanded, USER, good);
    s.case(
        AnswerTimeNotOver,
        STRANGER,
        s.w.silence_call(stack, node, 1),
    );
    s.case(
        EvidenceMissing,
        OPERATOR,
        calls::AnswerDemand {
            blob: None,
            ..answer_call(&chain, 1)
        },
    );
    s.case(
        EvidenceTooLong,
        OPERATOR,
        calls::AnswerDemand {
            bodies: vec![0; 16_001],
            ..answer_call(&chain, 1)
        },
    );
    let same = chain.last_receipt();
    s.case(
        ReceiptsAgree,
        STRANGER,
        s.w.equivocation_call(stack, node, same.clone(), same),
    );
    s.play();
    for unit in 2..9 {
        let call = s.w.demand_call(stack, node, unit);
        s.w.ok(USER, call);
    }
    s.case(DemandsFull, USER, s.w.demand_call(stack, node, 9));
    s.play();
    s.w.now += DAY + 1;
    s.case(AnswerTooLate, OPERATOR, answer_call(&chain, 1));
    s.case(DemandOpen, STRANGER, s.w.claim_call(stack, node));
    s.case(WindowOver, USER, s.w.demand_call(stack, node, 9));
    s.play();
}

/// A demand whose record has something wrong.
fn records() {
    type Changes<'a> = &'a dyn Fn(&mut RequestHeader, &mut Receipt);
    let changes: [(AbortCode, Changes<'_>); 5] = [
        (ReceiptWrongSeq, &|_, r| r.seq = 7),
        (ReceiptWrongRequest, &|_, r| {
            r.request_hash = atoma_types::hash::Hash32([1; 32]);
        }),
        (ReceiptWrongEngine, &|_, r| {
            r.engine.model = atoma_types::hash::Hash32([1; 32]);
        }),
        (RecordOverTariff, &|_, r| r.usage.output = 1),
        (RecordOverOrder, &|h, _| h.max_units = ComputeUnits(999)),
    ];
    for (code, change) in changes {
        let mut w = World::new();
        let task = w.create_task();
        let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
        let mut chain = w.leased(OPERATOR, task, node, 5_000);
        chain.serve_with(&w, 1_000, change);
        chain.serve(&w, 1_000);
        w.settle(&chain);
        let call = w.demand_call(chain.stack, node, 5);
        w.ok(USER, call);
        let mut s = Scene::new(w);
        s.case(code, OPERATOR, answer_call(&chain, 5));
        let good = answer_call(&chain, 1_500);
        s.case(
            RecordWrongUnit,
            OPERATOR,
            calls::AnswerDemand {
                unit: ComputeUnits(5),
                ..good.clone()
            },
        );
        s.case(
            ProofFails,
            OPERATOR,
            calls::AnswerDemand {
                record: good.record,
                ..answer_call(&chain, 5)
            },
        );
        s.case(
            ProofInvalid,
            OPERATOR,
            calls::AnswerDemand {
                proof: vec![1],
                ..answer_call(&chain, 5)
            },
        );
        s.play();
    }
    let mut w = World::new();
    let task = w.create_task();
    let node = w.serve(OPERATOR, task, PRICE, 1_000 * USDC);
    let mut chain = w.leased(OPERATOR, task, node, 5_000);
    chain.serve(&w, 1_000);
    chain.records[0].0 = vec![1, 2, 3];
    w.settle(&chain);
    let call = w.demand_call(chain.stack, node, 5);
    w.ok(USER, call);
    let mut s = Scene::new(w);
    s.case(RecordInvalid, OPERATOR, answer_call(&chain, 5));
    s.play();
}
