//! Answering demands. Who stakes a bond may ask for a record that the node has settled, and silence
//! loses: so the node listens, and shows what is asked for, again and again until it is taken or
//! the time is over. This is the runtime of [`step`].

mod step;

use super::{error::EvidenceError, log::EvidenceLog, pack::PackStore, reader::Exchange};
use crate::{
    journal::PackRow,
    leases::Leases,
    ledger::{LedgerLink, demands_in},
    metrics::Metrics,
};
use atoma_ledger::LedgerError;
use atoma_runtime::WithCauses;
use atoma_types::{
    NodeId, ObjectId, StackId, TimestampMs, chain::AbortCode, message::EvidenceLeaf,
};
use std::{sync::Arc, time::Duration};
pub(crate) use step::Demand;
use step::{Answerer, Command, Event, FIRST_PAUSE, Outcome};
use tokio::sync::mpsc;
use tracing::Instrument;

/// A pack is waited for this long before the demand is looked at again.
const STORE_TIMEOUT: Duration = Duration::from_secs(30);

/// Answers in the background.
#[derive(Debug)]
pub(crate) struct AnswerTask {
    pub node: NodeId,
    pub leases: Arc<Leases>,
    pub link: Arc<LedgerLink>,
    pub log: Arc<EvidenceLog>,
    pub packs: PackStore,
    pub metrics: Arc<Metrics>,
    pub demands: mpsc::UnboundedReceiver<Demand>,
}

/// Why a demand isn't answered yet.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("the node has no such record")]
    NoRecord,
    #[error("the record is not stored yet")]
    NotStored,
    #[error("the node's owner has no blob object of the pack")]
    NoObject,
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl AnswerTask {
    /// Runs until it is dropped.
    pub(crate) async fn run(mut self) {
        let mut answerer = Answerer::new();
        for demand in self.missed().await {
            answerer.step(Event::Heard(demand));
        }
        loop {
            while let Ok(demand) = self.demands.try_recv() {
                answerer.step(Event::Heard(demand));
            }
            for command in answerer.step(Event::Round) {
                if let Command::Try(demand) = command {
                    let Demand { stack, seq, .. } = demand;
                    let span = tracing::info_span!("demand", %stack, seq);
                    let outcome = self.try_to_answer(demand).instrument(span).await;
                    answerer.step(Event::Tried(demand, outcome));
                }
            }
            for command in answerer.step(Event::RoundOver) {
                let Command::Rest(pause) = command else {
                    continue;
                };
                // a new demand doesn't wait for those that failed
                let heard = match pause {
                    Some(pause) => tokio::time::timeout(pause, self.demands.recv()).await.ok(),
                    None => Some(self.demands.recv().await),
                };
                match heard {
                    Some(Some(demand)) => {
                        answerer.step(Event::Heard(demand));
                    }
                    // whoever hears of demands has gone, and the node with it
                    Some(None) => return,
                    None => {}
                }
            }
        }
    }

    /// What was demanded while the node was away: its settled leases say.
    async fn missed(&self) -> Vec<Demand> {
        let mut missed = Vec::new();
        for lease in self.leases.all() {
            let stack = lease.stack;
            let demands = self.demands_in(stack).await.into_iter();
            missed.extend(demands.map(|(seq, until)| Demand { stack, seq, until }));
        }
        missed
    }

    /// What is demanded on a stack, however long the ledger can't be reached.
    async fn demands_in(&self, stack: StackId) -> Vec<(u64, TimestampMs)> {
        loop {
            match self.link.ledger.stack(stack).await {
                Ok(stack) => return demands_in(self.node, &stack),
                Err(error) if error.is_transient() => tokio::time::sleep(FIRST_PAUSE).await,
                Err(error) => {
                    tracing::warn!(error = %WithCauses(&error), %stack, "a stack can't be read");
                    return Vec::new();
                }
            }
        }
    }

    async fn try_to_answer(&self, demand: Demand) -> Outcome {
        match self.answer(demand.stack, demand.seq).await {
            Ok(()) => {
                self.metrics.demands_answered.inc();
                tracing::warn!("a demand for a record is answered");
                Outcome::Answered
            }
            Err(Unanswered::Ledger(error)) if is_over(&error) => {
                tracing::warn!(error = %WithCauses(&error), "a demand for a record is over");
                Outcome::Over
            }
            Err(error) if self.is_late(demand.until).await => {
                tracing::error!(error = %WithCauses(&error), "a demand for a record was not answered in time");
                Outcome::TooLate
            }
            Err(error) => {
                tracing::error!(error = %WithCauses(&error), "a demand for a record is not answered yet");
                Outcome::Failed
            }
        }
    }

    async fn answer(&self, stack: StackId, seq: u64) -> Result<(), Unanswered> {
        let log = &self.log;
        let found = log.reader.ask(move |log| log.by_seq(stack, seq)).await?;
        let exchange = found.ok_or(Unanswered::NoRecord)?;
        log.flush(exchange.id);
        let pack = log.await_stored(exchange.id, STORE_TIMEOUT).await;
        let mut pack = pack.ok_or(Unanswered::NotStored)?;
        let epoch = self.link.ledger.db().await?.params.walrus_epoch;
        if u64::from(pack.end_epoch) <= epoch {
            pack = self.packs.renew(&pack).await?;
        }
        let object = match pack.object {
            Some(object) => object,
            None => self.own_object(&pack).await?,
        };
        self.show(&exchange, object).await
    }

    /// The blob object of a pack that the publisher only said to be there already.
    async fn own_object(&self, pack: &PackRow) -> Result<ObjectId, Unanswered> {
        let blobs = self.link.ledger.owned_blobs(self.link.owner()).await?;
        let blobs = blobs.iter().filter(|blob| blob.blob_id == pack.blob);
        let longest = blobs.max_by_key(|blob| blob.storage.end_epoch);
        longest.map(|blob| blob.id).ok_or(Unanswered::NoObject)
    }

    async fn show(&self, exchange: &Exchange, blob: ObjectId) -> Result<(), Unanswered> {
        let settlement = self.log.settlement_of(exchange).await?;
        let settlement = settlement.ok_or(Unanswered::NoRecord)?;
        let record = EvidenceLeaf::new(&exchange.header, &exchange.receipt);
        let stack = exchange.receipt.message().stack;
        let ledger = &self.link.ledger;
        let call = ledger.answer_dispute(stack, self.node, blob, &record, &settlement.path);
        self.link.execute(vec![call]).await?;
        Ok(())
    }

    /// Whether the ledger takes no answer any more.
    async fn is_late(&self, until: TimestampMs) -> bool {
        let now = self.link.ledger.clock().await;
        now.is_ok_and(|now| now > until)
    }
}

/// Whether there's nothing to answer any more.
fn is_over(error: &LedgerError) -> bool {
    let over = [
        AbortCode::NoSuchDispute,
        AbortCode::AnswerTooLate,
        AbortCode::NotSettling,
    ];
    let code = error.abort_code();
    code.is_some_and(|code| over.map(AbortCode::code).contains(&code))
}
