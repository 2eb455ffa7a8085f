//! Settling and claiming without anyone's help. Every tick each lease is looked at once:
//!
//! * open and due (closing, expired, nearly used and at rest, or by the operator's word): it takes
//!   no more requests; this is made durable before anything goes to the ledger;
//! * settling and idle, or short before its deadline: its claim goes to the ledger;
//! * settled and its window over: it is claimed.
//!
//! Several go in one transaction; if that fails, each goes alone, so that one bad lease holds up
//! no other. After a crash the ledger's own word comes first: a lease it knows as settled is never
//! settled again.

use crate::{
    account::{Phase, Summary},
    lease::Lease,
    shared::Shared,
};
use atoma_ledger::LedgerError;
use atoma_types::{
    StackId, TimestampMs,
    chain::{AbortCode, Call, Clock, calls},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Leases in one transaction: their headers and receipts stay far below a transaction's limit.
const MAX_BATCH: usize = 4;
/// Running requests are waited for until this long before the deadline (or a quarter of the
/// grace, if that is shorter).
const LAST_CALL_MS: u64 = 120_000;
/// After a failure a lease rests so long, doubling.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// And at most so long.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The ledger is asked for its clock this often when there is no lease to watch.
const PING_EVERY: Duration = Duration::from_secs(10);

/// Runs until it is dropped.
pub(crate) async fn settle(shared: Arc<Shared>) {
    let mut settler = Settler {
        tick: shared.settlement.tick_ms.max(10),
        shared,
        pauses: HashMap::new(),
        pinged: None,
    };
    loop {
        settler.round().await;
        let tick = tokio::time::sleep(Duration::from_millis(settler.tick));
        tokio::select! {
            () = tick => {}
            () = settler.shared.settle_now.notified() => {}
        }
    }
}

struct Settler {
    shared: Arc<Shared>,
    tick: u64,
    /// Leases that failed: not before, and the pause after that.
    pauses: HashMap<StackId, (Instant, Duration)>,
    pinged: Option<Instant>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Settle,
    Claim,
}

impl Settler {
    async fn round(&mut self) {
        let leases = self.shared.leases.all();
        let now = self.ledger_time(!leases.is_empty()).await;
        self.close_due(&leases, now).await;
        let rested = |lease: &&Arc<Lease>| {
            self.pauses
                .get(&lease.stack)
                .is_none_or(|(until, _)| *until <= Instant::now())
        };
        let ready: Vec<_> = leases
            .iter()
            .filter(rested)
            .filter_map(|lease| Some((next_step(lease, now)?, lease.clone())))
            .collect();
        for step in [Step::Settle, Step::Claim] {
            let of_step = ready.iter().filter(|(s, _)| *s == step);
            let leases: Vec<_> = of_step.map(|(_, lease)| lease.clone()).collect();
            for batch in leases.chunks(MAX_BATCH) {
                self.submit(step, batch).await;
            }
        }
        self.pauses
            .retain(|stack, _| leases.iter().any(|lease| lease.stack == *stack));
    }

    /// Stops admission on leases that are due.
    async fn close_due(&self, leases: &[Arc<Lease>], now: TimestampMs) {
        let due: Vec<_> = leases
            .iter()
            .filter(|lease| is_due(&lease.brief(), &self.shared, now))
            .collect();
        let acks: Vec<_> = due
            .iter()
            .map(|lease| {
                lease.save(&self.shared.journal, Vec::new(), |account| {
                    account.advance(Phase::Settling);
                })
            })
            .collect();
        for ack in acks {
            if let Err(error) = ack.durable().await {
                tracing::error!(%error, "a settlement could not be begun");
            }
        }
    }

    /// The ledger's clock, which deadlines and windows go by; ours while it can't be asked. Asking
    /// also tells whether the ledger can be reached.
    async fn ledger_time(&mut self, has_leases: bool) -> TimestampMs {
        let ours = self.shared.clock.now();
        if !has_leases && self.pinged.is_some_and(|at| at.elapsed() < PING_EVERY) {
            return ours;
        }
        let answered = self.shared.ledger.ledger.clock().await;
        self.shared.ledger.note_reachable(answered.is_ok());
        // an unreachable ledger is asked again with the next tick
        self.pinged = answered.is_ok().then(Instant::now);
        answered.unwrap_or(ours)
    }

    /// Submits a batch, and where it fails each lease alone.
    async fn submit(&mut self, step: Step, batch: &[Arc<Lease>]) {
        if !self.shared.journal.is_healthy() {
            return;
        }
        match self.execute(step, batch).await {
            Ok(()) => {}
            Err(error) if error.is_transient() || batch.len() == 1 => {
                for lease in batch {
                    self.failed(step, lease, &error).await;
                }
            }
            Err(_) => {
                for lease in batch {
                    if let Err(error) = self.execute(step, std::slice::from_ref(lease)).await {
                        self.failed(step, lease, &error).await;
                    }
                }
            }
        }
    }

    async fn execute(&mut self, step: Step, batch: &[Arc<Lease>]) -> Result<(), LedgerError> {
        let side = &self.shared.ledger;
        let mut calls = Vec::with_capacity(batch.len());
        for lease in batch {
            calls.extend(match step {
                Step::Settle => self.settle_call(lease).await,
                Step::Claim => Some(self.claim_call(lease)),
            });
        }
        if calls.len() < batch.len() {
            // the journal has failed: nothing is claimed that isn't durable
            return Ok(());
        }
        let executed = side.ledger.execute(&side.key, calls).await?;
        side.note_reachable(true);
        let count = batch.len() as u64;
        match step {
            Step::Settle => self.shared.metrics.settlements.inc_by(count),
            Step::Claim => self.shared.metrics.claims.inc_by(count),
        };
        for event in &executed.events {
            let (_, ack) = self.shared.adopt_event(event, Vec::new());
            if let Some(ack) = ack
                && let Err(error) = ack.durable().await
            {
                tracing::error!(%error, "a settlement could not be made durable");
            }
        }
        for lease in batch {
            self.pauses.remove(&lease.stack);
            tracing::info!(stack = %lease.stack, ?step, transaction = %executed.digest, "done");
        }
        Ok(())
    }

    /// Lets a lease rest, and looks at how the ledger sees it.
    async fn failed(&mut self, step: Step, lease: &Lease, error: &LedgerError) {
        // a disputed claim waits like one whose window is open
        let waits = [AbortCode::WindowNotOver, AbortCode::DisputeOpen].map(AbortCode::code);
        let too_early = error.abort_code().is_some_and(|code| waits.contains(&code));
        if !too_early {
            self.shared.metrics.ledger_errors.inc();
            tracing::warn!(%error, stack = %lease.stack, ?step, "the ledger did not take it");
        }
        let pause = self
            .pauses
            .get(&lease.stack)
            .map_or(FIRST_PAUSE, |(_, pause)| *pause);
        let next = (pause * 2).min(LONGEST_PAUSE);
        self.pauses
            .insert(lease.stack, (Instant::now() + pause, next));
        if error.is_transient() {
            self.shared.ledger.note_reachable(false);
            self.pinged = None;
        } else if !too_early && let Ok(stack) = self.shared.ledger.ledger.stack(lease.stack).await {
            self.shared.adopt_stack(&stack);
        }
    }

    async fn settle_call(&self, lease: &Lease) -> Option<Call> {
        let claim = lease.final_claim(&self.shared.journal).await?;
        let headers = claim.vouchers.iter();
        let (last_receipt, receipt_signature) = match &claim.last {
            Some(receipt) => (receipt.bytes().to_vec(), receipt.signature().to_bytes()),
            None => (Vec::new(), Vec::new()),
        };
        let call = calls::Settle {
            db: self.shared.ledger.ledger.deployment().db.into(),
            stack: lease.stack.into(),
            node: self.shared.identity.node.into(),
            claimed_units: claim.units,
            headers: headers
                .clone()
                .map(|header| header.bytes().to_vec())
                .collect(),
            header_signatures: headers
                .map(|header| header.signature().to_bytes())
                .collect(),
            last_receipt,
            receipt_signature,
            receipts_root: claim.root,
            count: claim.count,
            manifest_blob: None,
            clock: Clock,
        };
        Some(call.into())
    }

    fn claim_call(&self, lease: &Lease) -> Call {
        calls::Claim {
            db: self.shared.ledger.ledger.deployment().db.into(),
            stack: lease.stack.into(),
            task: lease.task.into(),
            node: self.shared.identity.node.into(),
            clock: Clock,
        }
        .into()
    }
}

/// Whether an open lease should be settled now.
fn is_due(lease: &Summary, shared: &Shared, now: TimestampMs) -> bool {
    let rules = &shared.settlement;
    let used = u128::from(lease.committed.0) * 1_000;
    let nearly_used =
        used >= u128::from(lease.terms.units.0) * u128::from(rules.nearly_used_permille);
    let at_rest = shared.clock.now().since(lease.last_activity).0 >= rules.rest_ms;
    lease.phase == Phase::Open
        && (lease.terms.closing
            || now >= lease.terms.expires_at
            || (nearly_used && at_rest && lease.reserved.0 == 0))
}

/// What a lease is ready for.
fn next_step(lease: &Lease, now: TimestampMs) -> Option<Step> {
    let brief = lease.brief();
    match brief.phase {
        Phase::Settling => {
            let grace = lease.settle_grace.0;
            let last_call = grace - LAST_CALL_MS.min(grace / 4);
            let urgent = now.since(brief.terms.expires_at).0 >= last_call;
            (brief.reserved.0 == 0 || urgent).then_some(Step::Settle)
        }
        Phase::Settled { claimable_at } => (claimable_at <= now).then_some(Step::Claim),
        Phase::Open | Phase::Closed => None,
    }
}
