//! A play: who there is, and what they may do next.

use super::{broken::Broken, prey::Prey};
use crate::world::*;
use atoma_types::{
    Address, MicroUsdc, NodeId, StackId, TaskId,
    chain::{Call, Event},
    hash::Hash32,
};
use std::collections::{BTreeMap, BTreeSet};

/// Owners of stacks. All sign requests with `USER`'s key.
pub(super) const OWNERS: [u8; 3] = [USER, 12, 13];
/// Attesters that lie: a fifth of them.
pub(super) const LIARS: u8 = 2;
pub(super) const ALL_ATTESTERS: u8 = 11;

/// What was met.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) calls: u64,
    pub(super) refused: u64,
    pub(super) claims: u64,
    pub(super) convictions: u64,
    pub(super) answers: u64,
    pub(super) examined: u64,
    pub(super) juries: u64,
    pub(super) unexamined: u64,
    /// Attesters that left.
    pub(super) resigned: u64,
    /// Those with a duty, which are only drawn no more.
    pub(super) leaving: u64,
    /// Tickets paid unexamined, whose due went back.
    pub(super) returned: u64,
    /// Stacks that one node's owner bought for another node.
    pub(super) forwarders: u64,
    /// Response keys that nodes took instead of others.
    pub(super) keys: u64,
    /// Convictions by two receipts for one request.
    pub(super) equivocations: u64,
    /// Shares of the treasury that were paid.
    pub(super) rebates: u64,
    /// How long a stack had something of somebody's after its end, hours.
    pub(super) longest: u64,
}

impl Seen {
    pub(super) fn add(&mut self, other: &Self) {
        self.calls += other.calls;
        self.refused += other.refused;
        self.claims += other.claims;
        self.convictions += other.convictions;
        self.answers += other.answers;
        self.examined += other.examined;
        self.juries += other.juries;
        self.unexamined += other.unexamined;
        self.resigned += other.resigned;
        self.leaving += other.leaving;
        self.returned += other.returned;
        self.forwarders += other.forwarders;
        self.keys += other.keys;
        self.equivocations += other.equivocations;
        self.rebates += other.rebates;
        self.longest = self.longest.max(other.longest);
    }
}

/// A node and who runs it.
#[derive(Clone, Copy)]
pub(super) struct Player {
    pub(super) node: NodeId,
    pub(super) operator: u8,
    pub(super) honest: bool,
    /// It is away until then.
    pub(super) back: u64,
}

/// What was served on a lease.
#[derive(Clone)]
pub(super) struct LeaseAccount {
    /// What isn't settled.
    pub(super) running: Chain,
    /// A chain for each ticket that was settled, by its `to_seq`.
    pub(super) settled: BTreeMap<u64, Chain>,
    /// Records that back no unit.
    pub(super) improper: BTreeSet<u64>,
    /// Records whose answers are wrong.
    pub(super) wrong: BTreeSet<u64>,
    /// Units that somebody demanded.
    pub(super) demanded: BTreeSet<u64>,
    pub(super) served: u64,
}

#[derive(Clone)]
pub(super) struct Play {
    pub(super) w: World,
    pub(super) players: Vec<Player>,
    pub(super) tasks: Vec<TaskId>,
    pub(super) stacks: Vec<StackId>,
    pub(super) accounts: BTreeMap<(StackId, NodeId), LeaseAccount>,
    /// Values of open tickets, as they were announced.
    pub(super) announced: BTreeMap<(StackId, NodeId), Vec<u64>>,
    pub(super) seen: Seen,
    /// Who does nothing any more.
    pub(super) gone: Option<u8>,
    /// When strangers began to look every hour.
    pub(super) ending: u64,
    /// What each party paid out of its pockets, and what it put into them, since the play began.
    pub(super) cash: BTreeMap<Address, i128>,
    /// A rule that is broken on purpose.
    pub(super) broken: Option<Broken>,
    /// Whom a hunter is after.
    pub(super) prey: Prey,
    dice: u64,
}

impl Play {
    pub(super) fn new(seed: u64) -> Self {
        let mut w = World::new();
        let plain = w.create_task();
        let exact = w.sampling_task(atoma_types::Rule::Exact, ALL_ATTESTERS);
        let tolerant = w.sampling_task(atoma_types::Rule::Tolerant, ALL_ATTESTERS);
        let tasks = vec![plain, exact, tolerant];
        let mut players = Vec::new();
        for place in 0..5u8 {
            let operator = OPERATOR + place;
            let node = w.register(operator, [100, 1_000, 5_000][usize::from(place) % 3] * USDC);
            for &task in &tasks {
                let price = [300_001, PRICE, 3_333_333][usize::from(place) % 3];
                w.ok(operator, subscribe_call(task, node, price));
            }
            players.push(Player {
                node,
                operator,
                honest: place % 2 == 0,
                back: 0,
            });
        }
        Self {
            w,
            players,
            tasks,
            stacks: Vec::new(),
            accounts: BTreeMap::new(),
            announced: BTreeMap::new(),
            seen: Seen::default(),
            gone: None,
            ending: 0,
            cash: BTreeMap::new(),
            broken: None,
            prey: Prey::default(),
            dice: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x1234_5678,
        }
    }

    // --- dice ---

