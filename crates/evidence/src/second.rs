//! The second record of a request that was passed on. A node that is full asks another one as a client of its
//! own: it signs a header for that node, gets an answer with a receipt, passes the answer on unchanged, and
//! shows header and receipt beside its own receipt.
//!
//! Both records are of one request and one answer: the second header names the first one's hash as its
//! [`Origin`], and repeats its task, endpoint, body, units and times under the same salt; the second receipt
//! has the first one's answer and usage. So nobody can show the record of another request, and a node that
//! passes a request on charges what was computed.

use atoma_types::{
    DecodeError, NodeId, StackId, Verify,
    ed25519::BadSignature,
    message::{EvidenceLeaf, MessageSignature, Origin, Receipt, RequestHeader, Signed},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};

/// Base64 of the longest record (1,155 bytes) is shorter.
const MAX_TEXT: usize = 2_048;

/// What stands in a receipt's place: its own text, and behind a space the second record's, where there is one.
#[must_use]
pub fn split_text(text: &str) -> (&str, Option<&str>) {
    match text.trim().split_once(' ') {
        Some((receipt, second)) => (receipt, Some(second)),
        None => (text.trim(), None),
    }
}

/// What [`split_text`] takes apart.
#[must_use]
pub fn joined_text(receipt: &str, second: Option<&SecondRecord>) -> String {
    match second {
        Some(second) => format!("{receipt} {}", second.to_text()),
        None => receipt.to_owned(),
    }
}

/// What is wrong with a second record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecondError {
    /// It isn't a record.
    #[error("the second record can't be read")]
    Unreadable(#[source] DecodeError),
    /// The user lets nobody else answer.
    #[error("the request was not to be passed on")]
    Forbidden,
    /// It is the first node's own.
    #[error("the second record is by the same node")]
    Node,
    /// It is for another request.
    #[error("the second record is of another request")]
    OtherRequest,
    /// Its receipt is for another header than stands beside it.
    #[error("the second receipt is for another header")]
    RequestHash,
    /// The answer is another one.
    #[error("the second receipt is for another answer")]
    ResponseHash,
    /// It counts other tokens, or other units for them.
    #[error(
        "the second receipt has another usage: {second} units were computed and {first} charged"
    )]
    Usage {
        /// Units of the first receipt.
        first: u64,
        /// Units of the second.
        second: u64,
    },
    /// Something else computed the answer.
    #[error("the second receipt names another engine")]
    Engine,
    /// The header isn't signed by the first node, or the receipt not by the second.
    #[error("the second record isn't signed by the keys on the ledger")]
    Signature,
}

/// A header that a node signed for a request that it passed on, and the receipt that it got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecondRecord {
    header: Signed<RequestHeader>,
    receipt: Signed<Receipt>,
}

impl SecondRecord {
    /// Of these two.
    #[must_use]
    pub fn new(header: Signed<RequestHeader>, receipt: Signed<Receipt>) -> Self {
        Self { header, receipt }
    }

    /// The header, as the first node signed it.
    #[must_use]
    pub fn header(&self) -> &Signed<RequestHeader> {
        &self.header
    }

    /// The receipt, as the second node signed it.
    #[must_use]
    pub fn receipt(&self) -> &Signed<Receipt> {
        &self.receipt
    }

    /// The node that computed the answer.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.header.message().node
    }

    /// The stack of the first node's that paid for it.
    #[must_use]
    pub fn stack(&self) -> StackId {
        self.header.message().stack
    }

    /// The bytes of the record's [`EvidenceLeaf`].
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        EvidenceLeaf::new(&self.header, &self.receipt).to_bytes()
    }

    /// Reads them.
    ///
    /// # Errors
    /// If they are no record.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let leaf = EvidenceLeaf::from_bytes(bytes)?;
        let signature = |bytes: &[u8]| {
            MessageSignature::try_from(bytes).map_err(|BadSignature| DecodeError::NoSignature)
        };
        Ok(Self {
            header: Signed::decode(leaf.header, signature(&leaf.header_signature)?)?,
            receipt: Signed::decode(leaf.receipt, signature(&leaf.receipt_signature)?)?,
        })
    }

    /// The text form, as it stands behind a receipt's: base64 of the bytes.
    #[must_use]
    pub fn to_text(&self) -> String {
        BASE64_STANDARD.encode(self.to_bytes())
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// If it isn't base64 of a record.
    pub fn from_text(text: &str) -> Result<Self, DecodeError> {
        if text.len() > MAX_TEXT {
            return Err(DecodeError::TooLong { max: MAX_TEXT });
        }
        let bytes = BASE64_STANDARD.decode(text).map_err(DecodeError::Base64)?;
        Self::from_bytes(&bytes)
    }

    /// Holds it against the user's header and the first node's receipt, which must have been checked by
    /// themselves. The signatures are [another matter](Self::verify).
    ///
    /// # Errors
    /// The first check that fails, in the order of [`SecondError`]'s variants.
    pub fn check(
        &self,
        asked: &Signed<RequestHeader>,
        answered: &Receipt,
    ) -> Result<(), SecondError> {
        let (first, header) = (asked.message(), self.header.message());
        let receipt = self.receipt.message();
        let require = |holds: bool, error| if holds { Ok(()) } else { Err(error) };
        require(first.origin.may_be_passed_on(), SecondError::Forbidden)?;
        require(header.node != first.node, SecondError::Node)?;
        let passed_on = RequestHeader {
            stack: header.stack,
            node: header.node,
            request_id: header.request_id,
            lane: header.lane,
            ceiling: header.ceiling,
            origin: Origin::Forwarded(asked.hash()),
            ..first.clone()
        };
        require(*header == passed_on, SecondError::OtherRequest)?;
        let of_header = receipt.request_hash == self.header.hash()
            && receipt.request_id == header.request_id
            && (receipt.network, receipt.stack, receipt.node)
                == (header.network, header.stack, header.node);
        require(of_header, SecondError::RequestHash)?;
        let same_answer = receipt.response_hash == answered.response_hash
            && receipt.output_fingerprint == answered.output_fingerprint;
        require(same_answer, SecondError::ResponseHash)?;
        let same_usage = receipt.usage == answered.usage && receipt.units == answered.units;
        let usage = SecondError::Usage {
            first: answered.units.0,
            second: receipt.units.0,
        };
        require(same_usage, usage)?;
        let same_engine = answered.engine.allows(&receipt.engine);
        require(same_engine, SecondError::Engine)
    }

    /// Whether the first node's request key signed the header and the second node's response key the receipt:
    /// those of the stack and of its lease on the ledger.
    ///
    /// # Errors
    /// If one of them didn't.
    pub fn verify(
        &self,
        request_key: &impl Verify,
        response_key: &impl Verify,
    ) -> Result<(), SecondError> {
        let header = self.header.verify(request_key);
        let receipt = self.receipt.verify(response_key);
        header
            .and(receipt)
            .map_err(|BadSignature| SecondError::Signature)
    }
}

#[cfg(test)]
#[path = "second_test.rs"]
mod tests;
