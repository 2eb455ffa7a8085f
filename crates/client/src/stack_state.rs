//! What is known of a stack: the ledger's view of it, and for each node the lanes and the chain of
//! receipts. One per stack and client, whoever opens it.

use crate::{ClientError, lane::Lane, never_came::NeverCame, vouchers::Vouchers};
use atoma_evidence::chain::Chain;
use atoma_types::{
    ComputeUnits, NodeId, StackId,
    chain::{Stack, Task},
};
use parking_lot::{Mutex, RwLock};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::Semaphore;

/// Answers of one stack that are read on at once although nobody waits for them, each over a connection of its own. Further
/// ones are left as they are.
pub(crate) const MAX_LATE: usize = 256;

pub(crate) struct StackState {
    pub(crate) id: StackId,
    pub(crate) task: Arc<Task>,
    pub(crate) view: RwLock<Stack>,
    pub(crate) accounts: Mutex<BTreeMap<NodeId, LeaseAccount>>,
    /// Bought by this very client: nobody can have used it before.
    pub(crate) fresh: bool,
    /// Places of answers that are read on although nobody waits for them.
    pub(crate) late: Arc<Semaphore>,
}

/// What this program has counted of one node's lease.
#[derive(Debug, Default)]
pub(crate) struct LeaseAccount {
    pub(crate) lanes: BTreeMap<u16, Lane>,
    pub(crate) chain: Chain,
    /// The lane of requests that name none.
    pub(crate) own_lane: u16,
    /// Somebody looks after what the chain lacks.
    pub(crate) looking: bool,
    /// A number that the chain lacked after its node was asked: nothing is signed while it does.
    pub(crate) unshown: Option<u64>,
    /// Requests whose answers never came, and what of them is charged.
    pub(crate) never_came: NeverCame,
    /// What is owed for requests that came to nothing.
    pub(crate) vouchers: Vouchers,
}

impl LeaseAccount {
    /// What is used or spoken for: by our own lanes, or, where others use the lease too, at least
    /// what is claimed and what receipts charge that have come. What a node says that it comes to is no room that it takes.
    pub(crate) fn used(&self) -> ComputeUnits {
        let own = self.lanes.values().map(Lane::spoken_for);
        let own = own.fold(ComputeUnits::ZERO, ComputeUnits::saturating_add);
        own.max(self.chain.used())
    }

    /// What is signed beyond receipts, and what the lease has earned: the receipts that have come.
    pub(crate) fn loose(&self) -> (ComputeUnits, ComputeUnits) {
        let loose = self.lanes.values().map(Lane::loose);
        let loose = loose.fold(ComputeUnits::ZERO, ComputeUnits::saturating_add);
        (loose, self.chain.shown())
    }

    /// Whether a request that may cost so much, with the ceiling that its node asks for if it does, leaves the node no more to
    /// claim for nothing than the window, or an eighth of what its lease has earned, or is covered by what is signed already.
    pub(crate) fn is_earned(
        &self,
        lane: u16,
        (max, demanded): (ComputeUnits, Option<ComputeUnits>),
        window: ComputeUnits,
    ) -> bool {
        let (loose, used) = self.loose();
        let raised = self
            .lanes
            .get(&lane)
            .map_or(max, |lane| lane.raised_by(max, demanded));
        raised == ComputeUnits::ZERO
            || loose.saturating_add(raised) <= NeverCame::allowed(window, used).max(max)
    }

    /// A receipt has settled something: less may be owed.
    pub(crate) fn settled(&mut self) {
        let (loose, used) = self.loose();
        self.vouchers.settle(loose, used);
    }

    /// Whether the node charges too much for answers that never came.
    pub(crate) fn check_never_came(
        &self,
        node: NodeId,
        window: ComputeUnits,
    ) -> Result<(), ClientError> {
        let allowed = NeverCame::allowed(window, self.chain.shown());
        match self.never_came.too_much(allowed) {
            None => Ok(()),
            Some(charged) => Err(ClientError::NeverCame {
                node,
                charged,
                allowed,
            }),
        }
    }

    /// The number that keeps anything from being signed, if one does.
    pub(crate) fn unshown(&self) -> Option<u64> {
        self.unshown.filter(|seq| self.chain.lacks_still(*seq))
    }
}
