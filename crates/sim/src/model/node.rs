//! Nodes: registration, reputation, fines that wait.

use super::{Done, Ledger, Micro, Ms, Node, NodeIx, Party, ensure, objects::day};
use atoma_types::chain::AbortCode;

/// A new node's reputation.
const INITIAL: u64 = 100;
/// Points for fees as large as the collateral.
const POINTS: u128 = 90_000;
/// Points gained in a day, at most.
const MOST_IN_A_DAY: u64 = 50;
/// The top of the scale.
const MOST: u64 = 1_000;

impl Ledger {
    /// Registers a node.
    ///
    /// # Errors
    /// If the collateral is too low.
    pub fn register(&mut self, now: Ms, owner: Party, collateral: Micro) -> Done<NodeIx> {
        let params = &self.rules.params;
        ensure(
            collateral >= params.min_collateral,
            AbortCode::CollateralTooLow,
        )?;
        self.nodes.push(Node {
            owner,
            collateral,
            matures: now.saturating_add(params.maturity_ms),
            reputation: INITIAL,
            ..Node::default()
        });
        Ok(self.nodes.len() - 1)
    }

    /// Moves fines whose delay is over to the treasury.
    ///
    /// # Errors
    /// If there are none, or their time isn't over.
    pub fn forfeit(&mut self, now: Ms, node: NodeIx) -> Done {
        let node = &mut self.nodes[node];
        ensure(node.fines > 0, AbortCode::NothingPending)?;
        ensure(now > node.fines_until, AbortCode::PardonNotOver)?;
        self.treasury += std::mem::take(&mut node.fines);
        Ok(())
    }
}

/// A claim was paid, with this fee.
pub(super) fn paid(node: &mut Node, fee: Micro, now: Ms) {
    let collateral = u128::from(node.collateral.max(1));
    if node.gained_on != day(now) {
        (node.gained_on, node.gained) = (day(now), 0);
    }
    let carried = u128::from(node.carried) + u128::from(fee);
    let points = carried * POINTS / collateral;
    let room = MOST_IN_A_DAY
        .saturating_sub(node.gained)
        .min(MOST.saturating_sub(node.reputation));
    let rest = if points >= u128::from(room) {
        0
    } else {
        carried - (points * collateral).div_ceil(POINTS)
    };
    node.carried = u64::try_from(rest).unwrap_or(u64::MAX);
    let gained = u64::try_from(points).unwrap_or(u64::MAX).min(room);
    node.gained += gained;
    node.reputation += gained;
}

/// Guilt was found.
pub(super) fn lost(node: &mut Node) {
    node.convicted += 1;
    node.reputation = 0;
    node.carried = 0;
}
