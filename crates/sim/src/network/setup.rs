//! Who is there at first.

use super::{
    Network, Party, Side,
    conduct::{self, Judge, Serving},
    events::{Event, Queue},
};
use crate::{
    accounts::{Group, Seen},
    dice::{Dice, Purpose},
    model::{DAY, Ledger, Micro, Ms, NodeIx, TaskIx},
    plan::Plan,
    strategy::Strategy,
};
use std::cell::Cell;

pub(super) const USDC: Micro = 1_000_000;
/// The price of all nodes: a unit costs a micro-USDC.
pub(super) const PRICE: u64 = 1_000_000;
/// The price of testers' nodes, so that nobody else is sent to them.
pub(super) const TESTERS_PRICE: u64 = PRICE + 1;
/// Testers' nodes of a task, so that some are out of jail.
const TESTERS: usize = 6;
/// What a tester's node may lose in a run.
const TESTERS_COLLATERAL: Micro = 100_000 * USDC;
/// What a pool begins with.
const POOL: Micro = 10 * USDC;
/// Squatters beside a thousand customers.
const SQUATS_PERMILLE: u64 = 300;
/// What an owner buys with attesters of its own, beside a thousand customers.
const ORDERS_PERMILLE: u64 = 750;
/// Virtual time begins on this day.
const FIRST_DAY: u64 = 1_000;
/// One in so many attesters is a tester's.
const TESTING_ATTESTERS: u64 = 10;

impl<'a> Network<'a> {
    pub(super) fn new(plan: &'a Plan) -> Self {
        let mut network = Self {
            plan,
            dice: Dice::new(plan.seed),
            ledger: Ledger::new(plan.rules.clone()),
            now: FIRST_DAY * DAY,
            start: FIRST_DAY * DAY,
            end: 0,
            queue: Queue::default(),
            parties: Vec::new(),
            deals: Vec::new(),
            testers: Vec::new(),
            coalition: Group::default(),
            others: Group::default(),
            testing: Group::default(),
            moved: 0,
            seen: Seen::default(),
        };
        network.ledger.treasury = plan.market.treasury;
        for _ in 0..plan.tasks() {
            let task = network.ledger.create_task(plan.market.examined != 0);
            network.ledger.fund(task, POOL);
        }
        let mut sum = 0;
        for wallet in 0..plan.nodes {
            sum += network.wallet(wallet);
        }
        for task in 0..network.ledger.tasks.len() {
            let nodes = (0..TESTERS).map(|_| network.tester(task)).collect();
            network.testers.push(nodes);
        }
        network.schedule(plan.days(sum));
        network
    }

    /// A wallet and its nodes; returns what is in it.
    fn wallet(&mut self, wallet: u64) -> Micro {
        let plan = self.plan;
        let collateral = self.collateral(wallet);
        let takes_part = plan.coalition != Strategy::GriefingUser;
        // every so-manieth, so that large and small ones take part as they come
        let counted = (wallet + 1) * plan.share_permille / 1_000;
        let chosen = match plan.coalition {
            Strategy::AccusingOwner => self.is_within_share(collateral),
            _ => takes_part && counted > wallet * plan.share_permille / 1_000,
        };
        let side = if chosen {
            Side::Coalition
        } else {
            Side::Others
        };
        let split = chosen && !plan.honest && plan.coalition == Strategy::Sybil;
        let least = plan.rules.params.min_collateral.max(1);
        let parts = if split { collateral / least } else { 1 };
        // one further each time around: who takes part is every so-manieth, and must not be all of a task
        let task = ((wallet + wallet / plan.tasks()) % plan.tasks()) as TaskIx;
        for _ in 0..parts {
            let (serving, judge) = if chosen {
                (conduct::serving(plan, counted), conduct::judging(plan))
            } else {
                (Serving::Honest, Judge::Honest)
            };
            let judge = match judge {
                Judge::Honest => self.other_judge(wallet, chosen),
                other => other,
            };
            let party = Party {
                wallet,
                away: Cell::default(),
                task,
                side,
                serving,
                judge,
                regional: chosen && !plan.honest && plan.coalition == Strategy::RegionalOutage,
                first_wrong: None,
                caught: false,
                collateral: collateral / parts,
            };
            self.enter(party, wallet as u32, PRICE);
        }
        // the network has been there for a while: only who is there under further names has paid for that
        let side = if chosen {
            Side::Coalition
        } else {
            Side::Others
        };
        self.group(side).serving.gas += 3 * plan.market.gas * (parts - 1);
        collateral
    }

    /// Whether a coalition that counts by its weight takes part with this, too, and has no more than its share.
    fn is_within_share(&self, collateral: Micro) -> bool {
        let ours = self.coalition.serving.paid_in + collateral;
        let all = ours + self.others.serving.paid_in;
        ours * 1_000 <= all * self.plan.share_permille
    }

