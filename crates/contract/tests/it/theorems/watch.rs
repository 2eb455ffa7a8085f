//! What no call may do, whoever makes it: theorems 3 to 8, call by call. (Theorem 10: `attesters`.)

use super::play::Play;
use crate::world::*;
use atoma_contract::{Changes, Object, State};
use atoma_types::{
    MicroUsdc, NodeId, StackId, TimestampMs,
    chain::{
        Call, Event, Node, NodeStatus, Stack,
        events::{Leased, NodeConvicted},
    },
};

impl Play {
    pub(super) fn watch(&mut self, before: &State, sender: u8, call: &Call, changes: &Changes) {
        self.only_withdrawals_pay(call, changes);
        self.watch_promises(before);
        for (object, _) in self.w.state.iter() {
            match object {
                Object::Node(node) => self.watch_node(before, sender, node, call, changes),
                Object::Stack(stack) => watch_stack(before, stack),
                _ => {}
            }
        }
        for event in &changes.events {
            match event {
                Event::NodeConvicted(event) => self.watch_conviction(before, event),
                Event::Leased(event) => self.watch_lease(before, event),
                Event::StackAcquired(event) => self.watch_sale(before, event),
                Event::Unexamined(event) => self.watch_unexamined(before, event),
                Event::ExaminerDrawn(event) => {
                    self.watch_drawn(before, event.stack, &[event.examiner]);
                }
                Event::JuryDrawn(event) => self.watch_drawn(before, event.stack, &event.nodes),
                Event::JuryDecided(event) => self.watch_jury(before, event),
                Event::Claimed(event) => self.watch_claim(before, event),
                _ => {}
            }
        }
    }

    /// Deposits of attesters with duties stay, but for fines.
    pub(super) fn watch_promises(&self, before: &State) {
        for task in &self.tasks {
            let Some(Object::Task(old)) = before.get(task.0) else {
                continue;
            };
            for offer in &old.subscriptions {
                let Some(promise) = offer.attester.filter(|promise| promise.duties > 0) else {
                    continue;
                };
                let now = self.w.task(*task).subscription(offer.node);
                let Some(now) = now.and_then(|offer| offer.attester) else {
                    panic!("{} left with a duty open", offer.node);
                };
                assert!(
                    promise.active || !now.active,
                    "who leaves doesn't come back before"
                );
            }
        }
    }

    /// Theorem 9: nothing else needs an address.
    fn only_withdrawals_pay(&self, call: &Call, changes: &Changes) {
        let withdraws = matches!(call, Call::WithdrawEarnings(_) | Call::WithdrawFree(_));
        assert!(changes.payouts.is_empty() || withdraws, "{call:?}");
    }

    fn watch_node(&self, before: &State, sender: u8, node: &Node, call: &Call, changes: &Changes) {
        let Some(old) = node_in(before, node.id) else {
            return;
        };
        // 6, consent: what is at stake rises only by the owner's hand
        if node.at_stake > old.at_stake {
            assert_eq!(node.owner, address(sender), "consent");
        }
        // 8, skin
        assert!(node.at_stake <= node.collateral, "skin");
        if node.collateral >= old.collateral {
            return;
        }
        // 4, no exit by guilt: collateral leaves by a fine or by leaving
        let less = old.collateral.0 - node.collateral.0;
        let fines = self.sum_of(changes.events.iter().filter_map(|event| match event {
            Event::NodeConvicted(event) if event.node == node.id => Some(event.fine),
            _ => None,
        }));
        if matches!(call, Call::LeaveNode(_)) {
            let NodeStatus::Unbonding { until_ms } = old.status else {
                panic!("only who waits leaves");
            };
            let free = old.at_stake == MicroUsdc::ZERO;
            assert!(until_ms.0 <= self.w.now && free, "no exit by guilt");
            assert_eq!(node.earnings.0 - old.earnings.0, less);
        } else {
            assert_eq!(fines, less, "collateral leaves by a fine");
            assert_eq!(
                node.earnings.0 - old.earnings.0,
                self.demand_fees(before, node.id, changes),
                "a conviction credits a node with answers that it gave, and nothing else"
            );
        }
    }

