//! Bodies that only their parties can read: Walrus is public.
//!
//! A [`Sealer`] draws one content key for a stack and wraps it with HPKE (RFC 9180, base mode:
//! DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305) for each party: the stack's request
//! key and the node's response key, both ed25519 keys on the ledger, taken to X25519. So whoever
//! may sign for a stack may read it, and nobody keeps a further secret. Wrapping costs
//! two multiplications on the curve, so one sealer serves many records; each body has a key of its
//! own, derived from the content key, the request's hash and which body it is.
//!
//! ```text
//! sealed body, 2 + 112 * p + 16 + n bytes
//!   0    1  version: 1
//!   1    1  p: parties, 1 to 8
//!   2       for each: public key, ed25519 32 | encapsulated key 32 | wrapped content key 48
//!  ..       ChaCha20Poly1305 of: form 1 (1 as it is, 2 one zstd frame) | size 4 | bytes
//!           key   BLAKE2b-256("atoma/seal/body/v1" | content key | request's hash | part 1)
//!           nonce zero: the key is used once
//!           data  the parties' bytes from 0 on
//!
//! HPKE: info = "atoma/seal/v1" | network 32 | stack 32 | node 32; no further data
//! part: 1 the request's body, 2 the answer's
//! ```
//!
//! The tag covers the content; that it is the body that was signed for, its hash in header or
//! receipt says. The length is not hidden.

use super::{
    body::{Body, Form},
    error::PackError,
    salted::wiped,
};
use atoma_keys::SigningKey;
use atoma_runtime::{Entropy, Random};
use atoma_types::{
    NetworkId, NodeId, PublicKey, StackId,
    hash::{Hash32, Hasher},
    message::CommitmentKind,
};
use atoma_walrus::wire::Reader;
use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use bytes::Bytes;
use hpke::{
    Deserializable, OpModeR, OpModeS, Serializable, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::X25519HkdfSha256, single_shot_open, single_shot_seal_with_rng,
};
use std::fmt;
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const INFO: &[u8] = b"atoma/seal/v1";
const BODY: &[u8] = b"atoma/seal/body/v1";
/// User and node today, auditors when one is drawn.
const MAX_PARTIES: usize = 8;
const WRAPPED: usize = 48;
/// Form and size before the bytes.
const INNER_HEAD: usize = 5;

type Kem = X25519HkdfSha256;

const BROKEN: PackError = PackError::Seal("the seal is broken");

/// Between whom, and about what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SealContext {
    /// Id of the ledger's network that the request is for.
    pub network: NetworkId,
    /// The stack that pays.
    pub stack: StackId,
    /// The node that serves.
    pub node: NodeId,
}

/// Seals bodies of one stack for the same parties.
pub struct Sealer {
    content_key: Zeroizing<[u8; 32]>,
    /// Version, parties and their wrapped keys.
    head: Vec<u8>,
}

impl Sealer {
    /// Draws a content key and wraps it; `random` must be good for keys.
    ///
    /// # Errors
    /// If a party's key can't be sealed to, or there are none or too many.
    pub fn new(
        context: &SealContext,
        parties: &[PublicKey],
        random: &dyn Random,
    ) -> Result<Self, PackError> {
        if parties.is_empty() || parties.len() > MAX_PARTIES {
            return Err(PackError::Seal("a body is sealed for 1 to 8 parties"));
        }
        let mut content_key = Zeroizing::new([0; 32]);
        random.fill(content_key.as_mut());
        // at most eight
        let mut head = vec![VERSION, parties.len() as u8];
        for party in parties {
            let (encapsulated, wrapped) = wrap(&*content_key, &context.info(), party, random)?;
            head.extend_from_slice(&party.0);
            head.extend_from_slice(&encapsulated);
            head.extend_from_slice(&wrapped);
        }
        Ok(Self { content_key, head })
    }

