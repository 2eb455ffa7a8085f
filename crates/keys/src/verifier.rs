//! The check of [`atoma_types::ed25519`], faster for keys that are used often.
//!
//! The first verifications by a key go the ordinary way, one double-scalar multiplication. A key
//! that comes back gets a table (`multiples`) of multiples of its point (215 KiB), after which
//! both products are look-ups and additions: less than half of the time.

use crate::multiples::Multiples;
use atoma_types::{
    PublicKey, Signature, Verify,
    ed25519::{BadSignature, DecodedKey},
    hash::Hash32,
};
use curve25519_dalek::{EdwardsPoint, constants::ED25519_BASEPOINT_POINT};
use parking_lot::Mutex;
use std::{
    collections::VecDeque,
    fmt,
    sync::{
        LazyLock, OnceLock,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
};

/// Verifications by one key before its table is made: the table costs about as much as it saves in
/// so many.
const TABLE_AFTER: u32 = 64;
/// Tables in the whole process, 54 MiB: strangers choose how many keys there are.
const MAX_TABLES: usize = 256;
/// Roots that a key remembers: the batches that may be on their way at the same time.
const MAX_ROOTS: usize = 32;
/// Bits of a digit in a key's table: one more doubles its size, for a seventh fewer additions.
const KEY_WIDTH: u32 = 6;
/// And in the base point's, of which there is one (640 KiB).
const BASE_WIDTH: u32 = 8;

/// Tables there are.
static TABLES: AtomicUsize = AtomicUsize::new(0);

/// Multiples of `B`, made when the first key gets its table.
static BASE: LazyLock<Multiples> =
    LazyLock::new(|| Multiples::new(&ED25519_BASEPOINT_POINT, BASE_WIDTH));

/// A decoded public key that is checked faster the more often it is used. Share it (in an `Arc`)
/// instead of making it anew: its table and the roots that it has seen stay with it.
pub struct Verifier {
    key: DecodedKey,
    used: AtomicU32,
    table: OnceLock<Option<Table>>,
    /// Roots of batches that were signed well, the latest last.
    roots: Mutex<VecDeque<(Hash32, Signature)>>,
}

/// Multiples of `-A`; counted while it lives.
struct Table(Multiples);

impl Verifier {
    /// Decodes the point.
    ///
    /// # Errors
    /// If the bytes are no point, or one of small order, by which anybody could sign.
    pub fn new(key: &PublicKey) -> Result<Self, BadSignature> {
        Ok(Self {
            key: key.decode()?,
            used: AtomicU32::new(0),
            table: OnceLock::new(),
            roots: Mutex::default(),
        })
    }

    /// The public key that this verifier checks signatures by.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        self.key.public_key()
    }

    /// The table, once the key has shown that it is worth one.
    fn table(&self) -> Option<&Table> {
        if let Some(table) = self.table.get() {
            return table.as_ref();
        }
        if self.used.fetch_add(1, Ordering::Relaxed) < TABLE_AFTER {
            return None;
        }
        self.table
            .get_or_init(|| Table::new(self.key.minus()))
            .as_ref()
    }
}

impl Verify for Verifier {
    fn verify(&self, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
        match self.table() {
            Some(table) => self
                .key
                .verify_by(message, signature, |k, s| table.0.times(k) + BASE.times(s)),
            None => self.key.verify(message, signature),
        }
    }

    /// The messages of a batch come shortly after one another, and only the first costs a check.
    fn verify_root(
        &self,
        root: Hash32,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        let known = (root, *signature);
        if self.roots.lock().contains(&known) {
            return Ok(());
        }
        self.verify(message, signature)?;
        let mut roots = self.roots.lock();
        if roots.len() >= MAX_ROOTS {
            roots.pop_front();
        }
        roots.push_back(known);
        Ok(())
    }
}

impl Table {
    fn new(point: &EdwardsPoint) -> Option<Self> {
        if TABLES.fetch_add(1, Ordering::Relaxed) >= MAX_TABLES {
            TABLES.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(Multiples::new(point, KEY_WIDTH)))
    }
}

impl Drop for Table {
    fn drop(&mut self) {
        TABLES.fetch_sub(1, Ordering::Relaxed);
    }
}

impl PartialEq for Verifier {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for Verifier {}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Verifier({})", self.public_key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SigningKey;
    use atoma_types::{
        Address, ComputeUnits, NetworkId, NodeId, Price, Sign, StackId, TimestampMs,
        message::{Domain, Draft, Grant},
    };
    use curve25519_dalek::{
        Scalar, constants::EIGHT_TORSION, edwards::CompressedEdwardsY, traits::Identity,
    };
    use proptest::prelude::*;
    use sha2::{Digest, Sha512};

    /// What the ledger says: ZIP 215, and no point of small order.
    fn ledger(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let is_weak = |point: &[u8]| {
            let point = CompressedEdwardsY::from_slice(point).unwrap();
            point
                .decompress()
                .is_some_and(|point| point.is_small_order())
        };
        let good = ed25519_zebra::VerificationKey::try_from(key.0).is_ok_and(|key| {
            let signature = ed25519_zebra::Signature::from_bytes(&signature.0);
            key.verify(&signature, message).is_ok()
        });
        good && !is_weak(&key.0) && !is_weak(&signature.0[..32])
    }

