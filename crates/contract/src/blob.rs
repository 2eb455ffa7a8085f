//! Blobs that the storage network has certified. On Sui these are Walrus's own objects, certified by
//! its committee; elsewhere the holder of the `AdminCap` speaks for the storage network.

use crate::{Owner, Rule, Txn, ensure};
use atoma_types::{
    BlobId,
    chain::{AbortCode, AtomaDb, CertifiedBlob, calls::CertifyBlob, events::BlobCertified},
};

/// Enters a certified blob.
pub(crate) fn certify(txn: &mut Txn<'_>, call: &CertifyBlob) -> Rule {
    let db = txn.db(call.db.id())?;
    let (cap, owner) = txn.admin_cap(call.cap.id())?;
    ensure(owner == Owner::Address(txn.sender()), AbortCode::NotAdmin)?;
    ensure(cap.db == db.id, AbortCode::WrongDatabase)?;
    let blob_id = call.blob_id.as_slice().try_into().map(BlobId);
    let blob_id = blob_id.map_err(|_| AbortCode::BlobInvalid)?;
    ensure(
        call.certified_epoch < call.end_epoch,
        AbortCode::BlobInvalid,
    )?;
    let blob = CertifiedBlob {
        id: txn.new_object_id(),
        blob_id,
        size: call.size,
        certified_epoch: call.certified_epoch,
        end_epoch: call.end_epoch,
        deletable: call.deletable,
    };
    txn.emit(BlobCertified {
        object: blob.id,
        blob_id,
        size: blob.size,
        certified_epoch: blob.certified_epoch,
        end_epoch: blob.end_epoch,
        deletable: blob.deletable,
    });
    txn.put_blob(blob);
    Ok(())
}

/// Whether the blob is stored, and nobody can take it away before its time.
pub(crate) fn ensure_stored(db: &AtomaDb, blob: &CertifiedBlob) -> Rule {
    ensure(!blob.deletable, AbortCode::BlobDeletable)?;
    ensure(
        u64::from(blob.end_epoch) > db.params.walrus_epoch,
        AbortCode::BlobExpired,
    )
}
