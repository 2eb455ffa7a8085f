//! Settling and claiming without anyone's help: the runtime of [`step`]. After a crash the ledger's
//! own word comes first: a lease it knows as settled is never settled again.

mod step;

use super::{keeper::LeaseKeeper, link::LedgerLink};
use crate::{
    account::{Claim, Phase},
    config::SettlementConfig,
    lease::Lease,
    metrics::Metrics,
};
use atoma_ledger::LedgerError;
use atoma_runtime::WithCauses;
use atoma_types::{
    NodeId, StackId, TimestampMs,
    chain::{AbortCode, Call, Clock, calls},
};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use step::{Command, Event, Failure, LeaseView, Settler, Step, Times};
use tokio::{sync::Notify, time::Instant};
use tracing::Instrument;

/// The shortest time between two looks at all leases.
const MIN_TICK_MS: u64 = 10;

/// Settles and claims in the background.
#[derive(Debug)]
pub(crate) struct SettlementTask {
    keeper: Arc<LeaseKeeper>,
    link: Arc<LedgerLink>,
    metrics: Arc<Metrics>,
    /// Ends the wait between two rounds.
    now: Arc<Notify>,
    tick: Duration,
    settler: Settler,
}

impl SettlementTask {
    pub(crate) fn new(
        rules: SettlementConfig,
        keeper: Arc<LeaseKeeper>,
        link: Arc<LedgerLink>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            now: keeper.signals.settle_now.clone(),
            keeper,
            link,
            metrics,
            tick: Duration::from_millis(rules.tick_ms.max(MIN_TICK_MS)),
            settler: Settler::new(rules),
        }
    }

    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        loop {
            self.round().await;
            tokio::select! {
                biased;
                () = tokio::time::sleep(self.tick) => {}
                () = self.now.notified() => {}
            }
        }
    }

    async fn round(&mut self) {
        let leases = self.views();
        let now = self.times(!leases.is_empty()).await;
        let leases = &leases;
        self.carry_out(&Event::Due { leases, now }).await;
        // those that were due just now may be ready already
        let leases = &self.views();
        self.carry_out(&Event::Ready { leases, now }).await;
    }

    fn views(&self) -> Vec<LeaseView> {
        let leases = self.keeper.leases.all();
        let view = |lease: &Arc<Lease>| LeaseView {
            stack: lease.stack,
            settle_grace: lease.settle_grace,
            sums: lease.brief(),
        };
        leases.iter().map(view).collect()
    }

    async fn times(&mut self, has_leases: bool) -> Times {
        let (ours, at) = (self.keeper.clock.now(), Instant::now());
        let times = |ledger| Times { ledger, ours, at };
        if !self.settler.needs_time(has_leases, at) {
            return times(ours);
        }
        let answer: Result<TimestampMs, _> = self.link.ledger.clock().await;
        let answered = answer.is_ok();
        self.link.note_reachable(answered);
        self.settler.step(&Event::AskedTime { answered, at });
        times(answer.unwrap_or(ours))
    }

    /// Steps, and does what comes out of it until nothing more does.
    async fn carry_out(&mut self, event: &Event<'_>) {
        let mut commands = VecDeque::from(self.settler.step(event));
        while let Some(command) = commands.pop_front() {
            match command {
                Command::StopAdmission(stacks) => self.stop_admission(&stacks).await,
                Command::Submit { step, stacks } => {
                    commands.extend(self.submit(step, &stacks).await);
                }
                Command::Reread(stack) => {
                    if let Ok(stack) = self.link.ledger.stack(stack).await {
                        self.keeper.adopt(&stack);
                    }
                }
            }
        }
    }

    async fn stop_admission(&self, stacks: &[StackId]) {
        let acks: Vec<_> = self
            .leases(stacks)
            .iter()
            .map(|lease| {
                tracing::info!(stack = %lease.stack, "no more requests: the lease is settled");
                lease.save(&self.keeper.journal, Vec::new(), |account| {
                    account.advance(Phase::Settling);
                })
            })
            .collect();
        for ack in acks {
            if let Err(error) = ack.durable().await {
                tracing::error!(error = %WithCauses(&error), "a settlement could not be begun");
            }
        }
    }

    /// Takes a batch to the ledger; what is to be done if it fails.
    async fn submit(&mut self, step: Step, stacks: &[StackId]) -> Vec<Command> {
        let leases = self.leases(stacks);
        if leases.is_empty() {
            return Vec::new();
        }
        let Some(calls) = self.calls(step, &leases).await else {
            // the journal has failed: nothing is claimed that isn't durable
            return Vec::new();
        };
        let span = tracing::info_span!("ledger", ?step, leases = leases.len());
        let executed = self.link.execute(calls).instrument(span).await;
        let executed = match executed {
            Ok(executed) => executed,
            Err(error) => return self.failed(step, stacks, &error),
        };
        self.link.note_reachable(true);
        let count = leases.len() as u64;
        match step {
            Step::Settle => self.metrics.settlements.inc_by(count),
            Step::Claim => self.metrics.claims.inc_by(count),
        };
        for event in &executed.events {
            if let Some(ack) = self.keeper.hear(event, Vec::new()).ack
                && let Err(error) = ack.durable().await
            {
                tracing::error!(error = %WithCauses(&error), "a settlement could not be made durable");
            }
        }
        for lease in &leases {
            let _in = span_of(step, lease).entered();
            tracing::info!(transaction = %executed.digest, "done");
        }
        self.settler.step(&Event::Taken { stacks })
    }

    fn failed(&mut self, step: Step, stacks: &[StackId], error: &LedgerError) -> Vec<Command> {
        let why = failure(error);
        let at = Instant::now();
        let commands = self.settler.step(&Event::Failed {
            step,
            stacks,
            why,
            at,
        });
        if why == Failure::Unreachable {
            self.link.note_reachable(false);
        }
        let goes_on_alone = matches!(commands.first(), Some(Command::Submit { .. }));
        if why != Failure::TooEarly && !goes_on_alone {
            for stack in stacks {
                self.metrics.ledger_errors.inc();
                tracing::warn!(error = %WithCauses(&error), %stack, ?step, "the ledger did not take it");
            }
        }
        commands
    }

    /// One call for each lease; `None` once the journal has failed.
    async fn calls(&self, step: Step, leases: &[Arc<Lease>]) -> Option<Vec<Call>> {
        let mut calls = Vec::with_capacity(leases.len());
        for lease in leases {
            if !self.keeper.journal.is_healthy() {
                return None;
            }
            let span = span_of(step, lease);
            calls.push(match step {
                Step::Settle => {
                    let claim = lease.final_claim(&self.keeper.journal);
                    let claim = claim.instrument(span).await?;
                    self.settle_call(lease, &claim)
                }
                Step::Claim => self.claim_call(lease),
            });
        }
        Some(calls)
    }

    fn settle_call(&self, lease: &Lease, claim: &Claim) -> Call {
        let headers = claim.vouchers.iter();
        let (last_receipt, receipt_signature) = match &claim.last {
            Some(receipt) => (receipt.bytes().to_vec(), receipt.signature().to_bytes()),
            None => (Vec::new(), Vec::new()),
        };
        calls::Settle {
            db: self.link.ledger.deployment().db.into(),
            stack: lease.stack.into(),
            node: self.node().into(),
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
        }
        .into()
    }

    fn claim_call(&self, lease: &Lease) -> Call {
        calls::Claim {
            db: self.link.ledger.deployment().db.into(),
            stack: lease.stack.into(),
            task: lease.task.into(),
            node: self.node().into(),
            clock: Clock,
        }
        .into()
    }

    fn node(&self) -> NodeId {
        self.keeper.node
    }

    /// Those that are still there.
    fn leases(&self, stacks: &[StackId]) -> Vec<Arc<Lease>> {
        let leases = stacks.iter();
        leases
            .filter_map(|stack| self.keeper.leases.get(*stack))
            .collect()
    }
}

fn span_of(step: Step, lease: &Lease) -> tracing::Span {
    tracing::info_span!("lease", stack = %lease.stack, ?step)
}

fn failure(error: &LedgerError) -> Failure {
    // a disputed claim waits like one whose window is open
    let waits = [AbortCode::WindowNotOver, AbortCode::DisputeOpen].map(AbortCode::code);
    match error.abort_code() {
        Some(code) if waits.contains(&code) => Failure::TooEarly,
        _ if error.is_transient() => Failure::Unreachable,
        _ => Failure::Refused,
    }
}
