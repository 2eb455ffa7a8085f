//! How parties behave: which strategy makes whom do what.

use crate::{plan::Plan, strategy::Strategy};

/// A node towards its users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Serving {
    Honest,
    /// Everything by the cheap model.
    Cheap,
    /// By the cheap model what is large.
    Large,
    /// Nothing is answered, all is charged.
    Nothing,
    /// More is charged than was used.
    Over,
    /// A quarter is refused.
    ThreeQuarters,
    /// By the cheap model, and silent when it is examined.
    Silent,
}

/// An attester towards whom it examines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Judge {
    Honest,
    /// Says that all is well, and looks at nothing.
    Lazy,
    /// As a juror says what the examiner said, or what could be guessed of it.
    Copying,
    /// As an examiner believes the node, as a juror a colleague.
    Helped,
    /// Says that all is well if it is about one of its own.
    Accomplice,
    /// Says that all is well of everyone.
    False,
    /// Says that a node is guilty which its owner accuses.
    Accuser,
    /// Raises an alarm now and then.
    Tester,
}

/// A user towards its nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Using {
    Honest,
    /// Demands a record of each ticket.
    Griefing,
    /// Leases and asks for nothing.
    Squatting,
    /// Challenges what an examiner let pass, for it knows that it is wrong.
    Testing,
    /// Belongs to the node that it pays.
    Washing,
    /// Challenges what was honest.
    Accusing,
}

/// How the nodes of a coalition serve.
pub(super) fn serving(plan: &Plan, wallet: u64) -> Serving {
    if plan.honest {
        return Serving::Honest;
    }
    match plan.coalition {
        Strategy::CheapModel | Strategy::ColludingShare => Serving::Cheap,
        Strategy::BribedExaminers if wallet.is_multiple_of(2) => Serving::Cheap,
        Strategy::Selective => Serving::Large,
        Strategy::Withholding => Serving::Nothing,
        Strategy::Overcounting => Serving::Over,
        Strategy::CapacityBluff => Serving::ThreeQuarters,
        Strategy::SelfConvicting => Serving::Silent,
        _ => Serving::Honest,
    }
}

/// How its nodes examine.
pub(super) fn judging(plan: &Plan) -> Judge {
    if plan.honest {
        return Judge::Honest;
    }
    match plan.coalition {
        Strategy::LazyExaminer => Judge::Lazy,
        Strategy::CopyingExaminer => Judge::Copying,
        Strategy::HelpedExaminer => Judge::Helped,
        Strategy::ColludingShare | Strategy::BribedExaminers => Judge::Accomplice,
        Strategy::AccusingOwner => Judge::Accuser,
        _ => Judge::Honest,
    }
}

/// How its users use.
pub(super) fn using(plan: &Plan) -> Using {
    if plan.honest {
        return Using::Honest;
    }
    match plan.coalition {
        Strategy::GriefingUser => Using::Griefing,
        Strategy::AccusingOwner => Using::Accusing,
        _ => Using::Honest,
    }
}
