//! What follows from a node's refusal: one table, and the bounds on trying again. Pure.
//!
//! | refusal | remedy |
//! |---|---|
//! | about the body | passed on: no other node would say otherwise, unless it lies, so that a gateway asks a second one |
//! | `max_units_too_low`, with a number | signed again with that many units |
//! | `ceiling_too_low`, with a number | signed again with that ceiling |
//! | `issued_before_restart` | signed again, later |
//! | `lease_exhausted`, or no room by our own account | the lease is renewed: more units for this node |
//! | `stack_expired`, `unknown_stack` | another stack |
//! | `overloaded`, `second_hop` | another node; this one rests a moment |
//! | anything else | another node |
//!
//! A [direct](Retries::direct) caller has one stack and one node. It signs again, and passes on
//! whatever would take more than that. A [routed](Retries::routed) one (a gateway) does it all.
//! Each reason counts once per node (but that a lease has no room, of which nothing was sent: who waits for it may find it
//! taken once more), and all of them together at most [`MENDS_MAX`] times per
//! request. So a direct request is tried at most four times, and a routed one at most
//! `nodes + MENDS_MAX` times. Nothing is retried after the first byte of an answer, and a request
//! that may have been served is never sent to the same node again.

use atoma_types::{
    ComputeUnits,
    refusal::{ErrorBody, RefusalCode},
};

/// Tries after the first at a node, for one request over all nodes: as many as there are reasons.
pub const MENDS_MAX: u32 = 5;

/// A change to a request after which the same node may serve it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mend {
    /// Sign at least this many units as the request's maximum.
    RaiseUnits(ComputeUnits),
    /// Sign at least this ceiling of the lane.
    RaiseCeiling(ComputeUnits),
    /// Sign a new header: the node has restarted and takes no older one.
    SignAnew,
    /// Grant the node more units of the stack.
    RenewLease,
    /// Pay with another stack.
    NewStack,
}

/// What a refusal calls for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remedy {
    /// The same node may serve the request after this change.
    Mend(Mend),
    /// The node has too much to do; another may not.
    Busy,
    /// The node can't or won't serve the request, for a reason of its own; another may.
    Elsewhere,
    /// The request itself is at fault: whoever made it must hear it.
    PassOn,
}

/// A node's refusal, as far as it decides anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeRefusal {
    status: u16,
    code: Option<RefusalCode>,
    needed: Option<u64>,
}

/// Why a try brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The node refused.
    Refused(NodeRefusal),
    /// The lease has no room for the request by our own account, so nothing was sent.
    NoRoom,
    /// The node can't be reached, broke off, or answered what it must not.
    Failed,
}

/// How many units a request may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitBounds {
    /// As signed in the last try.
    pub signed: ComputeUnits,
    /// No try may sign more.
    pub most: ComputeUnits,
}

/// What to do after a failed try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Try the same node again, so changed.
    Again(Mend),
    /// Try another node. True if this one was only busy.
    Elsewhere {
        /// The node had too much to do; nothing else is wrong with it.
        busy: bool,
    },
    /// Stop: what the node said is the answer.
    PassOn,
}

/// The tries of one request, as they are used up.
#[derive(Clone, Debug)]
pub struct Retries {
    routed: bool,
    nodes_left: usize,
    mends_left: u32,
    used: Vec<Reason>,
}

/// Why the same node was tried again: a [`Mend`] without its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reason {
    Units,
    Ceiling,
    Restart,
    Lease,
    Stack,
}

/// What a refusal with this code and number calls for.
#[must_use]
pub fn remedy(code: RefusalCode, needed: Option<u64>) -> Remedy {
    use RefusalCode as Code;
    let with_number = |mend: fn(ComputeUnits) -> Mend| match needed {
        Some(needed) => Remedy::Mend(mend(ComputeUnits(needed))),
        None => Remedy::Elsewhere,
    };
    match code {
        Code::InvalidBody | Code::ContextTooLong | Code::BodyTooLarge | Code::EvidenceTooLong => {
            Remedy::PassOn
        }
        // only who sealed it can mend it
        Code::NotSealed
        | Code::SealedForm
        | Code::SealedRecipients
        | Code::SealedTooLong
        | Code::SealedNetwork
        | Code::WrappedKey
        | Code::ContentKey
        | Code::SealedHeader
        | Code::SealedLifetime
        | Code::SealedExpired
        | Code::SealedFuture
        | Code::SealedReplayed
        | Code::FrameLength
        | Code::FrameKind
        | Code::FrameMissing
        | Code::FrameRepeated
        | Code::FrameForged
        | Code::SealedTruncated
        | Code::SealedAfterEnd
        | Code::SealedPadding => Remedy::PassOn,
        Code::MaxUnitsTooLow => with_number(Mend::RaiseUnits),
        Code::CeilingTooLow => with_number(Mend::RaiseCeiling),
        Code::IssuedBeforeRestart
        | Code::SealingKeyUnknown
        | Code::SealingKeyEnded
        | Code::SealedBeforeStart => Remedy::Mend(Mend::SignAnew),
        Code::LeaseExhausted => Remedy::Mend(Mend::RenewLease),
        // a node that has settled early knows the stack no more
        Code::StackExpired | Code::UnknownStack => Remedy::Mend(Mend::NewStack),
        Code::Overloaded | Code::SecondHop | Code::SealedWindowFull => Remedy::Busy,
        // another node that it is sealed to may hold its key
        Code::SealedUnsupported | Code::SealedRecipient | Code::SealingKeyEarly => {
            Remedy::Elsewhere
        }
        // what was signed is wrong in this node's eyes: perhaps not in another's
        Code::InvalidHeader
        | Code::MissingHeader
        | Code::BadSignature
        | Code::WrongNetwork
        | Code::WrongNode
        | Code::WrongTask
        | Code::WrongEndpoint
        | Code::BodyMismatch
        | Code::UnknownModel
        | Code::Expired
        | Code::IssuedInFuture
        | Code::Replayed
        | Code::TooManyLanes
        | Code::GrantTooLarge
        | Code::EvidenceInvalid => Remedy::Elsewhere,
        // it isn't the node that it should be
        Code::InvalidApiKey | Code::BudgetExceeded | Code::NotFound | Code::MethodNotAllowed => {
            Remedy::Elsewhere
        }
        // it can't serve now
        Code::BodyTimeout
        | Code::EvidenceUnavailable
        | Code::EvidenceFull
        | Code::Unavailable
        | Code::Internal => Remedy::Elsewhere,
    }
}

