//! What an event changes. Pure: it sees the rows and the event, no file, no ledger and no clock, so
//! the same events always make the same rows.
//!
//! An event about an object from before the history's begin (a ledger that forgets) changes what is
//! known of it and counts as a gap.

mod audit;
mod market;
mod settlements;
mod stacks;

use super::{
    column::{Key, Table},
    error::IndexError,
    rows::{DayRow, EventRow, ObjectName, StaleRow},
};
use atoma_ledger::Digest;
use atoma_types::{ComputeUnits, MicroUsdc, ObjectId, TimestampMs, chain::Event};

const DAY_MS: u64 = 86_400_000;

/// Where rows are: a transaction of the database, or memory in tests.
pub(crate) trait Rows {
    fn get<T: Table>(&self, key: Key<T>) -> Result<Option<T>, IndexError>;
    /// Inserts or replaces.
    fn put<T: Table>(&mut self, row: &T) -> Result<(), IndexError>;
    fn remove<T: Table>(&mut self, key: Key<T>) -> Result<(), IndexError>;
}

/// An event's place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Number in the history, from 1.
    pub(crate) number: u64,
    pub(crate) transaction: Digest,
    /// Place in the transaction.
    pub(crate) index: u32,
    pub(crate) checkpoint: u64,
    /// When the checkpoint was sealed.
    pub(crate) at: TimestampMs,
}

/// Whether everything that an event is about was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Whole,
    Gap,
}

/// Applies an event of a package whose database is `db`. On an error the rows are to be thrown away.
pub(crate) fn apply(
    rows: &mut impl Rows,
    db: ObjectId,
    place: &Place,
    event: &Event,
) -> Result<Outcome, IndexError> {
    rows.put(&EventRow {
        number: place.number,
        digest: place.transaction.into_inner(),
        place: place.index.into(),
        checkpoint: place.checkpoint,
        at_ms: place.at,
        module: event.module().to_owned(),
        name: event.name().to_owned(),
        body: event.to_json().to_string(),
    })?;
    let mut step = Step {
        rows,
        db,
        place,
        name: event.name(),
        whole: true,
    };
    match event {
        Event::ParamSet(e) => step.param_set(e),
        Event::NodeRegistered(e) => step.node_registered(e),
        Event::NodeMoved(e) => step.node_moved(e),
        Event::NodeKeysChanged(e) => step.node_keys_changed(e),
        Event::CollateralAdded(e) => step.collateral_added(e),
        Event::NodeStatusChanged(e) => step.node_status_changed(e),
        Event::NodeLeft(e) => step.node_left(e),
        Event::EarningsWithdrawn(e) => step.earnings_withdrawn(e),
        Event::FinesPardoned(e) => step.fines_pardoned(e),
        Event::FinesForfeited(e) => step.fines_forfeited(e),
        Event::TaskCreated(e) => step.task_created(e),
        Event::TaskDeprecated(e) => step.task_deprecated(e),
        Event::Subscribed(e) => step.subscribed(e),
        Event::Unsubscribed(e) => step.unsubscribed(e),
        Event::StackAcquired(e) => step.stack_acquired(e),
        Event::Leased(e) => step.leased(e),
        Event::UnitsReleased(e) => step.units_released(e),
        Event::ToppedUp(e) => step.topped_up(e),
        Event::ExpiryChanged(e) => step.expiry_changed(e),
        Event::WatcherSet(e) => step.watcher_set(e),
        Event::UngrantedRevoked(e) => step.ungranted_revoked(e),
        Event::FreeWithdrawn(e) => step.free_withdrawn(e),
        Event::SettlementOpened(e) => step.settlement_opened(e),
        Event::Claimed(e) => step.claimed(e),
        Event::LeaseClosed(e) => step.lease_closed(e),
        Event::RecordDemanded(e) => step.record_demanded(e),
        Event::DemandAnswered(e) => step.demand_answered(e),
        Event::NodeConvicted(e) => step.node_convicted(e),
        Event::TicketDrawn(e) => step.ticket_drawn(e),
        Event::ExaminerDrawn(e) => step.examiner_drawn(e),
        Event::Unexamined(e) => step.unexamined(e),
        Event::Disclosed(e) => step.disclosed(e),
        Event::VerdictGiven(e) => step.verdict_given(e),
        Event::Challenged(e) => step.challenged(e),
        Event::JuryDecided(e) => step.jury_decided(e),
        Event::FeesCollected(e) => step.fees_collected(e),
        Event::FeesReported(e) => step.fees_reported(e),
        Event::TreasuryPaid(e) => step.treasury_paid(e),
        Event::NodeAttested(e) => step.stale(e.node, ObjectName::Node),
        Event::AttesterPaid(e) => step.stale(e.node, ObjectName::Node),
        Event::TaskFunded(_)
        | Event::ReleaseAnnounced(_)
        | Event::ReleaseWithdrawn(_)
        | Event::AttesterChanged(_)
        | Event::JuryDrawn(_)
        | Event::DisclosedToJury(_)
        | Event::Committed(_)
        | Event::Revealed(_)
        | Event::DevelopmentSet(_) => Ok(()),
        // our streams leave Walrus's events out, and nothing here is about blobs
        Event::BlobRegistered(_)
        | Event::BlobCertified(_)
        | Event::BlobDeleted(_)
        | Event::EpochChangeDone(_) => Ok(()),
    }?;
    Ok(if step.whole {
        Outcome::Whole
    } else {
        Outcome::Gap
    })
}

