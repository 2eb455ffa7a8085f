//! Hunters: parties with the goal of breaking one theorem.
//!
//! A hunter is everybody but the honest nodes: owners, nodes, attesters, watchers, forwarders and strangers under all their names, and the
//! beacon, too. At each of its decisions it looks at `WIDTH` futures of one to `DEPTH` acts and takes the one in which the measure of
//! its goal is highest; one decision in five it takes blindly (one in 25 where patience counts), so that no hill holds it for ever. Acts are those of a play, some that
//! serve the goal, and waits to the very millisecond in which a deadline passes. In every future every call is watched as in a
//! play, and what the goal forbids is looked at beside it.
//!
//! That a hunter finds what is broken is a test, too: `broken` has a rule for each theorem that is broken behind the contract's back.
//!
//! `ATOMA_HUNT_RUNS` is the number of hunts for each theorem, `ATOMA_SEARCH_FROM` the seed of the first.

mod acts;
mod goals;
mod measures;
mod money;

use super::{
    broken::{self, Broken},
    play::{Play, Seen},
};
use goals::Goal;

/// Hunts for each theorem unless `ATOMA_HUNT_RUNS` says otherwise.
const RUNS: u64 = 5;
/// Futures that a decision looks at.
const WIDTH: u64 = 6;
/// The most acts of one.
const DEPTH: u64 = 4;
/// Decisions of a hunt.
const DECISIONS: usize = 160;
/// Hunts in which a broken rule must be found.
const HUNTS: u64 = 12;

/// A hunter's decision.
fn decide(mut play: Play, goal: &Goal) -> Play {
    let width = if play.chance(goal.blind) { 1 } else { WIDTH };
    let mut best: Option<(i128, Play)> = None;
    for _ in 0..width {
        let seed = play.throw();
        let mut future = play.clone();
        future.reseed(seed);
        for _ in 0..=future.below(DEPTH) {
            (goal.act)(&mut future);
        }
        (goal.turn)(&mut future);
        (goal.check)(&future);
        let measure = (goal.measure)(&future);
        if best.as_ref().is_none_or(|(highest, _)| measure > *highest) {
            best = Some((measure, future));
        }
    }
    let (_, next) = best.unwrap();
    next
}

/// What was met, and how near the hunter came.
fn hunt(goal: &Goal, broken: Option<Broken>, seed: u64) -> (Seen, i128) {
    let mut play = Play::new(seed);
    play.broken = broken;
    (goal.prepare)(&mut play);
    let mut nearest = i128::MIN;
    for _ in 0..DECISIONS {
        if (goal.is_over)(&play) {
            break;
        }
        play = decide(play, goal);
        nearest = nearest.max((goal.measure)(&play));
    }
    (goal.end)(&mut play);
    (goal.check)(&play);
    (play.seen, nearest)
}

/// No hunter finds anything.
fn search(goal: &Goal) {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let runs = number("ATOMA_HUNT_RUNS").unwrap_or(RUNS);
    let from: u64 = number("ATOMA_SEARCH_FROM").unwrap_or(0);
    let (mut seen, mut nearest) = (Seen::default(), i128::MIN);
    for seed in from..from + runs {
        let hunted = std::panic::catch_unwind(|| hunt(goal, None, seed));
        let (of_one, near) = hunted.unwrap_or_else(|reason| {
            eprintln!("seed {seed}");
            std::panic::resume_unwind(reason)
        });
        seen.add(&of_one);
        nearest = nearest.max(near);
    }
    eprintln!(
        "{}: {runs} hunts, nearest {nearest}: {seen:?}",
        goal.theorem
    );
}

/// A hunter finds the rule that is broken, and it is the theorem's own watch that says so.
fn finds(goal: &Goal, broken: Broken, words: &str) {
    for seed in 0..HUNTS {
        let hunted = std::panic::catch_unwind(|| hunt(goal, Some(broken), seed));
        let Err(reason) = hunted else {
            continue;
        };
        let text = reason.downcast_ref::<String>().cloned();
        let text = text.or_else(|| reason.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let text = text.unwrap_or_default();
        assert!(text.contains(words), "{}: {text}", goal.theorem);
        eprintln!("{}: found in hunt {seed}", goal.theorem);
        return;
    }
    panic!("{} hunters found nothing: {}", HUNTS, goal.theorem);
}

macro_rules! theorems {
    ($($search:ident, $finds:ident: $goal:ident, $broken:ident, $words:literal;)*) => { $(
        #[test]
        fn $search() {
            search(&goals::$goal);
        }

        #[test]
        fn $finds() {
            finds(&goals::$goal, broken::$broken, $words);
        }
    )* };
}

theorems! {
    no_hunter_is_paid_for_what_it_cannot_back, a_hunter_finds_demands_that_are_forgotten:
        WHOLE, DEMANDS_ARE_FORGOTTEN, "without a proper record";
    no_hunter_harms_who_follows_the_protocol, a_hunter_finds_an_answer_window_that_is_too_short:
        BOUNDED_HARM, ANSWERS_HAVE_TWELVE_HOURS, "bounded harm";
    no_hunter_takes_more_from_who_is_away_than_is_shown, a_hunter_finds_that_half_is_shown:
        AWAY, HALF_IS_SHOWN, "bounded harm";
    no_hunter_gains_by_harm, a_hunter_finds_fines_that_owners_share:
        NO_PROFIT, OWNERS_SHARE_FINES, "no profit";
    no_hunter_leaves_with_something_at_stake, a_hunter_finds_collateral_that_leaves_too_soon:
        NO_EXIT, COLLATERAL_LEAVES_AT_ANY_TIME, "no exit by guilt";
    no_hunter_makes_a_conviction_cheaper, a_hunter_finds_fines_for_one_ticket_of_two:
        NO_PLEA, ONE_TICKET_IS_FINED, "no plea";
    no_hunter_binds_a_node_without_its_hand, a_hunter_finds_purchases_that_raise_a_lease:
        CONSENT, TOP_UPS_RAISE_LEASES, "consent";
    no_hunter_leases_by_a_copy_of_its_standing, a_hunter_finds_jailed_nodes_that_lease:
        LIVE_STANDING, THE_JAILED_LEASE, "live standing";
    no_hunter_leases_more_than_it_stands_for, a_hunter_finds_collateral_that_counts_twice:
        SKIN, COLLATERAL_COUNTS_TWICE, "skin";
    no_hunter_keeps_money_for_longer_than_six_days, a_hunter_finds_windows_that_accomplices_extend:
        FREE_EXITS, ANSWERS_EXTEND_WINDOWS, "free exits";
    no_hunter_buys_an_examination_that_nobody_makes, a_hunter_finds_sales_with_one_attester:
        FOR_SALE, ONE_ATTESTER_IS_ENOUGH, "for sale";
    no_hunter_gains_by_a_circle_of_its_own_money, a_hunter_finds_rebates_above_what_was_paid:
        VALUE_COUNTS, REBATES_ARE_ABOVE_FEES, "value counts";
}
