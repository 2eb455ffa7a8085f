//! What a receipt must say. Pure: [`check`] holds one receipt against its request and the answer
//! that arrived; [`Chain`](crate::chain::Chain) holds the receipts of one lease against each other.

use crate::second::SecondError;
use atoma_keys::Verifier;
use atoma_types::{
    ComputeUnits, DecodeError, EngineClass, NetworkId, NodeId, RequestId, StackId, UnitWeights,
    hash::Hash32,
    message::{Receipt, RequestHeader, Signed},
};

/// What is wrong with a receipt. Every check has its own.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiptError {
    /// The answer came without one.
    #[error("the answer has no receipt")]
    Missing,
    /// It isn't a receipt.
    #[error(transparent)]
    Unreadable(#[from] DecodeError),
    /// It isn't signed by the key that the node has on the ledger.
    #[error("the signature is not by the node's key on the ledger")]
    Signature,
    /// It is for another ledger.
    #[error("the receipt is for another network")]
    Network,
    /// It is for another stack.
    #[error("the receipt is for another stack")]
    Stack,
    /// It names another node.
    #[error("the receipt is by another node")]
    Node,
    /// It answers another request.
    #[error("the receipt is for another request")]
    RequestId,
    /// It answers another header than was signed.
    #[error("the receipt's request hash is not that of the header that was sent")]
    RequestHash,
    /// The answer that arrived is not the one that it vouches for.
    #[error("the receipt's response hash is not that of the bytes that arrived")]
    ResponseHash,
    /// Something else computed the answer than the task says.
    #[error("the receipt names another engine than the task")]
    Engine,
    /// The units are more than the usage costs. Fewer are good: the ledger pays them like others, so that whoever took them for no
    /// receipt would not count what is claimed.
    #[error("{charged} were charged, the usage costs {due}")]
    Units {
        /// What the receipt charges.
        charged: ComputeUnits,
        /// What its usage costs by the task's weights.
        due: ComputeUnits,
    },
    /// More than the request allowed.
    #[error("{charged} were charged, the request allowed {max}")]
    OverMaxUnits {
        /// What the receipt charges.
        charged: ComputeUnits,
        /// The `max_units` that were signed.
        max: ComputeUnits,
    },
    /// More input than the bytes that were sent can be, by any tokenizer.
    #[error("{charged} tokens of input were charged; the request can be {most} at most")]
    Input {
        /// What the receipt counts.
        charged: u64,
        /// What the request's bytes can be.
        most: u64,
    },
    /// More output than the bytes that arrived can be, by any tokenizer.
    #[error("{charged} tokens of output were charged; the answer can be {most} at most")]
    Output {
        /// What the receipt counts.
        charged: u64,
        /// What the answer's bytes can be.
        most: u64,
    },
    /// It counts what no endpoint gives: steps of images, seconds of audio.
    #[error("the receipt counts what was not served")]
    NotServed,
    /// After a stream's receipt came more than the end mark.
    #[error("the stream goes on after its receipt")]
    TrailingBytes,
    /// Places count from 1, and the first follows nothing.
    #[error("the receipt's place or its first link is impossible")]
    Place,
    /// Its `previous` isn't the receipt before it.
    #[error("receipt {seq} does not follow the one before it")]
    Link {
        /// Place in the lease's chain of the later one.
        seq: u64,
    },
    /// It names others before it than there were.
    #[error("receipt {seq} names another history than its lease has")]
    History {
        /// Place in the lease's chain of the one that does.
        seq: u64,
    },
    /// The sums don't add up with those of the receipts around it.
    #[error("the sum of receipt {seq} does not fit those around it")]
    Sum {
        /// Its place in the lease's chain.
        seq: u64,
    },
    /// A record of a request that was never signed.
    #[error("the record is of a request that the stack's request key has not signed")]
    Header,
    /// A settlement of the node's is over other records than it gave, or of more units than its receipts and lost answers explain.
    #[error("it claims what its receipts do not show")]
    Settled,
    /// A receipt for a request that the node has refused.
    #[error("the node refused the request, and has a receipt for it all the same")]
    Refused,
    /// Two different receipts for one request: a proof of fraud.
    #[error("the request has two receipts: {first} and {second}")]
    Twice {
        /// Hash of the one that is kept.
        first: Hash32,
        /// Hash of the other.
        second: Hash32,
    },
    /// The request was passed on, and the other node's record doesn't fit.
    #[error(transparent)]
    Second(#[from] SecondError),
    /// Two different receipts for one place: a proof of fraud.
    #[error("receipt {seq} exists twice: {first} and {second}")]
    Equivocation {
        /// The place in the lease's chain that has two.
        seq: u64,
        /// Hash of the one that came first.
        first: Hash32,
        /// Hash of the other.
        second: Hash32,
    },
}

impl ReceiptError {
    /// Whether the node counted what can't be, and has signed that it did.
    #[must_use]
    pub fn is_overcharge(&self) -> bool {
        matches!(
            self,
            Self::Input { .. } | Self::Output { .. } | Self::NotServed
        )
    }

    /// Whether what was shown is no word of the node's about the request: it can't be read, isn't signed by the node, or is
    /// for another one. Ids are chosen by those who sign, so that a stranger can have an honest node sign such a receipt; and
    /// who stands between can show whatever they have seen.
    #[must_use]
    pub fn is_no_word(&self) -> bool {
        matches!(
            self,
            Self::Unreadable(_)
                | Self::Signature
                | Self::Network
                | Self::Stack
                | Self::Node
                | Self::RequestId
                | Self::RequestHash
        )
    }
}

/// What a receipt is held against.
#[derive(Clone, Debug)]
pub struct Expected<'a> {
    /// The network of the ledger that this client believes.
    pub network: NetworkId,
    /// The stack that pays.
    pub stack: StackId,
    /// The node that was asked.
    pub node: NodeId,
    /// Its response key, as the ledger has it.
    pub response_key: &'a Verifier,
    /// The signed header that was sent.
    pub request: &'a Signed<RequestHeader>,
    /// What each kind of token costs in the task.
    pub weights: &'a UnitWeights,
    /// What the task says computes.
    pub engine: EngineClass,
    /// Of the bytes that arrived; absent where they didn't.
    pub response_hash: Option<Hash32>,
}

