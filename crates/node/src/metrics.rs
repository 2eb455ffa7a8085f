//! What the node counts, in Prometheus' text format. Labels come from enums only, never from users.

use atoma_http::server::{Closed, Counters};
use atoma_types::{message::Endpoint, refusal::RefusalCode};
use prometheus_client::{
    encoding::{EncodeLabelSet, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

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

/// The node's counters. Cheap to update, encoded on demand.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    served: Family<EndpointLabel, Counter>,
    refused: Family<CodeLabel, Counter>,
    seconds: Histogram,
    first_token: Histogram,
    journal_wait: Histogram,
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
    /// Demands for records that were answered.
    pub demands_answered: Counter,
    leases: Gauge,
    reserved: Gauge,
    backlog: Gauge,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("atoma_node");
        let served = Family::default();
        let refused = Family::default();
        let histogram = || Histogram::new(SECONDS);
        let (seconds, first_token, journal_wait) = (histogram(), histogram(), histogram());
        registry.register("requests_served", "Requests answered", served.clone());
        registry.register(
            "requests_refused",
            "Requests refused, by code",
            refused.clone(),
        );
        let in_seconds = |registry: &mut Registry, name: &str, help: &str, h: &Histogram| {
            registry.register_with_unit(name, help, Unit::Seconds, h.clone());
        };
        in_seconds(
            &mut registry,
            "request",
            "From admission to the receipt",
            &seconds,
        );
        in_seconds(
            &mut registry,
            "first_token",
            "From admission to the first bytes",
            &first_token,
        );
        in_seconds(
            &mut registry,
            "journal_wait",
            "Until a receipt is durable",
            &journal_wait,
        );
        let counter = |registry: &mut Registry, name: &str, help: &str| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        let units = counter(&mut registry, "units_committed", "Units committed");
        let receipts = counter(&mut registry, "receipts", "Receipts signed");
        let left = counter(
            &mut registry,
            "clients_left",
            "Clients that left in mid-stream",
        );
        let settlements = counter(&mut registry, "settlements", "Leases settled");
        let claims = counter(&mut registry, "claims", "Leases paid");
        let ledger_errors = counter(&mut registry, "ledger_errors", "Failed ledger operations");
        let packs = counter(&mut registry, "packs_stored", "Packs of evidence stored");
        let evidence_errors = counter(
            &mut registry,
            "evidence_errors",
            "Failed tries to make or store a pack",
        );
        let demands_answered = counter(
            &mut registry,
            "demands_answered",
            "Demands for records answered",
        );
        let gauge = |registry: &mut Registry, name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let running = gauge(
            &mut registry,
            "requests_running",
            "Requests being worked on",
        );
        let connections_open = gauge(&mut registry, "connections", "Open connections");
        let connections_closed = Family::default();
        registry.register(
            "connections_closed",
            "Connections and streams closed against the client's will, by reason",
            connections_closed.clone(),
        );
        let leases = gauge(&mut registry, "leases_open", "Leases that take requests");
        let reserved = gauge(
            &mut registry,
            "units_reserved",
            "Units reserved by requests",
        );
        let backlog = gauge(
            &mut registry,
            "evidence_backlog_bytes",
            "Bodies that Walrus doesn't have yet",
        );
        Self {
            registry,
            served,
            refused,
            seconds,
            first_token,
            journal_wait,
            units,
            receipts,
            left,
            running,
            connections: Arc::default(),
            connections_open,
            connections_closed,
            settlements,
            claims,
            ledger_errors,
            packs,
            evidence_errors,
            demands_answered,
            leases,
            reserved,
            backlog,
        }
    }

    pub(crate) fn refused(&self, code: RefusalCode) {
        self.refused
            .get_or_create(&CodeLabel {
                code: code.as_str(),
            })
            .inc();
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

    /// The text that a scraper reads.
    pub(crate) fn encode(&self, leases: usize, reserved: u64, backlog: u64) -> String {
        self.copy_connections();
        self.backlog.set(i64::try_from(backlog).unwrap_or(i64::MAX));
        self.leases.set(i64::try_from(leases).unwrap_or(i64::MAX));
        self.reserved
            .set(i64::try_from(reserved).unwrap_or(i64::MAX));
        let mut text = String::new();
        // writing into a string can't fail
        let _ = encode(&mut text, &self.registry);
        text
    }
}
