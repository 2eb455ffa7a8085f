//! What examinations, juries and convictions say of a request that is verified: its signatures and hashes can all be
//! right, and its answer wrong.

use crate::{history, output::Facts};
use atoma_client::{
    dispute::History,
    evidence::{CheckKind, Report, Sources, Verdict},
};
use atoma_types::StackId;
use std::collections::{BTreeMap, btree_map::Entry};

/// A verdict that no check gives: a jury did, or the rules.
pub(super) const CONVICTED: &str = "convicted";

/// The stacks' pasts, each read once: the requests of a pack are of few stacks. None where it can't be read.
#[derive(Debug, Default)]
pub(super) struct Histories(BTreeMap<StackId, Option<History>>);

/// What was found of a request beside the checks.
#[derive(Debug, Default)]
pub(super) struct Audited {
    /// About the ticket that it is in.
    pub(super) ticket: Facts,
    /// What its node was convicted of over the lease.
    pub(super) convicted: Option<&'static str>,
}

impl Histories {
    /// What the ledger tells of a request; nothing where it can't be asked.
    pub(super) async fn of(&mut self, report: &Report, sources: &Sources) -> Audited {
        let (Some(subject), Ok(ledger)) = (report.subject, &sources.ledger) else {
            return Audited::default();
        };
        let stack = subject.stack;
        let read = match self.0.entry(stack) {
            Entry::Occupied(read) => read.into_mut(),
            Entry::Vacant(unread) => unread.insert(History::of(ledger, stack).await.ok()),
        };
        let Some(history) = read else {
            return Audited::default();
        };
        let settled = CheckKind::Settled;
        let is_settled = report.passed().any(|check| check.kind == settled);
        let seq = subject.seq.filter(|_| is_settled);
        Audited {
            ticket: seq.map_or_else(Vec::new, |seq| {
                history::of_ticket(history, subject.node, seq)
            }),
            convicted: history::conviction(history, subject.node),
        }
    }
}

impl Audited {
    /// The verdict's name: what holds by all checks doesn't where the node was convicted.
    pub(super) fn verdict(&self, report: &Report) -> &'static str {
        match report.verdict() {
            Verdict::Fails => Verdict::Fails.name(),
            _ if self.convicted.is_some() => CONVICTED,
            verdict => verdict.name(),
        }
    }
}
