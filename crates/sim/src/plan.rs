//! What is to be simulated.

use crate::{
    market::Market,
    model::{DAY, Ms, Rules},
    strategy::Strategy,
};

/// Nodes of one task: what the ledger lets subscribe, less a place for a tester's.
const NODES_PER_TASK: u64 = 250;
/// The same in ten-thousandths of names: seven tenths of what there is room for.
const SYBILS_PER_TASK: u64 = 1_750_000;

/// A network, a time, and a coalition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Wallets, each with one node unless it splits.
    pub nodes: u64,
    /// Requests of customers.
    pub requests: u64,
    /// Where all randomness comes from.
    pub seed: u64,
    /// The contract's parameters, and which rules are weaker than it has them.
    pub rules: Rules,
    /// What is assumed of prices, costs and people.
    pub market: Market,
    /// Who is in the coalition: it is chosen by this strategy.
    pub coalition: Strategy,
    /// Whether the coalition does what it is there for, or is honest, to be compared with.
    pub honest: bool,
    /// How many of a thousand take part.
    pub share_permille: u64,
    /// How many of a thousand attesters cover up for any cheat.
    pub false_permille: u64,
    /// How long a region is away, in an outage.
    pub outage: Ms,
}

/// The least that a network needs to sell examined stacks: an examiner, a jury, one to spare, and the parties.
const LEAST_NODES: u64 = 12;
/// The most that is simulated: what a laptop holds.
const MOST_NODES: u64 = 20_000;
/// The most requests: minutes.
const MOST_REQUESTS: u64 = 100_000_000;

/// A plan that can't be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Too few or too many nodes.
    #[error("nodes: between {LEAST_NODES} and {MOST_NODES}")]
    Nodes,
    /// Too many requests.
    #[error("requests: between 1 and {MOST_REQUESTS}")]
    Requests,
    /// A share above the whole.
    #[error("a share is at most a thousand thousandths")]
    Share,
    /// Something is zero by which is divided, or saved more than it costs.
    #[error(
        "the market's request, requests_per_stack, lifetime_hours, steps, turnover_permille and settle_hours are at least 1, and saving_permille at most compute_permille"
    )]
    Market,
}

impl Plan {
    /// A network of this size with this coalition in it.
    #[must_use]
    pub fn new(coalition: Strategy, nodes: u64, requests: u64, seed: u64) -> Self {
        let mut plan = Self {
            nodes,
            requests,
            seed,
            rules: Rules::default(),
            market: Market::default(),
            coalition,
            honest: false,
            share_permille: coalition.share_permille(),
            false_permille: 0,
            outage: 20 * crate::model::HOUR,
        };
        if coalition == Strategy::Withholding {
            plan.market.examined = 0;
        }
        if coalition == Strategy::SquattingUser {
            // where collateral is scarce, there alone it is worth something to take it away
            plan.market.turnover_permille = 20;
        }
        if coalition == Strategy::AccusingOwner {
            // where there is much that a node can stand with, and so much to be accused of
            plan.market.turnover_permille = 4;
        }
        plan
    }

    /// The same with an honest coalition.
    #[must_use]
    pub fn honestly(&self) -> Self {
        Self {
            honest: true,
            ..self.clone()
        }
    }

    /// Whether it can be carried out.
    ///
    /// # Errors
    /// What can't.
    pub fn check(&self) -> Result<(), PlanError> {
        if !(LEAST_NODES..=MOST_NODES).contains(&self.nodes) {
            return Err(PlanError::Nodes);
        }
        if !(1..=MOST_REQUESTS).contains(&self.requests) {
            return Err(PlanError::Requests);
        }
        if self.share_permille > 1_000 || self.false_permille > 1_000 {
            return Err(PlanError::Share);
        }
        let market = &self.market;
        let divisors = [
            market.request,
            market.requests_per_stack,
            market.lifetime_hours,
            market.steps,
            market.turnover_permille,
            market.settle_hours,
        ];
        if divisors.contains(&0) || market.saving_permille > market.compute_permille {
            return Err(PlanError::Market);
        }
        Ok(())
    }

    /// How many tasks there are.
    #[must_use]
    pub fn tasks(&self) -> u64 {
        let per_task = match self.coalition {
            // an owner of average size has three names; the other places are for those who have ten
            Strategy::Sybil => SYBILS_PER_TASK / (10_000 + 21 * self.share_permille),
            _ => NODES_PER_TASK,
        };
        self.nodes.div_ceil(per_task)
    }

    /// How many stacks customers buy.
    #[must_use]
    pub fn stacks(&self) -> u64 {
        self.requests.div_ceil(self.market.requests_per_stack)
    }

    /// How long customers come: as long as their spending takes at this turnover, two days at least.
    #[must_use]
    pub fn days(&self, collateral: u64) -> u64 {
        let spent = u128::from(self.requests) * u128::from(self.market.request);
        let a_day = u128::from(collateral) * u128::from(self.market.turnover_permille) / 1_000;
        u64::try_from(spent / a_day.max(1))
            .unwrap_or(u64::MAX)
            .clamp(2, 366)
    }

    /// How long it goes on after the last customer: until all is paid.
    #[must_use]
    pub fn run_off(&self) -> Ms {
        self.market.lifetime_hours * crate::model::HOUR + 12 * DAY
    }
}
