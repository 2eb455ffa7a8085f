//! What an attester is given to read one record: the keys of its two bodies, and of nothing else in the pack.
//!
//! ```text
//! wrap, 112 bytes
//!   0   32  encapsulated key
//!  32   80  HPKE, the suite of sealed bodies, to the attester's response key, of:
//!           key of the request's body 32 | key of the answer's body 32     zeros where a body isn't sealed
//!
//! info         "atoma/wrap/v1" | network 32 | stack 32 | node 32 | request's hash 32
//! randomness   block n, 32 bytes: BLAKE2b-256("atoma/wrap/block/v1" | seed | n 8)
//! seed         BLAKE2b-256("atoma/wrap/seed/v1" | the two keys 64 | attester's response key 32)
//! ```
//!
//! The randomness follows from what is wrapped. So whoever opens one wrap of a record makes every other one again,
//! the examiner's and each juror's, and sees which of them is garbage; those whom the garbage was for can't read, and
//! find the same. Nothing is published for that: whoever knew a wrap's randomness could open it.
//!
//! The ledger can't tell whether an attester's key is a point of the curve. For one that isn't the wrap is zeros, or a
//! node could be convicted for not showing what can't be shown.

use super::{
    Body, Record, SaltedBody, SealContext,
    error::PackError,
    seal::{unwrap, wrap},
};
use atoma_keys::SigningKey;
use atoma_runtime::Random;
use atoma_types::{
    PublicKey,
    hash::{Hash32, Hasher},
    message::CommitmentKind,
};
use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering},
};
use zeroize::Zeroizing;

const INFO: &[u8] = b"atoma/wrap/v1";
const SEED: &[u8] = b"atoma/wrap/seed/v1";
const BLOCK: &[u8] = b"atoma/wrap/block/v1";
const ENCAPSULATED: usize = 32;
/// Bytes of a wrap.
pub(super) const WRAP_BYTES: usize = 112;

/// The keys of a record's two bodies.
pub struct BodyKeys(Zeroizing<[u8; 64]>);

impl BodyKeys {
    /// Those of a record, with the key of a party. `request` is the hash of the signed header.
    ///
    /// # Errors
    /// If a body isn't sealed for `key`.
    pub fn of(
        record: &Record,
        key: &SigningKey,
        context: &SealContext,
        request: Hash32,
    ) -> Result<Self, PackError> {
        let mut keys = Zeroizing::new([0; 64]);
        let bodies = [
            (record.request_body(), CommitmentKind::Request),
            (record.answer_body(), CommitmentKind::Answer),
        ];
        for (place, (body, kind)) in keys.chunks_exact_mut(32).zip(bodies) {
            place.copy_from_slice(body.own_key(key, context, request, kind)?.as_ref());
        }
        Ok(Self(keys))
    }

    /// Those that an attester was given.
    ///
    /// # Errors
    /// If the bytes are no wrap of this request for the attester's key.
    pub fn open(
        wrap: &[u8],
        attester: &SigningKey,
        context: &SealContext,
        request: Hash32,
    ) -> Result<Self, PackError> {
        let no_wrap = PackError::Format("not a wrap");
        let (encapsulated, sealed) = wrap.split_at_checked(ENCAPSULATED).ok_or(no_wrap)?;
        let opened = unwrap(encapsulated, sealed, &info(context, request), attester)?;
        let keys = opened.as_slice().try_into();
        let keys: [u8; 64] = keys.map_err(|_| PackError::Format("a wrap of something else"))?;
        Ok(Self(Zeroizing::new(keys)))
    }

    /// The one wrap of these keys for an attester.
    ///
    /// # Errors
    /// If they can't be sealed to the attester's key, which isn't the fault of a key that is no point.
    pub fn wrap_for(
        &self,
        context: &SealContext,
        request: Hash32,
        attester: &PublicKey,
    ) -> Result<Vec<u8>, PackError> {
        if atoma_keys::x25519_of(attester).is_none() {
            return Ok(vec![0; WRAP_BYTES]);
        }
        let (encapsulated, sealed) = wrap(
            &*self.0,
            &info(context, request),
            attester,
            &Stream::of(&self.0, attester),
        )?;
        Ok([encapsulated, sealed].concat())
    }

    /// The request's body and the answer's, each with its salt, of the record whose keys these are; `None` where the
    /// record has no such body.
    ///
    /// # Errors
    /// If a body isn't sealed under its key, or was changed.
    pub fn read(&self, record: &Record) -> Result<[Option<SaltedBody>; 2], PackError> {
        let (request, answer) = self.0.split_at(32);
        let read = |body: &Body, key: &[u8]| {
            // half of 64
            let key = key.try_into().map_err(|_| PackError::Seal("no key"))?;
            let plain = body.unseal_with(key)?;
            plain.map(SaltedBody::from_bytes).transpose()
        };
        Ok([
            read(record.request_body(), request)?,
            read(record.answer_body(), answer)?,
        ])
    }
}

impl fmt::Debug for BodyKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyKeys").finish_non_exhaustive()
    }
}

fn info(context: &SealContext, request: Hash32) -> Vec<u8> {
    [
        INFO,
        &context.network.0,
        context.stack.0.as_bytes(),
        context.node.0.as_bytes(),
        &request.0,
    ]
    .concat()
}

/// Bytes that follow from a seed.
struct Stream {
    seed: Zeroizing<[u8; 32]>,
    used: AtomicU64,
}

impl Stream {
    fn of(keys: &[u8; 64], attester: &PublicKey) -> Self {
        let mut hasher = Hasher::new();
        for bytes in [SEED, keys, &attester.0] {
            hasher.update(bytes);
        }
        Self {
            seed: Zeroizing::new(hasher.finish().0),
            used: AtomicU64::new(0),
        }
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

impl Random for Stream {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(32) {
            let n = self.used.fetch_add(1, Ordering::Relaxed).to_le_bytes();
            let block = Hash32::of_parts(&[BLOCK, self.seed.as_ref(), &n]);
            chunk.copy_from_slice(&block.0[..chunk.len()]);
        }
    }
}

#[cfg(test)]
#[path = "wrap_test.rs"]
mod tests;