    /// Seals a body. `request` is the hash of the signed header; the pair of it and `part` must be
    /// sealed only once.
    ///
    /// # Errors
    /// If it is too long for a record.
    pub fn seal(
        &self,
        request: Hash32,
        kind: CommitmentKind,
        body: impl Into<Bytes>,
    ) -> Result<Body, PackError> {
        let open = Body::open(body)?;
        let mut sealed = Vec::with_capacity(
            self.head.len() + INNER_HEAD + open.stored().len() + CHACHA20_POLY1305.tag_len(),
        );
        sealed.extend_from_slice(&self.head);
        let start = sealed.len();
        sealed.push(open.form().code());
        // bodies are far below 4 GiB
        sealed.extend_from_slice(&(open.size() as u32).to_le_bytes());
        sealed.extend_from_slice(open.stored());
        let key = cipher(&body_key(&self.content_key, request, kind))?;
        let tag = key.seal_in_place_separate_tag(
            Nonce::assume_unique_for_key([0; 12]),
            Aad::from(&self.head),
            &mut sealed[start..],
        );
        let tag = tag.map_err(|_| PackError::Seal("the body can't be sealed"))?;
        sealed.extend_from_slice(tag.as_ref());
        Body::sealed(sealed)
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer").finish_non_exhaustive()
    }
}

impl Body {
    /// For whom it is sealed; nobody if it isn't.
    ///
    /// # Errors
    /// If it isn't a seal of this version.
    pub fn parties(&self) -> Result<Vec<PublicKey>, PackError> {
        let Some(sealed) = self.sealed_bytes() else {
            return Ok(Vec::new());
        };
        Ok(read_head(sealed)?.0.into_iter().map(|s| s.party).collect())
    }

    /// The plain bytes: of an open body by themselves, of a sealed one with the key of a party.
    /// `None` if the body is absent.
    ///
    /// # Errors
    /// If it isn't sealed for this key, or was changed.
    pub fn unseal(
        &self,
        key: &SigningKey,
        context: &SealContext,
        request: Hash32,
        kind: CommitmentKind,
    ) -> Result<Option<Bytes>, PackError> {
        let Some(sealed) = self.sealed_bytes() else {
            return self.plain();
        };
        let slots = read_head(sealed)?.0;
        let content_key = content_key(&slots, key, context)?;
        self.unseal_with(&body_key(&content_key, request, kind))
    }

    /// The plain bytes with the body's own key, which only sealed ones need. `None` if the body is absent.
    pub(super) fn unseal_with(&self, key: &[u8; 32]) -> Result<Option<Bytes>, PackError> {
        let Some(sealed) = self.sealed_bytes() else {
            return self.plain();
        };
        let start = read_head(sealed)?.1;
        let mut inner = Zeroizing::new(sealed[start..].to_vec());
        let plain = cipher(key)?
            .open_in_place(
                Nonce::assume_unique_for_key([0; 12]),
                Aad::from(&sealed[..start]),
                &mut inner,
            )
            .map_err(|_| BROKEN)?;
        let mut reader = Reader::new(plain);
        let form = Form::from_code(reader.u8()?)?;
        let size = reader.u32()? as usize;
        if !matches!(form, Form::Open | Form::Compressed) {
            return Err(PackError::Format("an unknown form of a body"));
        }
        Self::from_parts(form, size, wiped(reader.rest().to_vec()))?.plain()
    }
}

impl Body {
    /// The key of a sealed body alone, with the key of a party; zeros if it isn't sealed.
    pub(super) fn own_key(
        &self,
        key: &SigningKey,
        context: &SealContext,
        request: Hash32,
        kind: CommitmentKind,
    ) -> Result<Zeroizing<[u8; 32]>, PackError> {
        let Some(sealed) = self.sealed_bytes() else {
            return Ok(Zeroizing::new([0; 32]));
        };
        let content_key = content_key(&read_head(sealed)?.0, key, context)?;
        Ok(body_key(&content_key, request, kind))
    }
}

