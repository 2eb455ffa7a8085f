//! What came of the checks.

use super::gathered::{Gap, Gathered, Item};
use atoma_types::{EngineClass, NodeId, RequestId, StackId, hash::Hash32, message::Endpoint};

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $name:literal rests on $rests_on:literal;)*) => {
        /// What is checked of a request.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CheckKind { $($(#[$doc])* $kind),* }

        impl CheckKind {
            /// All, in the order in which they are made.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The check's name in JSON and on the command line; it never changes.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),* }
            }

            /// Whose word or which bytes decide.
            #[must_use]
            pub fn rests_on(self) -> &'static str {
                match self { $(Self::$kind => $rests_on),* }
            }
        }
    };
}

kinds! {
    /// The request header can be read and is signed by the stack's request key.
    Header = "request" rests on "request key of the stack on the ledger";
    /// The receipt can be read and is signed by the node's response key.
    Receipt = "receipt" rests on "response key of the node on the ledger";
    /// Both are of this network, stack, node and task, and the node holds a lease.
    Parties = "parties" rests on "network and stack on the ledger";
    /// The receipt is for this request.
    Request = "receipt for request" rests on "hash of the request header's bytes";
    /// The request's body is the one that the header was signed for.
    Body = "request body" rests on "hash in the request header";
    /// The answer is the one that the receipt vouches for.
    Answer = "answer body" rests on "hash in the receipt";
    /// The receipt names the model and the rule of the task.
    Engine = "engine" rests on "task on the ledger";
    /// The units are no more than the usage costs, and within what the request allows.
    Units = "units" rests on "weights of the task on the ledger";
    /// Number, sum and link to the receipt before are possible.
    Place = "place" rests on "the receipt itself";
    /// The receipt fits those around it in its lease.
    Neighbours = "neighbours" rests on "other receipts of the lease";
    /// The node to which the request was passed on has signed the same answer and usage for it.
    Second = "second record" rests on "keys of the second stack on the ledger";
    /// The record holds this request and this receipt.
    Record = "record" rests on "the record's bytes";
    /// The record stands under the root of its pack.
    Pack = "pack" rests on "Merkle path to the pack's root";
    /// The pack's bytes give the id that it is stored under.
    Blob = "blob id" rests on "Walrus's coding of all the pack's bytes";
    /// The blob is certified, permanent and still stored.
    Certified = "certified" rests on "blob object on the ledger";
    /// The receipt stands among those that the last one of a settlement binds.
    Settled = "settled" rests on "Merkle path to the settlement's last receipt on the ledger";
    /// The settlement's count and sum fit the receipt.
    Claim = "claim" rests on "settlement on the ledger";
    /// The model gives this answer.
    Computation = "computation" rests on "running the model again";
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It holds; with what was found.
    Passed(String),
    /// It does not hold; why, in words.
    Failed(String),
    /// It couldn't be made.
    Skipped(String),
}

impl Outcome {
    /// The outcome's name in JSON: `passed`, `failed` or `skipped`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Passed(_) => "passed",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
        }
    }

    /// What was found, or why not.
    #[must_use]
    pub fn detail(&self) -> &str {
        match self {
            Self::Passed(detail) | Self::Failed(detail) | Self::Skipped(detail) => detail,
        }
    }
}

impl From<Item<String>> for Outcome {
    fn from(made: Item<String>) -> Self {
        match made {
            Ok(found) => Self::Passed(found),
            Err(Gap::Broken(reason)) => Self::Failed(reason),
            Err(Gap::Absent(reason)) => Self::Skipped(reason),
        }
    }
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// Which check it is.
    pub kind: CheckKind,
    /// What came of it.
    pub outcome: Outcome,
}

/// Which request a report is about, as far as that can be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Id of the request that was checked.
    pub request: RequestId,
    /// The stack that pays.
    pub stack: StackId,
    /// The node that serves.
    pub node: NodeId,
    /// The receipt's place in the lease.
    pub seq: Option<u64>,
}

impl Subject {
    pub(super) fn of(gathered: &Gathered) -> Option<Self> {
        let receipt = gathered.receipt.as_ref().ok().map(|r| r.message());
        let header = gathered.header.as_ref().ok().map(|h| h.message());
        let ids = receipt.map(|r| (r.request_id, r.stack, r.node));
        let ids = ids.or_else(|| header.map(|h| (h.request_id, h.stack, h.node)));
        ids.map(|(request, stack, node)| Self {
            request,
            stack,
            node,
            seq: receipt.map(|r| r.seq),
        })
    }
}

/// What nobody checks by looking: that the model gives this answer. This is what it takes to
/// compute it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rerun {
    /// What was asked, as a path.
    pub endpoint: Option<Endpoint>,
    /// Model, arithmetic and rule of comparison.
    pub engine: EngineClass,
    /// The engine's commitment to its scores, if it made one.
    pub fingerprint: Option<Hash32>,
}

impl Rerun {
    pub(super) fn of(gathered: &Gathered) -> Option<Self> {
        let receipt = gathered.receipt.as_ref().ok()?.message();
        let header = gathered.header.as_ref().ok();
        Some(Self {
            endpoint: header.map(|header| header.message().endpoint),
            engine: receipt.engine,
            fingerprint: receipt.output_fingerprint,
        })
    }
}

/// What all checks together say of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Every check was made and holds.
    Holds,
    /// No check fails, and some couldn't be made.
    Incomplete,
    /// At least one check fails.
    Fails,
}

impl Verdict {
    /// The verdict's name in JSON: `holds`, `incomplete` or `fails`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Incomplete => "incomplete",
            Self::Fails => "fails",
        }
    }
}

/// All checks of one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which request; `None` if neither request nor receipt can be read.
    pub subject: Option<Subject>,
    /// The checks, in their order.
    pub checks: Vec<Check>,
    /// The request that can be computed again on one's own engine, which no check here does.
    pub rerun: Option<Rerun>,
}

impl Report {
    /// The checks that failed, each with its reason.
    pub fn failed(&self) -> impl Iterator<Item = &Check> {
        let failed = |check: &&Check| matches!(check.outcome, Outcome::Failed(_));
        self.checks.iter().filter(failed)
    }

    /// Those that couldn't be made.
    pub fn skipped(&self) -> impl Iterator<Item = &Check> {
        let skipped = |check: &&Check| matches!(check.outcome, Outcome::Skipped(_));
        self.checks.iter().filter(skipped)
    }

    /// The checks that passed.
    pub fn passed(&self) -> impl Iterator<Item = &Check> {
        let passed = |check: &&Check| matches!(check.outcome, Outcome::Passed(_));
        self.checks.iter().filter(passed)
    }

    /// What all checks come to.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        if self.failed().next().is_some() {
            Verdict::Fails
        } else if self.skipped().next().is_some() {
            Verdict::Incomplete
        } else {
            Verdict::Holds
        }
    }
}
