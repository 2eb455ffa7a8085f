//! Whether a question that the open stacks didn't pay for calls for another one, and of whom. Pure.
//!
//! A budget is spent once for each need. A stack on which nothing was answered yet and that has the units is what was bought
//! for it: whatever its node says, nothing more is bought. Nor is a node sold to that refuses for a reason which units don't
//! mend, or can't be reached: the next question would be refused, too, and buy another.

use atoma_client::Offer;
use atoma_types::{ComputeUnits, NodeId};
use std::collections::BTreeSet;

/// A stack that didn't pay for the question.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tried {
    /// The node that was asked.
    pub(super) node: NodeId,
    /// More units would do.
    pub(super) lacks_units: bool,
    /// Something was answered on it.
    pub(super) is_used: bool,
    /// What it has left.
    pub(super) units: ComputeUnits,
}

/// The offers of which a stack may be bought for a question that needs so many units; none where nothing is bought.
pub(super) fn worth_buying(
    offers: &[Offer],
    tried: &[Tried],
    needed: ComputeUnits,
) -> Option<Vec<Offer>> {
    let is_bought = |tried: &Tried| !tried.is_used && tried.units >= needed;
    if tried.iter().any(is_bought) {
        return None;
    }
    let others = tried.iter().filter(|tried| !tried.lacks_units);
    let others: BTreeSet<NodeId> = others.map(|tried| tried.node).collect();
    let left = offers.iter().filter(|offer| !others.contains(&offer.node));
    let left: Vec<Offer> = left.cloned().collect();
    (!left.is_empty() || others.is_empty()).then_some(left)
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::{Address, MicroUsdc, Price};

    const NEEDED: ComputeUnits = ComputeUnits(1_000);

    fn node(n: u8) -> NodeId {
        NodeId(Address::new([n; 32]))
    }

    fn offers() -> Vec<Offer> {
        let offer = |n| Offer {
            node: node(n),
            url: String::new(),
            price: Price(1),
            free: NEEDED,
            reputation: 0,
            collateral: MicroUsdc(1),
            matured: MicroUsdc(1),
        };
        vec![offer(1), offer(2)]
    }

    /// A stack of node 1 with all the units that the question needs.
    const TRIED: Tried = Tried {
        node: NodeId(Address::new([1; 32])),
        lacks_units: false,
        is_used: true,
        units: NEEDED,
    };

    fn of(tried: &[Tried]) -> Option<Vec<NodeId>> {
        let bought = worth_buying(&offers(), tried, NEEDED)?;
        Some(bought.iter().map(|offer| offer.node).collect())
    }

    #[test]
    fn what_has_no_room_is_bought_of_anyone() {
        let full = Tried {
            lacks_units: true,
            units: ComputeUnits(999),
            ..TRIED
        };
        assert_eq!(of(&[full]), Some(vec![node(1), node(2)]));
        assert_eq!(of(&[]), Some(vec![node(1), node(2)]));
    }

    #[test]
    fn a_node_that_refuses_whatever_is_paid_is_sold_nothing_more() {
        assert_eq!(of(&[TRIED]), Some(vec![node(2)]));
        let other = Tried {
            node: node(2),
            ..TRIED
        };
        assert_eq!(of(&[TRIED, other]), None);
    }

    #[test]
    fn what_was_bought_and_has_answered_nothing_is_what_the_question_needs() {
        let unused = Tried {
            is_used: false,
            ..TRIED
        };
        assert_eq!(of(&[unused]), None);
        let says_that_it_lacks = Tried {
            lacks_units: true,
            ..unused
        };
        assert_eq!(of(&[TRIED, says_that_it_lacks]), None);
        let too_small = Tried {
            units: ComputeUnits(999),
            ..says_that_it_lacks
        };
        assert_eq!(of(&[too_small]), Some(vec![node(1), node(2)]));
    }
}
