//! Commitments: what stands in public of a body is its hash under a salt that only the two parties
//! know. Receipts and headers end in packs that everyone can read, and who could hash their guess of a
//! prompt and compare would need few tries where few prompts are possible.

use super::{AnswerTag, BodyTag, FingerprintTag, Tag};
use crate::hash::{Hash32, Hasher};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use std::{fmt, str::FromStr};
use zeroize::Zeroizing;

/// Bytes of a salt.
pub const SALT_BYTES: usize = 32;

/// What of a request is committed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum CommitmentKind {
    /// The body of the request: `body_hash` of its header.
    Request = 1,
    /// The body of the answer: `response_hash` of its receipt.
    Answer = 2,
    /// The fingerprint of the engine's scores: `output_fingerprint` of its receipt. It follows from prompt
    /// and answer, so that who can run the model could check a guess by it, too.
    Fingerprint = 3,
}

impl CommitmentKind {
    fn tag(self) -> [u8; 16] {
        match self {
            Self::Request => BodyTag::BYTES,
            Self::Answer => AnswerTag::BYTES,
            Self::Fingerprint => FingerprintTag::BYTES,
        }
    }
}

/// The secret of one request under which its header and its receipt commit to what was said. The user
/// chooses it and sends it beside the signed header; in a record it lies beside each body, sealed as that is.
/// Wiped when dropped, never shown.
///
/// ```text
/// commitment = BLAKE2b-256(tag 16 | salt 32 | bytes)
/// tag: "atoma/body/v1" 0 0 0, "atoma/answer/v1" 0 or "atoma/scores/v1" 0
/// ```
#[derive(Clone)]
pub struct Salt(Zeroizing<[u8; SALT_BYTES]>);

impl Salt {
    /// The salt of these bytes, which must be beyond guessing.
    #[must_use]
    pub fn new(bytes: [u8; SALT_BYTES]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Its bytes: whoever has them can check guesses.
    #[must_use]
    pub fn reveal(&self) -> &[u8; SALT_BYTES] {
        &self.0
    }

    /// The commitment to a part of the request.
    #[must_use]
    pub fn commit(&self, kind: CommitmentKind, bytes: &[u8]) -> Hash32 {
        let mut hasher = self.hasher(kind);
        hasher.update(bytes);
        hasher.finish()
    }

    /// A hasher that takes in the part's bytes as they come, and ends in the commitment to them.
    #[must_use]
    pub fn hasher(&self, kind: CommitmentKind) -> Hasher {
        let mut hasher = Hasher::new();
        hasher.update(&kind.tag()).update(self.0.as_ref());
        hasher
    }

    /// Its base64, as it travels in HTTP; wiped when dropped.
    #[must_use]
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(BASE64_STANDARD.encode(self.0.as_ref()))
    }
}

impl fmt::Debug for Salt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Salt(elided)")
    }
}

/// Text that isn't a salt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a salt: it has 32 bytes, in base64")]
pub struct ParseSaltError;

impl FromStr for Salt {
    type Err = ParseSaltError;

    fn from_str(text: &str) -> Result<Self, ParseSaltError> {
        let mut salt = Self::new([0; SALT_BYTES]);
        // room for what 44 digits may hold
        let mut bytes = Zeroizing::new([0; SALT_BYTES + 1]);
        match BASE64_STANDARD.decode_slice(text, bytes.as_mut()) {
            Ok(SALT_BYTES) => salt.0.copy_from_slice(&bytes[..SALT_BYTES]),
            _ => return Err(ParseSaltError),
        }
        Ok(salt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn golden_commitments() {
        let salt = Salt::new([7; 32]);
        let is = |kind, expected: &str| {
            assert_eq!(salt.commit(kind, b"yes").to_string(), expected);
        };
        // recomputed independently with Python's hashlib
        is(
            CommitmentKind::Request,
            "d749e8b203798bca7b41ac69313510a21ce283ad5cff926f842a7720267da6d4",
        );
        is(
            CommitmentKind::Answer,
            "573faad3e8692b512e0032f15b9a321618fff291bcf72a8a95f07c1da616d471",
        );
        is(
            CommitmentKind::Fingerprint,
            "b04eab6a7529fcd7e2dc84c36d5b207311b79c6383fb7af353740a9d35a07660",
        );
    }

    #[test]
    fn another_salt_another_commitment() {
        let [one, other] = [1, 2].map(|byte| Salt::new([byte; 32]));
        let kinds = [
            CommitmentKind::Request,
            CommitmentKind::Answer,
            CommitmentKind::Fingerprint,
        ];
        for kind in kinds {
            assert_ne!(one.commit(kind, b"yes"), other.commit(kind, b"yes"));
            assert_ne!(one.commit(kind, b"yes"), one.commit(kind, b"no"));
            assert_ne!(one.commit(kind, b"yes"), Hash32::of(b"yes"));
        }
        assert_ne!(
            one.commit(CommitmentKind::Request, b"yes"),
            one.commit(CommitmentKind::Answer, b"yes")
        );
    }

    #[test]
    fn a_salt_is_read_whole_or_not_at_all_and_never_shown() {
        let salt = Salt::new([0xab; 32]);
        let text = salt.to_text();
        assert_eq!(text.parse::<Salt>().unwrap().reveal(), salt.reveal());
        for length in 0..text.len() {
            assert!(text[..length].parse::<Salt>().is_err());
        }
        assert!(format!("{}AAAA", *text).parse::<Salt>().is_err());
        assert_eq!(format!("{salt:?}"), "Salt(elided)");
    }
}
