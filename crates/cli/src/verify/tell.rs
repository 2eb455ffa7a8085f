//! What is shown of the checks: a row for each, what they come to, and the bodies where they are wanted.

use super::audited::{Audited, CONVICTED};
use crate::output::{Facts, Output, label};
use atoma_client::evidence::{Check, CheckKind, Gathered, Outcome, Report, Verdict};
use atoma_evidence::pack::SaltedBody;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

/// One request: a row for each check, and what they come to.
pub(super) fn one(report: &Report, sealed: bool, audited: Audited, output: &Output) {
    output.narrow_table(rows(report), &ONLY_WIDE, "nothing was checked");
    output.say("");
    let mut facts = verdict(report, sealed, &audited);
    facts.extend(audited.ticket);
    output.object(facts);
}

/// What people see only in a wide table.
pub(crate) const ONLY_WIDE: [&str; 1] = ["rests_on"];

/// A row for each check.
pub(crate) fn rows(report: &Report) -> Vec<Facts> {
    let row = |check: &Check| {
        vec![
            ("check", json!(check.kind.name())),
            ("result", json!(check.outcome.name())),
            ("rests_on", json!(check.kind.rests_on())),
            ("found", json!(check.outcome.detail())),
        ]
    };
    report.checks.iter().map(row).collect()
}

/// What the checks of a request come to, and what they don't tell. Who only has it sealed can't compute it again.
fn verdict(report: &Report, sealed: bool, audited: &Audited) -> Facts {
    let mut facts = subject(report);
    facts.extend([
        ("verdict", json!(audited.verdict(report))),
        ("lease_convicted", json!(audited.convicted)),
        ("passed", json!(report.passed().count())),
        ("failed", json!(report.failed().count())),
        ("skipped", json!(report.skipped().count())),
    ]);
    let asked = report
        .checks
        .iter()
        .any(|check| check.kind == CheckKind::Computation);
    let repeated = report.checks.iter().any(|check| {
        let made = matches!(check.outcome, Outcome::Passed(_) | Outcome::Failed(_));
        check.kind == CheckKind::Computation && made
    });
    let rerun = report.rerun.as_ref().filter(|_| !repeated).map(|rerun| {
        let (class, print) = (rerun.engine, rerun.fingerprint);
        let endpoint = rerun.endpoint.map_or("", |endpoint| endpoint.as_str());
        let scores = match print {
            Some(print) => format!("; its scores must give {print}"),
            None => String::new(),
        };
        if sealed {
            return "the computation: request and answer are sealed, and can't be read here".to_owned();
        }
        if asked {
            return "the computation: it can't be repeated now, for what the row `computation` says".to_owned();
        }
        format!(
            "the computation: repeat it (--recompute) with model {} in {} by rule {} {endpoint}{scores}",
            class.model,
            class.numerics.as_str(),
            class.rule.as_str(),
        )
    });
    facts.push(("not_checked", json!(rerun)));
    facts
}

fn subject(report: &Report) -> Facts {
    let subject = report.subject;
    vec![
        ("request", json!(subject.map(|s| s.request))),
        ("stack", json!(subject.map(|s| s.stack))),
        ("node", json!(subject.map(|s| s.node))),
        ("seq", json!(subject.and_then(|s| s.seq))),
    ]
}

/// Many requests: a row for each, then what fails, then what they come to.
pub(super) fn many(reports: &[Report], audited: &[Audited], output: &Output) {
    let names =
        |kinds: Vec<CheckKind>| -> Vec<&str> { kinds.into_iter().map(CheckKind::name).collect() };
    let row = |(report, audited): (&Report, &Audited)| {
        let mut facts = subject(report);
        facts.retain(|(name, _)| matches!(*name, "request" | "seq"));
        let failed = report.failed().map(|check| check.kind).collect();
        let skipped = report.skipped().map(|check| check.kind).collect();
        facts.extend([
            ("verdict", json!(audited.verdict(report))),
            ("passed", json!(report.passed().count())),
            ("failed", json!(names(failed))),
            ("skipped", json!(names(skipped))),
        ]);
        facts
    };
    let both = reports.iter().zip(audited);
    output.table(both.clone().map(row).collect(), "the pack is empty");
    let failures: Vec<Facts> = reports
        .iter()
        .flat_map(|report| {
            report.failed().map(|check| {
                vec![
                    ("request", json!(report.subject.map(|s| s.request))),
                    ("check", json!(check.kind.name())),
                    ("result", json!(check.outcome.name())),
                    ("found", json!(check.outcome.detail())),
                ]
            })
        })
        .collect();
    if !failures.is_empty() {
        output.say("");
        output.table(failures, "");
    }
    let verdicts = both.map(|(report, audited)| audited.verdict(report));
    let of = |wanted: &str| json!(verdicts.clone().filter(|name| *name == wanted).count());
    output.say("");
    output.object(vec![
        ("records", json!(reports.len())),
        ("hold", of(Verdict::Holds.name())),
        ("incomplete", of(Verdict::Incomplete.name())),
        ("convicted", of(CONVICTED)),
        ("fail", of(Verdict::Fails.name())),
    ]);
}

/// Shows request and answer. People read them as they are, each under its name: a line that were broken where it doesn't fit
/// would be another one than was said.
pub(super) fn show(gathered: &Gathered, report: &Report, output: &Output) {
    let facts = bodies(gathered, report);
    if output.is_json() {
        output.object(facts);
        return;
    }
    let is_text = |(name, value): &(&str, Value)| name.ends_with("_body") && value.is_string();
    let (texts, rest): (Facts, Facts) = facts.into_iter().partition(is_text);
    output.say("");
    output.object(rest);
    for (name, text) in texts {
        output.say(format!("\n{}:", label(name)));
        output.verbatim(text.as_str().unwrap_or_default());
    }
}

/// Request and answer: as text, or, where they are none because they are sealed, in base64.
fn bodies(gathered: &Gathered, report: &Report) -> Facts {
    let shown = |[text, base64]: [&'static str; 2], body: Option<&SaltedBody>| {
        let Some(body) = body.map(SaltedBody::body) else {
            return (text, Value::Null);
        };
        match std::str::from_utf8(&body) {
            Ok(readable) => (text, json!(readable)),
            Err(_) => (base64, json!(BASE64_STANDARD.encode(&body))),
        }
    };
    let request = gathered.request_body.as_ref().ok();
    let answer = gathered.answer_body.as_ref().ok();
    let salted = gathered
        .request_body
        .as_ref()
        .or(gathered.answer_body.as_ref());
    let salt = salted.ok().map(|body| body.salt().to_text());
    vec![
        ("request", json!(report.subject.map(|s| s.request))),
        shown(["request_body", "request_body_base64"], request),
        shown(["answer_body", "answer_body_base64"], answer),
        // whoever is shown the bodies needs it to see that they are the signed ones
        ("salt", json!(salt.as_ref().map(|salt| salt.as_str()))),
    ]
}
