//! The models on sale, kept in step with the ledger.

use crate::{
    catalog::{self, Offer},
    config::GatewayConfig,
    pool::{PoolContext, TaskPool},
};
use arc_swap::ArcSwap;
use atoma_client::Client;
use atoma_ledger::{EventStream, Ledger, ReadError};
use atoma_runtime::Runtime;
use atoma_types::{NetworkId, TaskId, TimestampMs, message::Endpoint};
use futures::StreamExt;
use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, sleep_until, timeout_at};
use tokio_util::sync::CancellationToken;

/// Even without an event the ledger is read again: an event may have been missed.
const REFRESH_INTERVAL: Duration = Duration::from_secs(30);
/// After an event, others of the same transaction are waited for.
const SETTLE_TIME: Duration = Duration::from_millis(50);
/// After an event the ledger is read again no sooner than so many times what the last reading took: anyone may make tasks,
/// each with an event, and with many of them a reading takes long.
const REST_OF_READING: u32 = 10;
/// After the ledger couldn't be read.
const RETRY_INTERVAL: Duration = Duration::from_secs(2);

/// The models on sale, each with the pools of its tasks.
#[derive(Debug)]
pub(crate) struct Market {
    models: ArcSwap<Models>,
    context: PoolContext,
}

type Models = BTreeMap<String, Vec<Arc<TaskPool>>>;

/// A model as `/v1/models` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    /// When this gateway first saw it.
    pub(crate) since: TimestampMs,
}

impl Market {
    /// An empty market; [`Market::refresh`] fills it.
    pub(crate) fn new(context: PoolContext) -> Self {
        Self {
            models: ArcSwap::default(),
            context,
        }
    }

    /// The pool that serves a model best at an endpoint: one made for it, with nodes, the oldest.
    pub(crate) fn find(&self, model: &str, endpoint: Endpoint) -> Option<Arc<TaskPool>> {
        let models = self.models.load();
        // who reads requests can't ask for confidential answers
        let takes = |pool: &&Arc<TaskPool>| !pool.offer().confidential || self.seals();
        let best = models.get(model)?.iter().filter(takes).min_by_key(|pool| {
            let offer = pool.offer();
            let fits = offer.suits(endpoint);
            (Reverse(fits), offer.sellers.is_empty(), offer.number)
        });
        best.cloned()
    }

    /// What asks nodes.
    pub(crate) fn client(&self) -> &Client {
        &self.context.client
    }

    /// The ledger on which all is sold.
    pub(crate) fn network(&self) -> NetworkId {
        self.context.client.ledger().network()
    }

    /// Whether requests are sealed here, by the client.
    pub(crate) fn seals(&self) -> bool {
        self.context.client.is_confidential()
    }

    /// The pool of a task, for requests that are sealed already.
    pub(crate) fn of_task(&self, task: TaskId) -> Option<Arc<TaskPool>> {
        let mut pools = self.pools().into_iter();
        pools.find(|pool| pool.offer().task == task)
    }

    /// Whether the model is there for sealed requests alone.
    pub(crate) fn is_only_sealed(&self, model: &str) -> bool {
        let models = self.models.load();
        let pools = models.get(model).map(Vec::as_slice).unwrap_or_default();
        !self.seals() && pools.iter().any(|pool| pool.offer().confidential)
    }

    /// What the client of all pools runs on.
    pub(crate) fn runtime(&self) -> &Runtime {
        self.context.client.runtime()
    }

    /// The models, by name.
    pub(crate) fn list(&self) -> Vec<Listed> {
        let models = self.models.load();
        let listed = models.iter().filter_map(|(name, pools)| {
            let since = pools.iter().map(|pool| pool.since()).min()?;
            Some(Listed {
                name: name.clone(),
                since,
            })
        });
        listed.collect()
    }

    /// The pools of all models.
    pub(crate) fn pools(&self) -> Vec<Arc<TaskPool>> {
        self.models.load().values().flatten().cloned().collect()
    }

    /// Waits until all receipts so far are on the disk.
    pub(crate) async fn flush(&self) {
        if let Err(error) = self.context.client.receipts().flush().await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "cannot keep the last receipts");
        }
    }

    /// Reads the ledger and takes over what is for sale there now.
    pub(crate) async fn refresh(
        &self,
        ledger: &Ledger,
        config: &GatewayConfig,
    ) -> Result<(), ReadError> {
        let offers = catalog::load(ledger, config).await?;
        self.take(offers);
        Ok(())
    }

    fn take(&self, offers: Vec<Offer>) {
        let known: HashMap<TaskId, Arc<TaskPool>> = self
            .pools()
            .into_iter()
            .map(|pool| (pool.offer().task, pool))
            .collect();
        let mut models = Models::new();
        for offer in offers {
            let name = offer.model.clone();
            let pool = match known.get(&offer.task) {
                Some(pool) => {
                    pool.update(offer);
                    Arc::clone(pool)
                }
                None => Arc::new(TaskPool::new(offer, self.context.clone())),
            };
            models.entry(name).or_default().push(pool);
        }
        self.models.store(Arc::new(models));
    }

    /// Follows the ledger until `stop`.
    pub(crate) async fn follow(
        self: Arc<Self>,
        ledger: Ledger,
        config: Arc<GatewayConfig>,
        mut events: EventStream,
        stop: CancellationToken,
    ) {
        let mut next = Instant::now() + REFRESH_INTERVAL;
        let mut rested = Instant::now();
        loop {
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                () = sleep_until(next) => {}
                event = events.next() => match event {
                    Some(Ok(event)) if catalog::concerns(&event.event) => {
                        tokio::select! {
                            biased;
                            () = stop.cancelled() => return,
                            () = gather(&mut events, rested) => {}
                        }
                    }
                    Some(Ok(_)) => continue,
                    Some(Err(error)) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::debug!(error, "an event could not be read");
                        continue;
                    }
                    None => {
                        // the interval alone keeps us up to date until the ledger answers again
                        tokio::select! {
                            biased;
                            () = stop.cancelled() => return,
                            () = sleep_until(next) => {}
                        }
                        if let Ok(stream) = ledger.subscribe().await {
                            events = stream;
                        }
                    }
                },
            }
            self.pools().iter().for_each(TaskPool::tend);
            let began = Instant::now();
            let outcome = self.refresh(&ledger, &config).await;
            let now = Instant::now();
            rested = now + rest(now - began);
            next = now
                + match outcome {
                    Ok(()) => REFRESH_INTERVAL,
                    Err(error) => {
                        let error = &error as &dyn std::error::Error;
                        tracing::warn!(error, "cannot read what is for sale");
                        RETRY_INTERVAL
                    }
                };
        }
    }
}

/// How long no event has the ledger read again after a reading that took so long.
fn rest(took: Duration) -> Duration {
    took.saturating_mul(REST_OF_READING).min(REFRESH_INTERVAL)
}

/// Takes in what else happens at the same moment, since registrations come in groups, or until the last reading is `rested`.
async fn gather(events: &mut EventStream, rested: Instant) {
    let until = rested.max(Instant::now() + SETTLE_TIME);
    while let Ok(Some(_)) = timeout_at(until, events.next()).await {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_makes_many_tasks_keeps_no_gateway_reading() {
        let took = |ms| rest(Duration::from_millis(ms));
        assert!(
            took(5) <= SETTLE_TIME,
            "a small network is followed at once"
        );
        assert_eq!(took(1_000), Duration::from_secs(10));
        assert_eq!(took(60_000), REFRESH_INTERVAL, "as often as without events");
    }
}
