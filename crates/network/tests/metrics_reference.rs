//! `docs/metrics.md` is what node and gateway say of their own metrics.

use std::{fmt::Write, path::Path};

const HEAD: &str = "\
# Metrics reference

What `/metrics` on the operator's port (`admin_listen`) of a node and of a gateway reports, in Prometheus' text format. A test of
`crates/network` holds this file to the code; `ATOMA_WRITE_DOCS=1 cargo test -p atoma-network --test metrics_reference` writes it anew.
[operators.md](operators.md#alarms) says what to do when one of them is not as it should be.

Counters begin at zero when the process starts. Histograms have `_bucket`, `_sum` and `_count`. No label ever holds what a user sent.
";

const TABLE: &str = "\
| metric | kind | unit | labels | meaning |
|---|---|---|---|---|
";

fn reference() -> String {
    let mut text = format!("{HEAD}\n## Node\n\n{TABLE}");
    for metric in atoma_node::metrics_reference() {
        let label = metric.label.map_or(String::new(), |(name, values)| {
            format!("`{name}`: {values}")
        });
        let (name, kind, unit, help) = (metric.name, metric.kind, metric.unit, metric.help);
        writeln!(text, "| `{name}` | {kind} | {unit} | {label} | {help} |").unwrap();
    }
    write!(text, "\n## Gateway\n\n{TABLE}").unwrap();
    for metric in atoma_gateway::metrics_reference() {
        let labels: Vec<_> = metric
            .labels
            .iter()
            .map(|name| format!("`{name}`"))
            .collect();
        let (name, kind, help) = (metric.name, metric.kind, metric.help);
        let (unit, labels) = (metric.unit.unwrap_or(""), labels.join(", "));
        writeln!(text, "| `{name}` | {kind} | {unit} | {labels} | {help} |").unwrap();
    }
    text
}

#[test]
fn the_document_lists_what_is_reported() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let expected = reference();
    if std::env::var_os("ATOMA_WRITE_DOCS").is_some() {
        std::fs::write(&path, &expected).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert!(
        found == expected,
        "docs/metrics.md is stale: write it anew with ATOMA_WRITE_DOCS=1"
    );
}
