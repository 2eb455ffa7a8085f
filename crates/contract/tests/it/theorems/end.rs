//! The end of a play: strangers alone bring everything to its end while everyone else does what it likes.

use super::{honest::juries, play::Play};
use crate::world::*;
use atoma_contract::{Object, invariants, limits};
use atoma_types::{
    MicroUsdc, NodeId, StackId,
    chain::{Call, Exam, HitStage, NodeStatus},
};

/// From a stack's expiry to its owner's last credit.
const SIX_DAYS: u64 = 6 * DAY;
/// Strangers look once an hour, and a ticket has at most eight stages.
const SLACK: u64 = 8 * HOUR;

impl Play {
    /// What anyone may call, somewhere.
    pub(super) fn call_what_anyone_may(&mut self) {
        if let Some((stack, node, to_seq)) = self.open_ticket() {
            let all = self.of_ticket(stack, node, to_seq);
            if let Some(call) = self.one(&all) {
                self.try_call(STRANGER, call);
            }
        }
        let leases: Vec<_> = self.accounts.keys().copied().collect();
        if let Some((stack, node)) = self.one(&leases) {
            self.try_call(STRANGER, expire_call(stack, node));
        }
        if let Some(stack) = self.one(&self.stacks.clone()) {
            self.try_call(STRANGER, revoke_call(stack));
        }
    }

    /// Calls about a ticket that need no right.
    fn of_ticket(&self, stack: StackId, node: NodeId, to_seq: u64) -> Vec<Call> {
        let ticket = self.ticket(stack, node, to_seq);
        let mut calls: Vec<Call> = vec![self.w.claim_call(stack, node).into()];
        for demand in &ticket.demands {
            calls.push(self.w.silence_call(stack, node, demand.unit.0).into());
        }
        calls.push(self.w.undisclosed_call(stack, node).into());
        match &ticket.exam {
            Exam::Undrawn => calls.push(draw_call(stack, node, to_seq).into()),
            Exam::Drawn { .. } => calls.push(self.w.examine_call(stack, node, to_seq).into()),
            Exam::Hit(hit) if hit.stage == HitStage::Examining => {
                calls.push(self.w.examine_call(stack, node, to_seq).into());
            }
            Exam::Hit(hit) if hit.stage == HitStage::Accused => {
                calls.push(self.w.jury_call(stack, node, to_seq, false).into());
            }
            Exam::None | Exam::Hit(_) | Exam::Unexamined => {}
        }
        if ticket.challenge.is_some() {
            calls.push(self.w.jury_call(stack, node, to_seq, true).into());
        }
        for (_, challenge) in juries(ticket) {
            calls.push(self.w.decide_call(stack, node, to_seq, challenge).into());
        }
        calls
    }

    /// New business is paused. Every hour strangers call whatever they may, nodes and attesters whatever they like.
    pub(super) fn finish(&mut self) {
        self.close(60);
        while !self.is_over() {
            self.wait(HOUR);
            if self.chance(20) {
                self.hostile_duties();
            }
            self.strangers();
            self.check_in_time();
        }
        self.check_honest_were_paid();
        self.everyone_leaves();
    }

    /// New business is paused, and of a hundred stacks so many are closed by their owners.
    pub(super) fn close(&mut self, percent: u64) {
        let call = self.w.set_param_call("paused", 1);
        assert!(self.try_call(ADMIN, call));
        for stack in self.stacks.clone() {
            let owner = self.w.stack(stack).owner;
            let owner = self.w.party(owner);
            if self.chance(percent) {
                self.try_call(owner, begin_close_call(stack));
            }
        }
        self.ending = self.w.now;
        for task in self.tasks.clone().into_iter().skip(1) {
            if self.chance(30) {
                self.all_resign(task);
            }
        }
    }

    /// An hour of the end, whatever nodes and attesters do.
    pub(super) fn an_hour(&mut self) {
        self.wait(HOUR);
        self.strangers();
        self.note_longest();
    }

    /// The rest of an end that was begun.
    pub(super) fn finish_hunt(&mut self) {
        while !self.is_over() {
            self.an_hour();
            self.check_in_time();
        }
        self.check_honest_were_paid();
        self.everyone_leaves();
    }

