//! Disputes from what this machine keeps: demand a record, answer a demand, challenge.
//!
//! What the steps are and what the ledger makes of them is in `atoma-evidence`; a [`Receipts`] turns
//! a kept receipt into one, and a [`Client`] takes it with its wallet's key.

use crate::{
    Client, ClientError, Receipts,
    store::Wrong,
    watch::root::{Walk, Walked},
};
use atoma_types::{NodeId, RequestId, StackId, chain::Ticket, message::Receipt};
use futures::future::BoxFuture;

pub use atoma_evidence::dispute::{
    Brought, Claimed, Dispute, DisputeError, DisputeEvent, DisputeOutcome, End, History, Matter,
    SettledRecord, SettledRecordError, bond_of,
};

/// What the receipts that are kept here say of a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compared {
    /// Its last receipt is the one that is kept, and with it all before: it names their history, which is that of the
    /// kept ones.
    Same,
    /// Its last receipt is the one that is kept, but the receipt of this number never came, so that nobody can tell which
    /// records it binds.
    Unproven(u64),
    /// Its last receipt isn't kept here.
    NotKept,
    /// The node gave this wallet another receipt under that number, or one whose history is of others. Demand what
    /// the kept one charges: the node has no other record of the request to show, or has signed two.
    Differs(Option<Claimed>),
}

/// What is written down of an answer that whoever computes it again finds wrong; `None` if it charges nothing, and so can't be
/// disputed.
pub(crate) fn wrong(receipt: &Receipt, reason: String) -> Option<Wrong> {
    let claimed = Claimed::of(receipt)?;
    Some(Wrong {
        stack: claimed.stack,
        node: claimed.node,
        seq: receipt.seq,
        unit: claimed.unit,
        reason,
    })
}

impl Client {
    /// Takes a step of a dispute as this wallet, and says what came of it.
    ///
    /// # Errors
    ///
    /// If the step can't be made a call, or the ledger refuses it or can't be reached.
    pub fn dispute<'a>(
        &'a self,
        step: &'a Dispute,
    ) -> BoxFuture<'a, Result<DisputeOutcome, DisputeError>> {
        Box::pin(step.submit(self.ledger(), self.key()))
    }
}

impl Receipts {
    /// The last unit of a kept receipt: what is demanded or challenged about it; `None` if no receipt of the
    /// request is kept, or it charges nothing.
    ///
    /// # Errors
    ///
    /// If the store can't be read, or what it kept is no receipt.
    pub fn claimed(&self, request: RequestId) -> Result<Option<Claimed>, ClientError> {
        let Some(kept) = self.show(request)? else {
            return Ok(None);
        };
        Ok(Claimed::of(kept.signed()?.message()))
    }

    /// Compares what a node claims with what it gave: the last receipt, and the history that it names.
    ///
    /// # Errors
    ///
    /// If the store can't be read.
    pub fn compare(
        &self,
        stack: StackId,
        node: NodeId,
        ticket: &Ticket,
    ) -> Result<Compared, ClientError> {
        let kept = self.kept_at(stack, node, ticket.to_seq)?;
        let Some(first) = kept.first() else {
            return Ok(Compared::NotKept);
        };
        if kept.iter().any(|receipt| receipt.hash() == ticket.last) {
            match Walk::new((stack, node), ticket, &kept).whole(self)? {
                Walked::Whole(root) if root != ticket.history => {}
                Walked::Missing(seq) => return Ok(Compared::Unproven(seq)),
                Walked::Whole(_) | Walked::On => return Ok(Compared::Same),
            }
        }
        Ok(Compared::Differs(Claimed::of(first.message())))
    }
}
