//! What somebody in a play does: buys, serves, settles, demands, changes what is theirs. Most of it is refused
//! now and then.

use super::play::{OWNERS, Play};
use crate::world::*;
use atoma_types::{
    ComputeUnits, NodeId, Price, StackId,
    chain::{NodeStatus, calls},
    hash::Hash32,
};

impl Play {
    pub(super) fn buy(&mut self) {
        let mut owner = self.one(&OWNERS).unwrap();
        let forwards = self.chance(20);
        if forwards {
            owner = self.one(&self.players.clone()).unwrap().operator;
        }
        let task = self.one(&self.tasks.clone()).unwrap();
        let units = self
            .one(&[1, 40_000, 200_000, USDC, 2 * USDC, 3 * USDC, 20 * USDC])
            .unwrap();
        let price = self
            .one(&[300_001, PRICE, 3_333_333, 5_000_003, 5_000_003, 5_000_003])
            .unwrap();
        let nodes = self.one(&[0, 0, 0, 1, 3]).unwrap();
        let mut call = self.w.acquire_call(task, units, price, nodes);
        call.lifetime_ms.0 = self.one(&[HOUR, DAY, 5 * DAY, 5 * DAY, 20 * DAY]).unwrap();
        if self.try_call(owner, call) && forwards {
            self.seen.forwarders += 1;
        }
    }

    pub(super) fn take_lease(&mut self) {
        let now = self.w.now;
        let live = |stack: &StackId| self.w.stack(*stack).expires_at_ms.0 > now;
        let mut stacks = self.stacks.clone();
        stacks.retain(live);
        let Some(stack) = self.one(&stacks) else {
            return;
        };
        let player = self.one(&self.players.clone()).unwrap();
        let held = self.w.stack(stack);
        let had = held.lease(player.node).map_or(0, |lease| lease.units.0);
        let left = held.ungranted.0;
        let units = had + 1 + self.below(left);
        let mut grant = self.w.grant_of(stack, player.node, units);
        if self.chance(10) {
            grant.max_price = Price(grant.max_price.0 / 2);
        }
        if self.chance(5) {
            grant.nonce ^= 1;
        }
        let call = self.w.lease_call_of(&grant, USER);
        self.try_call(player.operator, call);
    }

    pub(super) fn serve_something(&mut self) {
        let open: Vec<_> = self.accounts.keys().copied().collect();
        let Some((stack, node)) = self.one(&open) else {
            return;
        };
        let (lease, now) = (self.w.lease_of(stack, node).clone(), self.w.now);
        let room = lease
            .units
            .0
            .saturating_sub(self.accounts[&(stack, node)].running.sum);
        if lease.closed || room == 0 || now >= self.w.stack(stack).expires_at_ms.0 {
            return;
        }
        let player = *self.players.iter().find(|p| p.node == node).unwrap();
        if player.back > now {
            return;
        }
        let part = self.one(&[1, 4, 4, 4]).unwrap();
        let units = 1 + self.below(room.div_ceil(part));
        let (improper, wrong) = if player.honest {
            (false, false)
        } else {
            (self.chance(15), self.chance(25))
        };
        self.serve((stack, node), units, (improper, wrong));
    }

    /// Serves so many units, by a record that backs none of them or whose answer is wrong.
    pub(super) fn serve(
        &mut self,
        key: (StackId, NodeId),
        units: u64,
        (improper, wrong): (bool, bool),
    ) {
        let kind = self.below(4);
        let account = self.accounts.get_mut(&key).unwrap();
        account
            .running
            .serve_with(&self.w, units, |header, receipt| {
                if improper {
                    match kind {
                        0 => receipt.usage.output -= 1,
                        1 => receipt.engine.model = Hash32([1; 32]),
                        2 => receipt.request_hash = Hash32([2; 32]),
                        _ => header.max_units = ComputeUnits(units - 1),
                    }
                }
            });
        let seq = account.running.seq;
        account.served += units;
        if improper {
            account.improper.insert(seq);
        }
        if wrong {
            account.wrong.insert(seq);
        }
    }

    /// Settles what an account has.
    pub(super) fn settle(&mut self, key: (StackId, NodeId), operator: u8) -> bool {
        let account = &self.accounts[&key];
        if account.running.records.is_empty() {
            return false;
        }
        let chain = account.running.clone();
        if !self.try_call(operator, chain.settle_call()) {
            return false;
        }
        let account = self.accounts.get_mut(&key).unwrap();
        account.running.paid();
        account.settled.insert(chain.seq, chain);
        true
    }

    pub(super) fn settle_hostile(&mut self) {
        let hostile: Vec<_> = self.accounts.keys().copied().collect();
        let Some(key) = self.one(&hostile) else {
            return;
        };
        let player = *self.players.iter().find(|p| p.node == key.1).unwrap();
        if !player.honest {
            self.settle(key, player.operator);
        }
    }

