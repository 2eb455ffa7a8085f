//! The parameters, and beside each strategy what it earns under them and under a weaker set.

use crate::{
    answers::{Answer, QUESTIONS},
    choose,
    honest::Honest,
    market::Market,
    plan::{Plan, PlanError},
    report::Report,
    size::Size,
    strategy::Strategy,
    weaker::weaker,
};
use atoma_types::chain::Params;
use serde::Serialize;

/// What a strategy earns under the parameters, beside what it earns under a weaker set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// Under the parameters.
    #[serde(flatten)]
    pub report: Report,
    /// Under a weaker set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weaker: Option<Weaker>,
}

/// What a strategy gains under a weaker set.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Weaker {
    /// What is weaker.
    pub set: &'static str,
    /// What it earns over honesty.
    pub profit_relative_to_honesty: Option<f64>,
}

/// What a set of parameters is worth: each strategy's profit under it, and what the simulations answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Advice {
    /// Each strategy's report; as JSON they are lines of their own.
    #[serde(skip)]
    pub strategies: Vec<Comparison>,
    /// The parameters under which none pays.
    pub parameters: Params,
    /// What is assumed.
    pub assumptions: Market,
    /// What only simulation can tell, and what it tells.
    pub answers: Vec<Answer>,
}

/// Advises: runs every strategy under the parameters that follow, and under a weaker set.
///
/// # Errors
/// If the size can't be simulated.
pub fn advise(size: Size) -> Result<Advice, PlanError> {
    advise_telling(size, |_| {})
}

/// How far it is: what is simulated now, and how much of it all is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// A strategy, or what is asked of the rules.
    pub now: &'static str,
    /// So many of them are done.
    pub done: usize,
    /// Of so many.
    pub all: usize,
}

/// The same, telling before each part how far it is: all of it takes minutes.
///
/// # Errors
/// If the size can't be simulated.
pub fn advise_telling(size: Size, mut told: impl FnMut(Progress)) -> Result<Advice, PlanError> {
    let market = Market::default();
    let parameters = choose::parameters(&market);
    let mut honest = Honest::default();
    let all = Strategy::ALL.len() - 1 + QUESTIONS.len();
    let mut done = 0;
    let mut begin = |now| {
        told(Progress { now, done, all });
        done += 1;
    };
    let strategies = compare(size, &parameters, &mut honest, &mut begin)?;
    let mut answers = Vec::new();
    for (name, find) in QUESTIONS {
        begin(name);
        answers.push(find(size, &parameters, &mut honest)?);
    }
    Ok(Advice {
        strategies,
        parameters,
        assumptions: market,
        answers,
    })
}

/// Every strategy under these parameters, and under its weaker set.
fn compare(
    size: Size,
    parameters: &Params,
    honest: &mut Honest,
    begin: &mut impl FnMut(&'static str),
) -> Result<Vec<Comparison>, PlanError> {
    let mut strategies = Vec::new();
    let others = Strategy::ALL.iter().copied();
    for strategy in others.filter(|&strategy| strategy != Strategy::Honest) {
        begin(strategy.name());
        let mut plan = Plan::new(strategy, size.nodes, size.requests, size.seed);
        plan.rules.params.clone_from(parameters);
        let report = Report::new(&honest.measure(&plan)?);
        let weaker = match weaker(strategy) {
            Some(set) => Some(Weaker {
                set: set.name,
                profit_relative_to_honesty: Report::new(&honest.measure(&set.of(&plan))?)
                    .profit_relative_to_honesty,
            }),
            None => None,
        };
        strategies.push(Comparison { report, weaker });
    }
    Ok(strategies)
}

impl Advice {
    /// An object per strategy, then the parameters: each on a line of its own.
    ///
    /// # Errors
    /// None that a number could cause.
    pub fn to_json(&self) -> serde_json::Result<String> {
        let mut lines = String::new();
        for line in &self.strategies {
            lines += &serde_json::to_string(line)?;
            lines.push('\n');
        }
        lines += &serde_json::to_string(self)?;
        lines.push('\n');
        Ok(lines)
    }

    /// As tables and sentences for a terminal.
    #[must_use]
    pub fn to_text(&self) -> String {
        let ratio =
            |ratio: Option<f64>| ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
        let mut text = format!(
            "{:<19}{:>10}{:>13}{:>9}  {}\n",
            "strategy", "simulated", "closed form", "weaker", "the weaker set"
        );
        for Comparison { report, weaker } in &self.strategies {
            let (set, gain) = weaker.as_ref().map_or(("", None), |weaker| {
                (weaker.set, weaker.profit_relative_to_honesty)
            });
            text += &format!(
                "{:<19}{:>10}{:>13}{:>9}  {set}\n",
                report.strategy,
                ratio(report.profit_relative_to_honesty),
                ratio(report.closed_form),
                ratio(gain)
            );
        }
        text += "\nProfit relative to honesty: 1 is what the same parties earn honestly.\n\n";
        for Answer {
            question,
            answer,
            figures,
            ..
        } in &self.answers
        {
            text += &wrapped(question, "");
            text += &wrapped(answer, "  ");
            let figures: Vec<String> = figures
                .iter()
                .map(|(value, gain)| format!("{value}: {gain:.2}"))
                .collect();
            if !figures.is_empty() {
                text += &wrapped(&figures.join(", "), "  ");
            }
        }
        text += "\nparameters\n";
        for name in Params::NAMES {
            let value = self.parameters.get(name).unwrap_or(0);
            text += &format!("  {name:<26}{value}\n");
        }
        text
    }
}

/// A terminal's width.
const COLUMNS: usize = 80;

/// A text in lines no wider than a terminal, where its words allow it.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = String::new();
    let mut width = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if width == 0 {
            lines += indent;
            width = indent.len();
        } else if width + 1 + length > COLUMNS {
            lines += "\n";
            lines += indent;
            width = indent.len();
        } else {
            lines.push(' ');
            width += 1;
        }
        lines += word;
        width += length;
    }
    lines.push('\n');
    lines
}
