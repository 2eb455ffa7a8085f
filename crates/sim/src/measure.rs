//! A strategy beside honesty: the same parties, the same luck, the same customers.

use crate::{
    accounts::Group,
    network::{Outcome, run},
    plan::{Plan, PlanError},
    strategy::Sides,
};

/// A coalition's run, and the same one in which it was honest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured {
    /// What was run.
    pub plan: Plan,
    /// As the strategy has it.
    pub outcome: Outcome,
    /// As honesty has it.
    pub honest: Outcome,
}

/// Parts of a ratio's whole.
pub const WHOLE: i128 = 1_000_000;

/// Runs a plan, and the same with an honest coalition.
///
/// # Errors
/// If it can't be carried out.
pub fn measure(plan: &Plan) -> Result<Measured, PlanError> {
    let honest = run(&plan.honestly())?;
    measure_beside(plan, honest)
}

/// Runs a plan beside a run of its honest coalition.
///
/// # Errors
/// If it can't be carried out.
pub fn measure_beside(plan: &Plan, honest: Outcome) -> Result<Measured, PlanError> {
    Ok(Measured {
        outcome: run(plan)?,
        honest,
        plan: plan.clone(),
    })
}

impl Measured {
    /// What the coalition gained, micro-USDC.
    #[must_use]
    pub fn profit(&self) -> i128 {
        profit(self.plan.coalition.sides(), &self.outcome.coalition)
    }

    /// What it would have gained honestly.
    #[must_use]
    pub fn honest_profit(&self) -> i128 {
        profit(self.plan.coalition.sides(), &self.honest.coalition)
    }

    /// The one over the other, in millionths; `None` where honesty gains nothing, so that nothing can be said.
    #[must_use]
    pub fn ratio(&self) -> Option<i128> {
        let honest = self.honest_profit();
        (honest > 0).then(|| self.profit() * WHOLE / honest)
    }
}

fn profit(sides: Sides, group: &Group) -> i128 {
    let sides = [
        (sides.serving, group.serving.profit()),
        (sides.attesting, group.attesting.profit()),
        (sides.using, group.using.profit()),
    ];
    sides
        .into_iter()
        .filter(|(counts, _)| *counts)
        .map(|(_, profit)| profit)
        .sum()
}
