//! What turns a finished request into a receipt: shared by all requests.

use crate::{
    concurrency::ConcurrencyLimit, evidence::EvidenceLog, journal::Journal, metrics::Metrics,
};
use atoma_runtime::SharedClock;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Billing {
    pub clock: SharedClock,
    pub journal: Journal,
    /// Where evidence is kept; none without a Walrus.
    pub evidence: Option<Arc<EvidenceLog>>,
    pub metrics: Arc<Metrics>,
    /// Whether the node itself is leaving.
    pub concurrency: Arc<ConcurrencyLimit>,
}