/// The content key, with the key of a party.
fn content_key(
    slots: &[Slot],
    key: &SigningKey,
    context: &SealContext,
) -> Result<Zeroizing<[u8; 32]>, PackError> {
    let own = key.public_key();
    let slot = slots.iter().find(|slot| slot.party == own);
    let slot = slot.ok_or(PackError::Seal("the body is sealed for others"))?;
    let opened = unwrap(&slot.encapsulated, &slot.wrapped, &context.info(), key)?;
    let opened: [u8; 32] = opened.as_slice().try_into().map_err(|_| BROKEN)?;
    Ok(Zeroizing::new(opened))
}

/// What was sealed to a key by [`wrap`].
pub(super) fn unwrap(
    encapsulated: &[u8],
    sealed: &[u8],
    info: &[u8],
    key: &SigningKey,
) -> Result<Zeroizing<Vec<u8>>, PackError> {
    let secret = key.to_x25519();
    let secret = <Kem as hpke::Kem>::PrivateKey::from_bytes(secret.as_ref());
    let encapsulated = <Kem as hpke::Kem>::EncappedKey::from_bytes(encapsulated);
    let opened = single_shot_open::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeR::Base,
        &secret.map_err(|_| BROKEN)?,
        &encapsulated.map_err(|_| BROKEN)?,
        info,
        sealed,
        &[],
    );
    opened.map(Zeroizing::new).map_err(|_| BROKEN)
}

/// Keys sealed to a party: the encapsulated key, and what is sealed.
pub(super) fn wrap(
    keys: &[u8],
    info: &[u8],
    party: &PublicKey,
    random: &dyn Random,
) -> Result<(Vec<u8>, Vec<u8>), PackError> {
    let unusable = || PackError::Seal("a party's key can't be sealed to");
    let point = atoma_keys::x25519_of(party).ok_or_else(unusable)?;
    let key = <Kem as hpke::Kem>::PublicKey::from_bytes(&point).map_err(|_| unusable())?;
    let (encapsulated, wrapped) = single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, Kem>(
        &OpModeS::Base,
        &key,
        info,
        keys,
        &[],
        &mut Entropy(random),
    )
    .map_err(|_| unusable())?;
    Ok((encapsulated.to_bytes().to_vec(), wrapped))
}

struct Slot {
    party: PublicKey,
    encapsulated: [u8; 32],
    wrapped: [u8; WRAPPED],
}

/// The parties, and where the ciphertext begins.
fn read_head(sealed: &[u8]) -> Result<(Vec<Slot>, usize), PackError> {
    let mut reader = Reader::new(sealed);
    reader.tag(VERSION)?;
    let parties = usize::from(reader.u8()?);
    if !(1..=MAX_PARTIES).contains(&parties) {
        return Err(PackError::Format("a seal for no or too many parties"));
    }
    let mut slots = Vec::with_capacity(parties);
    for _ in 0..parties {
        slots.push(Slot {
            party: PublicKey(reader.array()?),
            encapsulated: reader.array()?,
            wrapped: reader.array()?,
        });
    }
    Ok((slots, sealed.len() - reader.rest().len()))
}

fn body_key(content_key: &[u8; 32], request: Hash32, kind: CommitmentKind) -> Zeroizing<[u8; 32]> {
    let mut hasher = Hasher::new();
    for bytes in [BODY, content_key, &request.0, &[kind as u8]] {
        hasher.update(bytes);
    }
    Zeroizing::new(hasher.finish().0)
}

fn cipher(key: &[u8; 32]) -> Result<LessSafeKey, PackError> {
    // 32 bytes are what it takes
    let key = UnboundKey::new(&CHACHA20_POLY1305, key)
        .map_err(|_| PackError::Seal("the body's key can't be used"))?;
    Ok(LessSafeKey::new(key))
}

