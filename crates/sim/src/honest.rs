//! Honest networks, beside which many plans are measured.

use crate::{
    measure::{Measured, measure_beside},
    network::{Outcome, run},
    plan::{Plan, PlanError},
    strategy::Strategy,
};

/// Honest runs that were made already.
#[derive(Debug, Default)]
pub(crate) struct Honest {
    runs: Vec<(Plan, Outcome)>,
}

impl Honest {
    /// Measures a plan; the same honest network is run but once.
    pub(crate) fn measure(&mut self, plan: &Plan) -> Result<Measured, PlanError> {
        let mut key = plan.honestly();
        // honest wallets are the same, whatever they don't do; users are part of what is bought
        let uses = matches!(
            plan.coalition,
            Strategy::GriefingUser | Strategy::AccusingOwner
        );
        if !uses {
            key.coalition = Strategy::Honest;
        }
        let known = self.runs.iter().find(|(plan, _)| *plan == key);
        let honest = match known {
            Some((_, outcome)) => outcome.clone(),
            None => {
                let outcome = run(&key)?;
                self.runs.push((key, outcome.clone()));
                outcome
            }
        };
        measure_beside(plan, honest)
    }
}
