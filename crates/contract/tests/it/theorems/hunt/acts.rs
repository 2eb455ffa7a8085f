//! What hunters do beside what everybody does in a play.

use super::super::play::{OWNERS, Play};
use crate::world::*;
use atoma_contract::Object;
use atoma_types::{
    TimestampMs,
    chain::{Exam, NodeStatus, Stack},
};

impl Play {
    /// Waits until a deadline is in its last millisecond, or just over: any that is still to come.
    pub(super) fn wait_for_a_deadline(&mut self) {
        let now = self.w.now;
        let mut moments = vec![(now / DAY + 1) * DAY, (now / DAY) * DAY + DAY / 2];
        for (object, _) in self.w.state.iter() {
            match object {
                Object::Stack(stack) => moments.extend(moments_of(stack)),
                Object::Node(node) => {
                    moments.extend([node.pending.until_ms.0, node.matures_at_ms.0]);
                    match node.status {
                        NodeStatus::Jailed { until_ms } | NodeStatus::Unbonding { until_ms } => {
                            moments.push(until_ms.0);
                        }
                        NodeStatus::Active | NodeStatus::Left => {}
                    }
                }
                _ => {}
            }
        }
        moments.retain(|&moment| moment > now);
        let over = self.below(2);
        if let Some(moment) = self.one(&moments) {
            self.wait(moment + over - now);
        }
    }

    /// Pays a ticket, if it may be.
    pub(super) fn claim_something(&mut self) {
        if let Some((stack, node, _)) = self.open_ticket() {
            let call = self.w.claim_call(stack, node);
            self.try_call(STRANGER, call);
        }
    }

    /// A record that backs nothing is asked for.
    pub(super) fn demand_what_is_not_there(&mut self) {
        for (stack, node, to_seq) in self.open_tickets() {
            let account = &self.accounts[&(stack, node)];
            let chain = &account.settled[&to_seq];
            let units = account
                .improper
                .iter()
                .filter_map(|seq| chain.begin_of(*seq));
            let units: Vec<_> = units.collect();
            let Some(unit) = self.one(&units) else {
                continue;
            };
            let owner = self.w.party(self.w.stack(stack).owner);
            let call = self.w.demand_call(stack, node, unit);
            if self.try_call(owner, call) {
                let account = self.accounts.get_mut(&(stack, node)).unwrap();
                account.demanded.insert(unit);
            }
        }
    }

    /// A node that isn't honest serves by a record that backs nothing.
    pub(super) fn serve_badly(&mut self) {
        let hostile = |node| self.players.iter().any(|p| p.node == node && !p.honest);
        let keys = self.accounts.keys().filter(|(_, node)| hostile(*node));
        let keys: Vec<_> = keys.copied().collect();
        let Some((stack, node)) = self.one(&keys) else {
            return;
        };
        let lease = self.w.lease_of(stack, node);
        let sum = self.accounts[&(stack, node)].running.sum;
        let room = lease.units.0.saturating_sub(sum);
        let open = !lease.closed && self.w.now < self.w.stack(stack).expires_at_ms.0;
        if room > 0 && open {
            let units = 1 + self.below(room);
            self.serve((stack, node), units, (true, false));
        }
    }

    /// A few hours pass.
    pub(super) fn some_hours(&mut self) {
        let hours = self.one(&[1, 6, 12, 25]).unwrap();
        self.wait(hours * HOUR);
    }

    /// All that nodes that aren't honest owe is done, or nothing of it.
    pub(super) fn be_dutiful(&mut self) {
        for _ in 0..3 {
            self.hostile_duties();
        }
    }

    /// A node that isn't honest goes on towards leaving.
    pub(super) fn leave_somehow(&mut self) {
        let hostile: Vec<_> = self.players.iter().filter(|p| !p.honest).copied().collect();
        let Some(player) = self.one(&hostile) else {
            return;
        };
        let (node, operator) = (player.node, player.operator);
        match self.w.node(node).status {
            NodeStatus::Active | NodeStatus::Jailed { .. } => {
                for task in self.tasks.clone() {
                    self.try_call(operator, unsubscribe_call(task, node));
                }
                self.try_call(operator, unbond_call(node));
            }
            NodeStatus::Unbonding { until_ms } => {
                if self.chance(50) && until_ms.0 > self.w.now {
                    let rest = until_ms.0 - self.w.now;
                    self.wait(rest);
                }
                self.try_call(operator, leave_call(node));
            }
            NodeStatus::Left => {
                self.try_call(operator, withdraw_node_call(node, operator));
            }
        }
    }

