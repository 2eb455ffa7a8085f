//! Checks of answers by who can tell more than their bytes do: by computing them again.

use super::remedy::can_be_judged;
use crate::{ClientError, KeptReceipt, Receipts, dispute::Claimed, store::Wrong};
use atoma_types::{RequestId, StackId, chain::Stack};
use futures::future::BoxFuture;
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};
use tokio::time::Instant;

/// Answers that are checked at one look: each may take as long as the answer did, and other stacks wait.
const CHECKS_AT_ONCE: usize = 16;
/// What can't be told now is asked again after so long.
const ASK_AGAIN: Duration = Duration::from_secs(600);

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checked {
    /// The answer is what it should be.
    Fine,
    /// It isn't, for this reason; whoever computes it again finds the same.
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
    /// By stack; each answer with the moment from which on it is asked about again, if it is.
    done: BTreeMap<StackId, BTreeMap<RequestId, Option<Instant>>>,
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
        let claimed = match can_be_judged(stack) {
            true => claimed(stack, receipts)?,
            // nothing could be done about it
            false => Vec::new(),
        };
        if claimed.is_empty() {
            self.done.remove(&stack.id);
            return Ok(false);
        }
        let done = self.done.entry(stack.id).or_default();
        let ids: BTreeSet<RequestId> = claimed.iter().map(|kept| kept.request_id).collect();
        done.retain(|id, _| ids.contains(id));
        let now = Instant::now();
        let is_due = |again: &Option<Instant>| again.is_some_and(|again| again <= now);
        let due = claimed.iter().filter(|kept| {
            let before = done.get(&kept.request_id);
            before.is_none_or(is_due)
        });
        let due: Vec<&KeptReceipt> = due.collect();
        for kept in due.iter().take(CHECKS_AT_ONCE) {
            let again = match check.check(kept).await {
                Checked::Fine => None,
                Checked::Unknown => Some(Instant::now() + ASK_AGAIN),
                Checked::Wrong(reason) => {
                    keep_wrong(kept, reason, receipts).await?;
                    None
                }
            };
            done.insert(kept.request_id, again);
        }
        Ok(due.len() > CHECKS_AT_ONCE)
    }
}

/// The good receipts of a stack that its open tickets claim.
fn claimed(stack: &Stack, receipts: &Receipts) -> Result<Vec<KeptReceipt>, ClientError> {
    if stack.open_leases().all(|lease| lease.tickets.is_empty()) {
        return Ok(Vec::new());
    }
    let mut kept = receipts.list(Some(stack.id))?;
    kept.retain(|kept| {
        let lease = stack.lease(kept.node).filter(|lease| !lease.closed);
        let mut tickets = lease.into_iter().flat_map(|lease| &lease.tickets);
        let claims = tickets.any(|t| t.from_seq < kept.seq && kept.seq <= t.to_seq);
        claims && kept.fault.is_none()
    });
    Ok(kept)
}

async fn keep_wrong(
    kept: &KeptReceipt,
    reason: String,
    receipts: &Receipts,
) -> Result<(), ClientError> {
    // what charges nothing can't be disputed
    let Some(claimed) = Claimed::of(kept.signed()?.message()) else {
        return Ok(());
    };
    let wrong = Wrong {
        stack: claimed.stack,
        node: claimed.node,
        seq: kept.seq,
        unit: claimed.unit,
        reason,
    };
    receipts.keep_wrong(wrong).await
}
