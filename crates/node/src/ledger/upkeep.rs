//! What a node does on the ledger beside serving: it offers again when a jail is over, reports the fees that it
//! paid and takes its share of the treasury, and pays its credit out to its owner. Each step looks first at what
//! is there, so that nothing is paid for nothing.

use super::{link::LedgerLink, reserve::Owed};
use crate::{
    config::UpkeepConfig, evidence::EvidenceLog, leases::Leases, limits::EPOCH_MS,
    metrics::Metrics, tasks::Tasks,
};
use atoma_ledger::ReadError;
use atoma_runtime::WithCauses;
use atoma_types::{
    Address, MicroUsdc, NodeId, Price, TimestampMs,
    chain::{AtomaDb, Call, Clock, Node, SubscriptionState, Task, calls},
};
use std::{sync::Arc, time::Duration};

/// Looks after standing and money.
#[derive(Debug)]
pub(crate) struct Upkeep {
    pub node: NodeId,
    pub tasks: Arc<Tasks>,
    pub link: Arc<LedgerLink>,
    pub leases: Arc<Leases>,
    pub metrics: Arc<Metrics>,
    pub config: UpkeepConfig,
    pub evidence: Option<Arc<EvidenceLog>>,
}

impl Upkeep {
    /// Runs until it is dropped.
    pub(crate) async fn run(self) {
        let tick = Duration::from_millis(self.config.tick_ms.max(100));
        let mut epoch = None;
        loop {
            tokio::time::sleep(tick).await;
            if let Err(error) = self.look().await {
                self.metrics.ledger_errors.inc();
                tracing::debug!(error = %WithCauses(&error), "the node's standing is not looked after yet");
            }
            if let Some(evidence) = &self.evidence
                && let Ok(now) = self.link.ledger.walrus_epoch().await
                && epoch.replace(now) != Some(now)
            {
                evidence.epoch_ended();
            }
        }
    }

    async fn look(&self) -> Result<(), ReadError> {
        let ledger = &self.link.ledger;
        let gas = ledger.gas(self.link.owner()).await?;
        let kept = Owed::by(self.node, &self.leases, self.metrics.attest_seats.get()).gas();
        if gas < kept {
            // nothing of it must be in time; answers must
            tracing::warn!(
                gas,
                kept,
                "the wallet is short of gas: it is kept for what must be shown, settled and claimed"
            );
            return Ok(());
        }
        let (db, node, now) = (
            ledger.db().await?,
            ledger.node(self.node).await?,
            ledger.clock().await?,
        );
        let mut todo = money(&db, &node, self.link.owner(), &self.config, now);
        for served in self.tasks.iter() {
            let task = ledger.task(served.id).await?;
            todo.extend(standing(&db, &task, &node, served.price, now));
        }
        for call in todo {
            let name = call.function().name;
            match self.link.execute(vec![call]).await {
                Ok(_) => tracing::info!(name, "done"),
                Err(error) => tracing::warn!(error = %WithCauses(&error), name, "not done"),
            }
        }
        Ok(())
    }
}

/// What is to be done about a node's money. Pure.
fn money(
    db: &AtomaDb,
    node: &Node,
    owner: Address,
    config: &UpkeepConfig,
    now: TimestampMs,
) -> Vec<Call> {
    let mut todo: Vec<Call> = Vec::new();
    let epoch = now.0 / EPOCH_MS;
    let second_half = now.0 % EPOCH_MS >= EPOCH_MS / 2;
    let last = [node.current, node.previous].into_iter();
    let mut last = last.filter(|fees| fees.epoch.saturating_add(1) == epoch);
    if !second_half && last.any(|fees| fees.fees > MicroUsdc::ZERO) {
        todo.push(
            calls::ReportFees {
                db: db.id.into(),
                node: node.id.into(),
                clock: Clock,
            }
            .into(),
        );
    }
    let reported = node.reported;
    let open = second_half || epoch > reported.epoch.saturating_add(1);
    if reported.fees > MicroUsdc::ZERO && reported.epoch == db.book.epoch && open {
        todo.push(
            calls::PayTreasury {
                db: db.id.into(),
                node: node.id.into(),
                clock: Clock,
            }
            .into(),
        );
    }
    if node.earnings > MicroUsdc::ZERO && node.earnings >= config.withdraw_from {
        todo.push(
            calls::WithdrawEarnings {
                node: node.id.into(),
                to: owner,
            }
            .into(),
        );
    }
    todo
}

/// What is to be done about a node's offer in a task. Pure.
fn standing(
    db: &AtomaDb,
    task: &Task,
    node: &Node,
    price: Price,
    now: TimestampMs,
) -> Option<Call> {
    let fits = node.status.takes_leases(now)
        && node.collateral.0 >= db.params.min_collateral
        && node.collateral >= task.min_collateral
        && node.standing.reputation >= task.min_reputation
        && !task.is_deprecated();
    if !fits {
        return None;
    }
    let offer = task.subscription(node.id);
    // another has its place: it goes with its promise, once its last duty is over
    if offer.is_some_and(|offer| offer.state == SubscriptionState::Evicted) {
        return None;
    }
    if let Some(offer) = offer.filter(|offer| offer.price == price) {
        let active = offer.state == SubscriptionState::Active;
        let attested = node
            .attestation
            .filter(|attestation| task.releases(attestation.release, now))
            .map(|attestation| attestation.expires_at_ms);
        let alike = active
            && offer.matured == node.matured(now)
            && (!task.security_level.confidential()
                || offer.attested_until_ms == attested.unwrap_or_default());
        let sync = || calls::SyncSubscription {
            task: task.id.into(),
            node: node.id.into(),
            clock: Clock,
        };
        return (!alike).then(|| sync().into());
    }
    let call = calls::Subscribe {
        db: db.id.into(),
        task: task.id.into(),
        node: node.id.into(),
        price,
        clock: Clock,
    };
    Some(call.into())
}
