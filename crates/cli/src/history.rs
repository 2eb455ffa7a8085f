//! How demands, examinations and challenges of a stack's tickets went, from the ledger's events.

use crate::output::{Facts, money};
use atoma_audit::Finding;
use atoma_evidence::dispute::{End, History, lease_of, ticket_of};
use atoma_ledger::Ledger;
use atoma_types::{
    MicroUsdc, NodeId,
    chain::{
        Event, Verdict,
        events::{Charge, Outcome},
    },
};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A row for each thing that happened, with its time where the ledger still knows it.
pub(crate) async fn rows(ledger: &Ledger, history: &History) -> Vec<Facts> {
    let mut times = Times::default();
    let mut rows = Vec::new();
    for event in &history.events {
        let at = times.of(ledger, event.checkpoint).await;
        rows.extend(row(&event.event, at));
    }
    rows
}

/// When checkpoints were sealed, each asked about once.
#[derive(Debug, Default)]
pub(crate) struct Times(BTreeMap<u64, Option<u64>>);

impl Times {
    /// A checkpoint's time, where the ledger still knows it.
    pub(crate) async fn of(&mut self, ledger: &Ledger, checkpoint: u64) -> Option<u64> {
        if let Some(at) = self.0.get(&checkpoint) {
            return *at;
        }
        let sealed = ledger.checkpoint(checkpoint).await;
        let at = sealed.ok().map(|sealed| sealed.time.0);
        self.0.insert(checkpoint, at);
        at
    }
}

fn row(event: &Event, at: Option<u64>) -> Option<Facts> {
    let (_, node) = lease_of(event)?;
    let (what, unit, until, amount) = told(event)?;
    Some(vec![
        ("at_ms", json!(at)),
        ("node", json!(node)),
        ("ticket", json!(ticket_of(event))),
        ("event", json!(what)),
        ("unit", json!(unit)),
        ("until_ms", json!(until)),
        ("amount_micro_usdc", amount.map_or(Value::Null, money)),
    ])
}

type Told = (String, Option<u64>, Option<u64>, Option<MicroUsdc>);

/// What happened, about which unit, until when something else must, and the money that moved.
fn told(event: &Event) -> Option<Told> {
    let of = |what: &str| (what.to_owned(), None, None, None);
    Some(match event {
        Event::SettlementOpened(e) => {
            let until = Some(e.deadline_ms.0);
            ("claimed".to_owned(), None, until, Some(e.value))
        }
        Event::Claimed(e) => ("paid".to_owned(), None, None, Some(e.paid)),
        Event::LeaseClosed(e) => ("lease ended".to_owned(), None, None, Some(e.freed)),
        Event::RecordDemanded(e) => {
            let until = Some(e.deadline_ms.0);
            ("demanded".to_owned(), Some(e.unit.0), until, None)
        }
        Event::DemandAnswered(e) => {
            let what = format!("answered: record {}", e.seq);
            (what, Some(e.unit.0), None, None)
        }
        Event::NodeConvicted(e) => {
            let what = format!("convicted: {}", charge(e.charge));
            (what, None, Some(e.until_ms.0), Some(e.fine))
        }
        Event::TicketDrawn(e) => of(if e.hit {
            "drawn: it is examined"
        } else {
            "drawn: it is not examined"
        }),
        Event::ExaminerDrawn(e) => {
            let until = Some(e.deadline_ms.0);
            ("examiner drawn".to_owned(), Some(e.unit.0), until, None)
        }
        Event::Unexamined(_) => of("nobody was there to examine it"),
        Event::Disclosed(e) => {
            let what = format!("disclosed to the examiner: record {}", e.seq);
            (what, None, Some(e.deadline_ms.0), None)
        }
        Event::VerdictGiven(e) => of(&format!("examiner: {}", examined(e.bad))),
        Event::Challenged(e) => {
            let unit = e.unit.map(|unit| unit.0);
            ("challenged".to_owned(), unit, None, Some(e.bond))
        }
        Event::JuryDrawn(e) => {
            let what = format!("{}: {} jurors drawn", jury(e.challenge), e.nodes.len());
            (what, Some(e.unit.0), Some(e.deadline_ms.0), None)
        }
        Event::DisclosedToJury(e) => {
            let what = format!("{}: record {} disclosed", jury(e.challenge), e.seq);
            (what, None, Some(e.deadline_ms.0), None)
        }
        Event::Committed(e) => of(&format!(
            "{}: a juror has committed to a verdict",
            jury(e.challenge)
        )),
        Event::Revealed(e) => of(&format!(
            "{}: a juror says {}",
            jury(e.challenge),
            verdict(&e.verdict)
        )),
        Event::JuryDecided(e) => of(&format!("{}: {}", jury(e.challenge), outcome(e.outcome))),
        _ => return None,
    })
}

