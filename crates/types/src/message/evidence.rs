//! The leaf of a settled record: what a node commits to when it settles.

use super::{Domain, Receipt, RecordTag, RequestHeader, Signed, Tag};
use crate::{DecodeError, hash::Hash32, merkle};
use serde::{Deserialize, Serialize};

/// Longer bytes are no leaf: two messages with two signatures have at most 1,115 bytes.
const MAX_LEAF_BYTES: usize = 2_048;

/// A signed request header and the signed receipt for it. The bodies are bound by the header's
/// `body_hash` and the receipt's `response_hash`.
///
/// The `receipts_root` of a settlement is the root of the [Merkle tree](crate::merkle) over the
/// BCS of these, the receipt of `seq` at place `seq - 1`, `count` in all. So a record is shown with
/// a path, and nothing about it can be changed or added after the settlement.
///
/// # BCS (725 bytes with an `origin` of its own and without `output_fingerprint`)
/// ```text
/// domain                 16  "atoma/record/v1" 0
/// header             2 + 228  ULEB128 length ‖ BCS of the RequestHeader
/// header_signature   1 +  64  0x40 ‖ ed25519; a shared one has 2 + 98 to 226 bytes
/// receipt            2 + 347  ULEB128 length ‖ BCS of the Receipt
/// receipt_signature  1 +  64  0x40 ‖ ed25519; or shared
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceLeaf {
    /// Always the record tag.
    pub domain: Domain<RecordTag>,
    /// The bytes of the request header.
    pub header: Vec<u8>,
    /// Over them, by the stack's request key.
    pub header_signature: Vec<u8>,
    /// The bytes of the receipt.
    pub receipt: Vec<u8>,
    /// Over them, by the node's response key.
    pub receipt_signature: Vec<u8>,
}

impl EvidenceLeaf {
    /// The leaf of a request and its receipt.
    #[must_use]
    pub fn new(header: &Signed<RequestHeader>, receipt: &Signed<Receipt>) -> Self {
        Self {
            domain: Domain::default(),
            header: header.bytes().to_vec(),
            header_signature: header.signature().to_bytes(),
            receipt: receipt.bytes().to_vec(),
            receipt_signature: receipt.signature().to_bytes(),
        }
    }

    /// Encodes it in BCS.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let Ok(bytes) = bcs::to_bytes(self) else {
            panic!("BCS can hold byte strings");
        };
        bytes
    }

    /// Reads a leaf. Whether header and receipt are any good is another question.
    ///
    /// # Errors
    /// If the bytes are not those of a leaf.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_LEAF_BYTES {
            return Err(DecodeError::TooLong {
                max: MAX_LEAF_BYTES,
            });
        }
        bcs::from_bytes(bytes).map_err(DecodeError::Bcs)
    }

    /// The hash that goes into the tree.
    #[must_use]
    pub fn hash(&self) -> Hash32 {
        merkle::leaf_hash(&self.to_bytes())
    }

    /// The same hash, made without copying: for the serving path.
    #[must_use]
    pub fn hash_of(header: &Signed<RequestHeader>, receipt: &Signed<Receipt>) -> Hash32 {
        let signatures = (
            header.signature().to_bytes(),
            receipt.signature().to_bytes(),
        );
        let length = |bytes: &[u8]| uleb(bytes.len());
        let lengths = [
            header.bytes(),
            &signatures.0,
            receipt.bytes(),
            &signatures.1,
        ]
        .map(length);
        merkle::leaf_hash_of_parts(&[
            &RecordTag::BYTES,
            lengths[0].as_ref(),
            header.bytes(),
            lengths[1].as_ref(),
            &signatures.0,
            lengths[2].as_ref(),
            receipt.bytes(),
            lengths[3].as_ref(),
            &signatures.1,
        ])
    }
}

/// ULEB128 of a length up to 16383, which any message's and any signature's is.
fn uleb(length: usize) -> Uleb {
    debug_assert!(length < 1 << 14);
    let low = (length & 0x7f) as u8;
    match (length >> 7) as u8 {
        0 => Uleb([low, 0], 1),
        high => Uleb([low | 0x80, high], 2),
    }
}

struct Uleb([u8; 2], usize);

impl AsRef<[u8]> for Uleb {
    fn as_ref(&self) -> &[u8] {
        &self.0[..self.1]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        BlobId,
        ed25519::testing::TestKey,
        message::{Origin, sample},
    };

    fn pair(origin: Origin, print: Option<Hash32>) -> (Signed<RequestHeader>, Signed<Receipt>) {
        let header = RequestHeader {
            origin,
            ..sample::header()
        };
        let header = Signed::new(header, &TestKey::from_seed(&[42; 32]));
        let receipt = Receipt {
            output_fingerprint: print,
            ..sample::receipt(header.hash())
        };
        let receipt = Signed::new(receipt, &TestKey::from_seed(&[43; 32]));
        (header, receipt)
    }

    #[test]
    fn golden_bytes_and_hash() {
        let (header, receipt) = pair(Origin::Own, None);
        let leaf = EvidenceLeaf::new(&header, &receipt);
        let expected = [
            hex::encode("atoma/record/v1\0"),
            "e401".to_owned(),
            hex::encode(header.bytes()),
            "40".to_owned(),
            hex::encode(header.signature().to_bytes()),
            "db02".to_owned(),
            hex::encode(receipt.bytes()),
            "40".to_owned(),
            hex::encode(receipt.signature().to_bytes()),
        ]
        .concat();
        let bytes = leaf.to_bytes();
        assert_eq!(hex::encode(&bytes), expected);
        assert_eq!(bytes.len(), 725);
        assert_eq!(EvidenceLeaf::from_bytes(&bytes), Ok(leaf.clone()));
        assert_eq!(
            leaf.hash().to_string(),
            // recomputed independently with Python's hashlib and RFC 8032
            "7154ceac7c93b3972ad1175ce0e66c738c313cd57fe1a36bc8d4ea207ee505bd"
        );
    }

    #[test]
    fn the_quick_hash_is_the_same() {
        for (origin, print) in [
            (Origin::Own, None),
            (Origin::Stored(BlobId([1; 32])), None),
            (Origin::Own, Some(Hash32([2; 32]))),
            (Origin::Forwarded(Hash32([1; 32])), Some(Hash32([2; 32]))),
        ] {
            let (header, receipt) = pair(origin, print);
            let leaf = EvidenceLeaf::new(&header, &receipt);
            assert_eq!(EvidenceLeaf::hash_of(&header, &receipt), leaf.hash());
        }
    }

    #[test]
    fn nothing_else_is_a_leaf() {
        let (header, receipt) = pair(Origin::Own, None);
        let bytes = EvidenceLeaf::new(&header, &receipt).to_bytes();
        for length in 0..bytes.len() {
            assert!(EvidenceLeaf::from_bytes(&bytes[..length]).is_err());
        }
        assert!(EvidenceLeaf::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
        assert!(EvidenceLeaf::from_bytes(receipt.bytes()).is_err());
        assert!(EvidenceLeaf::from_bytes(&vec![0; MAX_LEAF_BYTES + 1]).is_err());
    }
}
