//! What came of checking a bundle, check by check.

use crate::{fault::Fault, octets::Digest, tier::Tier};
use atoma_types::{NodeId, TimestampMs};
use serde::Serialize;

/// One thing that was looked at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it was looked at on: `bundle`, `snp`, `gpu 0`.
    pub subject: String,
    /// What was looked at: `report data`, `firmware`.
    pub name: &'static str,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of one check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It was checked, and it holds.
    Holds {
        /// What was found.
        found: String,
    },
    /// It couldn't be checked, or isn't all that it could be; the policy allows that in a lower tier.
    Lowers {
        /// The best tier that is left.
        tier: Tier,
        /// What is missing.
        found: String,
    },
    /// The evidence is refused for it.
    Refused {
        /// Why; in JSON its stable code, and the reason in words.
        #[serde(flatten)]
        fault: Fault,
    },
}

/// The result over a whole bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The node whose keys the bundle is for.
    pub node: NodeId,
    /// The digest of its keyset.
    pub keyset: Digest,
    /// The digest of what its guest says.
    pub statement: Digest,
    /// When it was judged.
    pub at: TimestampMs,
    /// Until then the same verdict would come out: keyset, certificates and lists are valid.
    pub valid_until: TimestampMs,
    /// How much it is worth; none if it is refused.
    pub tier: Option<Tier>,
    /// Everything that was looked at, in order.
    pub checks: Vec<Check>,
}

impl Verdict {
    /// Whether the keys may be used.
    #[must_use]
    pub fn accepted(&self) -> bool {
        self.tier.is_some()
    }

    /// The codes of all reasons to refuse, in order.
    #[must_use]
    pub fn refusals(&self) -> Vec<&'static str> {
        let codes = self.checks.iter().filter_map(|check| match check.outcome {
            Outcome::Refused { fault } => Some(fault.code()),
            Outcome::Holds { .. } | Outcome::Lowers { .. } => None,
        });
        codes.collect()
    }
}

/// Collects checks, and the tier that they leave.
#[derive(Debug)]
pub(crate) struct Judge {
    checks: Vec<Check>,
    tier: Tier,
    /// The first moment at which something that holds doesn't any more, in milliseconds since 1970.
    valid_until: TimestampMs,
}

impl Judge {
    pub(crate) fn new() -> Self {
        Self {
            checks: Vec::new(),
            tier: Tier::Known,
            valid_until: TimestampMs(u64::MAX),
        }
    }

    fn push(&mut self, subject: &str, name: &'static str, outcome: Outcome) {
        self.checks.push(Check {
            subject: subject.to_owned(),
            name,
            outcome,
        });
    }

    /// Notes that a check was made and holds.
    pub(crate) fn holds(&mut self, subject: &str, name: &'static str, found: impl Into<String>) {
        let found = found.into();
        self.push(subject, name, Outcome::Holds { found });
    }

    /// It doesn't hold.
    pub(crate) fn refuse(&mut self, subject: &str, name: &'static str, fault: impl Into<Fault>) {
        let fault = fault.into();
        self.push(subject, name, Outcome::Refused { fault });
    }

    /// It leaves no better tier than `tier`.
    pub(crate) fn lower(
        &mut self,
        subject: &str,
        name: &'static str,
        tier: Tier,
        found: impl Into<String>,
    ) {
        self.tier = self.tier.min(tier);
        let found = found.into();
        self.push(subject, name, Outcome::Lowers { tier, found });
    }

    /// It holds where `condition` does, else `fault` is why not.
    pub(crate) fn require(
        &mut self,
        subject: &str,
        name: &'static str,
        condition: bool,
        fault: impl Into<Fault>,
        found: impl Into<String>,
    ) {
        if condition {
            self.holds(subject, name, found);
        } else {
            self.refuse(subject, name, fault);
        }
    }

    /// The verdict holds no longer than until `end`.
    pub(crate) fn ends(&mut self, end: TimestampMs) {
        self.valid_until = self.valid_until.min(end);
    }

    /// The same, in seconds since 1970.
    pub(crate) fn ends_at_second(&mut self, end: i64) {
        let end = u64::try_from(end).unwrap_or(0).saturating_mul(1_000);
        self.ends(TimestampMs(end));
    }

    /// The tier so far; none if something doesn't hold.
    pub(crate) fn tier(&self) -> Option<Tier> {
        let refused = |check: &Check| matches!(check.outcome, Outcome::Refused { .. });
        (!self.checks.iter().any(refused)).then_some(self.tier)
    }

    pub(crate) fn valid_until(&self) -> TimestampMs {
        self.valid_until
    }

    pub(crate) fn into_checks(self) -> Vec<Check> {
        self.checks
    }
}
