//! Taking over what the ledger says about leases, from events and from objects. The two may
//! overtake each other; taking over is idempotent and never goes back (see
//! [`Account::update_terms`](crate::account::Account::update_terms)).

use crate::{
    account::{Phase, Terms},
    journal::{Ack, Change, LeaseRecord},
    lease::Lease,
    shared::Shared,
};
use atoma_types::chain::{Event, LeaseState, Stack};
use std::sync::Arc;

/// What an event asks for beyond what it says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is of no concern to this node.
    Nothing,
    /// It was taken over.
    Changed,
    /// The stack must be read to know.
    Reread(atoma_types::StackId),
}

impl Shared {
    /// Takes over a stack as read; the lease of this node in it, unless it is closed.
    pub(super) fn adopt_stack(&self, stack: &Stack) -> Option<Arc<Lease>> {
        let lease = stack.lease(self.identity.node)?;
        let phase = match &lease.state {
            LeaseState::Open => Phase::Open,
            LeaseState::Settling(ticket) => Phase::Settled {
                claimable_at: ticket.deadline_ms,
            },
            LeaseState::Closed { .. } => Phase::Closed,
        };
        let record = LeaseRecord {
            stack: stack.id,
            task: stack.task,
            owner: stack.owner,
            request_key: stack.request_key,
            units: lease.units,
            price: lease.price,
            expires_at: stack.expires_at_ms,
            settle_grace: stack.settle_grace_ms,
            closing: false,
            phase,
        };
        self.adopt(record, Vec::new()).0
    }

    /// Takes over an event; `more` becomes durable together with it.
    pub(super) fn adopt_event(&self, event: &Event, more: Vec<Change>) -> (Heard, Option<Ack>) {
        let us = self.identity.node;
        match event {
            Event::Leased(e) if e.node == us => {
                let record = LeaseRecord {
                    stack: e.stack,
                    task: e.task,
                    owner: e.owner,
                    request_key: e.request_key,
                    units: e.units,
                    price: e.price,
                    expires_at: e.expires_at_ms,
                    settle_grace: e.settle_grace_ms,
                    closing: false,
                    phase: Phase::Open,
                };
                (Heard::Changed, self.adopt(record, more).1)
            }
            Event::ToppedUp(e) if self.leases.get(e.stack).is_some() => {
                (Heard::Reread(e.stack), None)
            }
            Event::ExpiryChanged(e) => match self.leases.get(e.stack) {
                Some(lease) => {
                    let ack = lease.save(&self.journal, more, |account| {
                        let units = account.brief().terms.units;
                        let (expires_at, closing) = (e.expires_at_ms, e.closing);
                        account.update_terms(Terms {
                            units,
                            expires_at,
                            closing,
                        });
                    });
                    if e.closing {
                        self.settle_now.notify_one();
                    }
                    (Heard::Changed, Some(ack))
                }
                None => (Heard::Nothing, None),
            },
            Event::SettlementOpened(e) if e.node == us => {
                let phase = Phase::Settled {
                    claimable_at: e.deadline_ms,
                };
                self.advance(e.stack, phase, more)
            }
            Event::ParamSet(e) if e.name == "walrus_epoch" => {
                if let Some(evidence) = &self.evidence {
                    evidence.epoch_ended();
                }
                (Heard::Nothing, None)
            }
            Event::DisputeOpened(e) if e.node == us => {
                tracing::warn!(stack = %e.stack, seq = e.seq, answer_by = %e.deadline_ms.0, "a record is demanded");
                self.demands.hear(e.stack, e.seq, e.deadline_ms);
                // heard again after a crash by looking at the settled leases
                let ack = (!more.is_empty()).then(|| self.journal.change(more));
                (Heard::Changed, ack)
            }
            Event::Claimed(e) if e.node == us => self.advance(e.stack, Phase::Closed, more),
            Event::LeaseExpired(e) if e.node == us => {
                tracing::warn!(stack = %e.stack, "a lease expired unsettled; nothing is paid for it");
                self.advance(e.stack, Phase::Closed, more)
            }
            Event::NodeConvicted(e) if e.node == us => {
                tracing::error!(stack = %e.stack, charge = ?e.charge, "convicted; the lease is void");
                self.advance(e.stack, Phase::Closed, more)
            }
            Event::StackClosed(e) => self.advance(e.stack, Phase::Closed, more),
            _ => (Heard::Nothing, None),
        }
    }

    fn advance(
        &self,
        stack: atoma_types::StackId,
        phase: Phase,
        more: Vec<Change>,
    ) -> (Heard, Option<Ack>) {
        let Some(lease) = self.leases.get(stack) else {
            return (Heard::Nothing, None);
        };
        let ack = lease.save(&self.journal, more, |account| account.advance(phase));
        if phase == Phase::Closed {
            self.leases.remove(stack);
        }
        (Heard::Changed, Some(ack))
    }

    fn adopt(&self, record: LeaseRecord, more: Vec<Change>) -> (Option<Arc<Lease>>, Option<Ack>) {
        let lease = match self.leases.get(record.stack) {
            Some(lease) => lease,
            None => match self
                .leases
                .get_or_create(record.stack, || self.new_lease(&record))
            {
                Some(lease) => lease,
                None if more.is_empty() => return (None, None),
                None => return (None, Some(self.journal.change(more))),
            },
        };
        let ack = lease.save(&self.journal, more, |account| {
            let LeaseRecord {
                units,
                expires_at,
                closing,
                ..
            } = record;
            account.update_terms(Terms {
                units,
                expires_at,
                closing,
            });
            account.advance(record.phase);
        });
        if record.phase == Phase::Closed {
            self.leases.remove(record.stack);
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
                tracing::error!(%error, stack = %record.stack, "the request key is not valid");
                return None;
            }
        };
        // the row's later versions can only follow, so nobody needs to wait for this one
        let _ = lease.save(&self.journal, Vec::new(), |_| {});
        Some(lease)
    }
}
