//! Stacks and their leases, up to the settlement.

use super::{Rows, Step, count, count_units, count_up, credit, debit};
use crate::{
    error::IndexError,
    rows::{LeaseRow, LeaseStanding, ObjectName, OfferRow, StackRow, TaskRow},
};
use atoma_types::{
    ComputeUnits, MicroUsdc, StackId,
    chain::events::{
        ExpiryChanged, Leased, StackAcquired, StackClosed, ToppedUp, UngrantedRevoked,
    },
};

type Applied = Result<(), IndexError>;

impl<R: Rows> Step<'_, R> {
    pub(super) fn stack_acquired(&mut self, e: &StackAcquired) -> Applied {
        self.rows.put(&StackRow {
            stack: e.stack,
            number: self.place.number,
            owner: e.owner,
            task: e.task,
            request_key: e.request_key,
            total_units: e.total_units,
            closed_units: ComputeUnits::ZERO,
            settled_units: ComputeUnits::ZERO,
            requests: 0,
            max_price: e.max_price,
            escrow: e.escrow,
            deposited: e.escrow,
            paid: MicroUsdc::ZERO,
            fees: MicroUsdc::ZERO,
            refunded: MicroUsdc::ZERO,
            damages: MicroUsdc::ZERO,
            selection: e.selection,
            candidates: e.candidates.clone(),
            expires_at_ms: e.expires_at_ms,
            settle_grace_ms: e.settle_grace_ms,
            leases: 0,
            closing: false,
            closed: false,
            bought_ms: self.place.at,
        })?;
        self.stale(e.stack, ObjectName::Stack)?;
        self.change(TaskRow::at(e.task), |task| {
            count_up(&mut task.stacks, 1);
            count_units(&mut task.units_bought, e.total_units);
            Ok(())
        })?;
        self.today(|day| {
            count_up(&mut day.stacks, 1);
            count_units(&mut day.units_bought, e.total_units);
            count(&mut day.deposited, e.escrow);
        })
    }

    /// A new lease, or a larger one: the event tells its units in all.
    pub(super) fn leased(&mut self, e: &Leased) -> Applied {
        let before = self.rows.get(LeaseRow::at(e.stack, e.node))?;
        let (added, new) = match before {
            Some(lease) => {
                let added = e.units.checked_sub(lease.units);
                let added = added.ok_or_else(|| self.contradiction("a lease shrinks"))?;
                self.rows.put(&LeaseRow {
                    units: e.units,
                    ..lease
                })?;
                (added, 0)
            }
            None => {
                let mut place = 0;
                self.change(StackRow::at(e.stack), |stack| {
                    place = stack.leases;
                    count_up(&mut stack.leases, 1);
                    Ok(())
                })?;
                self.rows.put(&LeaseRow {
                    stack: e.stack,
                    node: e.node,
                    place,
                    task: e.task,
                    units: e.units,
                    price: e.price,
                    state: LeaseStanding::Open,
                    paid_units: ComputeUnits::ZERO,
                    paid: MicroUsdc::ZERO,
                    convicted: false,
                    leased_ms: self.place.at,
                })?;
                (e.units, 1)
            }
        };
        self.change(OfferRow::at(e.task, e.node), |offer| {
            offer.leased = offer.leased.saturating_add(added);
            count_up(&mut offer.open_leases, new);
            Ok(())
        })
    }

    pub(super) fn topped_up(&mut self, e: &ToppedUp) -> Applied {
        let mut bought = None;
        self.change(StackRow::at(e.stack), |stack| {
            let added = e.total_units.checked_sub(stack.total_units);
            bought = Some((stack.task, added.ok_or("a stack shrinks")?));
            stack.total_units = e.total_units;
            credit(&mut stack.escrow, e.paid)?;
            credit(&mut stack.deposited, e.paid)
        })?;
        self.today(|day| count(&mut day.deposited, e.paid))?;
        let Some((task, added)) = bought else {
            return Ok(());
        };
        self.change(TaskRow::at(task), |task| {
            count_units(&mut task.units_bought, added);
            Ok(())
        })?;
        self.today(|day| count_units(&mut day.units_bought, added))
    }

    pub(super) fn expiry_changed(&mut self, e: &ExpiryChanged) -> Applied {
        self.change(StackRow::at(e.stack), |stack| {
            stack.expires_at_ms = e.expires_at_ms;
            stack.closing |= e.closing;
            Ok(())
        })
    }

    pub(super) fn ungranted_revoked(&mut self, e: &UngrantedRevoked) -> Applied {
        self.change(StackRow::at(e.stack), |stack| {
            let left = stack.total_units.checked_sub(e.units);
            stack.total_units = left.ok_or("more is revoked than there is")?;
            Ok(())
        })?;
        self.refund(e.stack, e.refunded)
    }

    pub(super) fn stack_closed(&mut self, e: &StackClosed) -> Applied {
        self.change(StackRow::at(e.stack), |stack| {
            if stack.escrow > MicroUsdc::ZERO {
                return Err("a stack is closed with money in it");
            }
            stack.closed = true;
            Ok(())
        })
    }

    /// Money out of a stack's escrow, back to its owner.
    pub(super) fn refund(&mut self, stack: StackId, amount: MicroUsdc) -> Applied {
        self.change(StackRow::at(stack), |stack| {
            debit(&mut stack.escrow, amount)?;
            credit(&mut stack.refunded, amount)
        })?;
        self.today(|day| count(&mut day.refunded, amount))
    }
}