// === impl NodeRefusal ===

impl NodeRefusal {
    /// Reads a refusal from its status and body. Any bytes will do: what isn't in our words counts
    /// by its status alone.
    #[must_use]
    pub fn read(status: u16, body: &[u8]) -> Self {
        let error = serde_json::from_slice::<ErrorBody>(body).map(|body| body.error);
        let code = error.as_ref().ok().and_then(|error| {
            let code = error.code.as_deref()?;
            let mut known = RefusalCode::ALL.iter().copied();
            // a known code under a status that isn't its own is not ours
            known.find(|known| known.as_str() == code && known.status() == status)
        });
        Self {
            status,
            code,
            needed: error.ok().and_then(|error| error.needed),
        }
    }

    /// Whether the request wasn't served and won't be, in the node's own words. A node that can't serve now may do so in the
    /// end, of a request that came twice it may have served the first, and what it knows no stack of it can't tell again.
    pub(crate) fn is_final(&self) -> bool {
        use RefusalCode as Code;
        let unsure = [Code::Replayed, Code::SealedReplayed, Code::UnknownStack];
        let known = self.code.filter(|code| !unsure.contains(code));
        known.is_some() && self.status < 500
    }

    /// What it calls for.
    #[must_use]
    pub fn remedy(&self) -> Remedy {
        match self.code {
            Some(code) => remedy(code, self.needed),
            // not in our words: a proxy before the node, or another version of it
            None if self.status == 429 => Remedy::Busy,
            None => Remedy::Elsewhere,
        }
    }
}

// === impl Mend ===

impl Mend {
    fn reason(self) -> Reason {
        match self {
            Self::RaiseUnits(_) => Reason::Units,
            Self::RaiseCeiling(_) => Reason::Ceiling,
            Self::SignAnew => Reason::Restart,
            Self::RenewLease => Reason::Lease,
            Self::NewStack => Reason::Stack,
        }
    }

    /// Whether signing again is all that it takes.
    fn is_signature(self) -> bool {
        match self {
            Self::RaiseUnits(_) | Self::RaiseCeiling(_) | Self::SignAnew => true,
            Self::RenewLease | Self::NewStack => false,
        }
    }
}

// === impl Retries ===

impl Retries {
    /// For a caller with one stack and one node, who can only sign again.
    #[must_use]
    pub fn direct() -> Self {
        Self {
            routed: false,
            nodes_left: 1,
            mends_left: MENDS_MAX,
            used: Vec::new(),
        }
    }

    /// For a caller that can renew leases, buy stacks and ask up to `nodes` nodes.
    #[must_use]
    pub fn routed(nodes: usize) -> Self {
        Self {
            routed: true,
            nodes_left: nodes,
            ..Self::direct()
        }
    }

    /// Begins at another node, where every reason counts anew. False if no node may be tried any
    /// more.
    pub fn begin_node(&mut self) -> bool {
        self.used.clear();
        let left = self.nodes_left.checked_sub(1);
        self.nodes_left = left.unwrap_or(0);
        left.is_some()
    }

    /// What to do after a failed try.
    pub fn after(&mut self, failure: Failure, units: UnitBounds) -> Decision {
        // nothing was sent: others that waited for the same room may take it once more
        let was_sent = failure != Failure::NoRoom;
        let remedy = match failure {
            Failure::Refused(refusal) => refusal.remedy(),
            Failure::NoRoom => Remedy::Mend(Mend::RenewLease),
            Failure::Failed => Remedy::Elsewhere,
        };
        match remedy {
            Remedy::Mend(mend) if self.may(mend, units) => {
                self.mends_left -= 1;
                if was_sent {
                    self.used.push(mend.reason());
                }
                Decision::Again(mend)
            }
            Remedy::PassOn => Decision::PassOn,
            // who has one node has nowhere else to go
            _ if !self.routed => Decision::PassOn,
            Remedy::Busy => Decision::Elsewhere { busy: true },
            Remedy::Elsewhere | Remedy::Mend(_) => Decision::Elsewhere { busy: false },
        }
    }

    fn may(&self, mend: Mend, units: UnitBounds) -> bool {
        let fits = match mend {
            Mend::RaiseUnits(needed) => needed > units.signed && needed <= units.most,
            _ => true,
        };
        fits && self.mends_left > 0
            && !self.used.contains(&mend.reason())
            && (self.routed || mend.is_signature())
    }
}

#[cfg(test)]
#[path = "retry_test.rs"]
mod tests;