    pub(super) fn is_over(&self) -> bool {
        let now = atoma_types::TimestampMs(self.w.now);
        let mut stacks = self.stacks.iter();
        stacks.all(|&stack| self.w.stack(stack).is_over(now))
    }

    pub(super) fn strangers(&mut self) {
        for (stack, node, to_seq) in self.open_tickets() {
            // the first of two may have taken the other with it
            let open = |play: &Self| play.open_tickets().contains(&(stack, node, to_seq));
            if !open(self) {
                continue;
            }
            for call in self.of_ticket(stack, node, to_seq) {
                if open(self) {
                    self.try_call(STRANGER, call);
                }
            }
        }
        for stack in self.stacks.clone() {
            if self.w.stack(stack).ungranted.0 > 0 {
                self.try_call(STRANGER, revoke_call(stack));
            }
        }
        let leases: Vec<_> = self.accounts.keys().copied().collect();
        for (stack, node) in leases {
            if !self.w.lease_of(stack, node).closed {
                self.try_call(STRANGER, expire_call(stack, node));
            }
        }
    }

    /// Theorem 9: nobody can keep a stack from ending in time.
    pub(super) fn check_in_time(&self) {
        let now = atoma_types::TimestampMs(self.w.now);
        for &stack in &self.stacks {
            let held = self.w.stack(stack);
            let end = held.expires_at_ms.0.max(self.ending);
            let late = self.w.now > end + SIX_DAYS + SLACK;
            assert!(!late || held.is_over(now), "free exits: {held:?}");
            if held.is_over(now) {
                assert_eq!(
                    held.escrow,
                    MicroUsdc::ZERO,
                    "whole: all escrow has returned"
                );
            }
        }
    }

    /// Theorem 2: whoever followed the protocol was paid for all that it served, but for a remainder below the smallest ticket.
    fn check_honest_were_paid(&self) {
        for (&(stack, node), account) in &self.accounts {
            let player = self.players.iter().find(|p| p.node == node).unwrap();
            if !player.honest {
                continue;
            }
            let lease = self.w.lease_of(stack, node);
            let unpaid = lease.value(lease.paid_units, atoma_types::ComputeUnits(account.served));
            let terms = &self.w.stack(stack).terms;
            assert!(
                unpaid.unwrap() < terms.smallest_ticket(),
                "bounded harm: {} served, {lease:?}",
                account.served
            );
        }
    }

    /// With nobody's help, all that was anyone's is out.
    fn everyone_leaves(&mut self) {
        let nodes: Vec<(NodeId, u8)> = self.all_nodes();
        for task in self.tasks.clone() {
            for &(node, party) in &nodes {
                self.try_call(party, unsubscribe_call(task, node));
            }
            self.try_call(STRANGER, collect_call(task));
        }
        self.w.now += 60 * DAY;
        for &(node, party) in &nodes {
            self.try_call(STRANGER, forfeit_call(node));
            self.try_call(party, unbond_call(node));
        }
        self.w.now += 60 * DAY;
        for &(node, party) in &nodes {
            self.try_call(party, leave_call(node));
            self.try_call(party, withdraw_node_call(node, party));
            let node = self.w.node(node);
            assert_eq!(node.status, NodeStatus::Left);
            assert_eq!((node.earnings, node.at_stake), Default::default());
        }
        for stack in self.stacks.clone() {
            let owner = self.w.stack(stack).owner;
            let owner = self.w.party(owner);
            self.try_call(owner, withdraw_stack_call(stack, owner));
        }
        for task in self.tasks.clone() {
            self.try_call(ADMIN, deprecate_call(task));
        }
        self.w.now += limits::POOL_REST_MS + 1;
        for task in self.tasks.clone() {
            self.try_call(STRANGER, collect_call(task));
        }
        let common = u128::from(self.w.db().communal_treasury.0);
        assert_eq!(invariants::held(&self.w.state), common);
    }

    fn all_nodes(&self) -> Vec<(NodeId, u8)> {
        let nodes = self.w.state.iter().filter_map(|(object, _)| match object {
            Object::Node(node) => Some((node.id, node.owner)),
            _ => None,
        });
        nodes
            .map(|(node, owner)| (node, self.w.party(owner)))
            .collect()
    }
}
