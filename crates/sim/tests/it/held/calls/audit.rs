//! Examinations, challenges and juries.

use crate::held::both::{ANYONE, Both};
use atoma_sim::model::{self, NodeIx, TicketId, Verdict};
use atoma_types::{
    ComputeUnits, MicroUsdc,
    chain::{self, Clock, Payment, Random, calls},
    hash::Hash32,
};

const SALT: Hash32 = Hash32([8; 32]);

fn on_chain(verdict: Verdict) -> chain::Verdict {
    match verdict {
        Verdict::Ok => chain::Verdict::OK,
        Verdict::Bad(digest) => chain::Verdict {
            kind: 1,
            digest: Hash32([digest as u8; 32]),
        },
    }
}

impl Both {
    pub(in crate::held) fn draw(&mut self, id: TicketId) {
        let call = calls::DrawTicket {
            stack: self.stacks[id.stack].into(),
            holder: self.nodes[id.node],
            ticket: self.seq(id),
            random: Random,
        };
        let seed = self.seed();
        let contract = self.contract(ANYONE, call);
        let model = self.model.draw(id, seed);
        self.same("draw", &contract, &model);
    }

    pub(in crate::held) fn examine(&mut self, id: TicketId) {
        let call = calls::DrawExaminer {
            stack: self.stacks[id.stack].into(),
            task: self.tasks[self.task_of(id.stack)].into(),
            holder: self.nodes[id.node],
            ticket: self.seq(id),
            random: Random,
            clock: Clock,
        };
        let seed = self.seed();
        let contract = self.contract(ANYONE, call);
        let model = self.model.examine(self.now, id, &seed);
        self.same("examine", &contract, &model);
    }

    pub(in crate::held) fn disclose(&mut self, id: TicketId, unit: u64) {
        let chain = &self.chains[&(id.stack, id.node)];
        let shown = chain.seq_of(unit) as u64;
        let (record, proof) = chain.show(self.on_chain(id), unit);
        let call = calls::Disclose {
            stack: self.stacks[id.stack].into(),
            holder: self.nodes[id.node],
            ticket: self.seq(id),
            record,
            proof,
            wrap: vec![1; 80],
            clock: Clock,
        };
        let contract = self.contract(self.operator(id.node), call);
        let model = self.model.disclose(self.now, id, shown);
        self.same("disclose", &contract, &model);
    }

    pub(in crate::held) fn verdict(&mut self, id: TicketId, by: u32, bad: bool) -> bool {
        let call = calls::GiveVerdict {
            stack: self.stacks[id.stack].into(),
            holder: self.nodes[id.node],
            ticket: self.seq(id),
            bad,
            bond: Payment(MicroUsdc(if bad {
                self.model.rules.params.examiner_fine
            } else {
                0
            })),
            clock: Clock,
        };
        let contract = self.contract(by, call);
        let model = self.model.verdict(self.now, id, by, bad);
        self.same("verdict", &contract, &model)
    }

    pub(in crate::held) fn challenge(&mut self, id: TicketId, unit: u64) {
        let ticket = self.model.ticket(id).unwrap();
        let lease = self.model.stacks[id.stack].lease(id.node).unwrap();
        let bond = self.model.rules.bond(lease.value(ticket.from, ticket.to));
        let call = calls::ChallengeTicket {
            stack: self.stacks[id.stack].into(),
            holder: self.nodes[id.node],
            ticket: self.seq(id),
            bond: Payment(MicroUsdc(bond)),
            unit: ComputeUnits(unit),
            clock: Clock,
        };
        let contract = self.contract(self.model.stacks[id.stack].owner, call);
        let model = self.model.challenge(self.now, id, unit);
        self.same("challenge", &contract, &model);
    }

    pub(in crate::held) fn jury(&mut self, id: TicketId, challenge: bool) {
        let call = calls::DrawJury {
            stack: self.stacks[id.stack].into(),
            task: self.tasks[self.task_of(id.stack)].into(),
            holder: self.nodes[id.node],
            ticket: self.seq(id),
            challenge,
            random: Random,
            clock: Clock,
        };
        let seed = self.seed();
        let contract = self.contract(ANYONE, call);
        let model = self.model.jury(self.now, (id, challenge), &seed);
        self.same("jury", &contract, &model);
    }

