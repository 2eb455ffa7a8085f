//! What demands and their answers are refused for.

use super::*;

/// A demand for the first record, changed before it is sent.
fn open(change: impl FnOnce(&mut Played, &mut calls::OpenDispute)) -> Outcome {
    let mut played = played();
    let mut call = played.world.open_call(played.stack, played.node, 1);
    change(&mut played, &mut call);
    played.world.run(USER, call)
}

/// An answer to a demand for the first record, changed before it is sent.
fn answer(change: impl FnOnce(&mut Played, &mut calls::AnswerDispute)) -> Outcome {
    let mut played = played();
    played.open(1);
    let blob = played.world.blob(OPERATOR);
    let mut call = answer_call(played.stack, played.node, blob, &played.bytes(), 1);
    change(&mut played, &mut call);
    played.world.run(OPERATOR, call)
}

/// An answer with a blob that was registered so, by a wish certified.
fn answer_from(end_epoch: u32, deletable: bool, certified: bool) -> Outcome {
    answer(|played, call| {
        let world = &mut played.world;
        world.set_param("walrus_epoch", 10);
        let blob = world.register_blob(OPERATOR, end_epoch - 1, deletable);
        if certified {
            let certify = world.certify_call(blob);
            world.ok(OPERATOR, certify);
        }
        call.blob = blob.into();
    })
}

/// An answer with a first record that is made so, and was settled.
fn answer_with(make: impl FnOnce(&Played, EvidenceLeaf) -> Vec<u8>) -> Outcome {
    let (mut world, stack, node) = with_single();
    let records = world.records((USER, OPERATOR), stack, node, &[10; 3]);
    let mut settle = settle_records(stack, node, &records);
    let played = Played {
        world: World::new(),
        stack,
        node,
        records,
    };
    let mut bytes = played.bytes();
    bytes[0] = make(&played, played.records[0].clone());
    settle.receipts_root = root_of(&bytes);
    world.ok(OPERATOR, settle);
    let blob = world.blob(OPERATOR);
    let call = world.open_call(stack, node, 1);
    world.ok(USER, call);
    world.run(OPERATOR, answer_call(stack, node, blob, &bytes, 1))
}

