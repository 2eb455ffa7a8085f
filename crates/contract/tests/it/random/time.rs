//! Waiting, parameters that change, and how everyone leaves in the end.

use super::*;

impl Play {
    pub(super) fn wait(&mut self, step: &Step) {
        let epoch = self.world.db().params.epoch_ms;
        let begun = self.world.now % epoch;
        self.world.now += match step.picks[0] % 16 {
            0..4 => 1,
            4..8 => 1_000,
            8..10 => HOUR / 2,
            10..12 => HOUR,
            12 => DAY,
            13 => 9 * DAY,
            // the beginning of the next epoch, and the middle of one
            14 => epoch - begun,
            _ => (epoch / 2).saturating_sub(begun),
        };
    }

    /// Waits, if asked to, for the next epoch (half 0), or for the second half of this one.
    pub(super) fn wait_for_half(&mut self, asked: bool, half: u64) {
        let epoch = self.world.db().params.epoch_ms;
        if asked {
            let begun = self.world.now % epoch;
            self.world.now += match half {
                0 => epoch - begun,
                _ => (epoch / 2 + 1).saturating_sub(begun),
            };
        }
    }

    pub(super) fn set_param(&mut self, step: &Step) {
        let value = u64::from(step.picks[1]);
        let (name, value) = match step.picks[0] % 21 {
            0 => ("protocol_fee_permille", value % 201),
            1 => ("sampling_surcharge_permille", value % 501),
            2 => ("settle_grace_ms", value * 200),
            3 => ("dispute_window_ms", value * 200),
            4 => ("max_lifetime_ms", DAY + value * 10_000),
            5 => ("min_lifetime_ms", value),
            6 => ("reputation_gain", value % 50),
            7 => ("reputation_loss", value % 200),
            8 => ("epoch_ms", HOUR + value * 1_000),
            9 => ("treasury_payout_permille", value % 1_001),
            10 => ("unbonding_ms", value * 10_000),
            11 => ("collateral_cap", value),
            12 => ("min_collateral", value % 3_000),
            13 => ("dispute_bond", value),
            14 => ("answer_window_ms", 1_000 + value * 100),
            15 => ("silence_slash_permille", value % 1_001),
            16 => ("fraud_slash_permille", value % 1_001),
            17 => ("slash_owner_permille", value % 501),
            18 => ("jail_ms", value * 100),
            19 => ("walrus_epoch", value % 6),
            _ => ("paused", u64::from(value.is_multiple_of(4))),
        };
        let sender = if step.picks[5].is_multiple_of(10) {
            STRANGER
        } else {
            ADMIN
        };
        let call = self.world.set_param_call(name, value);
        self.run(sender, call);
    }

    /// Time passes, and everyone leaves by calls that anyone or they alone can make.
    pub(super) fn everyone_leaves(&mut self) {
        self.world.set_param("paused", 1);
        self.world.now += 400 * DAY;
        for (stack, user) in self.stacks.clone() {
            let held = self.world.stack(stack).clone();
            for lease in &held.leases {
                let changes = match &lease.state {
                    LeaseState::Open => {
                        let call = self.world.expire_call(stack, lease.node);
                        self.world.ok(STRANGER, call)
                    }
                    LeaseState::Settling(ticket) => {
                        if let Some(dispute) = ticket.disputes.first() {
                            // nobody answered: one resolution ends all of them
                            let call = self.world.resolve_call(stack, lease.node, dispute.seq);
                            let changes = self.world.ok(STRANGER, call);
                            self.books.enter(&self.world, &changes);
                            continue;
                        }
                        let call = self.world.claim_call(stack, lease.node);
                        self.world.ok(STRANGER, call)
                    }
                    LeaseState::Closed { .. } => continue,
                };
                self.books.enter(&self.world, &changes);
            }
            if !self.world.stack(stack).closed {
                let changes = self.world.ok(STRANGER, close_call(stack));
                assert_eq!(
                    paid_to(&changes, user),
                    changes.payouts.iter().map(|p| p.amount.0).sum::<u64>()
                );
                self.books.enter(&self.world, &changes);
            }
            let left = self.world.stack(stack);
            assert!(left.closed && left.escrow == MicroUsdc::ZERO);
        }
        // the longest jail
        self.world.now += 366 * DAY;
        for (node, operator) in self.nodes.clone() {
            for task in self.tasks.clone() {
                if self.world.task(task).subscription(node).is_some() {
                    self.world.ok(operator, unsubscribe_call(task, node));
                }
            }
            match self.world.node(node).status {
                NodeStatus::Active | NodeStatus::Jailed { .. } => {
                    self.world.ok(operator, unbond_call(node));
                }
                NodeStatus::Unbonding { .. } | NodeStatus::Left => {}
            }
        }
        self.world.now += 90 * DAY;
        for (node, operator) in self.nodes.clone() {
            if self.world.node(node).status != NodeStatus::Left {
                self.world.ok(operator, withdraw_call(node));
            }
        }
        for task in self.tasks.clone() {
            if self.world.task(task).fees > MicroUsdc::ZERO {
                self.world.ok(STRANGER, collect_call(task));
            }
        }
        let rest = u128::from(self.world.db().communal_treasury.0);
        assert_eq!(atoma_contract::invariants::held(&self.world.state), rest);
    }
}
