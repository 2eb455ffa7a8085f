//! Users buy, ask, and go elsewhere.

use super::{
    Deal, Network, Side,
    conduct::{self, Using},
    events::Event,
    setup::{PRICE, TESTERS_PRICE, WASHES},
};
use crate::{
    dice::Purpose,
    model::{DAY, HOUR, Micro, NodeIx, Purchase, StackIx, TaskIx, cost},
    strategy::Strategy,
};

/// Nodes that a client has drawn, to have one at once.
const DRAWN: usize = 3;
/// What a user waits for after a stack's expiry, days: for interest.
const WAITING_DAYS: u64 = 3;
/// What a node sells to itself in a day, of its collateral: what gives the most of reputation that a day gives.
const WASHED_PERMILLE: u64 = 55;

impl Network<'_> {
    /// A customer comes.
    pub(super) fn purchase(&mut self, number: u64) {
        let plan = self.plan;
        let chosen = plan.coalition == Strategy::GriefingUser
            && (number + 1) * plan.share_permille / 1_000 > number * plan.share_permille / 1_000;
        let (side, using) = if chosen {
            (Side::Coalition, conduct::using(plan))
        } else {
            (Side::Others, Using::Honest)
        };
        let requests = plan.market.requests_per_stack;
        let classes = self.classes(number, requests);
        let base = self.sizes().1;
        let units = classes.iter().map(|&class| base << class).sum();
        let task = self.dice.below(Purpose::Arrival, (number, 1), plan.tasks());
        let mut deal = self.deal(number, side, using, (requests, units));
        deal.classes = classes;
        if let Some(stack) = self.buy(deal, task as TaskIx, PRICE, DRAWN) {
            self.queue.push(self.now, Event::Request(stack));
        } else {
            self.seen.requests += requests;
            self.seen.unserved += requests;
        }
    }

    /// A tester buys from one of its own nodes that isn't in jail, as much as a customer would.
    pub(super) fn test(&mut self, number: u64) {
        let task = self
            .dice
            .below(Purpose::Arrival, (number, 1), self.plan.tasks()) as TaskIx;
        let free = self.testers[task]
            .iter()
            .copied()
            .find(|&node| self.ledger.nodes[node].active(self.now));
        let Some(node) = free else { return };
        // one ticket's worth
        let units = self.plan.market.settle_least.max(self.smallest());
        let deal = self.deal(number, Side::Testers, Using::Testing, (1, units));
        let _sold = self.buy_from(deal, task, node, TESTERS_PRICE);
    }

    /// A node buys from itself, for a day.
    pub(super) fn wash(&mut self, node: NodeIx) {
        let collateral = self.parties[node].collateral;
        let units = (collateral * WASHED_PERMILLE / 1_000).max(self.smallest());
        let number = WASHES + self.deals.len() as u64;
        let deal = self.deal(number, Side::Coalition, Using::Washing, (1, units));
        let task = self.parties[node].task;
        let _sold = self.buy_from(deal, task, node, PRICE);
        if self.now + DAY < self.last_arrival() {
            self.queue.push(self.now + DAY, Event::Wash(node));
        }
    }

    fn smallest(&self) -> Micro {
        let examined = self.plan.market.examined != 0;
        self.plan.rules.smallest_ticket(examined) + 1
    }

    pub(super) fn deal(
        &self,
        number: u64,
        side: Side,
        using: Using,
        (requests, units): (u64, u64),
    ) -> Deal {
        Deal {
            number,
            side,
            using,
            place: 0,
            asked: 0,
            requests,
            classes: Vec::new(),
            begin: self.now,
            lifetime: self.plan.market.lifetime_hours * HOUR,
            units,
            services: Vec::new(),
        }
    }

    /// A stack all of which one node serves at once, and settles; `None` if it can't be had.
    pub(super) fn buy_from(
        &mut self,
        deal: Deal,
        task: TaskIx,
        node: NodeIx,
        price: u64,
    ) -> Option<StackIx> {
        let (units, using) = (deal.units, deal.using);
        let stack = self.buy(deal, task, price, 0)?;
        self.ledger.lease(self.now, stack, node, units).ok()?;
        self.pays_gas(node);
        let number = self.deals[stack].number;
        let base = self.sizes().1;
        let mut left = units;
        // records as those of customers, so that nobody can tell a test by them
        for class in self.classes(number, units / base + 1) {
            let size = (base << class).min(left);
            if size > 0 {
                self.record(stack, node, size, using == Using::Testing);
            }
            left -= size;
        }
        self.queue.push(self.now, Event::Settle(stack, node));
        Some(stack)
    }

    fn buy(&mut self, deal: Deal, task: TaskIx, price: u64, draw: usize) -> Option<StackIx> {
        let buy = Purchase {
            owner: (1 << 31) | self.deals.len() as u32,
            task,
            units: deal.units,
            max_price: price,
            draw,
            lifetime: deal.lifetime,
        };
        let seed = self.dice.beacon(Purpose::Candidates, deal.number, 0);
        let stack = self.ledger.acquire(self.now, buy, &seed).ok()?;
        let (gas, interest) = (self.plan.market.gas, self.plan.market.interest_permille);
        let escrow = cost(deal.units, price);
        let days = deal.lifetime / DAY + WAITING_DAYS;
        let account = &mut self.group(deal.side).using;
        account.paid_in += escrow;
        // it is bought, and what is left is withdrawn
        account.gas += 2 * gas;
        account.interest += escrow * interest * days / 365 / 1_000;
        self.seen.stacks += 1;
        let end = self.now + deal.lifetime;
        self.deals.push(deal);
        self.queue.push(end, Event::Ended(stack));
        Some(stack)
    }

    /// How large requests are: half of them the least, one in thirty-two the most.
    fn classes(&self, number: u64, requests: u64) -> Vec<u8> {
        let most = self.sizes().0;
        let mut bytes = self.dice.bytes(Purpose::Request, number, requests as usize);
        for byte in &mut bytes {
            *byte = byte.leading_zeros().min(most) as u8;
        }
        bytes
    }

    /// The classes of sizes, and the least.
    pub(super) fn sizes(&self) -> (u32, u64) {
        // 1/2 * 1 + 1/4 * 2 + … + 1/32 * 16 + 1/32 * 32 = 7/2
        (5, (self.plan.market.request * 2 / 7).max(1))
    }

    /// A user asks; what one node doesn't answer the next may.
    pub(super) fn request(&mut self, stack: StackIx) {
        let deal = &self.deals[stack];
        let class = deal.classes.get(deal.asked as usize).copied().unwrap_or(0);
        let candidates = self.ledger.stacks[stack].candidates.len();
        self.seen.requests += 1;
        let units = self.sizes().1 << class;
        let mut served = false;
        while !served && self.deals[stack].place < candidates {
            let place = self.deals[stack].place;
            let node = self.ledger.stacks[stack].candidates[place];
            served = self.ask(stack, node, units);
            if !served {
                self.deals[stack].place += 1;
            }
        }
        self.seen.unserved += u64::from(!served);
        let deal = &mut self.deals[stack];
        deal.asked += 1;
        if deal.place >= candidates {
            // from the first again next time: who was away may be back
            deal.place = 0;
        }
        if deal.asked < deal.requests {
            let at = deal.begin + deal.lifetime * deal.asked / deal.requests;
            self.queue.push(at, Event::Request(stack));
        }
    }

    /// One who wants no service buys as a customer does, leases from those of the drawn that are rivals, and asks for
    /// nothing.
    pub(super) fn squat(&mut self, number: u64) {
        let plan = self.plan;
        let units = plan.market.requests_per_stack * plan.market.request;
        let task = self.dice.below(Purpose::Arrival, (number, 1), plan.tasks());
        let deal = self.deal(number, Side::Coalition, Using::Squatting, (0, units));
        let Some(stack) = self.buy(deal, task as TaskIx, PRICE, DRAWN) else {
            return;
        };
        let candidates = self.ledger.stacks[stack].candidates.clone();
        for node in candidates {
            if self.parties[node].side == Side::Others {
                self.grant(stack, node, 1);
            }
        }
    }
}
