//! What the node counts, in Prometheus' text format. Labels come from enums only, never from users.

mod table;

pub use table::{MetricReference, reference};

use atoma_engine::PrefixLoad;
use atoma_http::server::{Closed, Counters};
use atoma_types::{message::Endpoint, refusal::RefusalCode};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Metric, Registry, Unit},
};
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};
use table::{Entry, Kind, PREFIX};

/// Upper bounds in seconds: from what the node itself adds to what a long answer takes.
const SECONDS: [f64; 14] = [
    0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 120.0,
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct EndpointLabel {
    endpoint: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabel {
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabel {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct FunctionLabel {
    function: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BeginningLabel {
    beginning: &'static str,
}

/// What came of a request that was to be passed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Forwarded {
    Answered,
    /// Its user left.
    Left,
    /// The other node broke off.
    Broken,
    /// Nobody took it.
    Nobody,
}

impl Forwarded {
    fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Left => "left",
            Self::Broken => "broken",
            Self::Nobody => "nobody",
        }
    }
}

/// What is counted elsewhere, as it is when somebody looks.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Now {
    /// Leases that take requests.
    pub leases: usize,
    /// Units reserved by requests.
    pub reserved: u64,
    /// Bytes that Walrus doesn't have yet.
    pub backlog: u64,
    /// Ids of requests that are remembered.
    pub ids: usize,
    /// Where engines sent prompts, all together.
    pub prefixes: PrefixLoad,
}

/// The node's counters. Cheap to update, encoded on demand.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    served: Family<EndpointLabel, Counter>,
    refused: Family<CodeLabel, Counter>,
    forwarded: Family<OutcomeLabel, Counter>,
    seconds: Histogram,
    first_token: Histogram,
    journal_wait: Histogram,
    engine_probe: Histogram,
    /// Units committed since the start.
    pub units: Counter,
    /// Receipts signed since the start.
    pub receipts: Counter,
    /// Streams that their client left.
    pub left: Counter,
    /// Requests being worked on.
    pub running: Gauge,
    /// What the public server counts: copied into the next two when somebody looks.
    pub connections: Arc<Counters>,
    connections_open: Gauge,
    connections_closed: Family<ReasonLabel, Counter>,
    prompts_placed: Family<BeginningLabel, Counter>,
    /// Settlements taken to the ledger.
    pub settlements: Counter,
    /// Claims that were paid.
    pub claims: Counter,
    /// Ledger transactions that failed.
    pub ledger_errors: Counter,
    /// Packs of evidence stored.
    pub packs: Counter,
    /// Packs that could not be made or stored, tries that failed included.
    pub evidence_errors: Counter,
    /// Records that were packed without their bodies.
    pub bodies_left_out: Counter,
    /// Demands for records that were answered.
    pub demands_answered: Counter,
    /// Tickets that were read back from Walrus.
    pub tickets_read_back: Counter,
    /// Tries at that which failed.
    pub read_back_errors: Counter,
    /// Duties of the attester that aren't over.
    pub attest_seats: Gauge,
    audits: Family<OutcomeLabel, Counter>,
    audit: Histogram,
    attest_acts: Family<FunctionLabel, Counter>,
    leases: Gauge,
    reserved: Gauge,
    backlog: Gauge,
    ids: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let r = &mut registry;
        let histogram = || Histogram::new(SECONDS);
        Self {
            served: register(r, &table::REQUESTS_SERVED, Family::default()),
            refused: register(r, &table::REQUESTS_REFUSED, Family::default()),
            forwarded: register(r, &table::REQUESTS_FORWARDED, Family::default()),
            seconds: register(r, &table::REQUEST, histogram()),
            first_token: register(r, &table::FIRST_TOKEN, histogram()),
            engine_probe: register(r, &table::ENGINE_PROBE, histogram()),
            journal_wait: register(r, &table::JOURNAL_WAIT, histogram()),
            units: register(r, &table::UNITS_COMMITTED, Counter::default()),
            receipts: register(r, &table::RECEIPTS, Counter::default()),
            left: register(r, &table::CLIENTS_LEFT, Counter::default()),
            running: register(r, &table::REQUESTS_RUNNING, Gauge::default()),
            connections: Arc::default(),
            connections_open: register(r, &table::CONNECTIONS, Gauge::default()),
            connections_closed: register(r, &table::CONNECTIONS_CLOSED, Family::default()),
            prompts_placed: register(r, &table::PROMPTS_PLACED, Family::default()),
            settlements: register(r, &table::SETTLEMENTS, Counter::default()),
            claims: register(r, &table::CLAIMS, Counter::default()),
            ledger_errors: register(r, &table::LEDGER_ERRORS, Counter::default()),
            packs: register(r, &table::PACKS_STORED, Counter::default()),
            evidence_errors: register(r, &table::EVIDENCE_ERRORS, Counter::default()),
            bodies_left_out: register(r, &table::BODIES_LEFT_OUT, Counter::default()),
            demands_answered: register(r, &table::DEMANDS_ANSWERED, Counter::default()),
            tickets_read_back: register(r, &table::TICKETS_READ_BACK, Counter::default()),
            read_back_errors: register(r, &table::READ_BACK_ERRORS, Counter::default()),
            attest_seats: register(r, &table::ATTEST_SEATS, Gauge::default()),
            audits: register(r, &table::AUDITS, Family::default()),
            audit: register(r, &table::AUDIT, histogram()),
            attest_acts: register(r, &table::ATTEST_ACTS, Family::default()),
            leases: register(r, &table::LEASES_OPEN, Gauge::default()),
            reserved: register(r, &table::UNITS_RESERVED, Gauge::default()),
            backlog: register(r, &table::EVIDENCE_BACKLOG, Gauge::default()),
            ids: register(r, &table::REQUEST_IDS, Gauge::default()),
            registry,
        }
    }

    pub(crate) fn refused(&self, code: RefusalCode) {
        self.refused
            .get_or_create(&CodeLabel {
                code: code.as_str(),
            })
            .inc();
    }

    pub(crate) fn forwarded(&self, outcome: Forwarded) {
        self.forwarded
            .get_or_create(&OutcomeLabel {
                outcome: outcome.as_str(),
            })
            .inc();
    }

    /// Another's record was looked at.
    pub(crate) fn audited(&self, outcome: &'static str, took: Duration) {
        self.audits.get_or_create(&OutcomeLabel { outcome }).inc();
        self.audit.observe(took.as_secs_f64());
    }

    /// The ledger took something of the attester's.
    pub(crate) fn attest_act(&self, function: &'static str) {
        let label = FunctionLabel { function };
        self.attest_acts.get_or_create(&label).inc();
    }

    pub(crate) fn served(&self, endpoint: Endpoint, took: Duration) {
        self.served
            .get_or_create(&EndpointLabel {
                endpoint: endpoint.as_str(),
            })
            .inc();
        self.seconds.observe(took.as_secs_f64());
    }

    pub(crate) fn first_bytes(&self, after: Duration) {
        self.first_token.observe(after.as_secs_f64());
    }

    pub(crate) fn durable(&self, after: Duration) {
        self.journal_wait.observe(after.as_secs_f64());
    }

    /// An engine was probed, and found right.
    pub(crate) fn probed(&self, took: Duration) {
        self.engine_probe.observe(took.as_secs_f64());
    }

    fn copy_connections(&self) {
        let open = self.connections.open();
        self.connections_open
            .set(i64::try_from(open).unwrap_or(i64::MAX));
        for reason in Closed::ALL {
            let label = ReasonLabel {
                reason: reason.as_str(),
            };
            let counter = self.connections_closed.get_or_create(&label);
            counter
                .inner()
                .store(self.connections.closed(reason), Relaxed);
        }
    }

    fn copy_prefixes(&self, prefixes: PrefixLoad) {
        let PrefixLoad { new, kept, moved } = prefixes;
        for (beginning, count) in [("new", new), ("kept", kept), ("moved", moved)] {
            let label = BeginningLabel { beginning };
            let counter = self.prompts_placed.get_or_create(&label);
            counter.inner().store(count, Relaxed);
        }
    }

    /// The text that a scraper reads.
    pub(crate) fn encode(&self, now: &Now) -> String {
        self.copy_connections();
        self.copy_prefixes(now.prefixes);
        self.backlog
            .set(i64::try_from(now.backlog).unwrap_or(i64::MAX));
        self.ids.set(i64::try_from(now.ids).unwrap_or(i64::MAX));
        self.leases
            .set(i64::try_from(now.leases).unwrap_or(i64::MAX));
        self.reserved
            .set(i64::try_from(now.reserved).unwrap_or(i64::MAX));
        let mut text = String::new();
        // writing into a string can't fail
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Registers a metric as the table describes it.
fn register<M: Metric + Clone>(registry: &mut Registry, entry: &Entry, metric: M) -> M {
    match entry.kind {
        Kind::Seconds => {
            registry.register_with_unit(entry.name, entry.help, Unit::Seconds, metric.clone());
        }
        Kind::Counter | Kind::Gauge => registry.register(entry.name, entry.help, metric.clone()),
    }
    metric
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_scraper_reads_is_what_the_reference_says() {
        let metrics = Metrics::new();
        metrics.refused(RefusalCode::Overloaded);
        metrics.forwarded(Forwarded::Answered);
        metrics.served(Endpoint::Embeddings, Duration::from_secs(1));
        metrics.attest_act("verdict");
        metrics.audited("honest", Duration::from_secs(1));
        let text = metrics.encode(&Now::default());
        let described = text.lines().filter(|line| line.starts_with("# HELP "));
        assert_eq!(described.count(), table::ALL.len());
        let reference = reference();
        for entry in table::ALL {
            let name = entry.full_name();
            assert!(text.contains(&name), "{name} is not measured");
            assert!(reference.iter().any(|metric| metric.name == name));
        }
        assert!(text.contains(r#"atoma_node_requests_refused_total{code="overloaded"} 1"#));
    }
}
