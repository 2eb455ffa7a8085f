//! Settling and claiming without anyone's help: the runtime of [`step`]. A claim names the receipt that it goes on
//! from, so the ledger takes none twice, whatever became of the one before a crash. Where evidence is kept, only
//! that is claimed which Walrus has: a node that has lost its disk can still show it.

mod step;
mod usage;
mod view;

use super::{keeper::LeaseKeeper, link::LedgerLink};
use crate::{
    account::{Account, Claim, Phase},
    config::SettlementConfig,
    evidence::PackLists,
    lease::Lease,
    metrics::Metrics,
};
use atoma_ledger::ExecuteError;
use atoma_runtime::WithCauses;
use atoma_types::{
    BlobId, MicroUsdc, NodeId, StackId, TimestampMs,
    chain::{AbortCode, Call, Clock, calls},
    message::{Receipt, Signed},
};
use std::{collections::VecDeque, sync::Arc, time::Duration};
use step::{Command, Event, Failure, Settler, Step, Times};
use tokio::{sync::Notify, time::Instant};
use tracing::Instrument;
use view::LeaseView;

/// The shortest time between two looks at all leases.
const MIN_TICK_MS: u64 = 10;

/// Settles and claims in the background.
#[derive(Debug)]
pub(crate) struct SettlementTask {
    keeper: Arc<LeaseKeeper>,
    link: Arc<LedgerLink>,
    metrics: Arc<Metrics>,
    /// Where evidence is kept, and what settlements name of it; none without a Walrus.
    evidence: Option<PackLists>,
    /// Ends the wait between two rounds.
    now: Arc<Notify>,
    tick: Duration,
    settler: Settler,
}

