//! The functions of `system`.

use super::{
    blob::{derive_id, encoded_length},
    certificate,
};
use crate::{
    Owner, Rule, Txn, ensure,
    limits::{MAX_COMMITTEE, MAX_EPOCHS_AHEAD, MAX_SHARDS, MIN_SHARDS},
};
use atoma_types::{
    ObjectId,
    chain::{
        AbortCode, Blob, Storage, WALRUS_ENCODING_RS2, WalrusMember, WalrusSystem,
        calls::{AdvanceEpoch, CertifyBlob, DeleteBlob, ExtendBlob, RegisterBlob, SetCommittee},
        events::{BlobCertified, BlobDeleted, BlobRegistered, EpochChangeDone},
    },
};

/// Registers a blob for the sender.
pub(crate) fn register_blob(txn: &mut Txn<'_>, call: &RegisterBlob) -> Rule {
    let system = txn.walrus_system(call.system.id())?;
    ensure(!system.committee.is_empty(), AbortCode::NoCommittee)?;
    ensure(
        (1..=MAX_EPOCHS_AHEAD).contains(&call.epochs_ahead),
        AbortCode::EpochsInvalid,
    )?;
    ensure(
        call.encoding_type == WALRUS_ENCODING_RS2,
        AbortCode::EncodingUnknown,
    )?;
    let encoded = encoded_length(system.n_shards, call.size).ok_or(AbortCode::BlobTooLarge)?;
    ensure(call.storage_amount >= encoded, AbortCode::StorageTooSmall)?;
    ensure(
        call.blob_id == derive_id(call.root_hash.0, call.encoding_type, call.size),
        AbortCode::BlobIdInvalid,
    )?;
    let storage = Storage {
        id: txn.new_object_id(),
        start_epoch: system.epoch,
        end_epoch: end(system.epoch, call.epochs_ahead)?,
        storage_size: call.storage_amount,
    };
    let blob = Blob {
        id: txn.new_object_id(),
        registered_epoch: system.epoch,
        blob_id: call.blob_id,
        size: call.size,
        encoding_type: call.encoding_type,
        certified_epoch: None,
        storage,
        deletable: call.deletable,
    };
    txn.emit(BlobRegistered {
        epoch: system.epoch,
        blob_id: blob.blob_id,
        size: blob.size,
        encoding_type: blob.encoding_type,
        end_epoch: storage.end_epoch,
        deletable: blob.deletable,
        object_id: blob.id,
    });
    let owner = Owner::Address(txn.sender());
    txn.put_blob(blob, owner);
    Ok(())
}

/// Certifies the sender's blob by the storage nodes' signature.
pub(crate) fn certify_blob(txn: &mut Txn<'_>, call: &CertifyBlob) -> Rule {
    let system = txn.walrus_system(call.system.id())?;
    let (mut blob, owner) = txn.own_blob(call.blob.id())?;
    ensure(blob.certified_epoch.is_none(), AbortCode::AlreadyCertified)?;
    ensure(blob.is_live(system.epoch), AbortCode::StorageEnded)?;
    certificate::verify(
        &system,
        &blob,
        &call.signature,
        &call.signers_bitmap,
        &call.message,
    )?;
    blob.certified_epoch = Some(system.epoch);
    txn.emit(certified(&system, &blob, false));
    txn.put_blob(blob, owner);
    Ok(())
}

/// Keeps the sender's blob for longer.
pub(crate) fn extend_blob(txn: &mut Txn<'_>, call: &ExtendBlob) -> Rule {
    let system = txn.walrus_system(call.system.id())?;
    let (mut blob, owner) = txn.own_blob(call.blob.id())?;
    ensure(blob.certified_epoch.is_some(), AbortCode::NotCertified)?;
    ensure(blob.is_live(system.epoch), AbortCode::StorageEnded)?;
    let end = end(blob.storage.end_epoch, call.extended_epochs)?;
    // it is live, so the difference is positive
    let ahead = end.saturating_sub(system.epoch);
    ensure(
        call.extended_epochs > 0 && ahead <= MAX_EPOCHS_AHEAD,
        AbortCode::EpochsInvalid,
    )?;
    blob.storage.end_epoch = end;
    txn.emit(certified(&system, &blob, true));
    txn.put_blob(blob, owner);
    Ok(())
}

/// Drops the sender's blob, unless the storage nodes have promised to keep it for longer.
pub(crate) fn delete_blob(txn: &mut Txn<'_>, call: &DeleteBlob) -> Rule {
    let system = txn.walrus_system(call.system.id())?;
    let (blob, _) = txn.own_blob(call.blob.id())?;
    let promised = blob.certified_epoch.is_some() && blob.is_live(system.epoch);
    ensure(blob.deletable || !promised, AbortCode::BlobPermanent)?;
    txn.emit(BlobDeleted {
        epoch: system.epoch,
        blob_id: blob.blob_id,
        end_epoch: blob.storage.end_epoch,
        object_id: blob.id,
        was_certified: blob.certified_epoch.is_some(),
    });
    txn.delete_blob(blob.id);
    Ok(())
}

/// Ends the epoch.
pub(crate) fn advance_epoch(txn: &mut Txn<'_>, call: &AdvanceEpoch) -> Rule {
    let mut system = operated(txn, call.system.id(), call.cap.id())?;
    system.epoch = end(system.epoch, 1)?;
    system.epoch_start_ms = txn.now();
    txn.emit(EpochChangeDone {
        epoch: system.epoch,
    });
    txn.put_walrus_system(system);
    Ok(())
}

/// Names the storage nodes from now on.
pub(crate) fn set_committee(txn: &mut Txn<'_>, call: &SetCommittee) -> Rule {
    let mut system = operated(txn, call.system.id(), call.cap.id())?;
    let (keys, weights) = (&call.public_keys, &call.weights);
    let shards: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    let shards = u16::try_from(shards).map_err(|_| AbortCode::CommitteeInvalid)?;
    ensure(
        keys.len() == weights.len()
            && keys.len() <= MAX_COMMITTEE
            && (MIN_SHARDS..=MAX_SHARDS).contains(&shards)
            && !weights.contains(&0)
            && keys.iter().all(|key| certificate::is_key(key)),
        AbortCode::CommitteeInvalid,
    )?;
    system.n_shards = shards;
    system.committee = keys
        .iter()
        .zip(weights)
        .map(|(key, &weight)| WalrusMember {
            public_key: key.clone(),
            weight,
        })
        .collect();
    txn.put_walrus_system(system);
    Ok(())
}

/// A system that the sender may change.
fn operated(txn: &Txn<'_>, system: ObjectId, cap: ObjectId) -> Rule<WalrusSystem> {
    let system = txn.walrus_system(system)?;
    let (cap, owner) = txn.walrus_cap(cap)?;
    ensure(
        owner == Owner::Address(txn.sender()) && cap.system == system.id,
        AbortCode::NotWalrusOperator,
    )?;
    Ok(system)
}

fn end(from: u32, epochs: u32) -> Rule<u32> {
    from.checked_add(epochs).ok_or(AbortCode::EpochsInvalid)
}

fn certified(system: &WalrusSystem, blob: &Blob, is_extension: bool) -> BlobCertified {
    BlobCertified {
        epoch: system.epoch,
        blob_id: blob.blob_id,
        end_epoch: blob.storage.end_epoch,
        deletable: blob.deletable,
        object_id: blob.id,
        is_extension,
    }
}
