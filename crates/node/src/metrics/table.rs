//! All metrics of a node: what they are called, what they count, in what unit, by which label. The
//! registry and the reference for operators are both made of this table.

/// Before every name.
pub(super) const PREFIX: &str = "atoma_node";

/// One metric, as it is registered and documented.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    /// Without prefix and unit.
    pub name: &'static str,
    pub help: &'static str,
    pub kind: Kind,
    /// What one value of it counts, for the reference.
    pub unit: &'static str,
    /// By what it is split, and which values there are.
    pub label: Option<(&'static str, &'static str)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only rises, from zero at the start.
    Counter,
    /// As it is now.
    Gauge,
    /// How long something took: a histogram.
    Seconds,
}

macro_rules! table {
    ($($constant:ident = $kind:ident $name:literal, $unit:literal, $help:literal $(by $label:literal: $values:literal)?;)*) => {
        $(pub(super) const $constant: Entry = Entry {
            name: $name,
            help: $help,
            kind: Kind::$kind,
            unit: $unit,
            label: table!(@label $($label, $values)?),
        };)*
        /// All of them, as operators read them.
        pub(super) const ALL: &[Entry] = &[$($constant),*];
    };
    (@label) => { None };
    (@label $label:literal, $values:literal) => { Some(($label, $values)) };
}

table! {
    REQUESTS_SERVED = Counter "requests_served", "requests", "Requests answered"
        by "endpoint": "the path";
    REQUESTS_REFUSED = Counter "requests_refused", "requests", "Requests refused, by code"
        by "code": "the refusal's code";
    REQUESTS_FORWARDED = Counter "requests_forwarded", "requests", "Requests passed on to other nodes, by what came of it"
        by "outcome": "`answered`, `left`: its user left; `broken`: the other node broke off; `nobody` took it";
    REQUESTS_RUNNING = Gauge "requests_running", "requests", "Requests being worked on";
    REQUEST_IDS = Gauge "request_ids", "ids", "Ids of requests that are remembered, so that none is served twice";
    CLIENTS_LEFT = Counter "clients_left", "requests", "Clients that left in mid-stream";
    REQUEST = Seconds "request", "seconds", "From admission to the receipt";
    FIRST_TOKEN = Seconds "first_token", "seconds", "From admission to the first bytes";
    ENGINE_PROBE = Seconds "engine_probe", "seconds", "At the start, until an engine of an exact class has given the same bits in every way";
    JOURNAL_WAIT = Seconds "journal_wait", "seconds", "Until a receipt is durable";
    PROMPTS_PLACED = Counter "prompts_placed", "prompts",
        "Prompts of some length, by what the servers behind the node had of their beginning"
        by "beginning": "`new`: nobody had it; `kept`: went where most of it was; `moved`: that server was too busy";
    RECEIPTS = Counter "receipts", "receipts", "Receipts signed";
    UNITS_COMMITTED = Counter "units_committed", "compute units", "Units committed";
    UNITS_RESERVED = Gauge "units_reserved", "compute units", "Units reserved by requests";
    CONNECTIONS = Gauge "connections", "connections", "Open connections";
    CONNECTIONS_CLOSED = Counter "connections_closed", "connections and streams",
        "Connections and streams closed against the client's will, by reason"
        by "reason": "which limit";
    LEASES_OPEN = Gauge "leases_open", "leases", "Leases that take requests";
    SETTLEMENTS = Counter "settlements", "leases", "Leases settled";
    CLAIMS = Counter "claims", "leases", "Leases paid";
    LEDGER_ERRORS = Counter "ledger_errors", "operations", "Failed ledger operations";
    PACKS_STORED = Counter "packs_stored", "packs", "Packs of evidence stored";
    EVIDENCE_ERRORS = Counter "evidence_errors", "tries", "Failed tries to make or store a pack";
    BODIES_LEFT_OUT = Counter "evidence_bodies_left_out", "records",
        "Records packed without their bodies, which are too long for Walrus or can't be recorded";
    EVIDENCE_BACKLOG = Gauge "evidence_backlog_bytes", "bytes", "Bodies that Walrus doesn't have yet";
    DEMANDS_ANSWERED = Counter "demands_answered", "demands", "Demands for records answered";
    TICKETS_READ_BACK = Counter "tickets_read_back", "tickets",
        "Tickets whose records were found on Walrus, because the node's own log lacks them";
    READ_BACK_ERRORS = Counter "read_back_errors", "tries", "Failed tries to find them there";
    ATTEST_SEATS = Gauge "attest_seats", "duties", "Duties to look at others' records that aren't over";
    AUDITS = Counter "audits", "records", "Others' records looked at, by what came of it"
        by "outcome": "`honest`, `guilty`, `withheld`: the record isn't shown; `unheard`: the ledger doesn't know what is said to have certified it, yet; `too_long`: not computed by its deadline; `unknown`: nothing can be said yet";
    AUDIT = Seconds "audit", "seconds", "Looking at another's record, waiting for paying requests included";
    ATTEST_ACTS = Counter "attest_acts", "transactions", "What the attester took to the ledger, by function"
        by "function": "the function's name";
}

impl Entry {
    /// As a scraper sees it.
    pub(super) fn full_name(&self) -> String {
        let ending = match self.kind {
            Kind::Counter => "_total",
            Kind::Gauge => "",
            Kind::Seconds => "_seconds",
        };
        format!("{PREFIX}_{}{ending}", self.name)
    }

    fn reference(&self) -> MetricReference {
        MetricReference {
            name: self.full_name(),
            kind: match self.kind {
                Kind::Counter => "counter",
                Kind::Gauge => "gauge",
                Kind::Seconds => "histogram",
            },
            help: self.help,
            unit: self.unit,
            label: self.label,
        }
    }
}

/// A metric, as a reference lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricReference {
    /// The name under which a scraper reads it.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// What is counted or measured.
    pub help: &'static str,
    /// What one of its value is.
    pub unit: &'static str,
    /// What it is split by, and which values there are.
    pub label: Option<(&'static str, &'static str)>,
}

/// All metrics on the operator's port of a node.
#[must_use]
pub fn reference() -> Vec<MetricReference> {
    ALL.iter().map(Entry::reference).collect()
}
