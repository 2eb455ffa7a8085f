//! Steps that tests take often.

use super::*;
use atoma_types::{
    Rule as Comparison, SecurityLevel,
    chain::{Clock, Exam, Jury, NewTask, Verdict, calls},
};

/// A price of one micro-USDC a unit.
pub(crate) const PRICE: u64 = 1_000_000;

impl World {
    pub(crate) fn register(&mut self, operator: u8, collateral: u64) -> NodeId {
        let changes = self.ok(operator, register_call(operator, collateral));
        match &changes.events[..] {
            [Event::NodeRegistered(event)] => event.node,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn create_task(&mut self) -> TaskId {
        self.create_task_from(new_task())
    }

    pub(crate) fn create_task_from(&mut self, task: NewTask) -> TaskId {
        let changes = self.ok(ADMIN, task.call(LOCALNET_DB));
        match &changes.events[..] {
            [Event::TaskCreated(event)] => event.task,
            other => panic!("{other:?}"),
        }
    }

    /// A registered and subscribed node whose collateral has matured.
    pub(crate) fn serve(
        &mut self,
        operator: u8,
        task: TaskId,
        price: u64,
        collateral: u64,
    ) -> NodeId {
        let node = self.register(operator, collateral);
        self.ok(operator, subscribe_call(task, node, price));
        self.now += DAY;
        self.ok(STRANGER, sync_call(task, node));
        node
    }

    /// A task that samples, with so many attesters and a pool.
    pub(crate) fn sampling_task(&mut self, rule: Comparison, attesters: u8) -> TaskId {
        let mut task = new_task();
        task.security = SecurityLevel::SamplingConsensus;
        task.engine.rule = rule;
        let task = self.create_task_from(task);
        self.ok(ADMIN, fund_call(task, 2 * USDC));
        for party in ATTESTERS..ATTESTERS + attesters {
            let node = self.register(party, 100 * USDC);
            self.ok(party, subscribe_call(task, node, PRICE));
            let call = attester_call(self, task, node);
            self.ok(party, call);
        }
        self.now += DAY;
        for subscription in self.task(task).subscriptions.clone() {
            self.ok(STRANGER, sync_call(task, subscription.node));
        }
        task
    }

    /// A stack of `USER`'s for any node, at one micro-USDC a unit.
    pub(crate) fn buy(&mut self, task: TaskId, units: u64) -> StackId {
        let call = self.acquire_call(task, units, PRICE, 0);
        bought(&self.ok(USER, call))
    }

    pub(crate) fn grant(&mut self, operator: u8, stack: StackId, node: NodeId, units: u64) {
        let call = self.lease_call(stack, node, units);
        self.ok(operator, call);
    }

    /// A stack, all of it leased to a node.
    pub(crate) fn leased(&mut self, operator: u8, task: TaskId, node: NodeId, units: u64) -> Chain {
        let stack = self.buy(task, units);
        self.grant(operator, stack, node, units);
        Chain::new(stack, node, USER, operator)
    }

    pub(crate) fn settle(&mut self, chain: &Chain) {
        self.ok(chain.operator, chain.settle_call());
    }

    /// Settles, waits and claims.
    pub(crate) fn earn(&mut self, chain: &mut Chain) -> Changes {
        self.settle(chain);
        self.now += self.stack(chain.stack).terms.dispute_window_ms.0 + 1;
        let call = self.claim_call(chain.stack, chain.node);
        let changes = self.ok(STRANGER, call);
        chain.paid();
        changes
    }

    /// Convicts a node of silence about a unit of its open ticket.
    pub(crate) fn silence(&mut self, chain: &Chain, unit: u64) -> Changes {
        let call = self.demand_call(chain.stack, chain.node, unit);
        self.ok(USER, call);
        self.now += self.stack(chain.stack).terms.answer_window_ms.0 + 1;
        let call = self.silence_call(chain.stack, chain.node, unit);
        self.ok(STRANGER, call)
    }

    // --- examinations ---

    /// Draws a ticket so that it is hit or missed.
    pub(crate) fn draw(&mut self, chain: &Chain, hit: bool) {
        self.beacon = Some(seed_that(hit));
        self.ok(STRANGER, draw_call(chain.stack, chain.node, chain.seq));
    }

    /// Draws the examiner of a hit; returns the unit and who it is.
    pub(crate) fn examine(&mut self, chain: &Chain) -> (u64, u8) {
        let call = self.examine_call(chain.stack, chain.node, chain.seq);
        self.ok(STRANGER, call);
        match &self.ticket_of(chain.stack, chain.node).unwrap().exam {
            Exam::Hit(hit) => (hit.unit.0, self.party(hit.examiner.owner)),
            other => panic!("{other:?}"),
        }
    }

    /// A hit, disclosed, with the examiner's verdict; returns the unit and the examiner.
    pub(crate) fn examined(&mut self, chain: &Chain, bad: bool) -> (u64, u8) {
        self.draw(chain, true);
        let (unit, examiner) = self.examine(chain);
        self.ok(chain.operator, disclose_call(chain, unit));
        self.ok(
            examiner,
            verdict_call(chain.stack, chain.node, chain.seq, bad),
        );
        (unit, examiner)
    }

    pub(crate) fn sitting(&self, chain: &Chain, challenge: bool) -> &Jury {
        let ticket = self.ticket_of(chain.stack, chain.node).unwrap();
        let challenged = ticket.challenge.as_ref();
        let jury = if challenge {
            challenged.and_then(|challenge| challenge.jury.as_ref())
        } else {
            ticket.exam_jury.as_ref()
        };
        jury.unwrap()
    }

    /// Draws a jury and discloses to it; returns its members.
    pub(crate) fn seated(&mut self, chain: &Chain, challenge: bool) -> Vec<(NodeId, u8)> {
        let call = self.jury_call(chain.stack, chain.node, chain.seq, challenge);
        self.ok(STRANGER, call);
        let jury = self.sitting(chain, challenge);
        let unit = jury.unit.0;
        let members: Vec<_> = jury
            .jurors
            .iter()
            .map(|juror| (juror.auditor.node, self.party(juror.auditor.owner)))
            .collect();
        let call = disclose_jury_call(chain, unit, members.len(), challenge);
        self.ok(chain.operator, call);
        members
    }

    /// Lets jurors vote so, in their order, and counts; `None` says nothing.
    pub(crate) fn vote(
        &mut self,
        chain: &Chain,
        challenge: bool,
        members: &[(NodeId, u8)],
        verdicts: &[Option<Verdict>],
    ) -> Changes {
        let voters = members.iter().zip(verdicts);
        for (&(juror, party), verdict) in voters.clone() {
            if let Some(verdict) = verdict {
                let call = self.commit_call(chain, challenge, juror, verdict);
                self.ok(party, call);
            }
        }
        self.now = self.sitting(chain, challenge).deadline_ms.0 + 1;
        for (&(juror, party), verdict) in voters {
            if let Some(verdict) = verdict {
                let call = reveal_call(chain, challenge, juror, verdict);
                self.ok(party, call);
            }
        }
        self.now = self.sitting(chain, challenge).reveal_ms.0 + 1;
        let call = self.decide_call(chain.stack, chain.node, chain.seq, challenge);
        self.ok(STRANGER, call)
    }

    pub(crate) fn commit_call(
        &self,
        chain: &Chain,
        challenge: bool,
        juror: NodeId,
        verdict: &Verdict,
    ) -> calls::CommitVerdict {
        let ballot = (chain.stack, chain.node, chain.seq, challenge);
        calls::CommitVerdict {
            stack: chain.stack.into(),
            holder: chain.node,
            ticket: chain.seq,
            challenge,
            juror,
            commitment: verdict.commitment(ballot, juror, &SALT),
            clock: Clock,
        }
    }

    /// The number of an address.
    pub(crate) fn party(&self, owner: Address) -> u8 {
        use std::{cell::RefCell, collections::BTreeMap};
        thread_local! {
            static NUMBERS: RefCell<BTreeMap<Address, u8>> = const { RefCell::new(BTreeMap::new()) };
        }
        NUMBERS.with_borrow_mut(|numbers| {
            if numbers.is_empty() {
                numbers.extend((0..=u8::MAX).map(|party| (address(party), party)));
            }
            numbers[&owner]
        })
    }
}

const SALT: Hash32 = Hash32([8; 32]);

pub(crate) fn reveal_call(
    chain: &Chain,
    challenge: bool,
    juror: NodeId,
    verdict: &Verdict,
) -> calls::RevealVerdict {
    calls::RevealVerdict {
        stack: chain.stack.into(),
        holder: chain.node,
        ticket: chain.seq,
        challenge,
        juror,
        verdict: verdict.kind,
        digest: verdict.digest,
        salt: SALT,
        clock: Clock,
    }
}

/// What the beacon must say for a hit or a miss, at the default of one in five.
pub(crate) fn seed_that(hit: bool) -> [u8; 32] {
    let mut seeds = (0..=u8::MAX).map(|byte| [byte; 32]);
    seeds.find(|seed| is_hit(seed) == hit).unwrap()
}

/// Whether a seed is a hit, at the default of one in five.
pub(crate) fn is_hit(seed: &[u8; 32]) -> bool {
    let digest = Hash32::of_parts(&[b"atoma/hit/v1", seed]);
    let [a, b, c, d, e, f, g, h, ..] = digest.0;
    u64::from_le_bytes([a, b, c, d, e, f, g, h]) % 1_000 < 200
}

pub(crate) fn bought(changes: &Changes) -> StackId {
    match changes.events.first() {
        Some(Event::StackAcquired(event)) => event.stack,
        other => panic!("{other:?}"),
    }
}