    /// The owner of a stack buys more units for it.
    pub(super) fn top_up_something(&mut self) {
        let Some(stack) = self.one(&self.stacks.clone()) else {
            return;
        };
        let owner = self.w.party(self.w.stack(stack).owner);
        let units = 1 + self.below(2 * USDC);
        let call = self.w.top_up_call(stack, units);
        self.try_call(owner, call);
    }

    /// Somebody buys on a task that is sold as examined.
    pub(super) fn buy_examined(&mut self) {
        let examined: Vec<_> = self.tasks.iter().skip(1).copied().collect();
        let (Some(owner), Some(task)) = (self.one(&OWNERS), self.one(&examined)) else {
            return;
        };
        let call = self.w.acquire_call(task, 200_000, 5_000_003, 0);
        self.try_call(owner, call);
    }

    /// Nodes that aren't honest settle all that they have served.
    pub(super) fn settle_all(&mut self) {
        for key in self.accounts.keys().copied().collect::<Vec<_>>() {
            let player = self.players.iter().find(|p| p.node == key.1).copied();
            if let Some(player) = player.filter(|player| !player.honest) {
                self.settle(key, player.operator);
            }
        }
    }

    /// Somebody buys of a node that is theirs, and all is served and settled at once.
    pub(super) fn deal_with_oneself(&mut self) {
        let (player, owner) = (self.one(&self.players.clone()), self.one(&OWNERS));
        let (player, owner) = (player.unwrap(), owner.unwrap());
        let task = self.one(&self.tasks.clone()).unwrap();
        let units = self.one(&[1, 200_000, USDC, 10 * USDC]).unwrap();
        let call = self.w.acquire_call(task, units, 5_000_003, 0);
        if !self.try_call(owner, call) {
            return;
        }
        let key = (*self.stacks.last().unwrap(), player.node);
        let call = self.w.lease_call(key.0, key.1, units);
        if self.try_call(player.operator, call) {
            self.serve(key, units, (false, false));
            self.settle(key, player.operator);
        }
    }

    /// Who is out of standing is granted a unit that somebody buys for it.
    pub(super) fn lease_though_fallen(&mut self) {
        let now = TimestampMs(self.w.now);
        let takes = |play: &Self, node| play.w.node(node).status.takes_leases(now);
        let fallen = self.players.iter().filter(|p| !takes(self, p.node));
        let fallen: Vec<_> = fallen.copied().collect();
        let Some(player) = self.one(&fallen) else {
            return;
        };
        self.buy();
        if let Some(&stack) = self.stacks.last() {
            let call = self.w.lease_call(stack, player.node, 1);
            self.try_call(player.operator, call);
        }
    }

    /// The largest lease that there is to take, and one unit more.
    pub(super) fn take_all(&mut self) {
        let stacks = self.stacks.clone();
        let (Some(stack), Some(player)) = (self.one(&stacks), self.one(&self.players.clone()))
        else {
            return;
        };
        let had = self.w.stack(stack).lease(player.node);
        let had = had.map_or(0, |lease| lease.units.0);
        let over = self.below(2);
        let units = had + self.w.stack(stack).ungranted.0 + over;
        let call = self.w.lease_call(stack, player.node, units);
        self.try_call(player.operator, call);
    }

    /// Fees go into the treasury and out of it.
    pub(super) fn round_of_the_treasury(&mut self) {
        for task in self.tasks.clone() {
            self.try_call(STRANGER, collect_call(task));
        }
        for player in self.players.clone() {
            self.try_call(STRANGER, report_call(player.node));
            self.try_call(STRANGER, pay_call(player.node));
        }
    }

    /// Who is jailed offers itself, and its copies are brought up to date or left.
    pub(super) fn offer_again(&mut self) {
        let (task, player) = (
            self.one(&self.tasks.clone()),
            self.one(&self.players.clone()),
        );
        let (task, player) = (task.unwrap(), player.unwrap());
        match self.below(3) {
            0 => self.try_call(player.operator, subscribe_call(task, player.node, PRICE)),
            1 => self.try_call(player.operator, unsubscribe_call(task, player.node)),
            _ => self.try_call(STRANGER, sync_call(task, player.node)),
        };
    }
}

/// Deadlines of a stack, of its tickets, demands and juries.
fn moments_of(stack: &Stack) -> Vec<u64> {
    let mut moments = vec![stack.expires_at_ms.0, stack.settle_deadline().0];
    for ticket in stack.leases.iter().flat_map(|lease| &lease.tickets) {
        moments.push(ticket.deadline_ms.0);
        moments.extend(ticket.demands.iter().map(|demand| demand.deadline_ms.0));
        if let Exam::Hit(hit) = &ticket.exam {
            moments.push(hit.deadline_ms.0);
        }
        for (jury, _) in super::super::honest::juries(ticket) {
            moments.extend([jury.deadline_ms.0, jury.reveal_ms.0]);
        }
    }
    moments
}
