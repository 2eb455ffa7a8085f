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
    step.take(event)?;
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
    /// What each event changes.
    fn take(&mut self, event: &Event) -> Result<(), IndexError> {
        match event {
            Event::ParamSet(e) => self.param_set(e),
            Event::NodeRegistered(e) => self.node_registered(e),
            Event::NodeMoved(e) => self.node_moved(e),
            Event::NodeKeysChanged(e) => self.node_keys_changed(e),
            Event::CollateralAdded(e) => self.collateral_added(e),
            Event::NodeStatusChanged(e) => self.node_status_changed(e),
            Event::NodeLeft(e) => self.node_left(e),
            Event::EarningsWithdrawn(e) => self.earnings_withdrawn(e),
            Event::FinesPardoned(e) => self.fines_pardoned(e),
            Event::FinesForfeited(e) => self.fines_forfeited(e),
            Event::TaskCreated(e) => self.task_created(e),
            Event::TaskDeprecated(e) => self.task_deprecated(e),
            Event::Subscribed(e) => self.subscribed(e),
            Event::Unsubscribed(e) => self.unsubscribed(e),
            Event::StackAcquired(e) => self.stack_acquired(e),
            Event::Leased(e) => self.leased(e),
            Event::UnitsReleased(e) => self.units_released(e),
            Event::ToppedUp(e) => self.topped_up(e),
            Event::ExpiryChanged(e) => self.expiry_changed(e),
            Event::WatcherSet(e) => self.watcher_set(e),
            Event::UngrantedRevoked(e) => self.ungranted_revoked(e),
            Event::FreeWithdrawn(e) => self.free_withdrawn(e),
            Event::SettlementOpened(e) => self.settlement_opened(e),
            Event::Claimed(e) => self.claimed(e),
            Event::LeaseClosed(e) => self.lease_closed(e),
            Event::RecordDemanded(e) => self.record_demanded(e),
            Event::DemandAnswered(e) => self.demand_answered(e),
            Event::NodeConvicted(e) => self.node_convicted(e),
            Event::TicketDrawn(e) => self.ticket_drawn(e),
            Event::ExaminerDrawn(e) => self.examiner_drawn(e),
            Event::Unexamined(e) => self.unexamined(e),
            Event::Disclosed(e) => self.disclosed(e),
            Event::VerdictGiven(e) => self.verdict_given(e),
            Event::Challenged(e) => self.challenged(e),
            Event::JuryDecided(e) => self.jury_decided(e),
            Event::FeesCollected(e) => self.fees_collected(e),
            Event::FeesReported(e) => self.fees_reported(e),
            Event::TreasuryPaid(e) => self.treasury_paid(e),
            Event::NodeAttested(e) => self.stale(e.node, ObjectName::Node),
            Event::AttesterPaid(e) => self.stale(e.node, ObjectName::Node),
            Event::TaskFunded(_)
            | Event::ReleaseAnnounced(_)
            | Event::ReleaseWithdrawn(_)
            | Event::AttesterChanged(_)
            | Event::JuryDrawn(_)
            | Event::DisclosedToJury(_)
            | Event::Committed(_)
            | Event::Revealed(_)
            | Event::DevelopmentSet(_)
            | Event::VersionAnnounced(_) => Ok(()),
            // our streams leave Walrus's events out, and nothing here is about blobs
            Event::BlobRegistered(_)
            | Event::BlobCertified(_)
            | Event::BlobDeleted(_)
            | Event::EpochChangeDone(_) => Ok(()),
        }
    }
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