    /// Fees of demands that a convicted node had answered on the lease.
    fn demand_fees(&self, before: &State, node: NodeId, changes: &Changes) -> u64 {
        self.sum_of(changes.events.iter().filter_map(|event| match event {
            Event::NodeConvicted(event) if event.node == node => {
                let stack = stack_in(before, event.stack)?;
                stack.lease(node).map(|lease| lease.fees)
            }
            _ => None,
        }))
    }

    fn watch_conviction(&self, before: &State, event: &NodeConvicted) {
        let (old, new) = (
            stack_in(before, event.stack).unwrap(),
            self.w.stack(event.stack),
        );
        let lease = old.lease(event.node).unwrap();
        // 5, no plea: it costs m times all that was claimed, as announced when it was
        let announced = self.announced.get(&(event.stack, event.node));
        let claimed: u64 = announced.map_or(0, |values| values.iter().sum());
        assert_eq!(event.value.0, claimed, "no plea");
        assert_eq!(event.fine.0, claimed * old.terms.fine_multiple, "no plea");
        // 3, no profit in harm: the owner gets back what it paid, to the micro
        let mut held = 0;
        for ticket in &lease.tickets {
            held += ticket
                .demands
                .iter()
                .map(|demand| demand.fee.0)
                .sum::<u64>();
            let challenge = ticket.challenge.as_ref();
            let open = challenge.filter(|challenge| !challenge.over);
            held += open.map_or(0, |challenge| challenge.bond.0);
        }
        assert_eq!(event.freed.0, new.free.0 - old.free.0, "no profit");
        assert_eq!(
            event.freed.0,
            old.escrow.0 - new.escrow.0 + held,
            "no profit"
        );
        // 4: jurors get fixed fees, and the fine covers them
        let sampling = old.terms.sampling.as_ref();
        let most = sampling.map_or(0, |terms| terms.jury_size * terms.attest_fee.0);
        assert!(event.jurors.0 <= most.min(event.fine.0), "jurors' fees");
        // 2: nobody honest is convicted while a fifth of the attesters lie
        let player = self.players.iter().find(|p| p.node == event.node).unwrap();
        assert!(!player.honest, "bounded harm: {event:?}");
        assert!(new.lease(event.node).unwrap().closed);
    }

    /// Theorem 7: what binds reads the node; theorem 6: at a price that was signed.
    fn watch_lease(&self, before: &State, event: &Leased) {
        let old = node_in(before, event.node).unwrap();
        let takes = old.status.takes_leases(TimestampMs(self.w.now));
        assert!(takes, "live standing");
        let enough = old.collateral.0 >= self.w.db().params.min_collateral;
        assert!(enough, "live standing");
        let stack = self.w.stack(event.stack);
        assert!(event.price <= stack.max_price, "consent");
    }
}

/// Theorem 6: terms, prices and keys are those that were agreed on; what is paid is never taken back.
fn watch_stack(before: &State, stack: &Stack) {
    let Some(old) = stack_in(before, stack.id) else {
        return;
    };
    assert_eq!(old.terms, stack.terms);
    assert_eq!(old.max_price, stack.max_price);
    for lease in &old.leases {
        let now = stack.lease(lease.node).unwrap();
        assert_eq!((lease.price, lease.key), (now.price, now.key));
        assert!(lease.paid_units <= now.paid_units);
        assert!(now.closed || !lease.closed, "closed is closed");
    }
}

fn node_in(state: &State, id: NodeId) -> Option<&Node> {
    match state.get(id.0) {
        Some(Object::Node(node)) => Some(node),
        _ => None,
    }
}

fn stack_in(state: &State, id: StackId) -> Option<&Stack> {
    match state.get(id.0) {
        Some(Object::Stack(stack)) => Some(stack),
        _ => None,
    }
}