/// Where a node shows the receipt of a stack's request. Whoever signs chooses the id, so others may have used it, too, on
/// stacks of theirs: it names a request only together with its stack.
#[must_use]
pub fn receipt_path(stack: StackId, request: RequestId) -> String {
    format!("/v1/receipts/{request}?stack={stack}")
}

/// Where it shows all that it has for that receipt.
#[must_use]
pub fn proof_path(stack: StackId, request: RequestId) -> String {
    format!("/v1/receipts/{request}/proof?stack={stack}")
}

/// Whether a receipt says that it is for this header, and so for its stack, node and id.
#[must_use]
pub fn is_for(receipt: &Receipt, request: &Signed<RequestHeader>) -> bool {
    let header = request.message();
    let said = (receipt.network, receipt.stack, receipt.node);
    said == (header.network, header.stack, header.node)
        && receipt.request_id == header.request_id
        && receipt.request_hash == request.hash()
}

/// Holds a receipt against its request and answer.
///
/// # Errors
///
/// The first check that fails, in the order of [`ReceiptError`]'s variants.
pub fn check(receipt: &Signed<Receipt>, expected: &Expected<'_>) -> Result<(), ReceiptError> {
    let header = expected.request.message();
    let r = receipt.message();
    let require = |holds: bool, error| if holds { Ok(()) } else { Err(error) };
    require(
        receipt.verify(expected.response_key).is_ok(),
        ReceiptError::Signature,
    )?;
    require(r.network == expected.network, ReceiptError::Network)?;
    require(r.stack == expected.stack, ReceiptError::Stack)?;
    require(r.node == expected.node, ReceiptError::Node)?;
    require(r.request_id == header.request_id, ReceiptError::RequestId)?;
    require(
        r.request_hash == expected.request.hash(),
        ReceiptError::RequestHash,
    )?;
    let arrived = expected.response_hash;
    require(
        arrived.is_none_or(|hash| hash == r.response_hash),
        ReceiptError::ResponseHash,
    )?;
    require(expected.engine.allows(&r.engine), ReceiptError::Engine)?;
    let due = expected
        .weights
        .units(&r.usage)
        .unwrap_or(ComputeUnits(u64::MAX));
    let charged = r.units;
    require(charged <= due, ReceiptError::Units { charged, due })?;
    let max = header.max_units;
    require(charged <= max, ReceiptError::OverMaxUnits { charged, max })
}

#[cfg(test)]
#[path = "receipt_test.rs"]
pub(crate) mod tests;
