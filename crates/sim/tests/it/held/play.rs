//! A play by dice: calls that may or may not be in time, by parties that may or may not have a right to them.

use super::both::{Both, USDC};
use atoma_sim::model::{
    DAY, Exam, HOUR, Jury, NodeIx, Outcome, Purchase, StackIx, Stage, Subscription, TaskIx,
    TicketId, Verdict,
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};

const PRICE: u64 = 1_000_000;
/// Nodes that serve; the others only examine.
const SERVERS: usize = 3;
const ATTESTERS: usize = 11;
const USERS: u32 = 10;

/// What came about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Done {
    pub(super) claims: u64,
    pub(super) convictions: u64,
    pub(super) answers: u64,
    pub(super) verdicts: u64,
    pub(super) guilty: u64,
    pub(super) acquitted: u64,
    pub(super) hung: u64,
    pub(super) unexamined: u64,
    pub(super) shares: u64,
}

impl std::ops::AddAssign for Done {
    fn add_assign(&mut self, other: Self) {
        self.claims += other.claims;
        self.convictions += other.convictions;
        self.answers += other.answers;
        self.verdicts += other.verdicts;
        self.guilty += other.guilty;
        self.acquitted += other.acquitted;
        self.hung += other.hung;
        self.unexamined += other.unexamined;
        self.shares += other.shares;
    }
}

pub(super) struct Play {
    both: Both,
    rng: ChaCha8Rng,
    pub(super) done: Done,
}