impl SettlementTask {
    pub(crate) fn new(
        rules: &SettlementConfig,
        least: MicroUsdc,
        keeper: Arc<LeaseKeeper>,
        link: Arc<LedgerLink>,
        metrics: Arc<Metrics>,
        evidence: Option<PackLists>,
    ) -> Self {
        Self {
            settler: Settler::new(rules.clone(), keeper.node, least),
            evidence,
            now: keeper.signals.settle_now.clone(),
            keeper,
            link,
            metrics,
            tick: Duration::from_millis(rules.tick_ms.max(MIN_TICK_MS)),
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
        if let Some(evidence) = &self.evidence {
            evidence.retain(|stack| self.keeper.leases.get(stack).is_some());
        }
        // whether the ledger answers or not
        self.keeper.leases.forget_expired(self.keeper.clock.now());
        let leases = self.views();
        let now = self.times(!leases.is_empty()).await;
        let leases = &leases;
        self.carry_out(&Event::Due { leases, now }, now.ledger)
            .await;
        // those that were due just now may be ready already
        let leases = &self.views();
        self.carry_out(&Event::Ready { leases, now }, now.ledger)
            .await;
    }

    fn views(&self) -> Vec<LeaseView> {
        let leases = self.keeper.leases.all();
        leases.iter().map(|lease| view(lease)).collect()
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
    async fn carry_out(&mut self, event: &Event<'_>, now: TimestampMs) {
        let mut commands = VecDeque::from(self.settler.step(event));
        while let Some(command) = commands.pop_front() {
            match command {
                Command::StopAdmission(stacks) => self.stop_admission(&stacks).await,
                Command::Submit { step, stacks } => {
                    commands.extend(self.submit(step, &stacks, now).await);
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
    async fn submit(&mut self, step: Step, stacks: &[StackId], now: TimestampMs) -> Vec<Command> {
        let mut calls = Vec::with_capacity(stacks.len());
        let mut leases = Vec::with_capacity(stacks.len());
        for lease in self.leases(stacks) {
            let span = span_of(step, &lease);
            // a call that isn't ready yet holds up no other
            if let Some(call) = self.call(step, &lease, now).instrument(span).await {
                calls.push(call);
                leases.push(lease);
            }
        }
        if leases.is_empty() {
            return Vec::new();
        }
        let stacks: Vec<StackId> = leases.iter().map(|lease| lease.stack).collect();
        let stacks = stacks.as_slice();
        let span = tracing::info_span!("ledger", ?step, leases = leases.len());
        let executed = self.link.execute(calls).instrument(span).await;
        let executed = match executed {
            Ok(executed) => executed,
            Err(error) => return self.failed(step, stacks, &error),
        };
        self.link.note_reachable(true);
        let count = leases.len() as u64;
        if let (Step::Settle, Some(evidence)) = (step, &self.evidence) {
            stacks.iter().for_each(|stack| evidence.forget(*stack));
        }
        match step {
            Step::Settle => self.metrics.settlements.inc_by(count),
            Step::Claim => self.metrics.claims.inc_by(count),
            Step::GiveBack => {
                leases.iter().for_each(|lease| gave_back(lease, true));
                0
            }
            Step::Release | Step::Progress => 0,
        };
        for lease in &leases {
            let _in = span_of(step, lease).entered();
            tracing::info!(transaction = %executed.digest, "done");
        }
        self.settler.step(&Event::Taken { stacks })
    }

    fn failed(&mut self, step: Step, stacks: &[StackId], error: &ExecuteError) -> Vec<Command> {
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
        // what may still reach the ledger stays given up, and is tried again
        if step == Step::GiveBack && why != Failure::Unreachable && !goes_on_alone {
            self.leases(stacks)
                .iter()
                .for_each(|lease| gave_back(lease, false));
        }
        if why != Failure::TooEarly && !goes_on_alone {
            for stack in stacks {
                self.metrics.ledger_errors.inc();
                tracing::warn!(error = %WithCauses(&error), %stack, ?step, "the ledger did not take it");
            }
        }
        commands
    }

    /// The call that a lease is ready for, if it still is.
    async fn call(&self, step: Step, lease: &Lease, now: TimestampMs) -> Option<Call> {
        let stack = lease.on_ledger()?;
        let on_ledger = stack.lease(self.node())?;
        match step {
            Step::Settle => {
                let (claim, packs) = self.claim(lease, now).await?;
                Some(self.settle_call(lease, &claim, packs))
            }
            Step::Release => {
                lease.with_account(Account::freeze);
                let call = calls::ReleaseUnits {
                    stack: lease.stack.into(),
                    node: self.node().into(),
                    units: on_ledger.claimed_units(),
                    clock: Clock,
                };
                Some(call.into())
            }
            Step::GiveBack => {
                let back = self.settler.back(lease.stack);
                let units = lease.with_account(|account| account.give_back(back))?;
                let fits = on_ledger.claimed_units() <= units && units < on_ledger.units;
                if !fits {
                    gave_back(lease, false);
                    return None;
                }
                let call = calls::ReleaseUnits {
                    stack: lease.stack.into(),
                    node: self.node().into(),
                    units,
                    clock: Clock,
                };
                Some(call.into())
            }
            Step::Claim | Step::Progress => step::due(&stack, on_ledger, now),
        }
    }

    /// What is claimed of a lease now, and the blob that leads to its records; `None` while it isn't durable, signed
    /// and stored.
    async fn claim(&self, lease: &Lease, now: TimestampMs) -> Option<(Claim, Option<BlobId>)> {
        let ends = lease.brief().phase != Phase::Open;
        if ends {
            lease.with_account(Account::freeze);
        }
        // nothing is claimed that isn't durable
        if !self.keeper.journal.is_healthy() || !lease.all_signed(&self.keeper.journal).await {
            return None;
        }
        let last = lease.with_account(|account| account.last_signed())?;
        let urgent = step::is_urgent(&view(lease), now);
        let (last, packs) = match &self.evidence {
            Some(evidence) if !urgent => self.stored(evidence, lease, last, ends).await?,
            _ => (last, None),
        };
        let claim = lease.with_account(|account| account.claim(last))?;
        Some((claim, packs))
    }

    /// How far of `last` Walrus has all, and the blob that leads to it; `None` while there is nothing such. The last
    /// claim of a lease is made once, and whole.
    async fn stored(
        &self,
        evidence: &PackLists,
        lease: &Lease,
        last: Arc<Signed<Receipt>>,
        ends: bool,
    ) -> Option<(Arc<Signed<Receipt>>, Option<BlobId>)> {
        let (stack, log) = (lease.stack, evidence.log());
        let (from, seq) = (lease.brief().claimed.seq, last.message().seq);
        let stored = log.stored_up_to(stack, seq).await.ok()??;
        if stored <= from || (stored < seq && ends) {
            return None;
        }
        let receipt_of = async |to: u64| match to == seq {
            true => Some(last.clone()),
            false => log.receipt(stack, to).await.ok().flatten(),
        };
        // whoever has lost its log needs all that the last receipt binds, be it of earlier tickets
        let base = receipt_of(stored).await?.message().base.min(from);
        let named = match evidence.name(stack, (base, stored)).await {
            Ok(named) => named?,
            Err(error) => {
                tracing::warn!(error = %WithCauses(&error), %stack, "a settlement's packs can't be named");
                return None;
            }
        };
        // where they are more than a list can have, they are named no more
        let (to, blob) = match named.range.1 {
            to if to > from => (to, named.blob),
            _ => (stored, None),
        };
        if ends && to < seq {
            // it was made before the last record was stored
            evidence.forget(stack);
            return None;
        }
        let last = receipt_of(to).await?;
        let blob = blob.filter(|_| last.message().base >= base);
        Some((last, blob))
    }

    fn settle_call(&self, lease: &Lease, claim: &Claim, packs: Option<BlobId>) -> Call {
        let headers = claim.vouchers.iter();
        calls::Settle {
            stack: lease.stack.into(),
            holder: self.node(),
            from_seq: claim.from_seq,
            to_units: claim.to_units,
            to_seq: claim.to_seq,
            headers: headers
                .clone()
                .map(|header| header.bytes().to_vec())
                .collect(),
            header_signatures: headers
                .map(|header| header.signature().to_bytes())
                .collect(),
            last_receipt: claim.last.bytes().to_vec(),
            receipt_signature: claim.last.signature().to_bytes(),
            manifest_blob: packs,
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

/// What the ledger did with units that were given back.
fn gave_back(lease: &Lease, taken: bool) {
    lease.with_account(|account| account.gave_back(taken));
}

fn view(lease: &Lease) -> LeaseView {
    LeaseView {
        stack: lease.stack,
        price: lease.price,
        settle_grace: lease.settle_grace,
        on_ledger: lease.on_ledger(),
        sums: lease.brief(),
    }
}

fn span_of(step: Step, lease: &Lease) -> tracing::Span {
    tracing::info_span!("lease", stack = %lease.stack, ?step)
}

fn failure(error: &ExecuteError) -> Failure {
    // what was brought against a ticket holds it up as its window does
    let waits = [
        AbortCode::WindowNotOver,
        AbortCode::DemandOpen,
        AbortCode::ExamOpen,
        AbortCode::ChallengeOpen,
        AbortCode::TicketOpen,
    ];
    let waits = waits.map(AbortCode::code);
    match error.abort_code() {
        Some(code) if waits.contains(&code) => Failure::TooEarly,
        _ if error.is_transient() => Failure::Unreachable,
        _ => Failure::Refused,
    }
}
