//! Stacks and their leases, up to the settlement.

use super::{Rows, Step, count, count_units, count_up, credit, debit};
use crate::{
    error::IndexError,
    rows::{LeaseRow, LeaseStanding, ObjectName, StackRow, TaskRow},
};
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, StackId, TaskId,
    chain::events::{
        ExpiryChanged, FreeWithdrawn, Leased, StackAcquired, ToppedUp, UngrantedRevoked,
        UnitsReleased, WatcherSet,
    },
};

type Applied = Result<(), IndexError>;

impl<R: Rows> Step<'_, R> {
    pub(super) fn stack_acquired(&mut self, e: &StackAcquired) -> Applied {
        self.rows.put(&StackRow {
            stack: e.stack,
            number: self.place.number,
            owner: e.owner,
            watcher: None,
            task: e.task,
            request_key: e.request_key,
            ungranted: e.total_units,
            live_units: e.total_units,
            settled_units: ComputeUnits::ZERO,
            requests: 0,
            max_price: e.max_price,
            nonce: 0,
            escrow: e.escrow,
            paid_open: MicroUsdc::ZERO,
            deposited: e.escrow,
            paid: MicroUsdc::ZERO,
            fees: MicroUsdc::ZERO,
            dues: MicroUsdc::ZERO,
            freed: MicroUsdc::ZERO,
            withdrawn: MicroUsdc::ZERO,
            candidates: e.candidates.clone(),
            expires_at_ms: e.expires_at_ms,
            settle_grace_ms: e.settle_grace_ms,
            leases: 0,
            open_leases: 0,
            closing: false,
            bought_ms: self.place.at,
        })?;
        self.stale(e.stack, ObjectName::Stack)?;
        self.change(TaskRow::at(e.task), |task| {
            count_up(&mut task.stacks, 1);
            Ok(())
        })?;
        self.bought(e.task, e.total_units)?;
        self.today(|day| {
            count_up(&mut day.stacks, 1);
            count(&mut day.deposited, e.escrow);
        })
    }

    /// A new lease, or a larger one: the event tells its units in all.
    pub(super) fn leased(&mut self, e: &Leased) -> Applied {
        let before = self.rows.get(LeaseRow::at(e.stack, e.node))?;
        let held = before
            .as_ref()
            .map_or(ComputeUnits::ZERO, |lease| lease.units);
        if e.units < held {
            return Err(self.contradiction("a grant shrinks a lease"));
        }
        let mut place = 0;
        self.change(StackRow::at(e.stack), |stack| {
            place = stack.leases;
            stack.ungranted = e.ungranted;
            if before.is_none() {
                count_up(&mut stack.leases, 1);
                count_up(&mut stack.open_leases, 1);
            }
            Ok(())
        })?;
        self.rows.put(&match before {
            Some(lease) => LeaseRow {
                units: e.units,
                ..lease
            },
            None => LeaseRow {
                stack: e.stack,
                node: e.node,
                place,
                task: e.task,
                key: e.response_key,
                units: e.units,
                price: e.price,
                state: LeaseStanding::Open,
                paid_units: ComputeUnits::ZERO,
                paid_seq: 0,
                claimed_units: ComputeUnits::ZERO,
                claimed_seq: 0,
                paid: MicroUsdc::ZERO,
                demands: 0,
                open_demands: Vec::new(),
                convicted: false,
                leased_ms: self.place.at,
            },
        })?;
        self.touched(e.stack, e.node)
    }

    /// Units go back to the stack; after its expiry they are nobody's any more.
    pub(super) fn units_released(&mut self, e: &UnitsReleased) -> Applied {
        let mut given_back = ComputeUnits::ZERO;
        self.change(LeaseRow::at(e.stack, e.node), |lease| {
            let less = lease.units.checked_sub(e.units);
            given_back = less.ok_or("a release raises a lease")?;
            lease.units = e.units;
            Ok(())
        })?;
        self.change(StackRow::at(e.stack), |stack| {
            let to_stack = e.ungranted.saturating_sub(stack.ungranted);
            let gone = given_back.saturating_sub(to_stack);
            stack.ungranted = e.ungranted;
            let left = stack.live_units.checked_sub(gone);
            stack.live_units = left.ok_or("more is released than there is")?;
            Ok(())
        })?;
        self.refit(e.stack)?;
        self.touched(e.stack, e.node)
    }

    pub(super) fn topped_up(&mut self, e: &ToppedUp) -> Applied {
        let mut bought = None;
        self.change(StackRow::at(e.stack), |stack| {
            let added = e.ungranted.checked_sub(stack.ungranted);
            let added = added.ok_or("a stack shrinks")?;
            bought = Some((stack.task, added));
            stack.ungranted = e.ungranted;
            stack.live_units = stack.live_units.saturating_add(added);
            credit(&mut stack.escrow, e.paid)?;
            credit(&mut stack.deposited, e.paid)
        })?;
        self.today(|day| count(&mut day.deposited, e.paid))?;
        match bought {
            Some((task, added)) => self.bought(task, added),
            None => Ok(()),
        }
    }

    pub(super) fn expiry_changed(&mut self, e: &ExpiryChanged) -> Applied {
        self.change(StackRow::at(e.stack), |stack| {
            stack.expires_at_ms = e.expires_at_ms;
            stack.closing |= e.closing;
            Ok(())
        })
    }

    pub(super) fn watcher_set(&mut self, e: &WatcherSet) -> Applied {
        self.change(StackRow::at(e.stack), |stack| {
            stack.watcher = e.watcher;
            Ok(())
        })
    }

    pub(super) fn ungranted_revoked(&mut self, e: &UngrantedRevoked) -> Applied {
        self.change(StackRow::at(e.stack), |stack| {
            let less = "more is revoked than there is";
            stack.ungranted = stack.ungranted.checked_sub(e.units).ok_or(less)?;
            stack.live_units = stack.live_units.checked_sub(e.units).ok_or(less)?;
            stack.nonce = e.nonce;
            Ok(())
        })?;
        self.refit(e.stack)?;
        self.stale(e.stack, ObjectName::Stack)
    }

    pub(super) fn free_withdrawn(&mut self, e: &FreeWithdrawn) -> Applied {
        self.change(StackRow::at(e.stack), |stack| {
            credit(&mut stack.withdrawn, e.amount)
        })?;
        self.stale(e.stack, ObjectName::Stack)
    }

    fn bought(&mut self, task: TaskId, units: ComputeUnits) -> Applied {
        self.change(TaskRow::at(task), |task| {
            count_units(&mut task.units_bought, units);
            Ok(())
        })?;
        self.today(|day| count_units(&mut day.units_bought, units))
    }

    /// Both objects are to be read again: what is at stake, and the owner's credit.
    pub(super) fn touched(&mut self, stack: StackId, node: NodeId) -> Applied {
        self.stale(stack, ObjectName::Stack)?;
        self.stale(node, ObjectName::Node)
    }

    /// What the escrow holds above its formula becomes the owner's credit.
    pub(super) fn refit(&mut self, stack: StackId) -> Applied {
        let mut freed = MicroUsdc::ZERO;
        self.change(StackRow::at(stack), |stack| {
            let live = stack.max_price.cost(stack.live_units);
            let needed = live.and_then(|live| live.checked_sub(stack.paid_open));
            let needed = needed.ok_or("an escrow is less than nothing")?;
            freed = MicroUsdc(stack.escrow.0.saturating_sub(needed.0));
            debit(&mut stack.escrow, freed)?;
            credit(&mut stack.freed, freed)
        })?;
        self.today(|day| count(&mut day.freed, freed))
    }
}
