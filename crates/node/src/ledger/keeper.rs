//! Keeping the leases in memory and in the journal as the ledger has them, from events and from
//! objects. The two may overtake each other; taking over is idempotent and never goes back (see
//! [`Account::update_terms`](crate::account::Account::update_terms)).

use super::heard::{self, Command};
use crate::{
    account::{Account, Phase, Terms},
    evidence::{Demand, EvidenceLog},
    journal::{Ack, Change, Journal, LeaseRecord},
    lease::Lease,
    leases::Leases,
};
use atoma_runtime::{SharedClock, WithCauses};
use atoma_types::{
    NodeId, StackId, TimestampMs,
    chain::{Event, Stack},
};
use std::sync::Arc;
use tokio::sync::{Notify, mpsc};

/// Applies the ledger's word.
#[derive(Debug)]
pub(crate) struct LeaseKeeper {
    pub node: NodeId,
    pub leases: Arc<Leases>,
    pub journal: Journal,
    pub clock: SharedClock,
    /// Stacks that were bought before this may have been served by a journal that is gone. Of these
    /// only the ones that the journal has are kept, to be settled.
    pub doubt: Option<TimestampMs>,
    pub signals: Signals,
}

/// Whom the ledger's word concerns beside the leases.
#[derive(Debug)]
pub(crate) struct Signals {
    /// Wakes the settler before its time.
    pub settle_now: Arc<Notify>,
    /// To whoever answers demands. Unbounded in form; each demand costs its owner a bond.
    pub demands: mpsc::UnboundedSender<Demand>,
    /// Where evidence is kept; none without a Walrus.
    pub evidence: Option<Arc<EvidenceLog>>,
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
        if self.doubts(stack) {
            return None;
        }
        let record = heard::lease_in(self.node, stack)?;
        self.take_over(record, Vec::new()).0
    }

    /// Whether a stack may have been served by a journal that is gone.
    pub(crate) fn doubts(&self, stack: &Stack) -> bool {
        let before = self
            .doubt
            .is_some_and(|before| stack.created_at_ms < before);
        before && self.leases.get(stack.id).is_none()
    }

    /// Takes over an event; `more` becomes durable together with what it changes.
    pub(crate) fn hear(&self, event: &Event, more: Vec<Change>) -> Heard {
        self.log(event);
        let mut outcome = Heard::default();
        let mut more = Some(more);
        for command in heard::hear(self.node, event) {
            match command {
                // the stack says how old it is, the event doesn't
                Command::TakeOver(record)
                    if self.doubt.is_some() && self.leases.get(record.stack).is_none() =>
                {
                    outcome.reread = Some(record.stack);
                }
                Command::TakeOver(record) => {
                    outcome.changed = true;
                    outcome.ack = self.take_over(record, more.take().unwrap_or_default()).1;
                }
                Command::Reread(stack) => {
                    outcome.reread = self.leases.get(stack).map(|lease| lease.stack);
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
                Command::Advance { stack, phase } => {
                    let ours = self.change(stack, &mut outcome, &mut more, |account| {
                        account.advance(phase);
                    });
                    if ours && phase == Phase::Closed {
                        self.leases.remove(stack);
                    }
                }
                Command::Answer { stack, seq, until } => {
                    // nobody listens where no evidence is kept; after a crash the settled leases say
                    // what is demanded
                    let _ = self.signals.demands.send(Demand { stack, seq, until });
                    outcome.changed = true;
                    let more = more.take().filter(|more| !more.is_empty());
                    outcome.ack = more.map(|more| self.journal.change(more));
                }
                Command::CheckPlace => outcome.moved = true,
                Command::LookAfterPacks => {
                    if let Some(evidence) = &self.signals.evidence {
                        evidence.epoch_ended();
                    }
                }
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
            Event::DisputeOpened(e) if e.node == self.node => {
                tracing::warn!(stack = %e.stack, seq = e.seq, answer_by = %e.deadline_ms.0, "a record is demanded");
            }
            Event::LeaseExpired(e) if e.node == self.node => {
                tracing::warn!(stack = %e.stack, "a lease expired unsettled; nothing is paid for it");
            }
            Event::NodeConvicted(e) if e.node == self.node => {
                tracing::error!(stack = %e.stack, charge = ?e.charge, "convicted; the lease is void");
            }
            _ => {}
        }
    }

    fn take_over(
        &self,
        record: LeaseRecord,
        more: Vec<Change>,
    ) -> (Option<Arc<Lease>>, Option<Ack>) {
        let stack = record.stack;
        let lease = self.leases.get(stack);
        let lease = lease.or_else(|| self.leases.get_or_create(stack, || self.new_lease(&record)));
        let Some(lease) = lease else {
            let ack = (!more.is_empty()).then(|| self.journal.change(more));
            return (None, ack);
        };
        let ack = lease.save(&self.journal, more, |account| {
            account.update_terms(Terms {
                units: record.units,
                expires_at: record.expires_at,
                closing: record.closing,
            });
            account.advance(record.phase);
        });
        if record.phase == Phase::Closed {
            self.leases.remove(stack);
            return (None, Some(ack));
        }
        (Some(lease), Some(ack))
    }

    /// A lease that isn't in memory: new, unless the journal knows it, for then it is closed.
    /// Its row is on its way to the journal before any receipt of it can be.
    fn new_lease(&self, record: &LeaseRecord) -> Option<Lease> {
        if record.phase == Phase::Closed || self.journal.knows(record.stack).unwrap_or(true) {
            return None;
        }
        let lease = match Lease::new(record, self.clock.now()) {
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