/// One event being applied.
struct Step<'a, R> {
    rows: &'a mut R,
    db: ObjectId,
    place: &'a Place,
    name: &'static str,
    whole: bool,
}

impl<R: Rows> Step<'_, R> {
    /// Changes a row; without it the event is a gap.
    fn change<T: Table>(
        &mut self,
        key: Key<T>,
        change: impl FnOnce(&mut T) -> Result<(), &'static str>,
    ) -> Result<(), IndexError> {
        match self.rows.get(key)? {
            Some(mut row) => {
                change(&mut row).map_err(|reason| self.contradiction(reason))?;
                self.rows.put(&row)
            }
            None => {
                self.whole = false;
                Ok(())
            }
        }
    }

    /// Changes the day's row.
    fn today(&mut self, change: impl FnOnce(&mut DayRow)) -> Result<(), IndexError> {
        let day = self.place.at.0 / DAY_MS;
        let row = self.rows.get(DayRow::at(day))?;
        let mut row = row.unwrap_or_else(|| DayRow::new(day));
        change(&mut row);
        self.rows.put(&row)
    }

    /// Notes an object that is to be read.
    fn stale(&mut self, id: impl Into<ObjectId>, kind: ObjectName) -> Result<(), IndexError> {
        self.rows.put(&StaleRow {
            id: id.into(),
            kind,
        })
    }

    fn contradiction(&self, reason: &'static str) -> IndexError {
        IndexError::Contradiction {
            number: self.place.number,
            name: self.name,
            reason,
        }
    }
}

/// Adds money to a sum that must be exact.
fn credit(sum: &mut MicroUsdc, amount: MicroUsdc) -> Result<(), &'static str> {
    *sum = sum.checked_add(amount).ok_or("a sum overflows")?;
    Ok(())
}

/// Takes money from a sum that must be exact.
fn debit(sum: &mut MicroUsdc, amount: MicroUsdc) -> Result<(), &'static str> {
    *sum = sum.checked_sub(amount).ok_or("a sum falls below zero")?;
    Ok(())
}

/// Adds money to a statistic: it saturates, as no balance may.
fn count(sum: &mut MicroUsdc, amount: MicroUsdc) {
    sum.0 = sum.0.saturating_add(amount.0);
}

/// Adds units to a statistic.
fn count_units(sum: &mut ComputeUnits, units: ComputeUnits) {
    *sum = sum.saturating_add(units);
}

/// Adds to a statistic. What nodes claim may be any number.
fn count_up(sum: &mut u64, by: u64) {
    *sum = sum.saturating_add(by);
}
