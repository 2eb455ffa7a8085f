//! What the admin port reports. Labels come from enums, never from what users send.

use atoma_types::{MicroUsdc, message::Endpoint};
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, text::encode},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::{Registry, Unit},
};
use std::time::Duration;

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

/// Why another attempt was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum Retry {
    /// It may need more units than were allowed.
    MoreUnits,
    /// The lease was used up.
    Relet,
    /// The node was busy.
    Busy,
    /// The node failed.
    Failed,
}

/// The counters.
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
    /// Put into stacks, micro-USDC.
    pub(crate) escrowed: Counter,
    /// Stacks bought.
    pub(crate) stacks: Counter,
}

fn seconds() -> Histogram {
    // 0.5 ms to 16 s, each bucket twice the one before
    let buckets = (0..16).map(|i| 0.0005 * f64::from(1u32 << i));
    Histogram::new(buckets)
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("atoma_gateway"),
            answered: Family::default(),
            first_byte: Family::new_with_constructor(seconds as fn() -> Histogram),
            retries: Family::default(),
            in_flight: Gauge::default(),
            broken: Counter::default(),
            units: Counter::default(),
            escrowed: Counter::default(),
            stacks: Counter::default(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "requests answered", metrics.answered.clone());
        registry.register_with_unit(
            "first_byte",
            "time until the first byte of an answer",
            Unit::Seconds,
            metrics.first_byte.clone(),
        );
        registry.register(
            "retries",
            "attempts after the first",
            metrics.retries.clone(),
        );
        registry.register("in_flight", "requests under way", metrics.in_flight.clone());
        registry.register("broken", "answers that broke off", metrics.broken.clone());
        registry.register("units", "units paid for by receipts", metrics.units.clone());
        registry.register(
            "escrowed_micro_usdc",
            "put into stacks",
            metrics.escrowed.clone(),
        );
        registry.register("stacks", "stacks bought", metrics.stacks.clone());
        metrics
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

    pub(crate) fn topped_up(&self, payment: MicroUsdc) {
        self.escrowed.inc_by(payment.0);
    }

    /// The text that Prometheus reads.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // writing to a string can't fail
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_the_text_format() {
        let metrics = Metrics::new();
        metrics.answered(Endpoint::Completions, 200);
        metrics.first_byte(Endpoint::Completions, Duration::from_millis(3));
        metrics.retried(Retry::Busy);
        metrics.bought(MicroUsdc(7));
        let text = metrics.text();
        for line in [
            r#"atoma_gateway_requests_total{route="Completions",status="200"} 1"#,
            r#"atoma_gateway_retries_total{reason="Busy"} 1"#,
            "atoma_gateway_escrowed_micro_usdc_total 7",
            r#"atoma_gateway_first_byte_seconds_count{route="Completions"} 1"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }
}
