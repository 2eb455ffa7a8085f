//! Tasks, stacks and settlements, as they come.

use super::*;

impl Play {
    /// The first node like that, or else the given one.
    pub(super) fn first(
        &self,
        like: impl Fn(&Node) -> bool,
        node: NodeId,
        operator: u8,
    ) -> (NodeId, u8) {
        let mut nodes = self.nodes.iter();
        let found = nodes.find(|(id, _)| like(self.world.node(*id)));
        found.copied().unwrap_or((node, operator))
    }

    pub(super) fn create_task(&mut self, step: &Step) {
        let mut new = new_task();
        new.model = format!("model-{}", step.picks[0] % 2);
        new.security = [
            SecurityLevel::None,
            SecurityLevel::SamplingConsensus,
            SecurityLevel::None,
            SecurityLevel::ConfidentialCompute,
        ][usize::from(step.picks[1] % 4)];
        new.price_ceiling = Price(1 + u64::from(step.picks[2]) * 150);
        new.min_reputation = [0, 0, 400][usize::from(step.picks[3] % 3)];
        new.min_collateral = MicroUsdc([0, 0, 1_500][usize::from(step.picks[4] % 3)]);
        self.run(ADMIN, new.call(LOCALNET_DB));
    }

    pub(super) fn acquire(&mut self, task: TaskId, step: &Step) {
        let selection = match step.picks[1] % 4 {
            0 => Selection::Single,
            1 => Selection::Limited {
                nodes: 1 + (step.picks[2] % 3) as u8,
            },
            _ => Selection::Any,
        };
        let user = USER + step.picks[2] as u8 % 4;
        let units = 1 + u64::from(step.picks[3]) % 3_000;
        let price = 1 + u64::from(step.picks[4]) * 150;
        let price = price.min(self.world.task(task).price_ceiling.0);
        let mut call = self.world.acquire_call(task, units, price, selection);
        call.request_key = key(user).public_key();
        call.lifetime_ms = DurationMs(1_000 + u64::from(step.picks[0]) * 3_000);
        if step.picks[5].is_multiple_of(16) {
            call.payment.0.0 += 1;
        }
        self.run(user, call);
    }

    pub(super) fn on_stack(&mut self, what: What, stack: StackId, user: u8, step: &Step) {
        let number = |i: usize, n: u64| u64::from(step.picks[i]) % n;
        let by = |right: u8| {
            if step.picks[5].is_multiple_of(10) {
                STRANGER
            } else {
                right
            }
        };
        let held = self.world.stack(stack).clone();
        // the node of one of its leases, or any
        let leased = held.leases.len();
        let (node, operator) = match (what, leased) {
            (What::Settle | What::Claim | What::Expire, 1..) => {
                let node = held.leases[usize::from(step.picks[1]) % leased].node;
                *self.nodes.iter().find(|(id, _)| *id == node).unwrap()
            }
            _ => self.nodes[usize::from(step.picks[1]) % self.nodes.len()],
        };
        match what {
            What::Lease => {
                let now = held.lease(node).map_or(0, |lease| lease.units.0);
                let units = now + number(3, held.ungranted_units().0 + 3);
                let grant = self.world.grant_of(stack, node, units);
                let call = self.world.lease_call_of(stack, node, &grant, by(user));
                self.run(by(operator), call);
            }
            What::TopUp => {
                let mut call = self.world.top_up_call(stack, number(3, 2_000));
                call.payment.0.0 += u64::from(step.picks[4].is_multiple_of(16));
                self.run(by(user), call);
            }
            What::Extend => {
                let call = self.world.extend_call(stack, number(3, 2 * DAY));
                self.run(by(user), call);
            }
            What::Revoke => self.run(by(user), revoke_call(stack)),
            What::BeginClose => self.run(by(user), begin_close_call(stack)),
            What::Close => self.run(STRANGER, close_call(stack)),
            What::Settle => self.settle(stack, user, node, operator, step),
            What::Claim => {
                // often just when it can be paid
                if let Some(lease) = held.lease(node)
                    && let LeaseState::Settling(ticket) = &lease.state
                    && step.picks[3].is_multiple_of(2)
                {
                    self.world.now = self.world.now.max(ticket.deadline_ms.0);
                }
                let call = self.world.claim_call(stack, node);
                self.run(STRANGER, call);
            }
            What::Expire => {
                let call = self.world.expire_call(stack, node);
                self.run(STRANGER, call);
            }
            _ => {}
        }
    }

    /// An honest claim in one to three lanes, or one that is off by a little somewhere.
    pub(super) fn settle(
        &mut self,
        stack: StackId,
        user: u8,
        node: NodeId,
        operator: u8,
        step: &Step,
    ) {
        let units = self
            .world
            .stack(stack)
            .lease(node)
            .map_or(5, |lease| lease.units.0);
        let claimed = u64::from(step.picks[3]) % (units + 2);
        let mut call = nothing_call(stack, node);
        let mut settled = None;
        if claimed > 0 {
            let lanes = 1 + step.picks[4] % 3;
            let count = 1 + u64::from(step.picks[0]) % 4;
            let parts: Vec<_> = (0..count)
                .map(|i| claimed * (i + 1) / count - claimed * i / count)
                .collect();
            let mut records = self.world.records((user, operator), stack, node, &parts);
            call = settle_records(stack, node, &records);
            (call.headers, call.header_signatures) = (Vec::new(), Vec::new());
            if step.picks[5].is_multiple_of(12) {
                call.receipt_signature[0] ^= 1;
            }
            // one in four is not what it should be
            let place = usize::from(step.picks[2]) % records.len();
            if step.picks[2].is_multiple_of(4) {
                records[place].header_signature[0] ^= 1;
            }
            let records: Vec<_> = records.iter().map(EvidenceLeaf::to_bytes).collect();
            call.receipts_root = root_of(&records);
            settled = Some(records);
            for lane in 0..lanes {
                let short = u64::from(step.picks[5] % 12 == 1 && lane == 0);
                let part = claimed.div_ceil(u64::from(lanes)).saturating_sub(short);
                add_header(&mut call, self.world.header(stack, node, lane, part), user);
            }
        }
        self.run(operator, call);
        let lease = self.world.stack(stack).lease(node);
        if let (Some(records), Some(lease)) = (settled, lease)
            && matches!(lease.state, LeaseState::Settling(_))
        {
            self.records.entry((stack, node)).or_insert(records);
        }
    }
}
