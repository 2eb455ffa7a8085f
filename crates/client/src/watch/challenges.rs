//! Bringing challenges, once, and learning how they ended. What is staked is written down before it is: a program that
//! is killed in between finds it there, and the ledger says whether it was brought, which it can be once a ticket.

use super::{
    decide::{Held, WatchPolicy},
    looked::{Did, EndedChallenge},
    remedy::{Remedy, WrongAnswer, wrong_in},
    watcher::Watcher,
};
use crate::{
    ClientError,
    dispute::{Claimed, Dispute, DisputeError, History, Matter},
    store::Bond,
};
use atoma_ledger::due_of_lease;
use atoma_types::{
    MicroUsdc, TimestampMs,
    chain::{Call, Lease, Stack, Ticket},
};

impl Watcher {
    /// The wrong answer that an open ticket claims, if any is known.
    pub(super) fn wrong(
        &self,
        stack: &Stack,
        lease: &Lease,
        (ticket, held): (&Ticket, &Held),
        (policy, now): (&WatchPolicy, TimestampMs),
    ) -> Result<Option<WrongAnswer>, ClientError> {
        let wrongs = self.receipts.wrongs(stack.id, lease.node)?;
        if wrongs.is_empty() {
            return Ok(None);
        }
        let this = (stack.id, lease.node, ticket.to_seq);
        let bonds = self.receipts.bonds()?.into_iter();
        let others = bonds.filter(|bond| !bond.is_of(this));
        let gone = others.fold(0_u64, |sum, bond| sum.saturating_add(bond.gone().0));
        let left = MicroUsdc(policy.max_bonds.0.saturating_sub(gone));
        Ok(wrong_in(stack, lease, (ticket, held), &wrongs, left, now))
    }

    /// Challenges a ticket for a wrong answer, if that can be done.
    pub(super) async fn challenge(
        &self,
        stack: &Stack,
        (lease, ticket): (&Lease, &Ticket),
        wrong: &WrongAnswer,
    ) -> Result<Option<Did>, ClientError> {
        let Remedy::Challenge(staked) = wrong.remedy else {
            return Ok(None);
        };
        // what can't be written down is not staked
        if !self.receipts.are_kept() {
            return Ok(None);
        }
        let bond = Bond {
            stack: stack.id,
            node: lease.node,
            ticket: ticket.to_seq,
            staked,
            back: None,
        };
        self.receipts.keep_bond(bond, true).await?;
        let step = Dispute::Challenge(Claimed {
            stack: stack.id,
            node: lease.node,
            unit: wrong.unit,
        });
        match step.submit(&self.ledger, &self.key).await {
            Ok(_) => Ok(Some(Did::Challenged {
                ticket: ticket.to_seq,
                bond: staked,
                wrong: wrong.clone(),
            })),
            Err(error) => {
                self.not_staked(&bond, &error).await?;
                Ok(Some(Did::Refused(error)))
            }
        }
    }

    /// The ledger didn't say that it took a challenge. It may have taken it all the same, or another program's.
    async fn not_staked(&self, bond: &Bond, error: &DisputeError) -> Result<(), ClientError> {
        // what may still be under way is looked for at the next look
        let refused = match error {
            DisputeError::Execute(error) => error.changed_nothing(),
            _ => true,
        };
        let stack = self.ledger.stack(bond.stack).await?;
        if refused && Stage::of(&stack, bond) == Stage::Unbrought {
            self.receipts.keep_bond(*bond, false).await?;
        }
        Ok(())
    }

    /// Moves the challenges of a lease on, as anyone may: draws their juries, and counts them.
    pub(super) async fn move_on(&self, stack: &Stack, lease: &Lease, now: TimestampMs) {
        for due in due_of_lease(stack, lease, now) {
            let is_challenges = match &due.call {
                Call::DrawJury(call) => call.challenge,
                Call::DecideJury(call) => call.challenge,
                _ => false,
            };
            if !is_challenges {
                continue;
            }
            if let Err(error) = self.ledger.execute(&self.key, vec![due.call]).await {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(
                    error,
                    "a challenge is not moved on; perhaps somebody else was faster"
                );
            }
        }
    }

    /// Looks how the challenges of a stack ended that this folder's programs have brought.
    pub(super) async fn ended(
        &self,
        stack: &Stack,
        now: TimestampMs,
    ) -> Result<Vec<(Bond, EndedChallenge)>, ClientError> {
        let mut ended = Vec::new();
        let mut history = None;
        for bond in self.receipts.bonds()? {
            if bond.stack != stack.id || bond.back.is_some() {
                continue;
            }
            match Stage::of(stack, &bond) {
                Stage::Waits => continue,
                // the next look brings it, or the last moment for it is over
                Stage::Unbrought if is_open(stack, &bond, now) => continue,
                Stage::Unbrought => {
                    self.receipts.keep_bond(bond, false).await?;
                    continue;
                }
                Stage::Over => {}
            }
            let history = match &history {
                Some(history) => history,
                None => history.insert(History::of(&self.ledger, stack.id).await?),
            };
            if let Some(end) = self.end(stack, history, bond).await? {
                ended.push((bond, end));
            }
        }
        Ok(ended)
    }

    /// How a challenge ended, by what has happened. One that never was on the ledger is forgotten.
    async fn end(
        &self,
        stack: &Stack,
        history: &History,
        bond: Bond,
    ) -> Result<Option<EndedChallenge>, ClientError> {
        let its =
            |matter| matches!(matter, Matter::Challenge { ticket, .. } if ticket == bond.ticket);
        let brought = history.brought().into_iter();
        let mut brought = brought.filter(|brought| brought.node == bond.node && its(brought.what));
        let Some(brought) = brought.next() else {
            if history.complete {
                self.receipts.keep_bond(bond, false).await?;
            }
            return Ok(None);
        };
        let sampling = stack.terms.sampling.as_ref();
        let fee = sampling.map(|sampling| sampling.attest_fee);
        let Some(back) = brought.bond_back(fee.unwrap_or_default()) else {
            return Ok(None);
        };
        // what comes back is the owner's: to another who watches it is lost
        let is_owner = self.key.public_key().address() == stack.owner;
        let ours = if is_owner { back } else { MicroUsdc::ZERO };
        let over = Bond {
            back: Some(ours),
            ..bond
        };
        self.receipts.keep_bond(over, true).await?;
        Ok(Some(EndedChallenge {
            ticket: bond.ticket,
            bond: bond.staked,
            back,
            end: brought.end,
        }))
    }
}

/// How far the challenge is that a bond is for, by what the stack shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The ticket is there, and nobody has challenged it.
    Unbrought,
    /// It waits for its jury.
    Waits,
    /// The jury is done, or the ticket is gone.
    Over,
}

impl Stage {
    fn of(stack: &Stack, bond: &Bond) -> Self {
        match ticket_of(stack, bond).map(|ticket| &ticket.challenge) {
            Some(None) => Self::Unbrought,
            Some(Some(challenge)) if !challenge.over => Self::Waits,
            Some(Some(_)) | None => Self::Over,
        }
    }
}

fn is_open(stack: &Stack, bond: &Bond, now: TimestampMs) -> bool {
    ticket_of(stack, bond).is_some_and(|ticket| now <= ticket.deadline_ms)
}

fn ticket_of<'a>(stack: &'a Stack, bond: &Bond) -> Option<&'a Ticket> {
    let lease = stack.lease(bond.node).filter(|lease| !lease.closed)?;
    let mut tickets = lease.tickets.iter();
    tickets.find(|ticket| ticket.to_seq == bond.ticket)
}