    pub(in crate::held) fn disclose_jury(&mut self, id: TicketId, challenge: bool, unit: u64) {
        let chain = &self.chains[&(id.stack, id.node)];
        let shown = chain.seq_of(unit) as u64;
        let (record, proof) = chain.show(self.on_chain(id), unit);
        let seats = self.model.ticket(id).ok().and_then(|ticket| {
            let challenged = ticket.challenge.as_ref();
            let jury = if challenge {
                challenged.and_then(|brought| brought.jury.as_ref())
            } else {
                ticket.exam_jury.as_ref()
            };
            jury.map(|jury| jury.seats.len())
        });
        let size = seats.unwrap_or_default();
        let call = calls::DiscloseToJury {
            stack: self.stacks[id.stack].into(),
            holder: self.nodes[id.node],
            ticket: self.seq(id),
            challenge,
            record,
            proof,
            wraps: vec![vec![1; 80]; size],
            clock: Clock,
        };
        let contract = self.contract(self.operator(id.node), call);
        let model = self.model.disclose_jury(self.now, (id, challenge), shown);
        self.same("disclose to a jury", &contract, &model);
    }

    pub(in crate::held) fn commit(
        &mut self,
        id: TicketId,
        challenge: bool,
        juror: NodeIx,
        vote: Option<Verdict>,
    ) {
        let seq = self.seq(id);
        let ballot = (self.stacks[id.stack], self.nodes[id.node], seq, challenge);
        let commitment = match vote {
            Some(verdict) => on_chain(verdict).commitment(ballot, self.nodes[juror], &SALT),
            None => Hash32([4; 32]),
        };
        let call = calls::CommitVerdict {
            stack: self.stacks[id.stack].into(),
            holder: self.nodes[id.node],
            ticket: seq,
            challenge,
            juror: self.nodes[juror],
            commitment,
            clock: Clock,
        };
        let contract = self.contract(self.operator(juror), call);
        let model = self.model.commit(self.now, (id, challenge), juror, vote);
        self.same("commit", &contract, &model);
    }

    pub(in crate::held) fn reveal(
        &mut self,
        id: TicketId,
        challenge: bool,
        juror: NodeIx,
        vote: Verdict,
    ) {
        let given = on_chain(vote);
        let call = calls::RevealVerdict {
            stack: self.stacks[id.stack].into(),
            holder: self.nodes[id.node],
            ticket: self.seq(id),
            challenge,
            juror: self.nodes[juror],
            verdict: given.kind,
            digest: given.digest,
            salt: SALT,
            clock: Clock,
        };
        let contract = self.contract(self.operator(juror), call);
        let model = self.model.reveal(self.now, (id, challenge), juror);
        self.same("reveal", &contract, &model);
    }

    pub(in crate::held) fn decide(
        &mut self,
        id: TicketId,
        challenge: bool,
    ) -> Option<model::Outcome> {
        let call = calls::DecideJury {
            stack: self.stacks[id.stack].into(),
            task: self.tasks[self.task_of(id.stack)].into(),
            node: self.nodes[id.node].into(),
            ticket: self.seq(id),
            challenge,
            clock: Clock,
        };
        let contract = self.contract(ANYONE, call);
        let model = self.model.decide(self.now, (id, challenge));
        self.same("decide", &contract, &model);
        model.ok()
    }

    pub(in crate::held) fn undisclosed(&mut self, id: TicketId) {
        let call = calls::ProveUndisclosed {
            stack: self.stacks[id.stack].into(),
            task: self.tasks[self.task_of(id.stack)].into(),
            node: self.nodes[id.node].into(),
            clock: Clock,
        };
        let contract = self.contract(ANYONE, call);
        let model = self.model.undisclosed(self.now, id);
        self.same("undisclosed", &contract, &model);
    }
}