    fn other_judge(&self, wallet: u64, chosen: bool) -> Judge {
        let false_permille = self.plan.false_permille;
        let at = (wallet, u64::MAX - 1);
        if self.dice.chance(Purpose::Whim, at, false_permille) {
            Judge::False
        } else if !chosen && wallet % TESTING_ATTESTERS == 7 {
            Judge::Tester
        } else {
            Judge::Honest
        }
    }

    /// Many are small, few are large.
    fn collateral(&self, wallet: u64) -> Micro {
        let at = (wallet, u64::MAX);
        match self.dice.below(Purpose::Whim, at, 10) {
            0..4 => 100 * USDC,
            4..7 => 200 * USDC,
            7..9 => 500 * USDC,
            _ => 1_000 * USDC,
        }
    }

    fn tester(&mut self, task: TaskIx) -> NodeIx {
        let party = Party {
            wallet: u64::MAX,
            away: Cell::default(),
            task,
            side: Side::Testers,
            serving: Serving::Cheap,
            judge: Judge::Honest,
            regional: false,
            first_wrong: None,
            caught: false,
            collateral: TESTERS_COLLATERAL,
        };
        self.enter(party, u32::MAX, TESTERS_PRICE)
    }

    /// Registers, subscribes, and promises to examine.
    fn enter(&mut self, party: Party, owner: u32, price: u64) -> NodeIx {
        let (now, collateral, task) = (self.start, party.collateral, party.task);
        let tester = party.side == Side::Testers;
        let claims = matches!(party.serving, Serving::ThreeQuarters);
        let node = self.ledger.nodes.len();
        let entered = self.ledger.register(now, owner, collateral);
        debug_assert_eq!(entered, Ok(node));
        let live = &mut self.ledger.nodes[node];
        live.matures = now;
        live.reputation = self.plan.market.reputation;
        let subscribed = self.ledger.subscribe(now, task, node, price);
        debug_assert_eq!(subscribed, Ok(()));
        if let Some(offer) = self.ledger.tasks[task].subscriptions.last_mut() {
            offer.claimed = collateral * if claims { 1_000 } else { 1 };
        }
        let side = party.side;
        self.parties.push(party);
        let group = self.group(side);
        group.serving.paid_in += collateral;
        if !tester && let Ok(deposit) = self.ledger.attest(now, task, node) {
            let group = self.group(side);
            group.attesting.paid_in += deposit;
        }
        node
    }

    /// When customers come, testers, and days.
    fn schedule(&mut self, days: u64) {
        let plan = self.plan;
        let span = days * DAY;
        let last = self.start + span;
        self.end = last + plan.run_off();
        for number in 0..plan.stacks() {
            let at = self.start + self.dice.below(Purpose::Arrival, (number, 0), span);
            self.queue.push(at, Event::Purchase(number));
        }
        let tests = if plan.market.examined == 0 {
            0
        } else {
            plan.stacks() * plan.market.tests_permille / 1_000
        };
        for number in 0..tests {
            let number = TESTS + number;
            let at = self.start + self.dice.below(Purpose::Arrival, (number, 0), span);
            self.queue.push(at, Event::Test(number));
        }
        if !plan.honest && plan.coalition == Strategy::SquattingUser {
            for number in 0..plan.stacks() * SQUATS_PERMILLE / 1_000 {
                let number = SQUATS + number;
                let at = self.start + self.dice.below(Purpose::Arrival, (number, 0), span);
                self.queue.push(at, Event::Squat(number));
            }
        }
        if !plan.honest && plan.coalition == Strategy::WashTrading {
            for node in 0..self.parties.len() {
                if self.parties[node].side == Side::Coalition {
                    self.queue.push(self.start, Event::Wash(node));
                }
            }
        }
        if plan.coalition == Strategy::AccusingOwner {
            // it buys as much if it is honest
            for number in 0..plan.stacks() * ORDERS_PERMILLE / 1_000 {
                let number = ORDERS + number;
                let at = self.start + self.dice.below(Purpose::Arrival, (number, 0), span);
                self.queue.push(at, Event::Order(number));
            }
        }
        let first = self.start / DAY;
        for day in first..self.end / DAY {
            self.queue.push(day * DAY + 1, Event::Morning(day));
            self.queue
                .push(day * DAY + DAY / 2 + 1, Event::Afternoon(day));
        }
    }

    /// What the pools began with.
    pub(super) fn pools(&self) -> Micro {
        self.ledger.tasks.len() as u64 * POOL
    }

    pub(super) fn last_arrival(&self) -> Ms {
        self.end - self.plan.run_off()
    }
}

/// Numbers of testers' stacks begin here.
pub(super) const TESTS: u64 = 1 << 40;
/// Numbers of squatters' stacks begin here.
pub(super) const SQUATS: u64 = 1 << 42;
/// Numbers of an accusing owner's stacks begin here.
const ORDERS: u64 = 1 << 43;
/// Numbers of stacks that nodes buy from themselves begin here.
pub(super) const WASHES: u64 = 1 << 41;
