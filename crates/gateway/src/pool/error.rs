//! Why a node gets no units to serve on.

use atoma_client::ClientError;
use atoma_ledger::ReadError;
use atoma_types::MicroUsdc;

/// There is no lease to serve on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeaseError {
    /// The gateway's budget for stacks doesn't cover the payment.
    #[error("the budget for stacks has {left} left, and {needed} are needed")]
    Budget {
        /// What the payment would be.
        needed: MicroUsdc,
        /// What the budget has left.
        left: MicroUsdc,
    },
    /// Nobody listens where the node says it is.
    #[error("nobody answers at {url}")]
    Unreachable {
        /// The node's URL on the ledger.
        url: String,
    },
    /// The node asks for more than our account and the ledger explain.
    #[error("the node says that its lease or stack is used up, and it is not")]
    Unfounded,
    /// The node's word couldn't be held against the ledger a moment ago, and isn't again so soon.
    #[error("the ledger did not say whether the node's stack is over")]
    NotSeen,
    /// The node's collateral doesn't stand for so many units, or not beside its other leases.
    #[error("the node has no collateral free for so many units")]
    TooLarge,
    /// The node has left the task since it was chosen.
    #[error("the node does not sell this task")]
    NotSelling,
    /// Too much was charged for answers of the node's that never came: nothing is bought for it for a while.
    #[error("nothing more is signed for the node on a stack of this gateway")]
    Parted,
    /// Ledger, wallet or node said no.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Buying and granting takes longer than a request may wait. It goes on for the next one.
    #[error("the lease is not ready in time")]
    TimedOut,
    /// The task that bought and granted has panicked.
    #[error("the purchase was interrupted")]
    Interrupted,
}

impl LeaseError {
    /// Whether it is the node that failed, rather than the ledger or our own budget.
    pub(crate) fn is_nodes_fault(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::NotSelling
            | Self::Parted
            | Self::TimedOut
            | Self::Unfounded => true,
            Self::Client(error) => !matches!(
                error,
                ClientError::Connect(_)
                    | ClientError::History(_)
                    | ClientError::Ledger(_)
                    | ClientError::Execute(_)
                    | ClientError::Damaged(_)
                    | ClientError::Open(_)
                    | ClientError::Write(_)
                    | ClientError::Read(_)
                    | ClientError::LaneInUse { .. }
            ),
            Self::Budget { .. } | Self::TooLarge | Self::NotSeen | Self::Interrupted => false,
        }
    }
}

/// Whether it is certain that a purchase which failed so has paid nothing, nor will. The ledger is read after a purchase,
/// too: that it can't be says nothing of the payment.
pub(crate) fn paid_nothing(error: &ClientError) -> bool {
    matches!(error, ClientError::Execute(error) if error.changed_nothing())
}

impl From<ReadError> for LeaseError {
    fn from(error: ReadError) -> Self {
        Self::Client(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_ledger::ExecuteError;

    #[test]
    fn a_stack_that_cannot_be_read_after_its_purchase_may_be_paid() {
        let unknown = || ReadError::NotFound {
            what: "stack",
            id: "0x1".to_owned(),
        };
        assert!(!paid_nothing(&unknown().into()));
        assert!(!paid_nothing(&ClientError::MissingEvent("StackAcquired")));
        // what an order is made of is read before it
        assert!(paid_nothing(&ExecuteError::from(unknown()).into()));
        let refused = ExecuteError::Abort {
            code: 1,
            name: "nobody_eligible",
            function: "stack::acquire".to_owned(),
        };
        assert!(paid_nothing(&refused.into()));
    }
}
