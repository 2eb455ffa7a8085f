//! What can go wrong for a user's program.

use crate::{AttestationFault, BadNodeUrl, estimate::EstimateError, lane::LaneError};
use atoma_evidence::receipt::ReceiptError;
use atoma_http::client::Error as TransportError;
use atoma_ledger::{ConnectError, ExecuteError, ReadError, TipError};
use atoma_store::{OpenError, WriteError};
use atoma_types::{ComputeUnits, NodeId, StackId, TaskId, refusal::ErrorBody};
use http::StatusCode;
use std::time::Duration;

/// Why buying, asking or closing failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// There is no ledger to work with.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The ledger's history can't be read.
    #[error(transparent)]
    History(#[from] TipError),
    /// The ledger can't be read.
    #[error(transparent)]
    Ledger(#[from] ReadError),
    /// The ledger doesn't take a transaction, or it isn't known whether it did.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The receipt isn't what the answer deserves; nothing more of the answer is passed on.
    #[error("{node} gave a bad receipt")]
    Receipt {
        /// The node that signed it, or should have.
        node: NodeId,
        /// What is wrong with it.
        #[source]
        reason: ReceiptError,
    },
    /// The node charged what can't be, not long ago: nothing is signed for it.
    #[error("nothing is signed for {node} for now: it charged or claimed what cannot be")]
    Distrusted {
        /// The node that charged it.
        node: NodeId,
        /// What it charged.
        #[source]
        reason: ReceiptError,
    },
    /// A receipt of the lease never came, and its node doesn't show it when it is asked. Without it nobody can tell which
    /// records a claim would be of. Another node may serve the request; and this one may again once it shows the
    /// receipt, or has claimed up to it.
    #[error(
        "nothing is signed for {node} on this stack: its receipt {seq} never came, and it does not show it"
    )]
    Unshown {
        /// The node that signed it.
        node: NodeId,
        /// Its number in the lease, or that of a later one whose history can't be computed without it.
        seq: u64,
    },
    /// Too many answers of the node never came, or not to their end, and are charged all the same. Another node may serve the
    /// request.
    #[error(
        "nothing is signed for {node} on this stack: it charges {charged} for answers that never came, and {allowed} may be lost that way"
    )]
    NeverCame {
        /// The node that charges for them.
        node: NodeId,
        /// What they cost together.
        charged: ComputeUnits,
        /// Units that may be lost so, of all that the lease has used.
        allowed: ComputeUnits,
    },
    /// No node sells the task now, so that there is no price to buy at.
    #[error("no node sells {task} now")]
    NotOnSale {
        /// The task that was to be bought.
        task: TaskId,
    },
    /// The request couldn't be stored before it was sent; nothing was sent.
    #[error("the request cannot be stored on Walrus")]
    Walrus(#[from] atoma_walrus::client::ClientError),
    /// The request couldn't be made ready to be stored; nothing was sent.
    #[error("the request cannot be stored on Walrus")]
    Pack(#[from] atoma_evidence::pack::PackError),
    /// Immediate evidence was asked for, and the client knows no Walrus.
    #[error("immediate evidence needs a Walrus: name a publisher and an aggregator")]
    NoWalrus,
    /// Nothing shows that nobody looks into the node, so nothing was sealed to it and nothing was sent.
    #[error("{node} is not attested")]
    Attestation {
        /// The node whose evidence was asked for.
        node: NodeId,
        /// Why it isn't believed.
        #[source]
        reason: AttestationFault,
    },
    /// A request can't be sealed, or what came isn't the sealed answer to it.
    #[error("a sealed request to {node} failed")]
    Sealed {
        /// The node that was asked.
        node: NodeId,
        /// What is wrong.
        #[source]
        source: atoma_channel::Fault,
    },
    /// Evidence is to be judged, and the client has nothing to judge it by.
    #[error("no policy says which evidence is good enough")]
    NoPolicy,
    /// No voucher may be signed for this.
    #[error(transparent)]
    Lane(#[from] LaneError),
    /// The node's lease has too few units left for the request.
    #[error("the lease has room for {room}, the request may need {wanted}")]
    NoRoom {
        /// What the lease has left when everything open costs its most.
        room: ComputeUnits,
        /// What the request may cost.
        wanted: ComputeUnits,
    },
    /// So much is signed for the node already that is neither served nor refused, or was refused and can be claimed, that it would
    /// have to earn more first. Another node may serve the request, and this one later.
    #[error("{node} has not earned that {wanted} more are signed for it at once")]
    NotEarned {
        /// The node that was to be asked.
        node: NodeId,
        /// What the request may cost.
        wanted: ComputeUnits,
    },
    /// The gateway that was to pass a sealed request on can't be reached, or broke off.
    #[error("cannot ask through the gateway at {url}")]
    Gateway {
        /// Where it is.
        url: String,
        /// What went wrong with the connection.
        #[source]
        source: TransportError,
    },
    /// No connection to the node; nothing was sent.
    #[error("cannot reach {node} at {url}")]
    Unreachable {
        /// The node that was looked for.
        node: NodeId,
        /// Its URL on the ledger.
        url: String,
        /// What went wrong with the connection.
        #[source]
        source: TransportError,
    },
    /// The connection broke after the request was sent. What it cost is found out from the node's
    /// receipt.
    #[error("{node} broke off")]
    Broken {
        /// The node that was asked.
        node: NodeId,
        /// What went wrong with the connection.
        #[source]
        source: TransportError,
    },
    /// The node ended a stream with an error of its own instead of a receipt: the answer isn't complete,
    /// and costs nothing.
    #[error("{node} could not complete the answer")]
    GaveUp {
        /// The node that was asked.
        node: NodeId,
    },
    /// The node refused what isn't a request for an answer (a grant, a question about a lease).
    #[error("{node} refused: {status}, {message}")]
    Refused {
        /// The node that refused.
        node: NodeId,
        /// The HTTP status that it refused with.
        status: StatusCode,
        /// The stable code, where it gave one.
        code: Option<String>,
        /// The explanation that it gave for people.
        message: String,
        /// The number that would have fit, where it gave one.
        needed: Option<u64>,
    },
    /// Nobody who may serve the stack offers to.
    #[error("no node serves {stack}: offer a higher price, or wait")]
    NobodyServes {
        /// The stack that nobody serves.
        stack: StackId,
    },
    /// An answer that can't be read, or is too long.
    #[error("cannot read the answer of {node}")]
    Malformed {
        /// The node that answered.
        node: NodeId,
        /// What is wrong with the answer.
        #[source]
        reason: MalformedAnswer,
    },
    /// The body isn't a request that its cost can be told of.
    #[error(transparent)]
    InvalidBody(#[from] EstimateError),
    /// The number is out of all bounds.
    #[error("the amount overflows")]
    Overflow,
    /// The stack belongs to another wallet or another request key.
    #[error("{stack} is not this wallet's")]
    NotOurs {
        /// The stack that was to be opened.
        stack: StackId,
    },
    /// The ledger's events don't tell what they must.
    #[error("the ledger's answer lacks {0}")]
    MissingEvent(&'static str),
    /// Another program of the same data folder signs in the lane that the request names.
    #[error("lane {lane} is in use by another program: name another one, or none")]
    LaneInUse {
        /// The lane's number.
        lane: u16,
    },
    /// The client's store can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The client's store can't be written any more.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The client's store can't be read.
    #[error("cannot read the client's store")]
    Read(#[from] rusqlite::Error),
    /// What the client's store says can't be understood, or doesn't fit together.
    #[error("the client's store is damaged")]
    Damaged(#[source] ReceiptError),
    /// Connections with TLS can't be set up.
    #[error("cannot set up TLS")]
    Tls(#[source] TransportError),
    /// A wait that was given up.
    #[error("gave up waiting for {what} after {after:?}")]
    TimedOut {
        /// What was waited for.
        what: &'static str,
        /// How long it was waited for.
        after: Duration,
    },
}

/// What is wrong with a node's answer, or with what the ledger says about the node.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedAnswer {
    /// The ledger keeps what a node registers, whatever it is.
    #[error("the node's response key on the ledger is not a key")]
    ResponseKey,
    /// Anyone can register any URL.
    #[error("the node's URL {url} is not used")]
    Url {
        /// What the ledger has.
        url: String,
        /// What is wrong with it.
        #[source]
        source: BadNodeUrl,
    },
    /// It isn't the document that was asked for.
    #[error("it is not the expected JSON")]
    Json(#[source] serde_json::Error),
    /// A page of records has something else in it.
    #[error("a record in it cannot be read")]
    Record,
    /// More is not kept in memory.
    #[error("it is longer than {max_bytes} bytes")]
    TooLong {
        /// The longest answer that is taken whole.
        max_bytes: usize,
    },
    /// The ledger knows better.
    #[error("it says that the lease stands, and the ledger has none")]
    NoLease,
}

impl ClientError {
    pub(crate) fn refused(node: NodeId, status: StatusCode, body: &[u8]) -> Self {
        let error = serde_json::from_slice::<ErrorBody>(body)
            .ok()
            .map(|body| body.error);
        Self::Refused {
            node,
            status,
            code: error.as_ref().and_then(|error| error.code.clone()),
            needed: error.as_ref().and_then(|error| error.needed),
            message: error.map_or_else(|| "no reason given".to_owned(), |error| error.message),
        }
    }
}
