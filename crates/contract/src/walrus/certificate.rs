//! Certificates: one BLS12-381 signature of storage nodes with at least two thirds of the shards over
//! their confirmation that they keep a blob. Keys are in G1 (48 bytes), signatures in G2 (96), as Sui's
//! `bls12381_min_pk` has them.

use crate::{Rule, ensure};
use atoma_types::{
    BlobId, ObjectId,
    chain::{AbortCode, Blob, WalrusMember, WalrusSystem},
};
use blst::{
    BLST_ERROR,
    min_pk::{PublicKey, Signature},
};

/// The domain of the hash to the curve.
const DOMAIN: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_";
/// App id, message type and version in front of a confirmation.
const INTENT: [u8; 3] = [1, 0, 3];

/// `01 00 03 | epoch u32 le | blob id | 00` for permanent blobs, `.. | 01 | object id` for deletable
/// ones.
struct Confirmation {
    epoch: u32,
    blob_id: BlobId,
    /// The one object through which a deletable blob is deleted.
    object: Option<ObjectId>,
}

impl Confirmation {
    fn read(bytes: &[u8]) -> Option<Self> {
        let bytes = bytes.strip_prefix(&INTENT)?;
        let (epoch, bytes) = bytes.split_first_chunk()?;
        let (blob_id, bytes) = bytes.split_first_chunk()?;
        let object = match bytes {
            [0] => None,
            [1, object @ ..] => Some(ObjectId::new(object.try_into().ok()?)),
            _ => return None,
        };
        Some(Self {
            epoch: u32::from_le_bytes(*epoch),
            blob_id: BlobId(*blob_id),
            object,
        })
    }
}

/// Whether the committee says, in this epoch, that it keeps just this blob.
pub(super) fn verify(
    system: &WalrusSystem,
    blob: &Blob,
    signature: &[u8],
    signers: &[u8],
    message: &[u8],
) -> Rule {
    let confirmation = Confirmation::read(message).ok_or(AbortCode::ConfirmationInvalid)?;
    let object = blob.deletable.then_some(blob.id);
    ensure(
        confirmation.blob_id == blob.blob_id && confirmation.object == object,
        AbortCode::ConfirmationInvalid,
    )?;
    ensure(
        confirmation.epoch == system.epoch,
        AbortCode::ConfirmationWrongEpoch,
    )?;
    let signers = members(&system.committee, signers)?;
    let weight: u64 = signers.iter().map(|member| u64::from(member.weight)).sum();
    ensure(
        3 * weight > 2 * u64::from(system.n_shards),
        AbortCode::NoQuorum,
    )?;
    let keys = signers
        .iter()
        .map(|member| PublicKey::from_bytes(&member.public_key))
        .collect::<Result<Vec<_>, _>>()
        .map_err(|_| AbortCode::CertificateInvalid)?;
    let keys: Vec<_> = keys.iter().collect();
    let signature = Signature::from_bytes(signature).map_err(|_| AbortCode::CertificateInvalid)?;
    // the keys were checked when the committee was named; the signature's group is checked here
    let verdict = signature.fast_aggregate_verify(true, message, DOMAIN, &keys);
    ensure(
        verdict == BLST_ERROR::BLST_SUCCESS,
        AbortCode::CertificateInvalid,
    )
}

/// The members whose bits are set, lowest first.
fn members<'a>(committee: &'a [WalrusMember], bits: &[u8]) -> Rule<Vec<&'a WalrusMember>> {
    ensure(
        bits.len() == committee.len().div_ceil(8),
        AbortCode::CertificateInvalid,
    )?;
    let set = |place: &usize| bits[place / 8] >> (place % 8) & 1 == 1;
    (0..bits.len() * 8)
        .filter(set)
        .map(|place| committee.get(place).ok_or(AbortCode::CertificateInvalid))
        .collect()
}

/// Whether these bytes are a key that can sign.
pub(super) fn is_key(bytes: &[u8]) -> bool {
    PublicKey::key_validate(bytes).is_ok()
}