    pub(super) fn throw(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.dice;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    /// From here on the dice are others.
    pub(super) fn reseed(&mut self, seed: u64) {
        self.dice = seed;
    }

    pub(super) fn below(&mut self, end: u64) -> u64 {
        self.throw() % end.max(1)
    }

    pub(super) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    pub(super) fn one<T: Clone>(&mut self, of: &[T]) -> Option<T> {
        let place = self.below(of.len() as u64) as usize;
        of.get(place).cloned()
    }

    // --- calls ---

    /// Tries a call; every success is watched.
    pub(super) fn try_call(&mut self, sender: u8, call: impl Into<Call>) -> bool {
        if self.gone == Some(sender) {
            return false;
        }
        let call = call.into();
        let before = self.w.state.clone();
        self.seen.calls += 1;
        if matches!(call, Call::DrawTicket(_)) && self.chance(60) {
            self.w.beacon = Some(self.a_hit());
        }
        let outcome = match self.broken {
            Some(rule) => self.w.run_broken(rule, sender, &call),
            None => self.w.run(sender, call.clone()),
        };
        match outcome {
            Ok(changes) => {
                self.count_cash(sender, &changes);
                self.watch(&before, sender, &call, &changes);
                self.note(&changes.events);
                true
            }
            Err(_) => {
                self.seen.refused += 1;
                false
            }
        }
    }

    /// What the beacon may say so that a ticket is examined: more often than it would.
    fn a_hit(&mut self) -> [u8; 32] {
        loop {
            let seed = Hash32::of(&self.throw().to_le_bytes()).0;
            if is_hit(&seed) {
                return seed;
            }
        }
    }

    fn note(&mut self, events: &[Event]) {
        for event in events {
            match event {
                Event::StackAcquired(event) => self.stacks.push(event.stack),
                Event::Leased(event) => {
                    let key = (event.stack, event.node);
                    if !self.accounts.contains_key(&key) {
                        let signer = self.signer(event.stack, event.node);
                        let running = Chain::new(event.stack, event.node, USER, signer);
                        let account = LeaseAccount {
                            running,
                            settled: BTreeMap::new(),
                            improper: BTreeSet::new(),
                            wrong: BTreeSet::new(),
                            demanded: BTreeSet::new(),
                            served: 0,
                        };
                        self.accounts.insert(key, account);
                    }
                }
                Event::SettlementOpened(event) => {
                    let values = self.announced.entry((event.stack, event.node));
                    values.or_default().push(event.value.0);
                }
                Event::Claimed(event) => {
                    self.seen.claims += 1;
                    self.check_claimed(event.stack, event.node, event.paid_seq);
                    let values = self.announced.get_mut(&(event.stack, event.node));
                    values.unwrap().remove(0);
                }
                Event::NodeConvicted(event) => {
                    self.seen.convictions += 1;
                    self.announced.remove(&(event.stack, event.node));
                }
                Event::DemandAnswered(_) => self.seen.answers += 1,
                Event::VerdictGiven(_) => self.seen.examined += 1,
                Event::JuryDecided(_) => self.seen.juries += 1,
                Event::Unexamined(_) => self.seen.unexamined += 1,
                Event::TreasuryPaid(_) => self.seen.rebates += 1,
                _ => {}
            }
        }
    }

    /// Theorem 1: a ticket whose unit was asked for and can't be backed is never paid.
    fn check_claimed(&mut self, stack: StackId, node: NodeId, to_seq: u64) {
        let account = &self.accounts[&(stack, node)];
        let chain = &account.settled[&to_seq];
        let last = chain.last.as_ref().unwrap().1.message();
        let (end, begin) = (last.cumulative_units.0, chain.begin());
        for &unit in account.demanded.range(begin..end) {
            let seq = chain.seq_of(unit);
            assert!(
                seq.is_some_and(|seq| !account.improper.contains(&seq)),
                "unit {unit} was paid without a proper record"
            );
        }
    }

    pub(super) fn operator(&self, node: NodeId) -> u8 {
        let owner = self.w.node(node).owner;
        self.w.party(owner)
    }

    // --- steps ---

    pub(super) fn step(&mut self) {
        match self.below(100) {
            0..=7 => self.buy(),
            8..=24 => self.take_lease(),
            25..=49 => self.serve_something(),
            50..=58 => self.settle_hostile(),
            59..=66 => self.demand(),
            67..=69 => self.challenge(),
            70..=77 => self.call_what_anyone_may(),
            78..=83 => self.hostile_duties(),
            84..=85 => self.change_a_stack(),
            86 => self.equivocate(),
            87..=88 => self.change_a_node(),
            89 => self.attesters_come_and_go(),
            _ => {
                let hours = self.one(&[1, 1, 3, 6, 12, 25]).unwrap();
                self.wait(hours * HOUR);
            }
        }
    }

    /// An open ticket at random: its lease and its `to_seq`.
    pub(super) fn open_ticket(&mut self) -> Option<(StackId, NodeId, u64)> {
        let open = self.open_tickets();
        self.one(&open)
    }

    pub(super) fn open_tickets(&self) -> Vec<(StackId, NodeId, u64)> {
        let leases = self.accounts.keys();
        leases
            .flat_map(|&(stack, node)| {
                let tickets = &self.w.lease_of(stack, node).tickets;
                tickets
                    .iter()
                    .map(move |ticket| (stack, node, ticket.to_seq))
            })
            .collect()
    }

    /// What somebody gets by a call is in its events.
    pub(super) fn sum_of(&self, amounts: impl Iterator<Item = MicroUsdc>) -> u64 {
        amounts.map(|amount| amount.0).sum()
    }
}
