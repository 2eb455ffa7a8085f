//! Showing records. The stack's owner may demand one, an examiner or a jury may be drawn, and silence loses: so
//! the node listens, and [looks] by itself, and shows what is asked for, many at once, again and again until it
//! is taken or the time is over. This is the runtime of [`step`].

mod certify;
mod duty;
mod looks;
mod show;
mod step;

use super::{error::EvidenceError, log::EvidenceLog, pack::PackStore, read_back::ReadBack};
use crate::{
    ledger::{LeaseKeeper, LedgerLink},
    metrics::Metrics,
    signer::ResponseKeys,
};
use atoma_evidence::pack::PackError;
use atoma_ledger::{ExecuteError, ReadError};
use atoma_runtime::WithCauses;
use atoma_types::{NodeId, StackId, TimestampMs, chain::AbortCode};
use duty::{Duty, duties_in};
use looks::{Looks, Watched, watched};
use std::{sync::Arc, time::Duration};
use step::{Answerer, Command, Event, FIRST_PAUSE, Outcome};
use tokio::{sync::mpsc, time::Instant};

/// A pack is waited for this long before the duty is looked at again.
const STORE_TIMEOUT: Duration = Duration::from_secs(30);
/// Shown in one transaction: a record and its path are 3 KB at most.
const MOST_AT_ONCE: usize = 8;

/// Shows records in the background.
#[derive(Debug)]
pub(crate) struct AnswerTask {
    pub node: NodeId,
    pub response_keys: Arc<ResponseKeys>,
    pub keeper: Arc<LeaseKeeper>,
    pub link: Arc<LedgerLink>,
    pub log: Arc<EvidenceLog>,
    pub packs: PackStore,
    /// Finds what the log lacks.
    pub read_back: ReadBack,
    pub metrics: Arc<Metrics>,
    /// Stacks on which something is asked for.
    pub duties: mpsc::UnboundedReceiver<StackId>,
}

/// Why a record isn't shown yet.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("neither the node nor the packs that its settlement names have such a record")]
    NoRecord,
    #[error("its ticket is being read back from Walrus")]
    Reading,
    #[error("the record is not stored yet")]
    NotStored,
    #[error("the ledger doesn't tell yet which transaction certified the record's pack")]
    NotCertified,
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    Pack(#[from] PackError),
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Execute(#[from] ExecuteError),
}

impl AnswerTask {
    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        let (mut answerer, mut looks) = (Answerer::new(), Looks::default());
        loop {
            while let Ok(stack) = self.duties.try_recv() {
                self.look(&mut answerer, &mut looks, stack).await;
            }
            for stack in looks.due(&self.leases(), Instant::now()) {
                self.look(&mut answerer, &mut looks, stack).await;
            }
            self.read_back.want(answerer.tickets());
            for command in answerer.step(Event::Round) {
                if let Command::Try(duties) = command {
                    for (duty, outcome) in self.try_all(duties).await {
                        answerer.step(Event::Tried(duty, outcome));
                    }
                }
            }
            for command in answerer.step(Event::RoundOver) {
                let Command::Rest(pause) = command else {
                    continue;
                };
                let rest = looks.rest(&self.leases(), Instant::now());
                let pause = pause.map_or(rest, |pause| pause.min(rest));
                // a new duty doesn't wait for those that failed
                match tokio::time::timeout(pause, self.duties.recv()).await {
                    Ok(Some(stack)) => self.look(&mut answerer, &mut looks, stack).await,
                    // whoever hears of duties has gone, and the node with it
                    Ok(None) => return,
                    Err(_) => {}
                }
            }
        }
    }

    fn leases(&self) -> Vec<Watched> {
        let leases = self.keeper.leases.all();
        leases.iter().map(|lease| watched(lease)).collect()
    }

    /// Takes up what is asked for on a stack, however long the ledger can't be reached.
    async fn look(&self, answerer: &mut Answerer, looks: &mut Looks, id: StackId) {
        let now = self.link.ledger.clock().await;
        let stack = loop {
            match self.link.ledger.stack(id).await {
                Ok(stack) => break Some(stack),
                Err(error) if error.is_transient() => tokio::time::sleep(FIRST_PAUSE).await,
                Err(error) => {
                    tracing::warn!(error = %WithCauses(&error), stack = %id, "a stack can't be read");
                    break None;
                }
            }
        };
        looks.looked(id, Instant::now(), stack.is_some());
        let Some(stack) = stack else {
            return;
        };
        // what else was missed
        if let Ok(now) = now {
            self.keeper.adopt_unheard(&stack, now);
        }
        for duty in duties_in(self.node, &stack) {
            answerer.step(Event::Heard(duty));
        }
    }

    /// Shows as many as are ready, several in a transaction; if that fails, each goes alone.
    async fn try_all(&self, duties: Vec<Duty>) -> Vec<(Duty, Outcome)> {
        let (mut ready, mut tried) = (Vec::new(), Vec::new());
        for duty in duties {
            match self.call(&duty).await {
                Ok(call) => ready.push((duty, call)),
                Err(error) => {
                    let outcome = self.failed(&duty, error).await;
                    tried.push((duty, outcome));
                }
            }
        }
        for several in ready.chunks(MOST_AT_ONCE) {
            let calls = several.iter().map(|(_, call)| call.clone()).collect();
            let together = several.len() > 1 && self.link.execute(calls).await.is_ok();
            for (duty, call) in several {
                let outcome = if together {
                    self.shown(duty)
                } else {
                    match self.link.execute(vec![call.clone()]).await {
                        Ok(_) => self.shown(duty),
                        Err(error) => self.failed(duty, error.into()).await,
                    }
                };
                tried.push((duty.clone(), outcome));
            }
        }
        tried
    }

    fn shown(&self, duty: &Duty) -> Outcome {
        self.metrics.demands_answered.inc();
        tracing::warn!(stack = %duty.stack, unit = duty.unit.0, to = ?duty.to, "a record is shown");
        Outcome::Shown
    }

    async fn failed(&self, duty: &Duty, error: Unanswered) -> Outcome {
        let (stack, unit) = (duty.stack, duty.unit.0);
        match error {
            Unanswered::Execute(error) if is_over(&error) => {
                tracing::warn!(error = %WithCauses(&error), %stack, unit, "a record need not be shown any more");
                Outcome::Over
            }
            error if self.is_late(duty.until).await => {
                tracing::error!(error = %WithCauses(&error), %stack, unit, "a record was not shown in time");
                Outcome::TooLate
            }
            // what becomes of it is in the log already
            Unanswered::Reading => Outcome::Failed,
            error => {
                tracing::error!(error = %WithCauses(&error), %stack, unit, "a record is not shown yet");
                Outcome::Failed
            }
        }
    }

    /// Whether the ledger takes nothing any more.
    async fn is_late(&self, until: TimestampMs) -> bool {
        let now = self.link.ledger.clock().await;
        now.is_ok_and(|now| now > until)
    }
}

/// Whether there's nothing to show any more.
fn is_over(error: &ExecuteError) -> bool {
    let over = [
        AbortCode::NoSuchDemand,
        AbortCode::AnswerTooLate,
        AbortCode::UnitNotSettled,
        AbortCode::NoTicket,
        AbortCode::NotDisclosing,
        AbortCode::NoJury,
        AbortCode::LeaseClosed,
    ];
    let code = error.abort_code();
    code.is_some_and(|code| over.map(AbortCode::code).contains(&code))
}
