//! A conviction: who loses what, and who gets it.

use crate::{
    Rule, Txn, ensure, node, reputation, settlement, stack, task, verified::VerifiedMessages,
};
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, ObjectId,
    chain::{
        AbortCode, AtomaDb, LeaseState, Node, NodeStatus, Stack, Task, Ticket,
        events::{Charge, NodeConvicted},
    },
};

/// At most this much of a slash goes to the stack's owner. The rest goes to the treasury, so a node
/// that convicts itself on a stack of its own loses at least half of it. If it lost less, a slash would be
/// a way to take collateral out before the unbonding time is over.
const MAX_OWNER_PERMILLE: u64 = 500;

/// A lease and everyone it concerns.
pub(super) struct Case {
    db: AtomaDb,
    stack: Stack,
    pub(super) task: Task,
    node: Node,
}

impl Case {
    pub(super) fn load(
        txn: &Txn<'_>,
        db: ObjectId,
        stack: ObjectId,
        task: ObjectId,
        node: ObjectId,
    ) -> Rule<Self> {
        let db = txn.db(db)?;
        let (stack, task, node) = settlement::parties(txn, stack, task, node)?;
        let lease = stack.lease(node.id).ok_or(AbortCode::NoSuchLease)?;
        ensure(!lease.convicted, AbortCode::AlreadyConvicted)?;
        ensure(node.status != NodeStatus::Left, AbortCode::NodeLeft)?;
        Ok(Self {
            db,
            stack,
            task,
            node,
        })
    }

    pub(super) fn messages(&self, txn: &Txn<'_>) -> VerifiedMessages<'_> {
        VerifiedMessages::new(txn, &self.stack, &self.node)
    }

    /// The lease's ticket, if it waits to be paid.
    pub(super) fn ticket(&self) -> Rule<Option<&Ticket>> {
        let lease = self.stack.lease(self.node.id);
        match &lease.ok_or(AbortCode::NoSuchLease)?.state {
            LeaseState::Settling(ticket) => Ok(Some(ticket)),
            LeaseState::Open | LeaseState::Closed { .. } => Ok(None),
        }
    }

    /// Finds the node guilty. The lease, unless it was paid before, is closed with nothing: all its
    /// escrow goes back, and so do the stakes of open disputes. A part of the collateral goes to
    /// the owner and the treasury, and the node gets no new business for a while.
    pub(super) fn convict(mut self, txn: &mut Txn<'_>, charge: Charge) -> Rule {
        let bonds = self.bonds()?;
        let (to_owner, to_treasury) = self.slash(charge)?;
        match charge {
            Charge::Silence => reputation::failed(&mut self.node, &self.db.params),
            Charge::Equivocation | Charge::OverClaim | Charge::ForgedRequest => {
                reputation::lost(&mut self.node);
            }
        }
        self.jail(txn);
        let lease = settlement::lease_mut(&mut self.stack, self.node.id)?;
        lease.convicted = true;
        let refunded = if matches!(lease.state, LeaseState::Closed { .. }) {
            task::refresh(&mut self.task, &mut self.node, txn.now());
            MicroUsdc::ZERO
        } else {
            settlement::close_lease(
                txn,
                &mut self.stack,
                &mut self.task,
                &mut self.node,
                ComputeUnits::ZERO,
                MicroUsdc::ZERO,
            )?;
            stack::refund(txn, &mut self.stack)?
        };
        txn.pay(self.stack.owner, bonds);
        txn.pay(self.stack.owner, to_owner);
        txn.emit(NodeConvicted {
            stack: self.stack.id,
            node: self.node.id,
            charge,
            refunded,
            bonds,
            to_owner,
            to_treasury,
            collateral: self.node.collateral,
        });
        stack::close_if_done(txn, &mut self.stack);
        txn.put_db(self.db);
        settlement::put(txn, self.stack, self.task, self.node);
        Ok(())
    }

    /// The stakes of all open disputes: they were paid by the owner alone, and there are few.
    fn bonds(&self) -> Rule<MicroUsdc> {
        let disputes = self.ticket()?.map_or(&[][..], |ticket| &ticket.disputes);
        disputes
            .iter()
            .try_fold(MicroUsdc::ZERO, |sum, dispute| {
                sum.checked_add(dispute.bond)
            })
            .ok_or(AbortCode::AmountOverflow)
    }

    /// Takes from the collateral, rounded up; returns the owner's part, rounded down, and the
    /// treasury's, which has the rest already.
    fn slash(&mut self, charge: Charge) -> Rule<(MicroUsdc, MicroUsdc)> {
        let params = &self.db.params;
        let permille = match charge {
            Charge::Silence => params.silence_slash_permille,
            Charge::Equivocation | Charge::OverClaim | Charge::ForgedRequest => {
                params.fraud_slash_permille
            }
        };
        let overflow = AbortCode::AmountOverflow;
        let slashed = self.node.collateral.permille_up(permille);
        let part = params.slash_owner_permille.min(MAX_OWNER_PERMILLE);
        let to_owner = slashed.permille(part).ok_or(overflow)?;
        let to_treasury = slashed.checked_sub(to_owner).ok_or(overflow)?;
        self.node.collateral = self.node.collateral.checked_sub(slashed).ok_or(overflow)?;
        let treasury = self.db.communal_treasury.checked_add(to_treasury);
        self.db.communal_treasury = treasury.ok_or(overflow)?;
        Ok((to_owner, to_treasury))
    }

    /// A node that is leaving keeps leaving: it gets no new business anyway.
    fn jail(&mut self, txn: &mut Txn<'_>) {
        let until = txn.now().saturating_add(DurationMs(self.db.params.jail_ms));
        let until_ms = match self.node.status {
            NodeStatus::Active => until,
            NodeStatus::Jailed { until_ms } => until_ms.max(until),
            NodeStatus::Unbonding { .. } | NodeStatus::Left => return,
        };
        node::set_status(txn, &mut self.node, NodeStatus::Jailed { until_ms });
    }
}
