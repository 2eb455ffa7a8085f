//! Checks of answers by who can tell more than their bytes do: by computing them again.

use super::remedy::can_be_judged;
use crate::{ClientError, KeptReceipt, Receipts, dispute::wrong};
use atoma_types::{NodeId, StackId, chain::Stack};
use futures::future::BoxFuture;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Answers that are checked at one look: each may take as long as the answer did, and other stacks wait.
const CHECKS_AT_ONCE: usize = 16;
/// Receipts that are read at once: some milliseconds.
const READ_AT_ONCE: usize = 256;
/// What can't be told now is asked again after so long.
const ASK_AGAIN: Duration = Duration::from_secs(600);

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// The answer is what it should be.
    Fine,
    /// It isn't; whoever computes it again finds the same. Why is in the words of whoever checked: a watcher keeps and
    /// shows them, and decides nothing by them.
    Wrong(String),
    /// It can't be told now: the bodies aren't there, or the model isn't. It is asked again later.
    Unknown,
}

/// Finds out whether an answer is what its receipt says. A watcher asks it about each receipt of an open ticket, and
/// may stake money on what it says.
pub trait AnswerCheck: Send + Sync {
    /// Checks the answer that a receipt vouches for.
    fn check<'a>(&'a self, receipt: &'a KeptReceipt) -> BoxFuture<'a, Checked>;
}

impl<F: Fn(&KeptReceipt) -> Checked + Send + Sync> AnswerCheck for F {
    fn check<'a>(&'a self, receipt: &'a KeptReceipt) -> BoxFuture<'a, Checked> {
        Box::pin(async move { self(receipt) })
    }
}

/// What was checked of open tickets.
#[derive(Debug, Default)]
pub(super) struct Checks {
    /// By stack; each answer, by the node and the number of its receipt, with the moment from which on it is asked about
    /// again, if it is.
    done: BTreeMap<StackId, BTreeMap<(NodeId, u64), Option<Instant>>>,
}

impl Checks {
    /// Checks answers in a stack's open tickets that weren't yet, and writes down which are wrong; says whether some
    /// are left that could be checked now.
    pub(super) async fn run(
        &mut self,
        check: &dyn AnswerCheck,
        stack: &Stack,
        receipts: &Receipts,
    ) -> Result<bool, ClientError> {
        let claims = match can_be_judged(stack) {
            true => claims(stack),
            // nothing could be done about it
            false => Vec::new(),
        };
        if claims.is_empty() {
            self.done.remove(&stack.id);
            return Ok(false);
        }
        let done = self.done.entry(stack.id).or_default();
        done.retain(|(node, seq), _| claims.iter().any(|claim| claim.has(*node, *seq)));
        let now = Instant::now();
        let mut due = Vec::new();
        for claim in &claims {
            let is_due = |kept: &KeptReceipt| match done.get(&(claim.node, kept.seq)) {
                Some(again) => again.is_some_and(|again| again <= now),
                None => true,
            };
            claim.find(stack.id, receipts, is_due, &mut due).await?;
        }
        for kept in due.iter().take(CHECKS_AT_ONCE) {
            let again = match check.check(kept).await {
                Checked::Fine => None,
                Checked::Unknown => Some(Instant::now() + ASK_AGAIN),
                Checked::Wrong(reason) => {
                    keep_wrong(kept, reason, receipts).await?;
                    None
                }
            };
            done.insert((kept.node, kept.seq), again);
        }
        Ok(due.len() > CHECKS_AT_ONCE)
    }
}

/// What an open ticket claims: the receipts after one number up to another.
#[derive(Clone, Copy, Debug)]
struct Claim {
    node: NodeId,
    from_seq: u64,
    to_seq: u64,
}

fn claims(stack: &Stack) -> Vec<Claim> {
    let tickets = stack.open_leases().flat_map(|lease| {
        let tickets = lease.tickets.iter();
        tickets.map(|ticket| Claim {
            node: lease.node,
            from_seq: ticket.from_seq,
            to_seq: ticket.to_seq,
        })
    });
    tickets.collect()
}

impl Claim {
    fn has(&self, node: NodeId, seq: u64) -> bool {
        self.node == node && self.from_seq < seq && seq <= self.to_seq
    }

    /// Finds its good receipts that are due, page after page, until there is one more than can be checked at once.
    async fn find(
        &self,
        stack: StackId,
        receipts: &Receipts,
        is_due: impl Fn(&KeptReceipt) -> bool,
        due: &mut Vec<KeptReceipt>,
    ) -> Result<(), ClientError> {
        let mut after = self.from_seq;
        while due.len() <= CHECKS_AT_ONCE {
            let places = (after, self.to_seq.saturating_add(1));
            let page = receipts.between((stack, self.node), places, READ_AT_ONCE)?;
            let Some(last) = page.last() else {
                break;
            };
            after = last.seq;
            let good = page.into_iter().filter(|kept| kept.fault.is_none());
            due.extend(good.filter(&is_due));
            // a long one must not keep others waiting
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

async fn keep_wrong(
    kept: &KeptReceipt,
    reason: String,
    receipts: &Receipts,
) -> Result<(), ClientError> {
    match wrong(kept.signed()?.message(), reason) {
        Some(wrong) => receipts.keep_wrong(wrong).await,
        None => Ok(()),
    }
}