    pub(super) fn demand(&mut self) {
        let Some((stack, node, to_seq)) = self.open_ticket() else {
            return;
        };
        let account = &self.accounts[&(stack, node)];
        let chain = account.settled[&to_seq].clone();
        let bad = account
            .improper
            .iter()
            .copied()
            .find(|seq| chain.begin_of(*seq).is_some());
        let (begin, end) = (chain.begin(), chain.sum);
        let mut unit = begin + self.below(end - begin);
        if let (Some(bad), true) = (bad, self.chance(40)) {
            unit = chain.begin_of(bad).unwrap();
        }
        let owner = self.w.stack(stack).owner;
        let owner = self.w.party(owner);
        let call = self.w.demand_call(stack, node, unit);
        if self.try_call(owner, call) {
            let account = self.accounts.get_mut(&(stack, node)).unwrap();
            account.demanded.insert(unit);
        }
    }

    pub(super) fn challenge(&mut self) {
        let Some((stack, node, to_seq)) = self.open_ticket() else {
            return;
        };
        if self.w.stack(stack).terms.sampling.is_none() {
            return;
        }
        let chain = self.accounts[&(stack, node)].settled[&to_seq].clone();
        let unit = chain.begin() + self.below(chain.sum - chain.begin());
        let owner = self.w.stack(stack).owner;
        let owner = self.w.party(owner);
        let call = self.w.challenge_call(stack, node, unit);
        self.try_call(owner, call);
    }

    pub(super) fn change_a_stack(&mut self) {
        let Some(stack) = self.one(&self.stacks.clone()) else {
            return;
        };
        let owner = self.w.stack(stack).owner;
        let owner = self.w.party(owner);
        match self.below(7) {
            0 => {
                let units = 1 + self.below(2 * USDC);
                let call = self.w.top_up_call(stack, units);
                self.try_call(owner, call);
            }
            1 => {
                let call = calls::Extend {
                    db: atoma_types::chain::LOCALNET_DB.into(),
                    stack: stack.into(),
                    by_ms: atoma_types::DurationMs(DAY),
                    clock: atoma_types::chain::Clock,
                };
                self.try_call(owner, call);
            }
            2 => {
                self.try_call(owner, revoke_call(stack));
            }
            3 => {
                self.try_call(owner, begin_close_call(stack));
            }
            4 => {
                self.try_call(owner, withdraw_stack_call(stack, owner));
            }
            _ => {
                let player = self.one(&self.players.clone()).unwrap();
                let lease = self.w.stack(stack).lease(player.node).cloned();
                let Some(lease) = lease.filter(|lease| !lease.closed) else {
                    return;
                };
                // who is honest keeps what it served
                let served = self.accounts[&(stack, player.node)].running.sum;
                let least = if player.honest { served } else { 0 };
                let units = least + self.below(lease.units.0.saturating_sub(least) + 1);
                let call = release_call(stack, player.node, units);
                self.try_call(player.operator, call);
            }
        }
    }

    pub(super) fn change_a_node(&mut self) {
        let player = self.one(&self.players.clone()).unwrap();
        let (node, operator) = (player.node, player.operator);
        match self.below(11) {
            8..=10 => self.change_key(node, operator),
            0 => {
                self.try_call(operator, withdraw_node_call(node, operator));
            }
            1 => {
                self.try_call(operator, collateral_call(node, 50 * USDC));
            }
            2 => {
                self.try_call(STRANGER, forfeit_call(node));
            }
            3 => {
                let pending = self.w.node(node).pending.fines.0;
                let amount = 1 + self.below(pending);
                let call = self.w.pardon_call(node, amount);
                self.try_call(ADMIN, call);
            }
            4 => {
                self.try_call(STRANGER, report_call(node));
            }
            5 => {
                self.try_call(STRANGER, pay_call(node));
            }
            6 if !player.honest => {
                for task in self.tasks.clone() {
                    self.try_call(operator, unsubscribe_call(task, node));
                }
                self.try_call(operator, unbond_call(node));
            }
            _ => {
                if matches!(self.w.node(node).status, NodeStatus::Unbonding { .. }) {
                    self.try_call(operator, leave_call(node));
                }
                let (name, value) = self
                    .one(&[
                        ("fine_multiple", 11),
                        ("fine_multiple", 10),
                        ("fine_multiple", 30),
                        ("protocol_fee_permille", 200),
                        ("demand_fee", 0),
                        ("due", 50_000),
                        ("due", 25_000),
                    ])
                    .unwrap();
                let call = self.w.set_param_call(name, value);
                self.try_call(ADMIN, call);
            }
        }
        if let Some(task) = self.one(&self.tasks.clone()) {
            self.try_call(STRANGER, collect_call(task));
            self.try_call(STRANGER, sync_call(task, node));
        }
    }
}
