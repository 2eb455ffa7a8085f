//! A settled record: what a node must be able to show of each unit that it claims.

use super::{Domain, Receipt, RecordTag, RequestHeader, Signed};
use crate::{DecodeError, hash::Hash32};
use serde::{Deserialize, Serialize};

/// Longer bytes are no leaf: two messages with two signatures have at most 1,155 bytes.
const MAX_LEAF_BYTES: usize = 2_048;

/// A signed request header and the signed receipt for it. The bodies are bound by the header's
/// `body_hash` and the receipt's `response_hash`.
///
/// The last receipt of a settlement binds the receipts of all its records by the [tree](crate::history) of those before
/// it. So a record is shown with a path from its receipt's hash, and no other stands at its place.
///
/// # BCS (765 bytes with an `origin` of its own and without `output_fingerprint`)
/// ```text
/// domain                 16  "atoma/record/v1" 0
/// header             2 + 228  ULEB128 length ‖ BCS of the RequestHeader
/// header_signature   1 +  64  0x40 ‖ ed25519; a shared one has 2 + 98 to 226 bytes
/// receipt            2 + 387  ULEB128 length ‖ BCS of the Receipt
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

    /// The hash of its receipt, by which a settlement binds it.
    #[must_use]
    pub fn receipt_hash(&self) -> Hash32 {
        Hash32::of(&self.receipt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
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
    fn golden_bytes() {
        let (header, receipt) = pair(Origin::Own, None);
        let leaf = EvidenceLeaf::new(&header, &receipt);
        let expected = [
            hex::encode("atoma/record/v1\0"),
            "e401".to_owned(),
            hex::encode(header.bytes()),
            "40".to_owned(),
            hex::encode(header.signature().to_bytes()),
            "8303".to_owned(),
            hex::encode(receipt.bytes()),
            "40".to_owned(),
            hex::encode(receipt.signature().to_bytes()),
        ]
        .concat();
        let bytes = leaf.to_bytes();
        assert_eq!(hex::encode(&bytes), expected);
        assert_eq!(bytes.len(), 765);
        assert_eq!(EvidenceLeaf::from_bytes(&bytes), Ok(leaf.clone()));
        assert_eq!(leaf.receipt_hash(), receipt.hash());
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
