//! Tickets, demands, and where the money goes then.

use crate::held::both::{ANYONE, Both};
use atoma_sim::model::{NodeIx, StackIx, TaskIx, TicketId};
use atoma_types::{
    BlobId, ComputeUnits, MicroUsdc,
    chain::{self, Clock, Payment, calls},
};

impl Both {
    pub(in crate::held) fn settle(&mut self, stack: StackIx, node: NodeIx, count: usize) {
        let chain = &self.chains[&(stack, node)];
        let lease = self.stack(stack).lease(self.nodes[node]).unwrap();
        let call = chain.settle_call(lease.claimed_seq(), count);
        let to = chain.units(count);
        let contract = self.contract(self.operator(node), call);
        let model = self.model.settle(self.now, stack, node, to);
        self.same("settle", &contract, &model);
    }

    pub(in crate::held) fn claim(&mut self, stack: StackIx, node: NodeIx) -> bool {
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

    pub(in crate::held) fn expire(&mut self, stack: StackIx, node: NodeIx) {
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
    pub(super) fn seq(&self, id: TicketId) -> u64 {
        self.on_chain(id).to_seq
    }

    pub(in crate::held) fn on_chain(&self, id: TicketId) -> &chain::Ticket {
        let lease = self.stack(id.stack).lease(self.nodes[id.node]).unwrap();
        let mut tickets = lease.tickets.iter();
        tickets.find(|ticket| ticket.to_units.0 == id.to).unwrap()
    }

    pub(in crate::held) fn demand(&mut self, id: TicketId, unit: u64) {
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

    pub(in crate::held) fn answer(&mut self, id: TicketId, unit: u64) -> bool {
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

    pub(in crate::held) fn silence(&mut self, id: TicketId, unit: u64) {
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

    pub(in crate::held) fn forfeit(&mut self, node: NodeIx) {
        let call = calls::Forfeit {
            db: Self::db().into(),
            node: self.nodes[node].into(),
            clock: Clock,
        };
        let contract = self.contract(ANYONE, call);
        let model = self.model.forfeit(self.now, node);
        self.same("forfeit", &contract, &model);
    }

    pub(in crate::held) fn collect_fees(&mut self, task: TaskIx) {
        let call = calls::CollectFees {
            db: Self::db().into(),
            task: self.tasks[task].into(),
            clock: Clock,
        };
        let contract = self.contract(ANYONE, call);
        let model = self.model.collect_fees(task);
        self.same("collect fees", &contract, &model);
    }

    pub(in crate::held) fn report(&mut self, node: NodeIx) {
        let call = calls::ReportFees {
            db: Self::db().into(),
            node: self.nodes[node].into(),
            clock: Clock,
        };
        let contract = self.contract(ANYONE, call);
        let model = self.model.report(self.now, node);
        self.same("report", &contract, &model);
    }

    pub(in crate::held) fn pay(&mut self, node: NodeIx) -> bool {
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
