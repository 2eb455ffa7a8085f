//! Blobs and their storage nodes.

use super::*;

/// A registration, changed before it is sent.
fn blob_register(change: impl FnOnce(&mut World, &mut calls::RegisterBlob)) -> Outcome {
    let mut world = World::new();
    world.start_walrus();
    let mut call = register_blob_call(10, false);
    change(&mut world, &mut call);
    world.run(USER, call)
}

/// A certification, changed before it is sent.
fn blob_certify(change: impl FnOnce(&mut World, &mut calls::CertifyBlob)) -> Outcome {
    let mut world = World::new();
    let blob = world.register_blob(USER, 3, false);
    let mut call = world.certify_call(blob);
    change(&mut world, &mut call);
    world.run(USER, call)
}

fn blob_extend(epochs: u32, certified: bool, passed: usize) -> Outcome {
    let mut world = World::new();
    let blob = world.register_blob(USER, 3, false);
    if certified {
        let certify = world.certify_call(blob);
        world.ok(USER, certify);
    }
    for _ in 0..passed {
        let call = world.advance_epoch_call();
        world.ok(ADMIN, call);
    }
    world.run(USER, extend_blob_call(blob, epochs))
}

fn named_committee(change: impl FnOnce(&mut calls::SetCommittee)) -> Outcome {
    let mut world = World::new();
    let mut call = world.committee_call();
    change(&mut call);
    world.run(ADMIN, call)
}

pub(super) const WALRUS: &[Case] = &[
    // --- the operator ---
    (NotWalrusOperator, || {
        let mut world = World::new();
        let call = world.committee_call();
        world.run(STRANGER, call)
    }),
    (NotWalrusOperator, || {
        let mut world = World::new();
        let call = world.advance_epoch_call();
        world.run(STRANGER, call)
    }),
    (WrongObjectKind, || {
        named_committee(|call| call.cap = LOCALNET_DB.into())
    }),
    (CommitteeInvalid, || {
        named_committee(|call| call.public_keys[0][7] ^= 1)
    }),
    (CommitteeInvalid, || {
        named_committee(|call| drop(call.public_keys.pop()))
    }),
    (CommitteeInvalid, || {
        named_committee(|call| call.weights[0] = 0)
    }),
    (CommitteeInvalid, || {
        named_committee(|call| call.weights[0] = 1_000)
    }),
    (CommitteeInvalid, || {
        named_committee(|call| (call.public_keys, call.weights) = (Vec::new(), Vec::new()))
    }),
    // --- registering ---
    (NoCommittee, || {
        World::new().run(USER, register_blob_call(10, false))
    }),
    (EpochsInvalid, || {
        blob_register(|_, call| call.epochs_ahead = 0)
    }),
    (EpochsInvalid, || {
        blob_register(|_, call| call.epochs_ahead = 54)
    }),
    (EncodingUnknown, || {
        blob_register(|_, call| call.encoding_type = 0)
    }),
    (BlobTooLarge, || {
        blob_register(|_, call| call.size = 1_834_953)
    }),
    (StorageTooSmall, || {
        blob_register(|_, call| call.storage_amount -= 1)
    }),
    (BlobIdInvalid, || blob_register(|_, call| call.size += 1)),
    (BlobIdInvalid, || {
        blob_register(|_, call| call.root_hash.0.0[0] ^= 1)
    }),
    // --- certifying ---
    (AlreadyCertified, || {
        blob_certify(|world, call| drop(world.ok(USER, call.clone())))
    }),
    (NotBlobOwner, || {
        let mut world = World::new();
        let blob = world.register_blob(USER, 3, false);
        let call = world.certify_call(blob);
        world.run(STRANGER, call)
    }),
    (StorageEnded, || {
        blob_certify(|world, call| {
            for _ in 0..3 {
                let advance = world.advance_epoch_call();
                world.ok(ADMIN, advance);
            }
            *call = world.certify_call(call.blob.id());
        })
    }),
    (ConfirmationInvalid, || {
        blob_certify(|_, call| call.message.push(0))
    }),
    (ConfirmationInvalid, || {
        // of another blob
        blob_certify(|_, call| call.message[20] ^= 1)
    }),
    (ConfirmationInvalid, || {
        // of a deletable blob
        blob_certify(|_, call| {
            call.message.pop();
            call.message.push(1);
            call.message.extend([7; 32]);
        })
    }),
    (ConfirmationWrongEpoch, || {
        blob_certify(|world, _| {
            let advance = world.advance_epoch_call();
            world.ok(ADMIN, advance);
        })
    }),
    (NoQuorum, || {
        // six of ten shards
        blob_certify(|_, call| sign_confirmation(call, &[0, 2]))
    }),
    (CertificateInvalid, || {
        blob_certify(|_, call| call.signature[5] ^= 1)
    }),
    (CertificateInvalid, || {
        blob_certify(|_, call| call.signature = vec![0; 96])
    }),
    (CertificateInvalid, || {
        // says that one more signed
        blob_certify(|_, call| {
            sign_confirmation(call, &[0, 1]);
            call.signers_bitmap = vec![0b1111];
        })
    }),
    (CertificateInvalid, || {
        // a member that isn't
        blob_certify(|_, call| call.signers_bitmap = vec![0b1_1111])
    }),
    (CertificateInvalid, || {
        blob_certify(|_, call| call.signers_bitmap.push(0))
    }),
    // --- after that ---
    (NotCertified, || blob_extend(1, false, 0)),
    (StorageEnded, || blob_extend(1, true, 3)),
    (EpochsInvalid, || blob_extend(0, true, 0)),
    (EpochsInvalid, || blob_extend(51, true, 0)),
    (EpochsInvalid, || blob_extend(u32::MAX, true, 0)),
    (NotBlobOwner, || {
        let mut world = World::new();
        let blob = world.blob(USER);
        world.run(STRANGER, extend_blob_call(blob, 1))
    }),
    (BlobPermanent, || {
        let mut world = World::new();
        let blob = world.blob(USER);
        world.run(USER, delete_blob_call(blob))
    }),
    (NotBlobOwner, || {
        let mut world = World::new();
        let blob = world.register_blob(USER, 3, true);
        world.run(STRANGER, delete_blob_call(blob))
    }),
    (ObjectMissing, || {
        let mut world = World::new();
        let blob = world.register_blob(USER, 3, true);
        world.ok(USER, delete_blob_call(blob));
        world.run(USER, delete_blob_call(blob))
    }),
];
