//! Answering demands. Who stakes a bond may ask for a record that the node has settled, and silence
//! loses: so the node listens, and shows what is asked for, again and again until it is taken or
//! the time is over.

use super::{error::EvidenceError, log::EvidenceLog, pack::renew, reader::Exchange};
use crate::{journal::PackRow, shared::Shared};
use atoma_ledger::LedgerError;
use atoma_types::{
    Address, ObjectId, StackId, TimestampMs,
    chain::{AbortCode, LeaseState},
    message::EvidenceLeaf,
};
use parking_lot::Mutex;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::Notify;

/// After a failure the demands rest so long, doubling: answer windows are minutes to hours.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// And at most so long.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// A pack is waited for this long before the demand is looked at again.
const STORE_TIMEOUT: Duration = Duration::from_secs(30);

/// The demands that were heard and not answered yet.
#[derive(Debug, Default)]
pub(crate) struct Demands {
    /// By stack and `seq`: until when it can be answered, by the ledger's clock.
    open: Mutex<BTreeMap<(StackId, u64), TimestampMs>>,
    heard: Notify,
}

impl Demands {
    /// A demand for the record of a `seq`.
    pub(crate) fn hear(&self, stack: StackId, seq: u64, until: TimestampMs) {
        self.open.lock().insert((stack, seq), until);
        self.heard.notify_one();
    }
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

/// Runs until it is dropped.
pub(crate) async fn answer(shared: Arc<Shared>, log: Arc<EvidenceLog>) {
    remember(&shared).await;
    let mut pause = FIRST_PAUSE;
    loop {
        let open = shared.demands.open.lock().clone();
        let mut left = false;
        for ((stack, seq), until) in open {
            match answer_one(&shared, &log, stack, seq).await {
                Ok(()) => {
                    shared.metrics.demands_answered.inc();
                    tracing::warn!(%stack, seq, "a demand for a record is answered");
                }
                Err(Unanswered::Ledger(error)) if is_over(&error) => {
                    tracing::warn!(%stack, seq, %error, "a demand for a record is over");
                }
                Err(error) if is_late(&shared, until).await => {
                    tracing::error!(%stack, seq, %error, "a demand for a record was not answered in time");
                }
                Err(error) => {
                    tracing::error!(%stack, seq, %error, "a demand for a record is not answered yet");
                    left = true;
                    continue;
                }
            }
            shared.demands.open.lock().remove(&(stack, seq));
        }
        if left {
            // a new demand doesn't wait for those that failed
            let heard = shared.demands.heard.notified();
            let _ = tokio::time::timeout(pause, heard).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        } else {
            pause = FIRST_PAUSE;
            shared.demands.heard.notified().await;
        }
    }
}

/// What was demanded while the node was away: its settled leases say.
async fn remember(shared: &Shared) {
    for lease in shared.leases.all() {
        let stack = loop {
            match shared.ledger.ledger.stack(lease.stack).await {
                Ok(stack) => break Some(stack),
                Err(error) if error.is_transient() => tokio::time::sleep(FIRST_PAUSE).await,
                Err(error) => {
                    tracing::warn!(%error, stack = %lease.stack, "a stack can't be read");
                    break None;
                }
            }
        };
        let lease = stack
            .as_ref()
            .and_then(|stack| Some((stack.id, stack.lease(shared.identity.node)?)));
        if let Some((stack, lease)) = lease
            && let LeaseState::Settling(ticket) = &lease.state
        {
            for dispute in &ticket.disputes {
                shared.demands.hear(stack, dispute.seq, dispute.deadline_ms);
            }
        }
    }
}

async fn answer_one(
    shared: &Shared,
    log: &EvidenceLog,
    stack: StackId,
    seq: u64,
) -> Result<(), Unanswered> {
    let found = log.reader.ask(move |log| log.by_seq(stack, seq)).await?;
    let exchange = found.ok_or(Unanswered::NoRecord)?;
    log.flush(exchange.id);
    let pack = log.await_stored(exchange.id, STORE_TIMEOUT).await;
    let mut pack = pack.ok_or(Unanswered::NotStored)?;
    let epoch = shared.ledger.ledger.db().await?.params.walrus_epoch;
    if u64::from(pack.end_epoch) <= epoch {
        pack = renew(shared, log, &pack).await?;
    }
    let object = match pack.object {
        Some(object) => Address::new(object.0),
        None => own_object(shared, &pack).await?,
    };
    show(shared, log, &exchange, object).await
}

/// The blob object of a pack that the publisher only said to be there already.
async fn own_object(shared: &Shared, pack: &PackRow) -> Result<ObjectId, Unanswered> {
    let owner = shared.ledger.key.public_key().address();
    let blobs = shared.ledger.ledger.owned_blobs(owner).await?;
    let blobs = blobs.iter().filter(|blob| blob.blob_id.0 == pack.blob.0);
    let longest = blobs.max_by_key(|blob| blob.storage.end_epoch);
    longest.map(|blob| blob.id).ok_or(Unanswered::NoObject)
}

async fn show(
    shared: &Shared,
    log: &EvidenceLog,
    exchange: &Exchange,
    blob: ObjectId,
) -> Result<(), Unanswered> {
    let settlement = log.settlement_of(exchange).await?;
    let settlement = settlement.ok_or(Unanswered::NoRecord)?;
    let record = EvidenceLeaf::new(&exchange.header, &exchange.receipt);
    let side = &shared.ledger;
    let stack = exchange.receipt.message().stack;
    let call =
        side.ledger
            .answer_dispute(stack, shared.identity.node, blob, &record, &settlement.path);
    side.ledger.execute(&side.key, vec![call]).await?;
    Ok(())
}

/// Whether the ledger takes no answer any more.
async fn is_late(shared: &Shared, until: TimestampMs) -> bool {
    let now = shared.ledger.ledger.clock().await;
    now.is_ok_and(|now| now > until)
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
