//! What is bought and granted beforehand, so that a request that is passed on finds a lease: for each task one
//! stack at a time, and units of it with the two cheapest nodes. Pure: what is there goes in, one command
//! comes out.

use atoma_types::{ComputeUnits, MicroUsdc, NodeId, Price, StackId, TimestampMs};

/// A stack that ends within this time takes no new requests: one signed now is good for two minutes.
const LAST_MINUTES_MS: u64 = 3 * 60 * 1_000;
/// So many nodes have units: where one is full or fails, another is asked.
const SELLERS: usize = 2;
/// A grant is so great a part of what the budget buys: what a node has can't be given to another.
const GRANTS: u64 = 4;
/// A purchase below this part of the budget waits for what is still to come back.
const LEAST_PURCHASE: u64 = 4;

/// One task's stacks and offers, as they are now.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    /// What this task's stacks may hold at once.
    pub budget: MicroUsdc,
    /// No node may cost more.
    pub max_price: Price,
    pub now: TimestampMs,
    /// Who may be asked, the cheapest first.
    pub offers: Vec<NodeId>,
    /// The newest last.
    pub stacks: Vec<StackReading>,
}

/// One of the stacks that the node has bought.
#[derive(Clone, Debug)]
pub(super) struct StackReading {
    pub stack: StackId,
    pub expires_at: TimestampMs,
    /// What it holds, credit counted in.
    pub holds: MicroUsdc,
    pub ungranted: ComputeUnits,
    /// What is left of each node's lease.
    pub rooms: Vec<(NodeId, ComputeUnits)>,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// Buy a stack of so many units, at the highest price.
    Buy(ComputeUnits),
    /// Grant a node so many units.
    Grant(StackId, NodeId, ComputeUnits),
}

impl StackReading {
    /// Whether requests may still be made on it.
    pub(super) fn lives(&self, now: TimestampMs) -> bool {
        self.expires_at.0 > now.0.saturating_add(LAST_MINUTES_MS)
    }

    fn room(&self, node: NodeId) -> ComputeUnits {
        let of_node = self.rooms.iter().find(|(other, _)| *other == node);
        of_node.map_or(ComputeUnits::ZERO, |(_, room)| *room)
    }
}

impl Reading {
    /// The next thing to do; nothing, if all is as it should be. `refused` are nodes that have just not taken
    /// a grant.
    pub(super) fn next(&self, refused: &[NodeId]) -> Option<Command> {
        let sellers = self.offers.iter().filter(|node| !refused.contains(node));
        let mut sellers = sellers.take(SELLERS).peekable();
        sellers.peek()?;
        let share = self.max_price.affords(self.budget);
        let grant = ComputeUnits(share.0 / GRANTS);
        let living = || self.stacks.iter().filter(|stack| stack.lives(self.now));
        let lacks = |node: &&NodeId| {
            let rooms = living().map(|stack| stack.room(**node));
            rooms.max().unwrap_or_default().0 < grant.0 / 2
        };
        let lacking = sellers.find(lacks)?;
        let free = living()
            .rev()
            .find(|stack| stack.ungranted > ComputeUnits::ZERO);
        match free {
            Some(stack) => {
                let units = grant.min(stack.ungranted);
                Some(Command::Grant(stack.stack, *lacking, units))
            }
            None => self.purchase().map(Command::Buy),
        }
    }

    /// What the rest of the budget buys, if it is worth a purchase.
    fn purchase(&self) -> Option<ComputeUnits> {
        let held = self.stacks.iter().map(|stack| stack.holds.0);
        let held = held.fold(0, u64::saturating_add);
        let left = MicroUsdc(self.budget.0.saturating_sub(held));
        let worth = left.0 >= self.budget.0 / LEAST_PURCHASE;
        let units = self.max_price.affords(left);
        Some(units).filter(|units| worth && *units > ComputeUnits::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::Address;

    const NOW: TimestampMs = TimestampMs(1_000_000);
    /// A budget of 4,000 micro-USDC buys as many units at one USDC a million.
    const BUDGET: u64 = 4_000;

    fn node(n: u8) -> NodeId {
        NodeId(Address::new([n; 32]))
    }

    fn stack(n: u8, ungranted: u64, rooms: &[(u8, u64)]) -> StackReading {
        StackReading {
            stack: StackId(Address::new([n; 32])),
            expires_at: NOW.saturating_add(atoma_types::DurationMs(3_600_000)),
            holds: MicroUsdc(BUDGET),
            ungranted: ComputeUnits(ungranted),
            rooms: rooms
                .iter()
                .map(|&(n, units)| (node(n), ComputeUnits(units)))
                .collect(),
        }
    }

    fn next(offers: &[u8], stacks: &[StackReading], refused: &[u8]) -> Option<Command> {
        let nodes = |numbers: &[u8]| numbers.iter().map(|&n| node(n)).collect::<Vec<_>>();
        let reading = Reading {
            budget: MicroUsdc(BUDGET),
            max_price: Price(1_000_000),
            now: NOW,
            offers: nodes(offers),
            stacks: stacks.to_vec(),
        };
        reading.next(&nodes(refused))
    }

    fn grant(stack: u8, to: u8, units: u64) -> Option<Command> {
        let stack = StackId(Address::new([stack; 32]));
        Some(Command::Grant(stack, node(to), ComputeUnits(units)))
    }

    #[test]
    fn a_stack_is_bought_and_the_two_cheapest_get_a_quarter_each() {
        assert_eq!(next(&[], &[], &[]), None, "nobody sells");
        assert_eq!(
            next(&[1], &[], &[]),
            Some(Command::Buy(ComputeUnits(BUDGET)))
        );
        let new = [stack(1, 4_000, &[])];
        assert_eq!(next(&[1, 2, 3], &new, &[]), grant(1, 1, 1_000));
        let first = [stack(1, 3_000, &[(1, 1_000)])];
        assert_eq!(next(&[1, 2, 3], &first, &[]), grant(1, 2, 1_000));
        assert_eq!(next(&[1, 2, 3], &first, &[2]), grant(1, 3, 1_000));
        let both = [stack(1, 2_000, &[(1, 1_000), (2, 1_000)])];
        assert_eq!(next(&[1, 2, 3], &both, &[]), None);
        let used = [stack(1, 700, &[(1, 499), (2, 1_000)])];
        assert_eq!(next(&[1, 2], &used, &[]), grant(1, 1, 700));
    }

    #[test]
    fn what_stacks_hold_is_never_more_than_the_budget() {
        let dry = |holds| StackReading {
            holds: MicroUsdc(holds),
            ..stack(1, 0, &[(1, 10)])
        };
        assert_eq!(next(&[1], &[dry(4_000)], &[]), None);
        assert_eq!(next(&[1], &[dry(3_001)], &[]), None, "not worth it yet");
        let rest = Some(Command::Buy(ComputeUnits(1_000)));
        assert_eq!(next(&[1], &[dry(3_000)], &[]), rest);
        let ending = StackReading {
            expires_at: NOW.saturating_add(atoma_types::DurationMs(LAST_MINUTES_MS)),
            holds: MicroUsdc(1_000),
            ..stack(1, 500, &[(1, 500)])
        };
        let next = next(&[1], &[ending], &[]);
        assert_eq!(next, Some(Command::Buy(ComputeUnits(3_000))));
    }
}
