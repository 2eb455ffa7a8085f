//! What is assumed of the world outside the rules. Amounts are micro-USDC, shares are thousandths.

use serde::{Deserialize, Serialize};

macro_rules! market {
    ($($(#[$doc:meta])* $name:ident = $default:expr;)*) => {
        /// The assumptions. They favour cheats wherever two are as likely.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Market { $($(#[$doc])* pub $name: u64),* }

        impl Default for Market {
            fn default() -> Self { Self { $($name: $default),* } }
        }

        impl Market {
            /// The names, in the order of the fields.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($name)),*];

            /// Sets one by name; false if there is none such.
            #[must_use]
            pub fn set(&mut self, name: &str, value: u64) -> bool {
                match name {
                    $(stringify!($name) => { self.$name = value; true })*
                    _ => false,
                }
            }
        }
    };
}

market! {
    /// What a transaction costs: 0.01 SUI.
    gas = 20_000;
    /// What a request costs its user on average; some cost thirty times the smallest.
    request = 20_000;
    /// Requests that a stack pays for.
    requests_per_stack = 300;
    /// What an honest answer costs to compute, of its price: so much that what is left is a thin margin, so that a cheat
    /// weighs most beside it.
    compute_permille = 800;
    /// What a cheap answer saves, of its price: nothing computes for less than nothing.
    saving_permille = 800;
    /// What an honest answer is worth to its user, of its price.
    worth_permille = 1_300;
    /// What looking at a record costs, of the record's price: one prefill over prompt and answer, half of what computing it
    /// costs.
    examination_permille = 400;
    /// What it costs at least: to fetch, decrypt and compare.
    examination_least = 5_000;
    /// A year's interest on what lies still.
    interest_permille = 100;
    /// What customers spend in a day, of all collateral: what a node with a hundred USDC serves is worth a USDC a day.
    turnover_permille = 10;
    /// How long a stack lives, hours.
    lifetime_hours = 72;
    /// Into how many steps the grants of a stack are cut.
    steps = 4;
    /// The least that a node takes a grant for, unless less is left: it must be worth the gas.
    grant_least = 500_000;
    /// After how many hours without a request a node gives back what it doesn't need.
    idle_hours = 6;
    /// How many requests without an answer a user signs before it leaves a node (W).
    window_requests = 2;
    /// How far usage may be above what a user expects of the bytes before it leaves: so much is added by who counts too much.
    tolerance_permille = 100;
    /// After how many hours a node settles what it has served, if that is worth the gas.
    settle_hours = 24;
    /// What it settles at least before the end.
    settle_least = 2_000_000;
    /// How many days in a thousand a node is away for some of their hours.
    absent_permille = 50;
    /// Stacks beside a thousand of customers that are tests: a ticket of wrong records, of someone who watches the examiners.
    tests_permille = 80;
    /// Examinations in a thousand in which a tester raises a false alarm, to watch the jurors.
    alarms_permille = 10;
    /// What is in the treasury at first.
    treasury = 0;
    /// Whether tickets are examined, 1 or 0.
    examined = 1;
    /// The reputation that nodes begin with: that of a network that has been there for a while.
    reputation = 1_000;
}
