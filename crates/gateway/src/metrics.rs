//! What the admin port reports. Labels come from enums, never from what users send.

use atoma_client::retry::Mend;
use atoma_http::server::{Closed, Counters};
use atoma_types::{MicroUsdc, message::Endpoint};
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Metric, Registry, Unit},
};
use std::{
    sync::{Arc, atomic::Ordering::Relaxed},
    time::Duration,
};

/// All names begin so.
const PREFIX: &str = "atoma_gateway";

/// A metric, as a reference lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricReference {
    /// The name under which it is read.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// What is counted or measured.
    pub help: &'static str,
    /// What one is, where it isn't a thing that the name says.
    pub unit: Option<&'static str>,
    /// What it is split by.
    pub labels: &'static [&'static str],
}

/// A metric before it is registered: the one place where its name and meaning stand.
struct Row {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    unit: Option<&'static str>,
    labels: &'static [&'static str],
}

#[derive(Clone, Copy)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

const REQUESTS: Row = Row {
    name: "requests",
    kind: Kind::Counter,
    help: "requests answered or refused",
    unit: None,
    labels: &["route", "status"],
};
const FIRST_BYTE: Row = Row {
    name: "first_byte",
    kind: Kind::Histogram,
    help: "time until the first byte of an answer",
    unit: Some("seconds"),
    labels: &["route"],
};
const RETRIES: Row = Row {
    name: "retries",
    kind: Kind::Counter,
    help: "tries that brought no answer, by what followed",
    unit: None,
    labels: &["reason"],
};
const IN_FLIGHT: Row = Row {
    name: "in_flight",
    kind: Kind::Gauge,
    help: "requests under way",
    unit: None,
    labels: &[],
};
const BROKEN: Row = Row {
    name: "broken",
    kind: Kind::Counter,
    help: "answers that broke off after their first byte",
    unit: None,
    labels: &[],
};
const UNITS: Row = Row {
    name: "units",
    kind: Kind::Counter,
    help: "compute units charged by receipts",
    unit: None,
    labels: &[],
};
const ESCROWED: Row = Row {
    name: "escrowed_micro_usdc",
    kind: Kind::Counter,
    help: "money put into stacks, refunds not taken off",
    unit: Some("micro-USDC"),
    labels: &[],
};
const STACKS: Row = Row {
    name: "stacks",
    kind: Kind::Counter,
    help: "stacks bought",
    unit: None,
    labels: &[],
};
const STACK_READS: Row = Row {
    name: "stack_reads",
    kind: Kind::Counter,
    help: "stacks read from the ledger, by what caused it",
    unit: None,
    labels: &["reason"],
};
const CONNECTIONS: Row = Row {
    name: "connections",
    kind: Kind::Gauge,
    help: "open connections of users",
    unit: None,
    labels: &[],
};
const CONNECTIONS_CLOSED: Row = Row {
    name: "connections_closed",
    kind: Kind::Counter,
    help: "connections and HTTP/2 streams closed against the user's will",
    unit: None,
    labels: &["reason"],
};
const DEMANDS: Row = Row {
    name: "demands",
    kind: Kind::Counter,
    help: "records demanded of nodes that settle what their receipts don't show",
    unit: None,
    labels: &[],
};
const CHALLENGES: Row = Row {
    name: "challenges",
    kind: Kind::Counter,
    help: "tickets challenged for an answer that is wrong",
    unit: None,
    labels: &[],
};
const CONVICTIONS: Row = Row {
    name: "convictions",
    kind: Kind::Counter,
    help: "nodes that the gateway had convicted",
    unit: None,
    labels: &[],
};
const ROWS: [Row; 14] = [
    REQUESTS,
    FIRST_BYTE,
    RETRIES,
    IN_FLIGHT,
    BROKEN,
    UNITS,
    ESCROWED,
    STACKS,
    STACK_READS,
    CONNECTIONS,
    CONNECTIONS_CLOSED,
    DEMANDS,
    CHALLENGES,
    CONVICTIONS,
];

/// All metrics of the gateway's admin port.
#[must_use]
pub fn reference() -> Vec<MetricReference> {
    ROWS.iter().map(Row::reference).collect()
}

/// An endpoint as a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
enum Route {
    ChatCompletions,
    Completions,
    Embeddings,
}

