//! What only simulation can tell of the rules, as far as it can.

use crate::{
    closed,
    honest::Honest,
    model::HOUR,
    plan::{Plan, PlanError},
    report::{Report, thousandths, usdc},
    size::Size,
    strategy::Strategy,
};
use atoma_types::chain::Params;
use serde::Serialize;

/// A question, what is found, and the figures: pairs of what was varied and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Answer {
    /// Its name, as that of its plot.
    pub name: &'static str,
    /// The question, as a sentence.
    pub question: &'static str,
    /// The answer, as a sentence with its figures.
    pub answer: String,
    /// What was varied, and what a strategy then earns relative to honesty, or what the answer says.
    pub figures: Vec<(u64, f64)>,
}

/// Finds an answer under parameters.
type Find = fn(Size, &Params, &mut Honest) -> Result<Answer, PlanError>;

/// What is asked, and how its answer is found.
pub(crate) const QUESTIONS: [(&str, Find); 11] = [
    ("saving", |_, params, _| Ok(saving(params))),
    ("false shares", false_share),
    ("tests", tests),
    ("copying", copying),
    ("leverage", |_, params, _| Ok(leverage(params))),
    ("outage", outage),
    ("steps", steps),
    ("window", window),
    ("entry", entry),
    ("counting", counting),
    ("what is unknown", |_, _, _| Ok(unknown())),
];

fn unknown() -> Answer {
    Answer {
        name: "unknown",
        question: "Do tolerant jurors agree? Where does the median price settle? Is the gas of draws equal?",
        answer: "Not known from here: numerics, a market of prices and the Move VM decide; nothing of it is simulated.".to_owned(),
        figures: Vec::new(),
    }
}

fn plan(strategy: Strategy, size: Size, params: &Params) -> Plan {
    let mut plan = Plan::new(strategy, size.nodes, size.requests, size.seed);
    plan.rules.params.clone_from(params);
    plan
}

/// What a strategy earns as something is varied.
fn sweep(
    honest: &mut Honest,
    base: &Plan,
    values: &[u64],
    change: fn(&mut Plan, u64),
) -> Result<Vec<(u64, f64)>, PlanError> {
    let mut figures = Vec::new();
    for &value in values {
        let mut plan = base.clone();
        change(&mut plan, value);
        let ratio = honest.measure(&plan)?.ratio();
        figures.push((value, ratio.map_or(0.0, thousandths)));
    }
    Ok(figures)
}

fn saving(params: &Params) -> Answer {
    let shares = [0, 100, 200, 333, 400];
    let figures: Vec<(u64, f64)> = shares
        .iter()
        .map(|&share| {
            let saving = closed::most_saving(params, share as f64 / 1_000.0);
            (share, (saving * 1e3).round() / 1e3)
        })
        .collect();
    Answer {
        name: "saving",
        question: "How much may a cheap model save before cheating pays?",
        answer: "By the false share of attester weight, in thousandths, so much of the price (closed form). What a real one saves must be measured.".to_owned(),
        figures,
    }
}

fn false_share(size: Size, params: &Params, honest: &mut Honest) -> Result<Answer, PlanError> {
    let base = plan(Strategy::CheapModel, size, params);
    let figures = sweep(
        honest,
        &base,
        &[0, 100, 200, 333, 500, 700],
        |plan, share| {
            plan.false_permille = share;
        },
    )?;
    let most = closed::most_false(params, 0.8);
    Ok(Answer {
        name: "false-share",
        question: "At which share of lazy, helped or bribed attesters does deterrence fail?",
        answer: format!(
            "Above {most} of 1,000, where a cheap answer saves 0.8 of the price and they fail as examiners and as jurors (closed form); the figures are what the cheap model then earns, simulated."
        ),
        figures,
    })
}

fn tests(size: Size, params: &Params, honest: &mut Honest) -> Result<Answer, PlanError> {
    let base = plan(Strategy::LazyExaminer, size, params);
    let figures = sweep(honest, &base, &[0, 20, 40, 80, 160], |plan, tests| {
        plan.market.tests_permille = tests;
    })?;
    let measured = honest.measure(&base)?;
    let seen = &measured.honest.seen;
    let duties = seen.examined + seen.juries * params.jury_size;
    let work = (measured.honest.coalition.attesting.work + measured.honest.others.attesting.work)
        / duties.max(1);
    let least = closed::least_tests(params, work as f64);
    Ok(Answer {
        name: "tests",
        question: "How many tests keep examiners from being lazy?",
        answer: format!(
            "One in {:.0} examinations must be of a record known to be wrong, where looking costs {} (closed form). The figures are tests beside 1,000 customers' stacks, and what lazy examiners then earn.",
            1.0 / least,
            usdc(i128::from(work)),
        ),
        figures,
    })
}

