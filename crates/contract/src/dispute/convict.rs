//! A conviction: one for every charge, so that no path is cheaper than another.

use crate::{Rule, Txn, audit, minus, node, plus, settlement, stack::close_lease, standing, task};
use atoma_types::{
    MicroUsdc, NodeId, ObjectId,
    chain::{
        AbortCode, Lease, Node, NodeStatus, Stack, Task, Ticket,
        events::{Charge, NodeConvicted},
    },
};

/// A lease with open tickets, and everyone it concerns.
pub(crate) struct Case {
    pub(crate) stack: Stack,
    pub(crate) task: Task,
    pub(crate) node: Node,
}

/// Jurors whom a conviction pays, and what each gets.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    /// The jurors on the winning side.
    pub(crate) winners: Vec<NodeId>,
    /// What each gets.
    pub(crate) fee: MicroUsdc,
    /// The ticket whose examiner they contradict.
    pub(crate) contradict: Option<u64>,
    /// What the owner gets back of what was claimed, at most. A jury may be wrong, and the owner has the answers, so it is what a
    /// bond stood for; nothing else that convicts can be wrong.
    pub(crate) refund: Option<MicroUsdc>,
}

impl Case {
    pub(crate) fn load(
        txn: &Txn<'_>,
        stack: ObjectId,
        task: ObjectId,
        node: ObjectId,
    ) -> Rule<Self> {
        let (stack, task, node) = settlement::parties(txn, stack, task, node)?;
        Ok(Self { stack, task, node })
    }

    pub(crate) fn stack(&self) -> &Stack {
        &self.stack
    }

    pub(crate) fn lease(&self) -> Rule<&Lease> {
        self.stack.lease(self.node.id).ok_or(AbortCode::NoSuchLease)
    }

    /// One of the tickets that wait to be paid.
    pub(crate) fn ticket(&self, to_seq: u64) -> Rule<&Ticket> {
        settlement::open_ticket(&self.stack, self.node.id, to_seq).map(|(_, ticket)| ticket)
    }

    /// Finds the node guilty, where no jury is to be paid.
    pub(crate) fn convict(self, txn: &mut Txn<'_>, charge: Charge) -> Rule {
        self.convict_by(txn, charge, &Verdicts::default())
    }

    /// Finds the node guilty: its tickets are void, the lease is closed with nothing more, and all that was paid
    /// for what isn't to come is the owner's credit. The fine leaves the collateral and waits.
    pub(crate) fn convict_by(
        mut self,
        txn: &mut Txn<'_>,
        charge: Charge,
        verdicts: &Verdicts,
    ) -> Rule {
        let overflow = AbortCode::AmountOverflow;
        let lease = self.lease()?;
        let tickets = lease.tickets.clone();
        // all that is claimed: a cheap ticket is no plea for a dear one
        let value = lease
            .value(lease.paid_units, lease.claimed_units())
            .ok_or(overflow)?;
        let fine = self.stack.terms.fine(value).ok_or(overflow)?;

        let bonds = bonds(&tickets)?;
        self.stack.free = plus(self.stack.free, bonds)?;
        for ticket in &tickets {
            let contradicted = verdicts.contradict == Some(ticket.to_seq);
            audit::end(txn, &mut self.task, &self.stack.terms, ticket, contradicted)?;
        }
        let jurors = self.pay_jurors(verdicts, fine)?;
        self.fine(txn, fine, jurors)?;
        let freed = close_lease(&mut self.stack, &mut self.node)?;
        // closing frees all that was claimed, at least
        let kept = minus(value, verdicts.refund.unwrap_or(value).min(value))?;
        self.stack.free = minus(self.stack.free, kept)?;
        self.task.fees = plus(self.task.fees, kept)?;
        standing::lost(&mut self.node.standing);
        self.jail(txn);
        task::refresh(&mut self.task, &self.node, txn.now());
        txn.emit(NodeConvicted {
            stack: self.stack.id,
            node: self.node.id,
            charge,
            value,
            fine,
            jurors,
            freed: plus(minus(freed, kept)?, bonds)?,
            kept,
            collateral: self.node.collateral,
            until_ms: self.node.pending.until_ms,
        });
        settlement::put(txn, self.stack, self.task, self.node);
        Ok(())
    }

    /// Pays jurors out of the fine, which the smallest ticket's is enough for. Returns what they got.
    fn pay_jurors(&mut self, verdicts: &Verdicts, fine: MicroUsdc) -> Rule<MicroUsdc> {
        let mut left = fine;
        for &juror in &verdicts.winners {
            let fee = verdicts.fee.min(left);
            task::credit(&mut self.task, juror, fee)?;
            left = minus(left, fee)?;
        }
        minus(fine, left)
    }

    /// Takes the fine: what is at stake is never above the collateral, so it is there.
    fn fine(&mut self, txn: &Txn<'_>, fine: MicroUsdc, jurors: MicroUsdc) -> Rule {
        let node = &mut self.node;
        node.collateral = minus(node.collateral, fine)?;
        node.fresh = node.fresh.min(node.collateral);
        node.pending.fines = plus(node.pending.fines, minus(fine, jurors)?)?;
        let until = txn.now().saturating_add(self.stack.terms.slash_delay_ms);
        node.pending.until_ms = node.pending.until_ms.max(until);
        Ok(())
    }

    /// A node that is leaving keeps leaving: it gets no new business anyway.
    fn jail(&mut self, txn: &mut Txn<'_>) {
        let until = txn.now().saturating_add(self.stack.terms.jail_ms);
        let until_ms = match self.node.status {
            NodeStatus::Active => until,
            NodeStatus::Jailed { until_ms } => until_ms.max(until),
            NodeStatus::Unbonding { .. } | NodeStatus::Left => return,
        };
        node::set_status(txn, &mut self.node, NodeStatus::Jailed { until_ms });
    }
}

/// Fees of open demands, and bonds of challenges, which are zero once they are over: there are few.
fn bonds(tickets: &[Ticket]) -> Rule<MicroUsdc> {
    let held = |ticket: &Ticket| {
        let challenge = ticket.challenge.as_ref();
        let bond = challenge.map(|challenge| challenge.bond);
        let fees = ticket.demands.iter().map(|demand| demand.fee);
        fees.chain(bond).collect::<Vec<_>>()
    };
    tickets
        .iter()
        .flat_map(held)
        .try_fold(MicroUsdc::ZERO, plus)
}