impl Play {
    pub(super) fn new(seed: u64) -> Self {
        // half of the networks examine most tickets
        let mut both = Both::new(if seed.is_multiple_of(2) { 200 } else { 700 });
        let sampled = both.create_task(true);
        let plain = both.create_task(false);
        both.fund(sampled, 2 * USDC);
        for node in 0..SERVERS + ATTESTERS {
            let collateral = if node < SERVERS {
                2_000
            } else {
                100 + node as u64
            };
            let ix = both.register(20 + node as u32, collateral * USDC);
            both.subscribe(sampled, ix, PRICE);
            both.attest(sampled, ix);
            if node < SERVERS {
                both.subscribe(plain, ix, PRICE - node as u64);
            }
        }
        both.now += DAY;
        for node in 0..both.nodes.len() {
            both.sync(sampled, node);
            both.sync(plain, node);
        }
        Self {
            both,
            rng: ChaCha8Rng::seed_from_u64(seed),
            done: Done::default(),
        }
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.rng.next_u64() % bound.max(1)
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn node(&mut self) -> NodeIx {
        self.below(self.both.nodes.len() as u64) as usize
    }

    fn lease(&mut self) -> Option<(StackIx, NodeIx)> {
        let count = self.both.chains.len() as u64;
        let place = self.below(count) as usize;
        self.both.chains.keys().nth(place).copied()
    }

    fn ticket(&mut self) -> Option<TicketId> {
        let tickets: Vec<_> = self
            .both
            .chains
            .keys()
            .flat_map(|&(stack, node)| {
                let lease = self.both.model.stacks[stack].lease(node).unwrap();
                lease
                    .tickets
                    .iter()
                    .map(move |ticket| TicketId {
                        stack,
                        node,
                        to: ticket.to,
                    })
                    .collect::<Vec<_>>()
            })
            .collect();
        let place = self.below(tickets.len() as u64) as usize;
        tickets.get(place).copied()
    }

    pub(super) fn step(&mut self) {
        let before = self.both.model.convictions;
        match self.below(100) {
            0..6 => self.buy(),
            6..14 => self.take(),
            14..30 => self.serve(),
            30..39 => self.settle(),
            39..44 => self.wait(),
            44..84 => self.ticket_step(),
            84..92 => self.end(),
            _ => self.money(),
        }
        self.done.convictions += self.both.model.convictions - before;
    }

    fn buy(&mut self) {
        let units = match self.below(4) {
            0 => 1 + self.below(10),
            1 => 100_001,
            _ => 1 + self.below(6 * USDC),
        };
        let buy = Purchase {
            owner: 1 + self.below(u64::from(USERS)) as u32,
            task: self.below(2) as TaskIx,
            units,
            max_price: PRICE - self.below(2),
            draw: self.below(4) as usize,
            lifetime: DAY + self.below(3 * DAY),
        };
        self.both.acquire(buy);
    }

    fn take(&mut self) {
        let stacks = self.both.stacks.len() as u64;
        if stacks == 0 {
            return;
        }
        let stack = self.below(stacks) as usize;
        let node = self.below(SERVERS as u64 + 1) as usize;
        let held = &self.both.model.stacks[stack];
        let leased = held.lease(node).map_or(0, |lease| lease.units);
        let more = self.below(held_units(held.ungranted));
        let units = leased + more + u64::from(self.chance(50));
        self.both.lease(stack, node, units);
    }

    fn serve(&mut self) {
        let Some((stack, node)) = self.lease() else {
            return;
        };
        let lease = self.both.model.stacks[stack].lease(node).unwrap();
        let chain = &self.both.chains[&(stack, node)];
        let room = lease.units.saturating_sub(chain.sum);
        let open = !lease.closed && chain.count() < 20;
        if open && room > 0 {
            let units = 1 + self.below(room);
            let now = self.both.now;
            let chain = self.both.chains.get_mut(&(stack, node)).unwrap();
            chain.serve(now, units);
        }
    }

    fn settle(&mut self) {
        let Some((stack, node)) = self.lease() else {
            return;
        };
        let count = self.both.chains[&(stack, node)].count();
        if count > 0 {
            let all = self.chance(70);
            let upto = if all {
                count
            } else {
                1 + self.below(count as u64) as usize
            };
            self.both.settle(stack, node, upto);
        }
    }

    fn wait(&mut self) {
        let time = match self.below(3) {
            0 => 1 + self.below(HOUR),
            1 => HOUR * (1 + self.below(8)),
            _ => HOUR * (12 + self.below(14)),
        };
        self.both.now += time;
    }

    fn unit(&mut self, id: TicketId) -> u64 {
        let ticket = self.both.model.ticket(id).unwrap();
        let (from, to) = (ticket.from, ticket.to);
        from + self.below(to - from)
    }

    fn ticket_step(&mut self) {
        let Some(id) = self.ticket() else { return };
        let ticket = self.both.model.ticket(id).unwrap().clone();
        let unit = self.unit(id);
        let kind = if self.chance(60) {
            self.sensible(&ticket.exam)
        } else {
            self.below(12)
        };
        match kind {
            0 => self.both.demand(id, unit),
            1 => {
                let unit = ticket.demands.first().map_or(unit, |demand| demand.unit);
                self.done.answers += u64::from(self.both.answer(id, unit));
            }
            2 => {
                let unit = ticket.demands.first().map_or(unit, |demand| demand.unit);
                self.both.silence(id, unit);
            }
            3 => self.both.draw(id),
            4 | 5 => {
                self.both.examine(id);
                let exam = self.both.model.ticket(id).map(|ticket| ticket.exam);
                self.done.unexamined +=
                    u64::from(ticket.exam != Exam::Unexamined && exam == Ok(Exam::Unexamined));
            }
            6 => {
                let unit = match ticket.exam {
                    Exam::Hit(hit) => hit.unit,
                    _ => unit,
                };
                self.both.disclose(id, unit);
            }
            7 => self.speak(id, ticket.exam),
            8 => self.both.challenge(id, unit),
            9 => self.both.undisclosed(id),
            _ => {
                let challenge = self.chance(50);
                let jury = if challenge {
                    ticket.challenge.and_then(|brought| brought.jury)
                } else {
                    ticket.exam_jury
                };
                match jury {
                    None => self.both.jury(id, challenge),
                    Some(jury) => self.hear(id, challenge, &jury),
                }
            }
        }
    }

    /// What brings an examination on.
    fn sensible(&mut self, exam: &Exam) -> u64 {
        match exam {
            Exam::Undrawn => 3,
            Exam::Drawn { hit: true, .. } => 4,
            Exam::Hit(hit) => match hit.stage {
                Stage::Disclosing => 6,
                Stage::Examining if self.chance(25) => {
                    self.both.now += 13 * HOUR;
                    4
                }
                Stage::Examining => 7,
                Stage::Accused | Stage::Passed => 10,
                Stage::Cleared => 1,
            },
            Exam::None | Exam::Drawn { .. } | Exam::Unexamined => 1,
        }
    }

    fn speak(&mut self, id: TicketId, exam: Exam) {
        let by = match exam {
            Exam::Hit(hit) if self.chance(90) => self.both.model.nodes[hit.examiner].owner,
            _ => 20,
        };
        let bad = !self.chance(40);
        self.done.verdicts += u64::from(self.both.verdict(id, by, bad));
    }

    /// A jury's whole course, with waits that are long enough or not.
    fn hear(&mut self, id: TicketId, challenge: bool, jury: &Jury) {
        if jury.record == 0 {
            self.both.disclose_jury(id, challenge, jury.unit);
        }
        let mood = self.below(4);
        for seat in &jury.seats {
            let vote = match (mood, self.below(25)) {
                (_, 0) => None,
                (0, _) => Some(Verdict::Ok),
                (1, _) => Some(Verdict::Bad(1)),
                (2, _) => Some(Verdict::Bad(1 + self.below(2))),
                _ if self.chance(50) => Some(Verdict::Ok),
                _ => Some(Verdict::Bad(1)),
            };
            if self.chance(99) {
                self.both.commit(id, challenge, seat.juror, vote);
            }
        }
        if self.chance(60) {
            self.both.now += 13 * HOUR;
        }
        for (juror, vote) in self.committed(id, challenge) {
            self.both.reveal(id, challenge, juror, vote);
        }
        if self.chance(70) {
            self.both.now += 13 * HOUR;
        }
        match self.both.decide(id, challenge) {
            Some(Outcome::Guilty) => self.done.guilty += 1,
            Some(Outcome::Acquitted) => self.done.acquitted += 1,
            Some(Outcome::Hung) => self.done.hung += 1,
            None => {}
        }
    }

    /// What jurors committed to; anything of those who can't open it.
    fn committed(&self, id: TicketId, challenge: bool) -> Vec<(NodeIx, Verdict)> {
        let ticket = self.both.model.ticket(id).unwrap();
        let jury = if challenge {
            ticket
                .challenge
                .as_ref()
                .and_then(|brought| brought.jury.as_ref())
        } else {
            ticket.exam_jury.as_ref()
        };
        let vote = |vote: Option<Option<Verdict>>| vote.flatten().unwrap_or(Verdict::Ok);
        let seats = jury.iter().flat_map(|jury| &jury.seats);
        seats
            .map(|seat| (seat.juror, vote(seat.committed)))
            .collect()
    }

    fn end(&mut self) {
        let Some((stack, node)) = self.lease() else {
            return;
        };
        match self.below(8) {
            0..5 => self.done.claims += u64::from(self.both.claim(stack, node)),
            5 => self.both.expire(stack, node),
            6 => {
                let owner = self.both.model.stacks[stack].owner;
                let by = if self.chance(70) { owner } else { owner + 1 };
                self.both.revoke(stack, by);
            }
            _ => {
                let lease = self.both.model.stacks[stack].lease(node).unwrap();
                let units = lease.units;
                let sum = self.both.chains[&(stack, node)].sum;
                // a node gives back nothing that it has served
                let units = sum + self.below(units.saturating_sub(sum) + 2);
                self.both.release(stack, node, units);
            }
        }
    }

    fn money(&mut self) {
        let (node, task) = (self.node(), self.below(2) as TaskIx);
        match self.below(8) {
            0 => self.both.forfeit(node),
            1 => self.both.collect_fees(task),
            2 | 3 => {
                for node in 0..SERVERS {
                    self.both.report(node);
                }
            }
            4 => {
                for node in 0..SERVERS {
                    self.done.shares += u64::from(self.both.pay(node));
                }
            }
            5 => self.both.sync(task, node),
            6 => self.both.collect(task, node),
            _ => {
                let node = self.struck_off().unwrap_or(node);
                self.both.resign(0, node);
                if self.chance(90) {
                    self.both.attest(0, node);
                }
            }
        }
    }
}

impl Play {
    /// An attester that can't be drawn any more.
    fn struck_off(&self) -> Option<NodeIx> {
        let offers = self.both.model.tasks[0].subscriptions.iter();
        let able = |offer: &&Subscription| {
            offer
                .attester
                .is_none_or(|promise| promise.active && promise.stake >= 2 * USDC)
        };
        let out = offers.filter(|offer| !able(offer));
        out.filter(|offer| offer.attester.is_some_and(|promise| promise.duties == 0))
            .map(|offer| offer.node)
            .next()
    }
}

/// So that a bound is never zero, and now and then too high.
fn held_units(ungranted: u64) -> u64 {
    ungranted + 2
}