impl SealContext {
    fn info(&self) -> Vec<u8> {
        [
            INFO,
            &self.network.0,
            self.stack.0.as_bytes(),
            self.node.0.as_bytes(),
        ]
        .concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_runtime::SystemRandom;
    use atoma_types::Address;

    const CONTEXT: SealContext = SealContext {
        network: NetworkId([1; 32]),
        stack: StackId(Address::new([2; 32])),
        node: NodeId(Address::new([3; 32])),
    };
    const REQUEST: Hash32 = Hash32([9; 32]);

    fn keys() -> (SigningKey, SigningKey) {
        (
            SigningKey::generate(&SystemRandom),
            SigningKey::generate(&SystemRandom),
        )
    }

    #[test]
    fn each_party_reads_and_nobody_else() {
        let (user, node) = keys();
        let parties = [user.public_key(), node.public_key()];
        let sealer = Sealer::new(&CONTEXT, &parties, &SystemRandom).unwrap();
        for text in [&b""[..], b"short", &[b'a'; 10_000]] {
            let body = sealer
                .seal(REQUEST, CommitmentKind::Request, text.to_vec())
                .unwrap();
            assert_eq!(body.plain().unwrap(), None);
            assert_eq!(body.parties().unwrap(), parties);
            assert!(body.stored().len() < 400, "{}", body.stored().len());
            for key in [&user, &node] {
                let read = body
                    .unseal(key, &CONTEXT, REQUEST, CommitmentKind::Request)
                    .unwrap();
                assert_eq!(read.as_deref(), Some(text));
            }
            let stranger = SigningKey::generate(&SystemRandom);
            assert!(
                body.unseal(&stranger, &CONTEXT, REQUEST, CommitmentKind::Request)
                    .is_err()
            );
        }
    }

    #[test]
    fn a_seal_holds_for_one_body_of_one_request_of_one_stack() {
        let (user, node) = keys();
        let sealer = Sealer::new(
            &CONTEXT,
            &[user.public_key(), node.public_key()],
            &SystemRandom,
        )
        .unwrap();
        let body = sealer
            .seal(REQUEST, CommitmentKind::Answer, &b"text"[..])
            .unwrap();
        let open =
            |context: &SealContext, request, kind| body.unseal(&user, context, request, kind);
        assert!(open(&CONTEXT, REQUEST, CommitmentKind::Answer).is_ok());
        assert!(open(&CONTEXT, REQUEST, CommitmentKind::Request).is_err());
        assert!(open(&CONTEXT, Hash32([8; 32]), CommitmentKind::Answer).is_err());
        let other = SealContext {
            stack: StackId(Address::new([4; 32])),
            ..CONTEXT
        };
        assert!(open(&other, REQUEST, CommitmentKind::Answer).is_err());
    }

    #[test]
    fn changed_and_cut_seals_are_refused() {
        let (user, node) = keys();
        let sealer = Sealer::new(
            &CONTEXT,
            &[user.public_key(), node.public_key()],
            &SystemRandom,
        )
        .unwrap();
        let body = sealer
            .seal(REQUEST, CommitmentKind::Request, &b"text"[..])
            .unwrap();
        let open = |bytes: Vec<u8>| {
            let body = Body::sealed(bytes).unwrap();
            body.unseal(&user, &CONTEXT, REQUEST, CommitmentKind::Request)
        };
        for place in 0..body.stored().len() {
            let mut changed = body.stored().to_vec();
            changed[place] ^= 1;
            assert!(open(changed).is_err(), "byte {place}");
            assert!(open(body.stored()[..place].to_vec()).is_err());
        }
    }

    #[test]
    fn nobody_and_keys_that_are_none_are_refused() {
        assert!(Sealer::new(&CONTEXT, &[], &SystemRandom).is_err());
        let mut one = [0; 32];
        one[0] = 1;
        assert!(Sealer::new(&CONTEXT, &[PublicKey(one)], &SystemRandom).is_err());
        assert!(
            Sealer::new(
                &CONTEXT,
                &[SigningKey::generate(&SystemRandom).public_key(); 9],
                &SystemRandom
            )
            .is_err()
        );
    }
}
