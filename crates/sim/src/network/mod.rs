//! A network in virtual time: parties with their conduct, over the ledger's model, from event to event.

mod accuse;
mod away;
mod conduct;
mod days;
mod demands;
mod events;
mod examine;
mod juries;
mod money;
mod serve;
mod setup;
mod tickets;
mod users;

use crate::{
    accounts::{Group, Seen},
    dice::Dice,
    model::{Ledger, Micro, Ms, NodeIx, StackIx, TaskIx},
    plan::{Plan, PlanError},
};
pub(crate) use accuse::ORDER;
use conduct::{Judge, Serving, Using};
use events::{Event, Queue};
use serde::Serialize;
use std::cell::Cell;

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The coalition's account.
    pub coalition: Group,
    /// That of the other nodes and users.
    pub others: Group,
    /// What was seen.
    pub seen: Seen,
    /// Days of virtual time.
    pub days: u64,
    /// Money that was paid in and is nobody's at the end, micro-USDC: none.
    pub unaccounted: i128,
}

/// Runs a plan.
///
/// # Errors
/// If it can't be carried out.
pub fn run(plan: &Plan) -> Result<Outcome, PlanError> {
    plan.check()?;
    let mut network = Network::new(plan);
    while let Some((now, event)) = network.queue.next() {
        network.now = now;
        network.handle(event);
    }
    Ok(network.close())
}

/// Who a party belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Coalition,
    Others,
    Testers,
}

/// A node and how it behaves.
#[derive(Debug)]
struct Party {
    /// Whose it is; nodes of one wallet are away together.
    wallet: u64,
    /// The day last looked at, and from when to when the node is away on it.
    away: Cell<(u64, Ms, Ms)>,
    task: TaskIx,
    side: Side,
    serving: Serving,
    judge: Judge,
    /// Whether it lies in the region of an outage.
    regional: bool,
    /// When it first served something wrong.
    first_wrong: Option<Ms>,
    caught: bool,
    /// The money with which it began.
    collateral: Micro,
}

/// A record: the units up to its end, and whether it is what it says.
#[derive(Clone, Copy, Debug)]
struct Record {
    end: u64,
    wrong: bool,
}

/// What a node has served on a stack.
#[derive(Debug)]
struct Service {
    node: NodeIx,
    used: u64,
    records: Vec<Record>,
    /// When it was last asked.
    last: Ms,
    settling: bool,
    tickets: u64,
    /// Answers that didn't come.
    missing: u64,
}

/// A stack and who uses it.
#[derive(Debug)]
struct Deal {
    /// Its number, by which it draws.
    number: u64,
    side: Side,
    using: Using,
    /// Which candidate serves it.
    place: usize,
    asked: u64,
    requests: u64,
    /// How large each request is, as a power of two.
    classes: Vec<u8>,
    begin: Ms,
    lifetime: Ms,
    units: u64,
    services: Vec<Service>,
}

struct Network<'a> {
    plan: &'a Plan,
    dice: Dice,
    ledger: Ledger,
    now: Ms,
    start: Ms,
    end: Ms,
    queue: Queue,
    parties: Vec<Party>,
    /// By the ledger's index of the stack.
    deals: Vec<Deal>,
    /// Testers' nodes by task.
    testers: Vec<Vec<NodeIx>>,
    coalition: Group,
    others: Group,
    testing: Group,
    /// What attesters took out of tasks, to promise anew.
    moved: Micro,
    seen: Seen,
}

impl Network<'_> {
    fn group(&mut self, side: Side) -> &mut Group {
        match side {
            Side::Coalition => &mut self.coalition,
            Side::Others => &mut self.others,
            Side::Testers => &mut self.testing,
        }
    }

    /// A node pays for a transaction.
    fn pays_gas(&mut self, node: NodeIx) {
        let gas = self.plan.market.gas;
        let side = self.parties[node].side;
        self.group(side).serving.gas += gas;
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Purchase(number) => self.purchase(number),
            Event::Test(number) => self.test(number),
            Event::Squat(number) => self.squat(number),
            Event::Wash(node) => self.wash(node),
            Event::Order(number) => self.order(number),
            Event::Request(stack) => self.request(stack),
            Event::Idle(stack, node) => self.idle(stack, node),
            Event::Ended(stack) => self.ended(stack),
            Event::Settle(stack, node) => self.settle(stack, node),
            Event::Expire(stack, node) => self.expire(stack, node),
            Event::Claim(id) => self.claim(id),
            Event::Examine(id) => self.examine(id),
            Event::Disclose(id) => self.disclose(id),
            Event::Undisclosed(id) => self.undisclosed(id),
            Event::Verdict(id) => self.verdict(id),
            Event::Jury(id, challenge) => self.jury((id, challenge)),
            Event::DiscloseJury(id, challenge) => self.disclose_jury((id, challenge)),
            Event::Commit(id, challenge) => self.commit((id, challenge)),
            Event::Reveal(id, challenge) => self.reveal((id, challenge)),
            Event::Decide(id, challenge) => self.decide((id, challenge)),
            Event::Accuse(id) => self.accuse(id),
            Event::Demand(id) => self.demand(id),
            Event::Answer(id, unit) => self.answer(id, unit),
            Event::Silence(id, unit) => self.silence(id, unit),
            Event::Back(node) => self.back(node),
            Event::Morning(day) => self.morning(day),
            Event::Afternoon(day) => self.afternoon(day),
        }
    }

    /// What a node served on a stack.
    fn service(&mut self, stack: StackIx, node: NodeIx) -> Option<&mut Service> {
        let mut services = self.deals[stack].services.iter_mut();
        services.find(|service| service.node == node)
    }
}