impl From<Endpoint> for Route {
    fn from(endpoint: Endpoint) -> Self {
        match endpoint {
            Endpoint::ChatCompletions => Self::ChatCompletions,
            Endpoint::Completions => Self::Completions,
            Endpoint::Embeddings => Self::Embeddings,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: Route,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Routed {
    route: Route,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    reason: Retry,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ClosedFor {
    reason: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReadFor {
    reason: Reading,
}

/// Why a stack is read from the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Reading {
    /// All are looked at every now and then.
    Tending,
    /// The budget is short: something may have come back.
    ShortBudget,
    /// A node says that the stack is over, or its lease.
    NodesWord,
    /// A node is to be granted more of it.
    Granting,
    /// It is being closed.
    Closing,
}

/// What followed on a try that brought no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Retry {
    /// More units were signed.
    MoreUnits,
    /// A higher ceiling was signed.
    HigherCeiling,
    /// The request was signed again after the node's restart.
    SignedAnew,
    /// The node was granted more units.
    RenewedLease,
    /// Another stack was taken for the request, because the one before was used up.
    NewStack,
    /// The node was busy: another one was asked.
    Busy,
    /// The node failed: another one was asked.
    Failed,
}

impl From<Mend> for Retry {
    fn from(mend: Mend) -> Self {
        match mend {
            Mend::RaiseUnits(_) => Self::MoreUnits,
            Mend::RaiseCeiling(_) => Self::HigherCeiling,
            Mend::SignAnew => Self::SignedAnew,
            Mend::RenewLease => Self::RenewedLease,
            Mend::NewStack => Self::NewStack,
        }
    }
}

/// The metrics in use, and their registry.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    answered: Family<Answered, Counter>,
    first_byte: Family<Routed, Histogram, fn() -> Histogram>,
    retries: Family<Why, Counter>,
    /// Requests under way.
    pub(crate) in_flight: Gauge,
    /// Streams that broke after their first byte.
    pub(crate) broken: Counter,
    /// Units paid for by receipts.
    pub(crate) units: Counter,
    escrowed: Counter,
    stacks: Counter,
    stack_reads: Family<ReadFor, Counter>,
    /// What the users' server counts: copied into the next two when somebody looks.
    pub(crate) connections: Arc<Counters>,
    connections_open: Gauge,
    connections_closed: Family<ClosedFor, Counter>,
    /// Records that were demanded.
    pub(crate) demands: Counter,
    /// Tickets that were challenged.
    pub(crate) challenges: Counter,
    /// Nodes that were convicted.
    pub(crate) convictions: Counter,
}

fn seconds() -> Histogram {
    // 0.5 ms to 16 s, each bucket twice the one before
    let buckets = (0..16).map(|i| 0.0005 * f64::from(1u32 << i));
    Histogram::new(buckets)
}

impl Row {
    fn register(&self, registry: &mut Registry, metric: impl Metric) {
        match (self.kind, self.unit) {
            (Kind::Histogram, Some("seconds")) => {
                registry.register_with_unit(self.name, self.help, Unit::Seconds, metric);
            }
            // other units stand in the name
            _ => registry.register(self.name, self.help, metric),
        }
    }

    fn reference(&self) -> MetricReference {
        let (kind, suffix) = match self.kind {
            Kind::Counter => ("counter", "_total"),
            Kind::Gauge => ("gauge", ""),
            Kind::Histogram => ("histogram", "_seconds"),
        };
        MetricReference {
            name: format!("{PREFIX}_{}{suffix}", self.name),
            kind,
            help: self.help,
            unit: self.unit,
            labels: self.labels,
        }
    }
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        let first_byte = seconds as fn() -> Histogram;
        let metrics = Self {
            registry: Registry::default(),
            answered: Family::default(),
            first_byte: Family::new_with_constructor(first_byte),
            retries: Family::default(),
            in_flight: Gauge::default(),
            broken: Counter::default(),
            units: Counter::default(),
            escrowed: Counter::default(),
            stacks: Counter::default(),
            stack_reads: Family::default(),
            connections: Arc::default(),
            connections_open: Gauge::default(),
            connections_closed: Family::default(),
            demands: Counter::default(),
            challenges: Counter::default(),
            convictions: Counter::default(),
        };
        REQUESTS.register(&mut registry, metrics.answered.clone());
        FIRST_BYTE.register(&mut registry, metrics.first_byte.clone());
        RETRIES.register(&mut registry, metrics.retries.clone());
        IN_FLIGHT.register(&mut registry, metrics.in_flight.clone());
        BROKEN.register(&mut registry, metrics.broken.clone());
        UNITS.register(&mut registry, metrics.units.clone());
        ESCROWED.register(&mut registry, metrics.escrowed.clone());
        STACKS.register(&mut registry, metrics.stacks.clone());
        STACK_READS.register(&mut registry, metrics.stack_reads.clone());
        CONNECTIONS.register(&mut registry, metrics.connections_open.clone());
        CONNECTIONS_CLOSED.register(&mut registry, metrics.connections_closed.clone());
        DEMANDS.register(&mut registry, metrics.demands.clone());
        CHALLENGES.register(&mut registry, metrics.challenges.clone());
        CONVICTIONS.register(&mut registry, metrics.convictions.clone());
        Self {
            registry,
            ..metrics
        }
    }

    pub(crate) fn answered(&self, endpoint: Endpoint, status: u16) {
        let route = endpoint.into();
        self.answered
            .get_or_create(&Answered { route, status })
            .inc();
    }

    pub(crate) fn first_byte(&self, endpoint: Endpoint, took: Duration) {
        let route = endpoint.into();
        self.first_byte
            .get_or_create(&Routed { route })
            .observe(took.as_secs_f64());
    }

    pub(crate) fn retried(&self, reason: Retry) {
        self.retries.get_or_create(&Why { reason }).inc();
    }

    pub(crate) fn bought(&self, escrow: MicroUsdc) {
        self.stacks.inc();
        self.escrowed.inc_by(escrow.0);
    }

    pub(crate) fn stack_read(&self, reason: Reading) {
        self.stack_reads.get_or_create(&ReadFor { reason }).inc();
    }

    pub(crate) fn topped_up(&self, payment: MicroUsdc) {
        self.escrowed.inc_by(payment.0);
    }

    fn copy_connections(&self) {
        let open = self.connections.open();
        self.connections_open
            .set(i64::try_from(open).unwrap_or(i64::MAX));
        for reason in Closed::ALL {
            let label = ClosedFor {
                reason: reason.as_str(),
            };
            let counter = self.connections_closed.get_or_create(&label);
            counter
                .inner()
                .store(self.connections.closed(reason), Relaxed);
        }
    }

    /// The text that Prometheus reads.
    pub(crate) fn text(&self) -> String {
        self.copy_connections();
        let mut text = String::new();
        // writing to a string can't fail
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn used() -> Metrics {
        let metrics = Metrics::new();
        metrics.answered(Endpoint::Completions, 200);
        metrics.first_byte(Endpoint::Completions, Duration::from_millis(3));
        metrics.retried(Retry::Busy);
        metrics.bought(MicroUsdc(7));
        metrics.stack_read(Reading::Tending);
        metrics
    }

    #[test]
    fn in_the_text_format() {
        let text = used().text();
        for line in [
            r#"atoma_gateway_requests_total{route="Completions",status="200"} 1"#,
            r#"atoma_gateway_retries_total{reason="Busy"} 1"#,
            "atoma_gateway_escrowed_micro_usdc_total 7",
            r#"atoma_gateway_connections_closed_total{reason="full"} 0"#,
            r#"atoma_gateway_first_byte_seconds_count{route="Completions"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn the_reference_lists_what_is_reported() {
        let text = used().text();
        let reported = text.lines().filter(|line| line.starts_with("# TYPE"));
        assert_eq!(reported.count(), reference().len(), "{text}");
        for metric in reference() {
            let shown = metric.name.trim_end_matches("_total");
            let kind = format!("# TYPE {shown} {}", metric.kind);
            let help = format!("# HELP {shown} {}.", metric.help);
            assert!(text.contains(&kind) && text.contains(&help), "{kind}");
            let sample = text
                .lines()
                .find(|line| line.starts_with(&metric.name))
                .unwrap();
            for label in metric.labels {
                assert!(sample.contains(label), "{label} is not in {sample}");
            }
        }
    }
}
