//! Rules and assumptions under which strategies do gain: so that it is seen that the simulator can see a gain, and which
//! rule it is that takes it away.

use crate::{model::HOUR, plan::Plan, strategy::Strategy};

/// A weaker set and its name.
#[derive(Clone, Copy, Debug)]
pub struct WeakerSet {
    /// What is weaker about it.
    pub name: &'static str,
    change: fn(&mut Plan),
}

impl WeakerSet {
    /// The same plan under the weaker set.
    #[must_use]
    pub fn of(&self, plan: &Plan) -> Plan {
        let mut plan = plan.clone();
        (self.change)(&mut plan);
        plan
    }
}

/// What lets a strategy gain; nothing lets an outage.
#[must_use]
pub fn weaker(strategy: Strategy) -> Option<WeakerSet> {
    let (name, change): (_, fn(&mut Plan)) = match strategy {
        Strategy::CheapModel | Strategy::ColludingShare | Strategy::BribedExaminers => (
            "sample_permille and fine_multiple at their floors, 50 and 5, together",
            |plan| {
                plan.rules.params.sample_permille = 50;
                plan.rules.params.fine_multiple = 5;
            },
        ),
        Strategy::Selective => ("records are drawn, not units", |plan| {
            plan.rules.weaker.records_drawn = true;
        }),
        Strategy::Withholding => ("users sign on whatever is missing", |plan| {
            plan.market.window_requests = 1 << 40;
        }),
        Strategy::Overcounting => ("nothing is examined", |plan| plan.market.examined = 0),
        Strategy::CapacityBluff => ("a draw weighs the capacity that nodes claim", |plan| {
            plan.rules.weaker.weight_by_word = true;
        }),
        Strategy::Sybil => ("a draw weighs every node alike", |plan| {
            plan.rules.weaker.weight_by_head = true;
        }),
        Strategy::SelfConvicting => (
            "silence costs once the value, guilt the whole fine",
            |plan| {
                plan.rules.weaker.cheap_silence = true;
            },
        ),
        Strategy::WashTrading => ("fees come back twentyfold from a full treasury", |plan| {
            plan.rules.params.rebate_permille = 20_000;
            plan.market.treasury = 1_000_000_000_000;
        }),
        Strategy::LazyExaminer | Strategy::HelpedExaminer => ("nobody tests examiners", |plan| {
            plan.market.tests_permille = 0;
        }),
        Strategy::CopyingExaminer => (
            "an accusation has its digest with it, and nobody raises false alarms",
            |plan| {
                plan.rules.weaker.open_accusations = true;
                plan.market.alarms_permille = 0;
            },
        ),
        Strategy::GriefingUser => (
            "half of a fine is the owner's, and a node has an hour to answer",
            |plan| {
                plan.rules.weaker.owners_half = true;
                // so that demands alone convict
                plan.market.examined = 0;
                plan.rules.params.answer_window_ms = HOUR;
            },
        ),
        Strategy::AccusingOwner => (
            "a bond is two USDC whatever the claim, and a jury gives all of it back",
            |plan| {
                plan.rules.weaker.flat_bonds = true;
                plan.rules.params.challenge_bond = 2_000_000;
            },
        ),
        Strategy::SquattingUser => (
            "nodes lease whole stacks at once, and never give back what isn't used",
            |plan| {
                plan.market.steps = 1;
                plan.market.idle_hours = 1 << 30;
            },
        ),
        Strategy::Honest | Strategy::RegionalOutage => return None,
    };
    Some(WeakerSet { name, change })
}
