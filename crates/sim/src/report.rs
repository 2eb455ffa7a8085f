//! A run in words and in JSON.

use crate::{closed, measure::Measured, model::HOUR};
use serde::Serialize;

/// What `run` says of a strategy.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// Name of the strategy, as the command line takes it.
    pub strategy: &'static str,
    /// What it earned, over what the same parties would have earned honestly; null where that is nothing.
    pub profit_relative_to_honesty: Option<f64>,
    /// The same by the closed form.
    #[serde(rename = "closed_form_relative_to_honesty")]
    pub closed_form: Option<f64>,
    /// What the coalition gained, micro-USDC.
    #[serde(rename = "profit_micro_usdc")]
    pub profit: i128,
    /// What it would have gained honestly.
    #[serde(rename = "honest_profit_micro_usdc")]
    pub honest_profit: i128,
    /// Days of virtual time in which customers came.
    pub days: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Of them, those that nobody served.
    pub unserved: u64,
    /// Tickets that were paid.
    pub tickets: u64,
    /// The price of what was paid, micro-USDC.
    #[serde(rename = "volume_micro_usdc")]
    pub volume: u64,
    /// What honest users paid for wrong or missing answers, micro-USDC.
    #[serde(rename = "lost_by_users_micro_usdc")]
    pub lost_by_users: u64,
    /// What examinations cost everyone: transactions and work, micro-USDC.
    #[serde(rename = "verification_micro_usdc")]
    pub verification: u64,
    /// Tickets that were examined.
    pub examined: u64,
    /// Juries that sat.
    pub juries: u64,
    /// Convictions of the coalition's nodes.
    pub convicted: u64,
    /// Convictions of honest nodes.
    pub convicted_honest: u64,
    /// The middle of the hours from a node's first wrong record to its conviction, of those that were convicted.
    pub caught_after_hours: Option<u64>,
    /// What testers lost, micro-USDC.
    #[serde(rename = "testing_micro_usdc")]
    pub testing: u64,
}

impl Report {
    /// The report of a measured plan.
    #[must_use]
    pub fn new(measured: &Measured) -> Self {
        let seen = &measured.outcome.seen;
        Self {
            strategy: measured.plan.coalition.name(),
            profit_relative_to_honesty: measured.ratio().map(thousandths),
            closed_form: closed::relative(measured).map(|ratio| (ratio * 1e3).round() / 1e3),
            profit: measured.profit(),
            honest_profit: measured.honest_profit(),
            days: measured.outcome.days,
            requests: seen.requests,
            unserved: seen.unserved,
            tickets: seen.claims,
            volume: seen.volume,
            lost_by_users: seen.lost_by_users,
            verification: seen.verification,
            examined: seen.examined,
            juries: seen.juries,
            convicted: seen.convicted,
            convicted_honest: seen.convicted_honest,
            caught_after_hours: seen.median_caught().map(|time| time / HOUR),
            testing: seen.testing,
        }
    }

    /// In words, line by line.
    #[must_use]
    pub fn to_text(&self) -> String {
        let ratio = |ratio: Option<f64>| match ratio {
            Some(ratio) => format!("{ratio:.3}"),
            None => "not known: honesty earns nothing".to_owned(),
        };
        let caught = match self.caught_after_hours {
            Some(hours) => format!("{hours} hours after the first wrong record, in the middle"),
            None => "nobody".to_owned(),
        };
        let lines = [
            ("strategy", self.strategy.to_owned()),
            ("profit", usdc(self.profit)),
            ("honestly", usdc(self.honest_profit)),
            ("relative", ratio(self.profit_relative_to_honesty)),
            ("closed form", ratio(self.closed_form)),
            ("days", self.days.to_string()),
            (
                "requests",
                format!("{}, of which {} unserved", self.requests, self.unserved),
            ),
            (
                "paid",
                format!("{} in {} tickets", usdc(self.volume.into()), self.tickets),
            ),
            ("lost by users", usdc(self.lost_by_users.into())),
            (
                "verification",
                format!(
                    "{}, {} examinations, {} juries",
                    usdc(self.verification.into()),
                    self.examined,
                    self.juries
                ),
            ),
            (
                "convicted",
                format!(
                    "{} times, honest nodes {} times",
                    self.convicted, self.convicted_honest
                ),
            ),
            ("caught", caught),
            ("testers lost", usdc(self.testing.into())),
        ];
        lines
            .iter()
            .map(|(name, value)| format!("{name:<14}{value}\n"))
            .collect()
    }
}

/// Millionths as a number with three decimals.
pub(crate) fn thousandths(millionths: i128) -> f64 {
    millionths.div_euclid(1_000) as f64 / 1e3
}

/// Micro-USDC in words, to the cent.
pub(crate) fn usdc(micro: i128) -> String {
    let sign = if micro < 0 { "-" } else { "" };
    let cents = micro.unsigned_abs() / 10_000;
    format!("{sign}{}.{:02} USDC", cents / 100, cents % 100)
}
