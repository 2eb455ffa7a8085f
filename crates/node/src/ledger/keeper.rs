//! Keeping the leases in memory and in the journal as the ledger has them, from events and from
//! objects. The two may overtake each other; taking over is idempotent and never goes back (see
//! [`Account::update_terms`](crate::account::Account::update_terms)).

use super::heard::{self, Command};
use crate::{
    account::{Account, Phase, Terms},
    journal::{Ack, Change, Journal, LeaseRecord},
    lease::Lease,
    leases::Leases,
};
use atoma_runtime::{SharedClock, WithCauses};
use atoma_types::{
    DurationMs, NodeId, PublicKey, StackId, TimestampMs,
    chain::{Event, Stack},
};
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};

/// A full node that is so far behind answers nothing of use.
const OLD_READ: DurationMs = DurationMs(60_000);

/// Applies the ledger's word.
#[derive(Debug)]
pub(crate) struct LeaseKeeper {
    pub node: NodeId,
    /// What receipts are signed with: leases of another key are only settled.
    pub response_key: PublicKey,
    pub leases: Arc<Leases>,
    pub journal: Journal,
    pub clock: SharedClock,
    pub signals: Signals,
}

/// Whom the ledger's word concerns beside the leases.
#[derive(Debug)]
pub(crate) struct Signals {
    /// Wakes the settler before its time.
    pub settle_now: Arc<Notify>,
    /// To whoever shows records: stacks on which something is asked for. Unbounded in form; each demand costs
    /// a fee.
    pub duties: mpsc::UnboundedSender<StackId>,
}

/// What became of an event.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// It concerned this node.
    pub changed: bool,
    /// Our URL on the ledger must be looked at.
    pub moved: bool,
    /// The stack must be read to know.
    pub reread: Option<StackId>,
    /// What it changed is durable then.
    pub ack: Option<Ack>,
}

impl LeaseKeeper {
    /// Takes over a stack as read; the lease of this node in it, unless it is closed.
    pub(crate) fn adopt(&self, stack: &Stack) -> Option<Arc<Lease>> {
        let on_ledger = stack.lease(self.node)?;
        let record = heard::lease_in(self.node, stack)?;
        let claimed = heard::claimed_of(on_ledger);
        let known = self.leases.get(stack.id);
        let lease = known.or_else(|| {
            let create = || self.new_lease(&record, claimed);
            self.leases.get_or_create(stack.id, create)
        })?;
        if on_ledger.key != self.response_key && !on_ledger.closed {
            let stack = stack.id;
            tracing::warn!(%stack, "the lease began with another response key: it is only settled");
            lease.with_account(|account| account.advance(Phase::Settling));
        }
        // whoever needs it durable waits for a later change
        let _ = lease.adopt(&self.journal, stack, &record, claimed, &on_ledger.tickets);
        if record.phase == Phase::Closed {
            self.leases.remove(stack.id);
            return None;
        }
        Some(lease)
    }

    /// The same of a stack that was read for what events may not have told, not before `now` by the ledger's clock. Its
    /// owner may have ended it early: a read may be older than what was heard, but from its end on nobody extends a stack.
    pub(crate) fn adopt_unheard(&self, stack: &Stack, now: TimestampMs) {
        let Some(lease) = self.adopt(stack) else {
            return;
        };
        let (terms, expires_at) = (lease.brief().terms, stack.expires_at_ms);
        if terms.expires_at > expires_at && now >= expires_at.saturating_add(OLD_READ) {
            // whoever needs it durable waits for a later change
            let _ = lease.save(&self.journal, Vec::new(), |account| {
                account.update_terms(Terms {
                    units: terms.units,
                    expires_at,
                    closing: true,
                });
            });
            self.signals.settle_now.notify_one();
        }
    }

    /// Takes over an event; `more` becomes durable together with what it changes.
    pub(crate) fn hear(&self, event: &Event, more: Vec<Change>) -> Heard {
        self.log(event);
        let mut outcome = Heard::default();
        let mut more = Some(more);
        for command in heard::hear(self.node, event) {
            match command {
                Command::Reread(stack) => {
                    let ours = self.leases.get(stack).is_some();
                    // after a journal was lost the ledger may not have the beginning of a lease any more
                    let new = matches!(event, Event::Leased(_) | Event::SettlementOpened(_));
                    outcome.reread = (ours || new).then_some(stack).or(outcome.reread);
                }
                Command::MoveEnd {
                    stack,
                    expires_at,
                    closing,
                } => {
                    let ours = self.change(stack, &mut outcome, &mut more, |account| {
                        account.update_terms(Terms {
                            units: account.brief().terms.units,
                            expires_at,
                            closing,
                        });
                    });
                    if ours && closing {
                        self.signals.settle_now.notify_one();
                    }
                }
                Command::Show(stack) => {
                    // nobody listens where no evidence is kept; after a crash the leases say what is asked for
                    let _ = self.signals.duties.send(stack);
                }
                Command::CheckPlace => outcome.moved = true,
                Command::GoesOver { version, from } => tracing::warn!(
                    version,
                    %from,
                    "the network goes over to another version of its rules: exchange this program then, \
                     within the answer window"
                ),
            }
        }
        outcome
    }

    /// Changes the account of our lease of a stack, if there is one, and makes `more` durable with it.
    fn change(
        &self,
        stack: StackId,
        outcome: &mut Heard,
        more: &mut Option<Vec<Change>>,
        change: impl FnOnce(&mut Account),
    ) -> bool {
        let Some(lease) = self.leases.get(stack) else {
            return false;
        };
        let more = more.take().unwrap_or_default();
        outcome.changed = true;
        outcome.ack = Some(lease.save(&self.journal, more, change));
        true
    }

    /// What an operator should know of an event.
    fn log(&self, event: &Event) {
        match event {
            Event::RecordDemanded(e) if e.node == self.node => {
                let unit = e.unit.0;
                tracing::warn!(stack = %e.stack, unit, answer_by = %e.deadline_ms.0, "a record is demanded");
            }
            Event::Challenged(e) if e.node == self.node => {
                tracing::warn!(stack = %e.stack, ticket = e.ticket, "a ticket is challenged");
            }
            Event::NodeConvicted(e) if e.node == self.node => {
                tracing::error!(
                    stack = %e.stack, charge = ?e.charge, fine = %e.fine,
                    "convicted; the lease is void, and no new ones are taken for a while"
                );
            }
            _ => {}
        }
    }

    /// A lease that isn't in memory: new, unless the journal knows it, for then it is closed. What was claimed
    /// before is another journal's: this one goes on from there.
    /// Its row is on its way to the journal before any receipt of it can be.
    fn new_lease(&self, record: &LeaseRecord, claimed: crate::account::Position) -> Option<Lease> {
        if record.phase == Phase::Closed || self.journal.knows(record.stack).unwrap_or(true) {
            return None;
        }
        let record = LeaseRecord {
            base: claimed,
            ..*record
        };
        let lease = match Lease::new(&record, self.clock.now()) {
            Ok(lease) => lease,
            Err(error) => {
                tracing::error!(error = %WithCauses(&error), stack = %record.stack, "the request key is not valid");
                return None;
            }
        };
        // the row's later versions can only follow, so nobody needs to wait for this one
        let _ = lease.save(&self.journal, Vec::new(), |_| {});
        Some(lease)
    }
}