    /// What we say, both before and after the table is there.
    fn ours(key: &PublicKey, message: &[u8], signature: &Signature) -> bool {
        let Ok(plain) = Verifier::new(key) else {
            return false;
        };
        let quick = Verifier::new(key).unwrap();
        quick.used.store(TABLE_AFTER, Ordering::Relaxed);
        let said = plain.verify(message, signature).is_ok();
        assert_eq!(said, quick.verify(message, signature).is_ok());
        assert!(plain.table.get().is_none());
        assert!(quick.table.get().is_some() || !said);
        said
    }

    proptest! {
        #[test]
        fn agrees_with_the_reference(
            seed: [u8; 32],
            message in prop::collection::vec(any::<u8>(), 0..300),
            flip in prop::option::of(0_usize..(64 + 32) * 8),
        ) {
            let key = SigningKey::from_seed(&seed);
            let mut signature = key.sign(&message);
            let mut public = key.public_key();
            if let Some(bit) = flip {
                let byte = match bit / 8 {
                    i @ 0..64 => &mut signature.0[i],
                    i => &mut public.0[i - 64],
                };
                *byte ^= 1 << (bit % 8);
            }
            let said = ours(&public, &message, &signature);
            prop_assert_eq!(said, ledger(&public, &message, &signature));
            prop_assert_eq!(said, flip.is_none());
        }
    }

    /// Keys and `R` with parts of small order, with all the ways to pair them: a signature that the ledger takes and that
    /// we didn't see would be one that a node settles with and that convicts nobody.
    #[test]
    fn parts_of_small_order_are_judged_as_the_ledger_does() {
        let secret = Scalar::from(123_456_789_u64);
        let nonce = Scalar::from(987_654_321_u64);
        let (mut taken, mut refused) = (0, 0);
        for torsion_key in EIGHT_TORSION {
            for torsion_r in EIGHT_TORSION {
                for honest in [EdwardsPoint::mul_base(&secret), EdwardsPoint::identity()] {
                    for base in [nonce, Scalar::ZERO] {
                        let key = PublicKey((honest + torsion_key).compress().0);
                        let r = (EdwardsPoint::mul_base(&base) + torsion_r).compress();
                        let message = b"small order";
                        let k = Scalar::from_hash(
                            Sha512::new()
                                .chain_update(r.as_bytes())
                                .chain_update(key.0)
                                .chain_update(message),
                        );
                        let secret = if honest == EdwardsPoint::identity() {
                            Scalar::ZERO
                        } else {
                            secret
                        };
                        let s = base + k * secret;
                        let mut bytes = [0; 64];
                        bytes[..32].copy_from_slice(r.as_bytes());
                        bytes[32..].copy_from_slice(s.as_bytes());
                        let signature = Signature(bytes);
                        let said = ours(&key, message, &signature);
                        assert_eq!(said, ledger(&key, message, &signature));
                        taken += usize::from(said);
                        refused += usize::from(!said);
                    }
                }
            }
        }
        // a key and an R that aren't weak, with any parts of small order; all else
        assert_eq!((taken, refused), (64, 192));
    }

    #[test]
    fn an_unreduced_scalar_is_refused() {
        let key = SigningKey::from_seed(&[7; 32]);
        let mut signature = key.sign(b"m");
        // s + l is the same residue, in another encoding
        let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
        let order = hex::decode(order).unwrap();
        let mut carry = 0_u16;
        for (byte, add) in signature.0[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = sum.to_le_bytes()[0];
            carry = sum >> 8;
        }
        assert!(!ours(&key.public_key(), b"m", &signature));
        assert!(!ledger(&key.public_key(), b"m", &signature));
    }

    #[test]
    fn a_key_of_small_order_is_no_key() {
        for point in EIGHT_TORSION {
            assert!(Verifier::new(&PublicKey(point.compress().0)).is_err());
        }
    }

    #[test]
    fn bytes_that_are_no_point_are_no_key() {
        let mut refused = 0;
        for byte in 0..=u8::MAX {
            let key = PublicKey([byte; 32]);
            let point = ed25519_dalek::VerifyingKey::from_bytes(&key.0);
            let good = point.is_ok_and(|point| !point.is_weak());
            assert_eq!(Verifier::new(&key).is_ok(), good);
            refused += usize::from(!good);
        }
        assert!(refused > 0);
    }

    #[test]
    fn messages_of_one_batch_are_checked_once_and_others_still_refused() {
        let key = SigningKey::from_seed(&[7; 32]);
        let drafts = (1..=5).map(|units| {
            Draft::new(Grant {
                domain: Domain::default(),
                network: NetworkId([1; 32]),
                stack: StackId(Address::new([2; 32])),
                node: NodeId(Address::new([3; 32])),
                cumulative_units: ComputeUnits(units),
                max_price: Price(1),
                nonce: 0,
                expires_at_ms: TimestampMs(5),
            })
        });
        let signed = Draft::sign_all(drafts.collect(), &key);
        let verifier = Verifier::new(&key.public_key()).unwrap();
        for message in signed.iter().chain(&signed) {
            assert!(message.verify(&verifier).is_ok());
        }
        assert_eq!(verifier.used.load(Ordering::Relaxed), 1);
        let other = Verifier::new(&SigningKey::from_seed(&[8; 32]).public_key()).unwrap();
        assert!(signed[0].verify(&other).is_err());
    }
}