pub(super) const DISPUTE: &[Case] = &[
    // --- the demand ---
    (NotStackOwner, || {
        let mut played = played();
        let call = played.world.open_call(played.stack, played.node, 1);
        played.world.run(STRANGER, call)
    }),
    (StackClosed, || {
        open(|played, _| {
            played.world.now += HOUR;
            let call = played.world.claim_call(played.stack, played.node);
            played.world.ok(STRANGER, call);
        })
    }),
    (WrongBond, || open(|_, call| call.bond.0.0 -= 1)),
    (WrongBond, || open(|_, call| call.bond.0.0 += 1)),
    (NoSuchLease, || {
        open(|played, call| call.node = played.world.register(OTHER, 1_000).into())
    }),
    (NotSettling, || {
        let (mut world, stack, node) = with_single();
        let call = world.open_call(stack, node, 1);
        world.run(USER, call)
    }),
    (WindowOver, || open(|played, _| played.world.now += HOUR)),
    (SeqNotSettled, || open(|_, call| call.seq = 0)),
    (SeqNotSettled, || open(|_, call| call.seq = 11)),
    (SeqNotSettled, || {
        // a lease that was never used owes nothing
        let (mut world, stack, node) = with_single();
        world.ok(OPERATOR, nothing_call(stack, node));
        let call = world.open_call(stack, node, 1);
        world.run(USER, call)
    }),
    (AlreadyDisputed, || open(|played, _| played.open(1))),
    (DisputesFull, || {
        open(|played, _| {
            for seq in 0..limits::MAX_DISPUTES as u64 {
                played.open(seq + 2);
            }
        })
    }),
    (ReceiptWrongSeq, || {
        open(|played, call| (call.receipt, call.receipt_signature) = played.receipt(2))
    }),
    (ReceiptBadSignature, || {
        open(|played, call| call.receipt = played.receipt(1).0)
    }),
    (ReceiptInvalid, || {
        open(|played, call| call.receipt_signature = played.receipt(1).1)
    }),
    // --- the answer ---
    (NotSettling, || {
        answer(|played, _| {
            played.equivocate().unwrap();
        })
    }),
    (NoSuchLease, || {
        answer(|played, call| call.node = played.world.register(OTHER, 1_000).into())
    }),
    (WrongObjectKind, || {
        answer(|_, call| call.blob = LOCALNET_DB.into())
    }),
    (NoSuchDispute, || {
        answer(|played, call| (call.record, call.proof) = prove(&played.bytes(), 2))
    }),
    (NoSuchDispute, || {
        answer(|played, call| {
            played.world.ok(OPERATOR, call.clone());
        })
    }),
    (AnswerTooLate, || {
        answer(|played, _| played.world.now += HOUR + 1)
    }),
    (ProofInvalid, || answer(|_, call| call.proof.push(0))),
    (ProofFails, || answer(|_, call| call.record.push(0))),
    (ProofFails, || {
        // a tree of another size with the same root
        answer(|_, call| {
            let mut proof: Proof = bcs::from_bytes(&call.proof).unwrap();
            proof.count -= 1;
            call.proof = bcs::to_bytes(&proof).unwrap();
        })
    }),
    (BlobInvalid, || answer_from(11, false, false)),
    (BlobDeletable, || answer_from(11, true, true)),
    (BlobExpired, || answer_from(10, false, true)),
    (NotBlobOwner, || {
        answer(|played, call| call.blob = played.world.blob(STRANGER).into())
    }),
    (RecordInvalid, || answer_with(|_, leaf| leaf.receipt)),
    (HeaderInvalid, || {
        answer_with(|_, mut leaf| {
            leaf.header.pop();
            leaf.to_bytes()
        })
    }),
    (HeaderBadSignature, || {
        answer_with(|_, mut leaf| {
            leaf.header_signature[0] ^= 1;
            leaf.to_bytes()
        })
    }),
    (ReceiptBadSignature, || {
        answer_with(|_, mut leaf| {
            leaf.receipt_signature.pop();
            leaf.to_bytes()
        })
    }),
    (ReceiptWrongSeq, || {
        answer_with(|played, _| played.bytes()[1].clone())
    }),
    (ReceiptWrongRequest, || {
        answer_with(|played, mut leaf| {
            leaf.header.clone_from(&played.records[1].header);
            leaf.header_signature
                .clone_from(&played.records[1].header_signature);
            leaf.to_bytes()
        })
    }),
    (ReceiptDiffers, || {
        let mut played = played();
        let mut other: Receipt = bcs::from_bytes(&played.records[0].receipt).unwrap();
        other.units = ComputeUnits(11);
        let mut call = played.world.open_call(played.stack, played.node, 1);
        (call.receipt, call.receipt_signature) = sign(other, OPERATOR);
        played.world.ok(USER, call);
        let blob = played.world.blob(OPERATOR);
        let call = answer_call(played.stack, played.node, blob, &played.bytes(), 1);
        played.world.run(OPERATOR, call)
    }),
    // --- the end ---
    (AnswerTimeNotOver, || {
        let mut played = played();
        played.open(1);
        played.world.now += HOUR;
        let call = played.world.resolve_call(played.stack, played.node, 1);
        played.world.run(STRANGER, call)
    }),
    (NoSuchDispute, || {
        let mut played = played();
        played.open(1);
        played.world.now += DAY;
        let call = played.world.resolve_call(played.stack, played.node, 2);
        played.world.run(STRANGER, call)
    }),
    (NotSettling, || {
        let (mut world, stack, node) = with_single();
        let call = world.resolve_call(stack, node, 1);
        world.run(STRANGER, call)
    }),
    (WrongTask, || {
        let mut played = played();
        let other = played.world.create_task();
        let mut call = played.world.resolve_call(played.stack, played.node, 1);
        call.task = other.into();
        played.world.run(STRANGER, call)
    }),
    (AlreadyConvicted, || {
        let mut played = played();
        played.equivocate().unwrap();
        played.equivocate()
    }),
    (NodeLeft, || {
        let mut played = played();
        let task = played.world.stack(played.stack).task;
        played.world.now += HOUR;
        let call = played.world.claim_call(played.stack, played.node);
        played.world.ok(STRANGER, call);
        played
            .world
            .ok(OPERATOR, unsubscribe_call(task, played.node));
        played.world.ok(OPERATOR, unbond_call(played.node));
        played.world.now += 7 * DAY;
        played.world.ok(OPERATOR, withdraw_call(played.node));
        played.equivocate()
    }),
    // --- proofs ---
    (ReceiptsAgree, || {
        let mut played = played();
        let (one, other) = (played.receipt(3), played.receipt(7));
        let call = played
            .world
            .equivocation_call(played.stack, played.node, one, other);
        played.world.run(STRANGER, call)
    }),
    (ReceiptWrongStack, || {
        let mut played = played();
        let mut other: Receipt = bcs::from_bytes(&played.records[0].receipt).unwrap();
        other.stack = StackId(address(1));
        let one = played.receipt(1);
        let call =
            played
                .world
                .equivocation_call(played.stack, played.node, one, sign(other, OPERATOR));
        played.world.run(STRANGER, call)
    }),
    (ChargeAllowed, || {
        let mut played = played();
        let receipt = played.receipt(1);
        let call =
            played
                .world
                .over_claim_call(played.stack, played.node, receipt, Default::default());
        played.world.run(STRANGER, call)
    }),
    (ReceiptWrongRequest, || {
        let mut played = played();
        let receipt = played.receipt(1);
        let other = &played.records[1];
        let header = (other.header.clone(), other.header_signature.clone());
        let call = played
            .world
            .over_claim_call(played.stack, played.node, receipt, header);
        played.world.run(STRANGER, call)
    }),
    (RecordGenuine, || {
        let mut played = played();
        let call = played
            .world
            .forged_call(played.stack, played.node, &played.bytes(), 4);
        played.world.run(STRANGER, call)
    }),
    (ProofFails, || {
        let mut played = played();
        let mut call = played
            .world
            .forged_call(played.stack, played.node, &played.bytes(), 4);
        call.record = b"nothing".to_vec();
        played.world.run(STRANGER, call)
    }),
    (NotSettling, || {
        let mut played = played();
        played.world.now += HOUR;
        let call = played.world.claim_call(played.stack, played.node);
        played.world.ok(STRANGER, call);
        let call = played
            .world
            .forged_call(played.stack, played.node, &played.bytes(), 4);
        played.world.run(STRANGER, call)
    }),
];
