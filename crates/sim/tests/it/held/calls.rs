//! One call, on both sides.

use super::{
    both::{ANYONE, Both, NETWORK, key},
    records::Chain,
};
use atoma_contract::Object;
use atoma_sim::model::{self, NodeIx, Purchase, StackIx, TaskIx, TicketId, Verdict};
use atoma_types::{
    BlobId, ComputeUnits, DurationMs, EngineClass, MicroUsdc, Numerics, Price, Rule, SecurityLevel,
    TimestampMs,
    chain::{self, Clock, Event, NewTask, Payment, Random, calls},
    hash::Hash32,
    message::{Domain, Draft, Grant},
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
    pub(super) fn create_task(&mut self, samples: bool) -> TaskIx {
        let engine = EngineClass {
            model: Hash32([7; 32]),
            numerics: Numerics::DetF32V1,
            rule: Rule::Exact,
        };
        let mut task = NewTask::chat("tiny", engine, Price(10_000_000));
        if samples {
            task.security = SecurityLevel::SamplingConsensus;
        }
        let changes = self.contract(ANYONE, task.call(Self::db())).unwrap();
        self.tasks.push(NewTask::created(&changes.events).unwrap());
        self.model.create_task(samples)
    }

    pub(super) fn fund(&mut self, task: TaskIx, amount: u64) {
        let call = calls::FundTask {
            task: self.tasks[task].into(),
            payment: Payment(MicroUsdc(amount)),
        };
        let contract = self.contract(ANYONE, call);
        self.model.fund(task, amount);
        self.same("fund", &contract, &Ok(()));
    }

    pub(super) fn register(&mut self, party: u32, collateral: u64) -> NodeIx {
        let call = calls::RegisterNode {
            db: Self::db().into(),
            collateral: Payment(MicroUsdc(collateral)),
            url: "http://192.0.2.1:8000".to_owned(),
            response_key: key(party).public_key(),
            sealing_key: None,
            clock: Clock,
        };
        let contract = self.contract(party, call);
        if let Ok(changes) = &contract {
            let Event::NodeRegistered(event) = &changes.events[0] else {
                panic!("{changes:?}")
            };
            self.nodes.push(event.node);
        }
        let model = self.model.register(self.now, party, collateral);
        self.same("register", &contract, &model);
        self.nodes.len() - 1
    }

    pub(super) fn subscribe(&mut self, task: TaskIx, node: NodeIx, price: u64) -> bool {
        let call = calls::Subscribe {
            db: Self::db().into(),
            task: self.tasks[task].into(),
            node: self.nodes[node].into(),
            price: Price(price),
            clock: Clock,
        };
        let contract = self.contract(self.model.nodes[node].owner, call);
        let model = self.model.subscribe(self.now, task, node, price);
        self.same("subscribe", &contract, &model)
    }

    pub(super) fn sync(&mut self, task: TaskIx, node: NodeIx) {
        let call = calls::SyncSubscription {
            task: self.tasks[task].into(),
            node: self.nodes[node].into(),
            clock: Clock,
        };
        let contract = self.contract(ANYONE, call);
        if contract.is_ok() {
            self.model.sync(self.now, task, node);
            self.same("sync", &contract, &Ok(()));
        }
    }

    pub(super) fn attest(&mut self, task: TaskIx, node: NodeIx) {
        let call = calls::EnrollAttester {
            db: Self::db().into(),
            task: self.tasks[task].into(),
            node: self.nodes[node].into(),
            deposit: Payment(MicroUsdc(self.model.rules.params.attest_deposit)),
            clock: Clock,
        };
        let contract = self.contract(self.model.nodes[node].owner, call);
        let model = self.model.attest(self.now, task, node);
        self.same("attest", &contract, &model);
    }

    pub(super) fn resign(&mut self, task: TaskIx, node: NodeIx) {
        let call = calls::ResignAttester {
            task: self.tasks[task].into(),
            node: self.nodes[node].into(),
        };
        let contract = self.contract(self.model.nodes[node].owner, call);
        let model = self.model.resign(task, node);
        self.same("resign", &contract, &model);
    }

    pub(super) fn collect(&mut self, task: TaskIx, node: NodeIx) {
        let call = calls::CollectAttesterFees {
            task: self.tasks[task].into(),
            node: self.nodes[node].into(),
        };
        let contract = self.contract(ANYONE, call);
        let model = self.model.collect(task, node);
        self.same("collect", &contract, &model);
    }

    pub(super) fn acquire(&mut self, buy: Purchase) -> Option<StackIx> {
        let escrow = model::cost(buy.units, buy.max_price);
        let call = calls::AcquireStack {
            db: Self::db().into(),
            task: self.tasks[buy.task].into(),
            payment: Payment(MicroUsdc(escrow)),
            total_units: ComputeUnits(buy.units),
            max_price: Price(buy.max_price),
            nodes: buy.draw as u8,
            request_key: key(buy.owner).public_key(),
            lifetime_ms: DurationMs(buy.lifetime),
            random: Random,
            clock: Clock,
        };
        let seed = self.seed();
        let contract = self.contract(buy.owner, call);
        if let Ok(changes) = &contract {
            let Event::StackAcquired(event) = &changes.events[0] else {
                panic!("{changes:?}")
            };
            self.stacks.push(event.stack);
        }
        let model = self.model.acquire(self.now, buy, &seed);
        self.same("acquire", &contract, &model);
        model.ok()
    }

    pub(super) fn stack(&self, stack: StackIx) -> &chain::Stack {
        match self.state.get(self.stacks[stack].0) {
            Some(Object::Stack(stack)) => stack,
            other => panic!("{other:?}"),
        }
    }

    fn operator(&self, node: NodeIx) -> u32 {
        self.model.nodes[node].owner
    }

    pub(super) fn lease(&mut self, stack: StackIx, node: NodeIx, units: u64) {
        let held = self.stack(stack);
        let user = self.model.stacks[stack].owner;
        let grant = Draft::new(Grant {
            domain: Domain::default(),
            network: NETWORK,
            stack: self.stacks[stack],
            node: self.nodes[node],
            cumulative_units: ComputeUnits(units),
            max_price: held.max_price,
            nonce: held.nonce,
            expires_at_ms: TimestampMs(self.now),
        })
        .sign(&key(user));
        let (task, engine) = (held.task, held.engine);
        let call = calls::Lease {
            db: Self::db().into(),
            stack: self.stacks[stack].into(),
            task: task.into(),
            node: self.nodes[node].into(),
            grant: grant.bytes().to_vec(),
            signature: grant.signature().to_bytes(),
            clock: Clock,
        };
        let operator = self.operator(node);
        let contract = self.contract(operator, call);
        let model = self.model.lease(self.now, stack, node, units);
        if self.same("lease", &contract, &model) {
            let ids = (self.stacks[stack], self.nodes[node], task);
            self.chains
                .entry((stack, node))
                .or_insert_with(|| Chain::new(ids, engine, (user, operator)));
        }
    }

    pub(super) fn release(&mut self, stack: StackIx, node: NodeIx, units: u64) {
        let call = calls::ReleaseUnits {
            stack: self.stacks[stack].into(),
            node: self.nodes[node].into(),
            units: ComputeUnits(units),
            clock: Clock,
        };
        let contract = self.contract(self.operator(node), call);
        let model = self.model.release(self.now, stack, node, units);
        self.same("release", &contract, &model);
    }

    pub(super) fn revoke(&mut self, stack: StackIx, by: u32) {
        let call = calls::RevokeUngranted {
            stack: self.stacks[stack].into(),
            clock: Clock,
        };
        let contract = self.contract(by, call);
        let model = self.model.revoke(self.now, stack, by);
        self.same("revoke", &contract, &model);
    }

    pub(super) fn settle(&mut self, stack: StackIx, node: NodeIx, count: usize) {
        let chain = &self.chains[&(stack, node)];
        let lease = self.stack(stack).lease(self.nodes[node]).unwrap();
        let call = chain.settle_call(lease.claimed_seq(), count);
        let to = chain.units(count);
        let contract = self.contract(self.operator(node), call);
        let model = self.model.settle(self.now, stack, node, to);
        self.same("settle", &contract, &model);
    }

    pub(super) fn claim(&mut self, stack: StackIx, node: NodeIx) -> bool {
        let call = calls::Claim {
            stack: self.stacks[stack].into(),
            task: self.tasks[self.task_of(stack)].into(),
            node: self.nodes[node].into(),
            clock: Clock,
        };
        let contract = self.contract(ANYONE, call);
        let model = self.model.claim(self.now, stack, node);
        self.same("claim", &contract, &model)
    }

    pub(super) fn expire(&mut self, stack: StackIx, node: NodeIx) {
        let call = calls::ExpireLease {
            stack: self.stacks[stack].into(),
            node: self.nodes[node].into(),
            clock: Clock,
        };
        let contract = self.contract(ANYONE, call);
        let model = self.model.expire(self.now, stack, node);
        self.same("expire", &contract, &model);
    }

    /// The contract's name of a ticket.
    fn seq(&self, id: TicketId) -> u64 {
        self.on_chain(id).to_seq
    }

    pub(super) fn on_chain(&self, id: TicketId) -> &chain::Ticket {
        let lease = self.stack(id.stack).lease(self.nodes[id.node]).unwrap();
        let mut tickets = lease.tickets.iter();
        tickets.find(|ticket| ticket.to_units.0 == id.to).unwrap()
    }

    pub(super) fn demand(&mut self, id: TicketId, unit: u64) {
        let call = calls::DemandRecord {
            stack: self.stacks[id.stack].into(),
            holder: self.nodes[id.node],
            unit: ComputeUnits(unit),
            fee: Payment(MicroUsdc(self.model.rules.params.demand_fee)),
            clock: Clock,
        };
        let contract = self.contract(self.model.stacks[id.stack].owner, call);
        let model = self.model.demand(self.now, id, unit);
        self.same("demand", &contract, &model);
    }

    pub(super) fn answer(&mut self, id: TicketId, unit: u64) -> bool {
        let (record, proof) = self.chains[&(id.stack, id.node)].show(self.on_chain(id), unit);
        let call = calls::AnswerDemand {
            stack: self.stacks[id.stack].into(),
            holder: self.nodes[id.node],
            unit: ComputeUnits(unit),
            record,
            proof,
            blob: Some(BlobId([3; 32])),
            bodies: Vec::new(),
            clock: Clock,
        };
        let contract = self.contract(ANYONE, call);
        let model = self.model.answer(self.now, id, unit);
        self.same("answer", &contract, &model)
    }

    pub(super) fn silence(&mut self, id: TicketId, unit: u64) {
        let call = calls::ProveSilence {
            stack: self.stacks[id.stack].into(),
            task: self.tasks[self.task_of(id.stack)].into(),
            node: self.nodes[id.node].into(),
            unit: ComputeUnits(unit),
            clock: Clock,
        };
        let contract = self.contract(ANYONE, call);
        let model = self.model.silence(self.now, id, unit);
        self.same("silence", &contract, &model);
    }

    pub(super) fn draw(&mut self, id: TicketId) {
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

    pub(super) fn examine(&mut self, id: TicketId) {
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

    pub(super) fn disclose(&mut self, id: TicketId, unit: u64) {
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

    pub(super) fn verdict(&mut self, id: TicketId, by: u32, bad: bool) -> bool {
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

    pub(super) fn challenge(&mut self, id: TicketId, unit: u64) {
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

    pub(super) fn jury(&mut self, id: TicketId, challenge: bool) {
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

    pub(super) fn disclose_jury(&mut self, id: TicketId, challenge: bool, unit: u64) {
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

    pub(super) fn commit(
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

    pub(super) fn reveal(&mut self, id: TicketId, challenge: bool, juror: NodeIx, vote: Verdict) {
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

    pub(super) fn decide(&mut self, id: TicketId, challenge: bool) -> Option<model::Outcome> {
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

    pub(super) fn undisclosed(&mut self, id: TicketId) {
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

    pub(super) fn forfeit(&mut self, node: NodeIx) {
        let call = calls::Forfeit {
            db: Self::db().into(),
            node: self.nodes[node].into(),
            clock: Clock,
        };
        let contract = self.contract(ANYONE, call);
        let model = self.model.forfeit(self.now, node);
        self.same("forfeit", &contract, &model);
    }

    pub(super) fn collect_fees(&mut self, task: TaskIx) {
        let call = calls::CollectFees {
            db: Self::db().into(),
            task: self.tasks[task].into(),
            clock: Clock,
        };
        let contract = self.contract(ANYONE, call);
        let model = self.model.collect_fees(task);
        self.same("collect fees", &contract, &model);
    }

    pub(super) fn report(&mut self, node: NodeIx) {
        let call = calls::ReportFees {
            db: Self::db().into(),
            node: self.nodes[node].into(),
            clock: Clock,
        };
        let contract = self.contract(ANYONE, call);
        let model = self.model.report(self.now, node);
        self.same("report", &contract, &model);
    }

    pub(super) fn pay(&mut self, node: NodeIx) -> bool {
        let call = calls::PayTreasury {
            db: Self::db().into(),
            node: self.nodes[node].into(),
            clock: Clock,
        };
        let contract = self.contract(ANYONE, call);
        let model = self.model.pay(self.now, node);
        self.same("pay", &contract, &model)
    }
}