fn copying(size: Size, params: &Params, honest: &mut Honest) -> Result<Answer, PlanError> {
    let mut base = plan(Strategy::CopyingExaminer, size, params);
    base.rules.weaker.open_accusations = true;
    let figures = sweep(honest, &base, &[0, 5, 10, 20], |plan, alarms| {
        plan.market.alarms_permille = alarms;
    })?;
    Ok(Answer {
        name: "alarms",
        question: "Would jurors who echo the examiner gain?",
        answer: "Were its digest on the ledger before they commit: an echo would be right whenever the examiner is, and without false alarms it would pay. The figures are alarms in 1,000 examinations, and what echoes would then earn. The rules have an accusation say only that something is wrong.".to_owned(),
        figures,
    })
}

fn leverage(params: &Params) -> Answer {
    let figures = [1, 2, 4, 8, 16]
        .iter()
        .map(|&leverage| {
            let gain = closed::mass_cheating(params, leverage, 0.2, 0.8);
            (leverage, (gain * 1e3).round() / 1e3)
        })
        .collect();
    Answer {
        name: "leverage",
        question: "What would leverage above 1 do under mass cheating?",
        answer: "What a wallet gains, of its collateral, that cheats on all it can lease, with a fifth of the weight false (closed form): it loses at every leverage that leaves fines covered, and wins where they aren't. The contract keeps 1.".to_owned(),
        figures,
    }
}

fn outage(size: Size, params: &Params, honest: &mut Honest) -> Result<Answer, PlanError> {
    let base = plan(Strategy::RegionalOutage, size, params);
    let mut figures = Vec::new();
    let mut convicted = Vec::new();
    for hours in [6, 12, 20, 30, 48, 72] {
        let mut plan = base.clone();
        plan.outage = hours * HOUR;
        let measured = honest.measure(&plan)?;
        figures.push((hours, measured.ratio().map_or(0.0, thousandths)));
        convicted.push(Report::new(&measured).convicted);
    }
    Ok(Answer {
        name: "outage",
        question: "What does a region's outage cost?",
        answer: format!(
            "A third of the nodes is away for so many hours, and earns so much of what it would have. Convicted: {convicted:?}. Below the answer window nobody is."
        ),
        figures,
    })
}

fn steps(size: Size, params: &Params, honest: &mut Honest) -> Result<Answer, PlanError> {
    let base = plan(Strategy::SquattingUser, size, params);
    let figures = sweep(honest, &base, &[1, 2, 4, 8], |plan, steps| {
        plan.market.steps = steps;
    })?;
    Ok(Answer {
        name: "steps",
        question: "Into how many steps should grants be cut?",
        answer: "What squatters and their own nodes earn, by the steps of a stack, where nodes give back what is idle for six hours.".to_owned(),
        figures,
    })
}

fn window(size: Size, params: &Params, honest: &mut Honest) -> Result<Answer, PlanError> {
    let base = plan(Strategy::Withholding, size, params);
    let figures = sweep(honest, &base, &[1, 2, 10, 30, 60, 120], |plan, window| {
        plan.market.window_requests = window;
    })?;
    Ok(Answer {
        name: "window",
        question: "How far may a client sign ahead of a node that doesn't answer?",
        answer: "Unanswered requests until it leaves, of 300 in a stack, on a task without examinations, and what withholding then earns.".to_owned(),
        figures,
    })
}

/// Of those who begin with less than the full reputation, some buy the rest.
fn entry(size: Size, params: &Params, honest: &mut Honest) -> Result<Answer, PlanError> {
    let base = plan(Strategy::WashTrading, size, params);
    let figures = sweep(
        honest,
        &base,
        &[100, 200, 300, 500, 700, 1_000],
        |plan, reputation| {
            plan.market.reputation = reputation;
        },
    )?;
    Ok(Answer {
        name: "entry",
        question: "Does it pay to buy reputation from oneself?",
        answer: "By the reputation that all begin with: what the fifth earns that trades with itself for a full one while the others wait. Above 1, it is bought: reputation costs a hundredth of the collateral in fees, of which nine tenths may come back.".to_owned(),
        figures,
    })
}

/// Where nothing is examined, counting too much is bounded by what users notice alone.
fn counting(size: Size, params: &Params, honest: &mut Honest) -> Result<Answer, PlanError> {
    let mut base = plan(Strategy::Overcounting, size, params);
    base.market.examined = 0;
    let figures = sweep(honest, &base, &[0, 10, 20, 50, 100], |plan, tolerated| {
        plan.market.tolerance_permille = tolerated;
    })?;
    Ok(Answer {
        name: "tolerance",
        question: "What does counting too much earn where nothing is examined?",
        answer: "What users tolerate above what they count themselves, in thousandths, and what a node earns that charges it. Each such thousandth of the price is a whole one of its thin margin.".to_owned(),
        figures,
    })
}
