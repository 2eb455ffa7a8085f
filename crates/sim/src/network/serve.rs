//! Nodes take leases and serve.

use super::{Network, Record, Service, conduct::Serving, events::Event};
use crate::{
    dice::Purpose,
    model::{HOUR, Micro, NodeIx, StackIx, cost},
};

/// Of a thousand stacks that a node that bluffs leases it serves so many.
const SERVED_BY_BLUFF: u64 = 750;

impl Network<'_> {
    /// Asks a node; false if the user must go elsewhere.
    pub(super) fn ask(&mut self, stack: StackIx, node: NodeIx, units: u64) -> bool {
        let missing = self
            .service(stack, node)
            .map_or(0, |service| service.missing);
        if self.back_at(node, self.now).is_some() || missing > self.plan.market.window_requests {
            return false;
        }
        let serving = self.parties[node].serving;
        let charged = if serving == Serving::Over {
            units + units * self.plan.market.tolerance_permille / 1_000
        } else {
            units
        };
        if !self.grant(stack, node, charged) {
            return false;
        }
        self.answer_request(stack, node, (units, charged))
    }

    /// Has the lease raised by a step, if it lacks the units.
    pub(super) fn grant(&mut self, stack: StackIx, node: NodeIx, needed: u64) -> bool {
        let used = self.service(stack, node).map_or(0, |service| service.used);
        let held = &self.ledger.stacks[stack];
        let lease = held.lease(node);
        let (leased, closed) = lease.map_or((0, false), |lease| (lease.units, lease.closed));
        if closed {
            return false;
        }
        if used + needed <= leased {
            return true;
        }
        let most = leased + held.ungranted;
        if used + needed > most {
            return false;
        }
        let step = self.deals[stack].units / self.plan.market.steps;
        let least = self.plan.market.grant_least;
        let done = [step.max(least), least].into_iter().any(|more| {
            let units = (used + needed.max(more)).min(most);
            self.ledger.lease(self.now, stack, node, units).is_ok()
        });
        if done {
            self.pays_gas(node);
            self.serving(stack, node).last = self.now;
            self.queue.push(
                self.now + self.plan.market.idle_hours * HOUR,
                Event::Idle(stack, node),
            );
        }
        done
    }

    fn serving(&mut self, stack: StackIx, node: NodeIx) -> &mut Service {
        let now = self.now;
        let services = &mut self.deals[stack].services;
        let place = services.iter().position(|service| service.node == node);
        let place = place.unwrap_or_else(|| {
            services.push(Service {
                node,
                used: 0,
                records: Vec::new(),
                last: now,
                settling: false,
                tickets: 0,
                missing: 0,
            });
            services.len() - 1
        });
        &mut services[place]
    }

    fn answer_request(
        &mut self,
        stack: StackIx,
        node: NodeIx,
        (units, charged): (u64, u64),
    ) -> bool {
        let market = &self.plan.market;
        let price = self.ledger.stacks[stack].max_price;
        let value = cost(units, price);
        let large = units >= self.sizes().1 << 4;
        let whim = (self.deals[stack].number, self.parties[node].wallet);
        let (honest, cheap) = (
            value * market.compute_permille / 1_000,
            value * (market.compute_permille - market.saving_permille) / 1_000,
        );
        let worth = value * market.worth_permille / 1_000;
        let (work, worth, wrong) = match self.parties[node].serving {
            Serving::Honest => (honest, worth, false),
            Serving::Cheap | Serving::Silent => (cheap, 0, true),
            Serving::Large if large => (cheap, 0, true),
            Serving::Large => (honest, worth, false),
            Serving::Over => (honest, worth, true),
            Serving::Nothing => (0, 0, true),
            Serving::ThreeQuarters if !self.dice.chance(Purpose::Whim, whim, SERVED_BY_BLUFF) => {
                return false;
            }
            Serving::ThreeQuarters => (honest, worth, false),
        };
        let missing = self.parties[node].serving == Serving::Nothing;
        self.spend(stack, node, work, worth);
        self.record(stack, node, charged, wrong);
        self.serving(stack, node).missing += u64::from(missing);
        true
    }

    /// What a node spent on an answer, and what it was worth to who asked.
    pub(super) fn spend(&mut self, stack: StackIx, node: NodeIx, work: Micro, worth: Micro) {
        let (server, user) = (self.parties[node].side, self.deals[stack].side);
        self.group(server).serving.work += work;
        self.group(user).using.worth += worth;
    }

    /// Writes a record, and sees to it that it is settled.
    pub(super) fn record(&mut self, stack: StackIx, node: NodeIx, units: u64, wrong: bool) {
        let now = self.now;
        if wrong {
            self.parties[node].first_wrong.get_or_insert(now);
        }
        let service = self.serving(stack, node);
        service.used += units;
        service.last = now;
        let end = service.used;
        service.records.push(Record { end, wrong });
        if !service.settling {
            service.settling = true;
            let later = now + self.plan.market.settle_hours * HOUR;
            let at = later.min(self.ledger.stacks[stack].expires);
            self.queue.push(at, Event::Settle(stack, node));
        }
    }

    /// A stack has expired: what no node has is the owner's again.
    pub(super) fn ended(&mut self, stack: StackIx) {
        let owner = self.ledger.stacks[stack].owner;
        let _nothing_left = self.ledger.revoke(self.now, stack, owner);
    }

    /// Gives back what isn't needed, of a lease that nobody used for hours.
    pub(super) fn idle(&mut self, stack: StackIx, node: NodeIx) {
        let Some(service) = self.service(stack, node) else {
            return;
        };
        let (last, used) = (service.last, service.used);
        let due = last + self.plan.market.idle_hours * HOUR;
        let lease = self.ledger.stacks[stack].lease(node);
        let open = lease.is_some_and(|lease| !lease.closed && lease.units > used);
        if !open {
            return;
        }
        if self.now < due {
            self.queue.push(due, Event::Idle(stack, node));
        } else if self.ledger.release(self.now, stack, node, used).is_ok() {
            self.pays_gas(node);
        }
    }

    /// Whether the record of a unit is wrong, and its place, from 1.
    pub(super) fn record_of(&mut self, stack: StackIx, node: NodeIx, unit: u64) -> (Record, u64) {
        let nothing = Record {
            end: unit + 1,
            wrong: false,
        };
        let Some(service) = self.service(stack, node) else {
            return (nothing, 1);
        };
        let place = service.records.partition_point(|record| record.end <= unit);
        let record = service.records.get(place).copied().unwrap_or(nothing);
        (record, record.end)
    }
}