/// What a node was convicted of over its lease on a stack, if it was.
pub(crate) fn conviction(history: &History, node: NodeId) -> Option<&'static str> {
    history.events.iter().find_map(|event| match &event.event {
        Event::NodeConvicted(e) if e.node == node => Some(charge(e.charge)),
        _ => None,
    })
}

/// What was found about the ticket that a request is in; nothing where nothing was.
pub(crate) fn of_ticket(history: &History, node: NodeId, seq: u64) -> Facts {
    let of_lease = || {
        let events = history.events.iter().map(|event| &event.event);
        events.filter(move |event| lease_of(event).is_some_and(|(_, of)| of == node))
    };
    let mut tickets = of_lease().filter_map(|event| match event {
        Event::SettlementOpened(e) if e.to_seq >= seq => Some(e.to_seq),
        _ => None,
    });
    let Some(ticket) = tickets.next() else {
        return Vec::new();
    };
    let about = || of_lease().filter(move |event| ticket_of(event) == Some(ticket));
    let last = |of: &dyn Fn(&Event) -> Option<String>| about().filter_map(of).last();
    let examination = last(&|event| match event {
        Event::TicketDrawn(e) if !e.hit => Some("not drawn for examination".to_owned()),
        Event::TicketDrawn(_) => Some("drawn, no examiner yet".to_owned()),
        Event::ExaminerDrawn(e) => Some(format!("unit {}, not done yet", e.unit.0)),
        Event::Unexamined(_) => Some("nobody was there to examine it".to_owned()),
        Event::VerdictGiven(e) => Some(format!("examiner: {}", examined(e.bad))),
        _ => None,
    });
    let decided = |of_challenge: bool| {
        last(&|event| match event {
            Event::Challenged(_) if of_challenge => Some("brought, no verdict yet".to_owned()),
            Event::JuryDrawn(e) if e.challenge == of_challenge => {
                Some(format!("{} jurors, no verdict yet", e.nodes.len()))
            }
            Event::JuryDecided(e) if e.challenge == of_challenge => {
                Some(outcome(e.outcome).to_owned())
            }
            _ => None,
        })
    };
    vec![
        ("ticket", json!(ticket)),
        ("examination", json!(examination)),
        ("examination_jury", json!(decided(false))),
        ("challenge", json!(decided(true))),
    ]
}

fn jury(challenge: bool) -> &'static str {
    if challenge {
        "jury of the challenge"
    } else {
        "jury of the examination"
    }
}

/// An examiner says that something is wrong, and not what.
fn examined(bad: bool) -> &'static str {
    if bad {
        "something is wrong"
    } else {
        "nothing is wrong"
    }
}

/// What a juror found, in words.
pub(crate) fn verdict(verdict: &Verdict) -> String {
    match Finding::of_code(verdict.kind) {
        Some(finding) => finding.to_string(),
        None => format!("bad (kind {})", verdict.kind),
    }
}

/// How a jury ended, in words.
pub(crate) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Guilty => "guilty",
        Outcome::Acquitted => "acquitted",
        Outcome::Hung => "hung: neither enough accuse nor acquit",
        Outcome::Dissolved => "dissolved: there were too few attesters",
    }
}

/// A charge in words.
pub(crate) fn charge(charge: Charge) -> &'static str {
    match charge {
        Charge::Silence => "a demanded record was not shown in time",
        Charge::Equivocation => "two receipts for one request",
        Charge::Undisclosed => "an examined record was not disclosed in time",
        Charge::Examined => "guilty by the jury of an examination",
        Charge::Challenged => "guilty by the jury of a challenge",
    }
}

/// How a demand or a challenge ended, in words.
pub(crate) fn end_text(end: End) -> String {
    match end {
        End::Open => "open".to_owned(),
        End::Answered(seq) => format!("answered: record {seq}"),
        End::Convicted(of) => format!("convicted: {}", charge(of)),
        End::Acquitted => "the jury found nothing wrong".to_owned(),
        End::Hung(_) => "the jury couldn't decide".to_owned(),
        End::Dissolved => "there were too few attesters".to_owned(),
    }
}
