//! What a node that stays away can lose.

use super::{Node, Stack};
use crate::MicroUsdc;

/// The most that a node loses which does nothing more, whatever others do: theorem 2 of `docs/protocol.md`. Nobody
/// but its owner settles or takes leases for it, so none of this rises while it is away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AtRisk {
    /// Its open leases.
    pub leases: u64,
    /// What their open tickets claim.
    pub claimed: MicroUsdc,
    /// What it may have served beyond that, if it served all that it has leased.
    pub unclaimed: MicroUsdc,
    /// What it is fined if every lease of these is convicted: the fine's multiple of each claim, and no more than its
    /// collateral.
    pub fines: MicroUsdc,
}

impl AtRisk {
    /// Of a node with open leases on these stacks. Sums beyond `u64::MAX` stop there: there is less money.
    #[must_use]
    pub fn of<'a>(node: &Node, stacks: impl IntoIterator<Item = &'a Stack>) -> Self {
        let mut sums = Self::default();
        for stack in stacks {
            let Some(lease) = stack.lease(node.id).filter(|lease| !lease.closed) else {
                continue;
            };
            let value = |from, to| lease.value(from, to).unwrap_or_default();
            let claim = value(lease.paid_units, lease.claimed_units());
            let unclaimed = value(lease.claimed_units(), lease.units);
            sums.leases += 1;
            sums.claimed = sum(sums.claimed, claim);
            sums.unclaimed = sum(sums.unclaimed, unclaimed);
            let fine = stack.terms.fine(claim).unwrap_or(node.collateral);
            sums.fines = sum(sums.fines, fine);
        }
        sums.fines = sums.fines.min(node.collateral);
        sums
    }

    /// All of it.
    #[must_use]
    pub fn most(&self) -> MicroUsdc {
        sum(sum(self.claimed, self.unclaimed), self.fines)
    }
}

fn sum(one: MicroUsdc, other: MicroUsdc) -> MicroUsdc {
    MicroUsdc(one.0.saturating_add(other.0))
}
