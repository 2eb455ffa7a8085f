//! From a claim to its end: paid, demanded, struck; and the end of a lease.

use super::{Rows, Step, count, count_units, count_up, credit, debit};
use crate::{
    error::IndexError,
    rows::{
        AuditState, ConvictionRow, Demand, DisputeRow, DisputeState, LeaseRow, LeaseStanding,
        NodeRow, SettlementRow, SettlementState, StackRow, TaskRow,
    },
};
use atoma_types::{
    BlobId, ComputeUnits, MicroUsdc, NodeId, StackId,
    chain::events::{
        Claimed, DemandAnswered, LeaseClosed, NodeConvicted, RecordDemanded, SettlementOpened,
    },
};

type Applied = Result<(), IndexError>;

impl<R: Rows> Step<'_, R> {
    pub(super) fn settlement_opened(&mut self, e: &SettlementOpened) -> Applied {
        let mut before = (ComputeUnits::ZERO, 0);
        self.change(LeaseRow::at(e.stack, e.node), |lease| {
            before = (lease.claimed_units, lease.claimed_seq);
            (lease.claimed_units, lease.claimed_seq) = (e.to_units, e.to_seq);
            Ok(())
        })?;
        self.rows.put(&SettlementRow {
            stack: e.stack,
            node: e.node,
            to_seq: e.to_seq,
            number: self.place.number,
            from_seq: before.1,
            from_units: before.0,
            to_units: e.to_units,
            last: e.last,
            base: e.base,
            history: e.history,
            manifest_blob: e.manifest_blob,
            value: e.value,
            deadline_ms: e.deadline_ms,
            state: SettlementState::Open,
            exam: AuditState::None,
            examiner: None,
            challenge: AuditState::None,
            challenge_event: None,
            challenged_ms: None,
            paid: MicroUsdc::ZERO,
            fee: MicroUsdc::ZERO,
            due: MicroUsdc::ZERO,
            opened_ms: self.place.at,
            ended_ms: None,
        })
    }

    pub(super) fn claimed(&mut self, e: &Claimed) -> Applied {
        let (mut requests, at) = (0, self.place.at);
        self.change(SettlementRow::at(e.stack, e.node, e.paid_seq), |ticket| {
            requests = ticket.to_seq.saturating_sub(ticket.from_seq);
            ticket.state = SettlementState::Paid;
            ticket.paid = e.paid;
            ticket.fee = e.fee;
            ticket.due = e.due;
            ticket.ended_ms = Some(at);
            Ok(())
        })?;
        let mut held = None;
        self.change(LeaseRow::at(e.stack, e.node), |lease| {
            let units = e.paid_units.checked_sub(lease.paid_units);
            let units = units.ok_or("what is paid shrinks")?;
            let (before, after) = (
                lease.price.cost(lease.paid_units),
                lease.price.cost(e.paid_units),
            );
            let value = after
                .zip(before)
                .and_then(|(after, before)| after.checked_sub(before));
            held = Some((lease.task, units, value.ok_or("a sum overflows")?));
            lease.paid_units = e.paid_units;
            lease.paid_seq = e.paid_seq;
            credit(&mut lease.paid, e.paid)
        })?;
        let Some((task, units, value)) = held else {
            return Ok(());
        };
        self.change(StackRow::at(e.stack), |stack| {
            debit(&mut stack.escrow, value)?;
            credit(&mut stack.paid_open, value)?;
            credit(&mut stack.paid, e.paid)?;
            credit(&mut stack.fees, e.fee)?;
            credit(&mut stack.dues, e.due)?;
            count_units(&mut stack.settled_units, units);
            count_up(&mut stack.requests, requests);
            Ok(())
        })?;
        self.change(TaskRow::at(task), |task| {
            count(&mut task.fees, e.fee);
            count(&mut task.revenue, value);
            count_units(&mut task.units_settled, units);
            count_up(&mut task.requests, requests);
            Ok(())
        })?;
        self.change(NodeRow::at(e.node), |node| {
            count_up(&mut node.settled, 1);
            count(&mut node.earned, e.paid);
            Ok(())
        })?;
        self.touched(e.stack, e.node)?;
        self.today(|day| {
            count_units(&mut day.units_settled, units);
            count_up(&mut day.requests, requests);
            count(&mut day.paid, e.paid);
            count(&mut day.fees, e.fee);
            count(&mut day.dues, e.due);
        })
    }

    pub(super) fn lease_closed(&mut self, e: &LeaseClosed) -> Applied {
        self.close_lease(e.stack, e.node)
    }

    pub(super) fn record_demanded(&mut self, e: &RecordDemanded) -> Applied {
        let mut number = 1;
        self.change(LeaseRow::at(e.stack, e.node), |lease| {
            count_up(&mut lease.demands, 1);
            number = lease.demands;
            let unit = e.unit;
            lease.open_demands.push(Demand { unit, number });
            Ok(())
        })?;
        self.rows.put(&DisputeRow {
            stack: e.stack,
            node: e.node,
            number,
            event: self.place.number,
            unit: e.unit,
            deadline_ms: e.deadline_ms,
            state: DisputeState::Open,
            seq: None,
            blob: None,
            opened_ms: self.place.at,
            ended_ms: None,
        })?;
        self.today(|day| count_up(&mut day.disputes, 1))
    }

    pub(super) fn demand_answered(&mut self, e: &DemandAnswered) -> Applied {
        let mut answered = Vec::new();
        self.change(LeaseRow::at(e.stack, e.node), |lease| {
            let open = &mut lease.open_demands;
            answered.extend(open.iter().copied().filter(|demand| demand.unit == e.unit));
            open.retain(|demand| demand.unit != e.unit);
            Ok(())
        })?;
        let shown = (Some(e.seq), e.blob);
        self.end_demands((e.stack, e.node), &answered, DisputeState::Answered, shown)
    }

    pub(super) fn node_convicted(&mut self, e: &NodeConvicted) -> Applied {
        let at = self.place.at;
        let (mut struck, mut tickets) = (Vec::new(), Vec::new());
        self.change(LeaseRow::at(e.stack, e.node), |lease| {
            lease.convicted = true;
            struck = std::mem::take(&mut lease.open_demands);
            tickets.push(lease.claimed_seq);
            (lease.claimed_units, lease.claimed_seq) = (lease.paid_units, lease.paid_seq);
            Ok(())
        })?;
        // from the last ticket back to the first that is open
        while let Some(to_seq) = tickets.pop() {
            let ticket = self.rows.get(SettlementRow::at(e.stack, e.node, to_seq))?;
            let open = ticket.filter(|ticket| ticket.state == SettlementState::Open);
            if let Some(mut ticket) = open {
                tickets.push(ticket.from_seq);
                ticket.state = SettlementState::Struck;
                ticket.ended_ms = Some(at);
                self.rows.put(&ticket)?;
            }
        }
        self.end_demands((e.stack, e.node), &struck, DisputeState::Won, (None, None))?;
        self.close_lease(e.stack, e.node)?;
        self.rows.put(&ConvictionRow {
            stack: e.stack,
            node: e.node,
            event: self.place.number,
            charge: e.charge,
            value: e.value,
            fine: e.fine,
            jurors: e.jurors,
            freed: e.freed,
            at_ms: at,
        })?;
        self.change(NodeRow::at(e.node), |node| {
            node.collateral = e.collateral;
            count_up(&mut node.convicted, 1);
            count(&mut node.fined, e.fine);
            Ok(())
        })?;
        self.today(|day| {
            count_up(&mut day.convictions, 1);
            count(&mut day.fined, e.fine);
        })
    }

    fn end_demands(
        &mut self,
        (stack, node): (StackId, NodeId),
        demands: &[Demand],
        state: DisputeState,
        (seq, blob): (Option<u64>, Option<BlobId>),
    ) -> Applied {
        let at = self.place.at;
        for demand in demands {
            self.change(DisputeRow::at(stack, node, demand.number), |dispute| {
                dispute.state = state;
                dispute.seq = seq;
                dispute.blob = blob;
                dispute.ended_ms = Some(at);
                Ok(())
            })?;
        }
        Ok(())
    }

    /// Closes a lease: its units are nobody's any more.
    fn close_lease(&mut self, stack: StackId, node: NodeId) -> Applied {
        let mut held = None;
        self.change(LeaseRow::at(stack, node), |lease| {
            if lease.state == LeaseStanding::Closed {
                return Err("a lease is closed twice");
            }
            lease.state = LeaseStanding::Closed;
            let paid = lease.price.cost(lease.paid_units);
            held = Some((lease.units, paid.ok_or("a sum overflows")?));
            Ok(())
        })?;
        let Some((units, paid)) = held else {
            return Ok(());
        };
        self.change(StackRow::at(stack), |stack| {
            let left = stack.live_units.checked_sub(units);
            stack.live_units = left.ok_or("more is closed than there is")?;
            stack.open_leases = stack.open_leases.saturating_sub(1);
            debit(&mut stack.paid_open, paid)
        })?;
        self.refit(stack)?;
        self.touched(stack, node)
    }
}
