//! From a claim to its end: paid, expired, disputed, struck.

use super::{Rows, Step, count, count_units, count_up, credit, debit};
use crate::{
    error::IndexError,
    rows::{
        ConvictionRow, Demand, DisputeRow, DisputeState, LeaseRow, LeaseStanding, NodeRow,
        ObjectName, OfferRow, SettlementRow, SettlementState, StackRow, TaskRow,
    },
};
use atoma_types::{
    BlobId, ComputeUnits, MicroUsdc, NodeId, StackId,
    chain::events::{
        Claimed, DisputeAnswered, DisputeOpened, LeaseExpired, NodeConvicted, SettlementOpened,
    },
};

type Applied = Result<(), IndexError>;

impl<R: Rows> Step<'_, R> {
    pub(super) fn settlement_opened(&mut self, e: &SettlementOpened) -> Applied {
        self.change(LeaseRow::at(e.stack, e.node), |lease| {
            lease.state = LeaseStanding::Settling;
            Ok(())
        })?;
        self.rows.put(&SettlementRow {
            stack: e.stack,
            node: e.node,
            number: self.place.number,
            claimed_units: e.claimed_units,
            receipts_root: e.receipts_root,
            count: e.count,
            manifest_blob: e.manifest_blob,
            deadline_ms: e.deadline_ms,
            state: SettlementState::Open,
            paid: MicroUsdc::ZERO,
            fee: MicroUsdc::ZERO,
            refunded: MicroUsdc::ZERO,
            disputes: 0,
            open_disputes: Vec::new(),
            opened_ms: self.place.at,
            ended_ms: None,
        })
    }

    pub(super) fn claimed(&mut self, e: &Claimed) -> Applied {
        let (mut requests, at) = (0, self.place.at);
        self.change(SettlementRow::at(e.stack, e.node), |settlement| {
            requests = settlement.count;
            settlement.state = SettlementState::Paid;
            settlement.paid = e.paid;
            settlement.fee = e.fee;
            settlement.refunded = e.refunded;
            settlement.ended_ms = Some(at);
            Ok(())
        })?;
        self.close_lease(e.stack, e.node, e.units, e.paid)?;
        let mut task = None;
        self.change(StackRow::at(e.stack), |stack| {
            task = Some(stack.task);
            debit(&mut stack.escrow, e.paid)?;
            debit(&mut stack.escrow, e.fee)?;
            credit(&mut stack.paid, e.paid)?;
            credit(&mut stack.fees, e.fee)?;
            count_units(&mut stack.settled_units, e.units);
            count_up(&mut stack.requests, requests);
            Ok(())
        })?;
        self.refund(e.stack, e.refunded)?;
        if let Some(task) = task {
            self.change(TaskRow::at(task), |task| {
                credit(&mut task.fees, e.fee)?;
                count(&mut task.revenue, e.paid);
                count(&mut task.revenue, e.fee);
                count_units(&mut task.units_settled, e.units);
                count_up(&mut task.requests, requests);
                Ok(())
            })?;
        }
        self.change(NodeRow::at(e.node), |node| {
            // a claim of nothing earns no standing
            count_up(&mut node.settled, u64::from(e.units > ComputeUnits::ZERO));
            count(&mut node.earned, e.paid);
            Ok(())
        })?;
        self.stale(e.node, ObjectName::Node)?;
        self.today(|day| {
            count_units(&mut day.units_settled, e.units);
            count_up(&mut day.requests, requests);
            count(&mut day.paid, e.paid);
            count(&mut day.fees, e.fee);
        })
    }

    pub(super) fn lease_expired(&mut self, e: &LeaseExpired) -> Applied {
        self.close_lease(e.stack, e.node, ComputeUnits::ZERO, MicroUsdc::ZERO)?;
        self.refund(e.stack, e.refunded)?;
        self.failed(e.node)
    }

    pub(super) fn dispute_opened(&mut self, e: &DisputeOpened) -> Applied {
        let mut number = 1;
        self.change(SettlementRow::at(e.stack, e.node), |settlement| {
            count_up(&mut settlement.disputes, 1);
            number = settlement.disputes;
            settlement.open_disputes.push(Demand { seq: e.seq, number });
            Ok(())
        })?;
        self.rows.put(&DisputeRow {
            stack: e.stack,
            node: e.node,
            number,
            event: self.place.number,
            seq: e.seq,
            receipt: e.receipt,
            bond: e.bond,
            deadline_ms: e.deadline_ms,
            state: DisputeState::Open,
            blob: None,
            opened_ms: self.place.at,
            ended_ms: None,
        })?;
        self.today(|day| count_up(&mut day.disputes, 1))
    }

    pub(super) fn dispute_answered(&mut self, e: &DisputeAnswered) -> Applied {
        let mut answered = Vec::new();
        self.change(SettlementRow::at(e.stack, e.node), |settlement| {
            let open = &mut settlement.open_disputes;
            answered.extend(open.iter().copied().filter(|demand| demand.seq == e.seq));
            open.retain(|demand| demand.seq != e.seq);
            Ok(())
        })?;
        let blob = Some(e.blob_id);
        self.end_disputes(e.stack, e.node, &answered, DisputeState::Answered, blob)?;
        self.change(NodeRow::at(e.node), |node| {
            count(&mut node.bonds, e.bond);
            Ok(())
        })
    }

    pub(super) fn node_convicted(&mut self, e: &NodeConvicted) -> Applied {
        let at = self.place.at;
        let mut struck = Vec::new();
        let mut closed = false;
        self.change(LeaseRow::at(e.stack, e.node), |lease| {
            closed = lease.state == LeaseStanding::Closed;
            lease.convicted = true;
            Ok(())
        })?;
        if !closed {
            // a lease that never settled has no claim to strike
            if let Some(mut settlement) = self.rows.get(SettlementRow::at(e.stack, e.node))? {
                struck = std::mem::take(&mut settlement.open_disputes);
                settlement.state = SettlementState::Struck;
                settlement.refunded = e.refunded;
                settlement.ended_ms = Some(at);
                self.rows.put(&settlement)?;
            }
            self.close_lease(e.stack, e.node, ComputeUnits::ZERO, MicroUsdc::ZERO)?;
        }
        self.end_disputes(e.stack, e.node, &struck, DisputeState::Won, None)?;
        self.refund(e.stack, e.refunded)?;
        self.change(StackRow::at(e.stack), |stack| {
            credit(&mut stack.damages, e.to_owner)
        })?;
        self.rows.put(&ConvictionRow {
            stack: e.stack,
            node: e.node,
            event: self.place.number,
            charge: e.charge,
            refunded: e.refunded,
            bonds: e.bonds,
            to_owner: e.to_owner,
            to_treasury: e.to_treasury,
            at_ms: at,
        })?;
        self.change(NodeRow::at(e.node), |node| {
            node.collateral = e.collateral;
            count(&mut node.slashed, e.to_owner);
            count(&mut node.slashed, e.to_treasury);
            Ok(())
        })?;
        self.failed(e.node)?;
        self.today(|day| {
            count_up(&mut day.convictions, 1);
            count(&mut day.slashed, e.to_owner);
            count(&mut day.slashed, e.to_treasury);
        })?;
        self.treasury(|treasury| count(&mut treasury.slashes, e.to_treasury))
    }

    fn end_disputes(
        &mut self,
        stack: StackId,
        node: NodeId,
        demands: &[Demand],
        state: DisputeState,
        blob: Option<BlobId>,
    ) -> Applied {
        let at = self.place.at;
        for demand in demands {
            self.change(DisputeRow::at(stack, node, demand.number), |dispute| {
                dispute.state = state;
                dispute.blob = blob;
                dispute.ended_ms = Some(at);
                Ok(())
            })?;
        }
        Ok(())
    }

    fn failed(&mut self, node: NodeId) -> Applied {
        self.change(NodeRow::at(node), |node| {
            count_up(&mut node.failed, 1);
            Ok(())
        })?;
        self.stale(node, ObjectName::Node)
    }

    /// Closes a lease and gives its units back to the node's capacity; the node's offer goes with its
    /// last lease if it was leaving.
    fn close_lease(
        &mut self,
        stack: StackId,
        node: NodeId,
        paid_units: ComputeUnits,
        paid: MicroUsdc,
    ) -> Applied {
        let mut held = None;
        self.change(LeaseRow::at(stack, node), |lease| {
            if lease.state == LeaseStanding::Closed {
                return Err("a lease is closed twice");
            }
            lease.state = LeaseStanding::Closed;
            lease.paid_units = paid_units;
            lease.paid = paid;
            held = Some((lease.task, lease.units));
            Ok(())
        })?;
        let Some((task, units)) = held else {
            return Ok(());
        };
        self.change(StackRow::at(stack), |stack| {
            stack.closed_units = stack.closed_units.saturating_add(units);
            Ok(())
        })?;
        let Some(mut offer) = self.rows.get(OfferRow::at(task, node))? else {
            self.whole = false;
            return Ok(());
        };
        offer.leased = offer.leased.saturating_sub(units);
        offer.open_leases = offer.open_leases.saturating_sub(1);
        if offer.leaving && offer.open_leases == 0 {
            self.rows.remove(OfferRow::at(task, node))
        } else {
            self.rows.put(&offer)
        }
    }
}
