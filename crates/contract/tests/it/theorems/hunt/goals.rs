//! A goal for each theorem.

use super::{
    super::play::{OWNERS, Play},
    measures,
};
use crate::world::*;
use atoma_types::hash::Hash32;
use std::collections::BTreeSet;

/// What a hunter wants.
pub(super) struct Goal {
    pub(super) theorem: &'static str,
    /// What there is when it begins.
    pub(super) prepare: fn(&mut Play),
    /// One of its acts.
    pub(super) act: fn(&mut Play),
    /// What happens once it has acted, whatever it did.
    pub(super) turn: fn(&mut Play),
    /// How near it is.
    pub(super) measure: fn(&Play) -> i128,
    /// What must never be.
    pub(super) check: fn(&Play),
    /// Of a hundred decisions, those that are blind.
    pub(super) blind: u64,
    pub(super) is_over: fn(&Play) -> bool,
    pub(super) end: fn(&mut Play),
}

const HUNTER: Goal = Goal {
    theorem: "",
    prepare: |play| (0..60).for_each(|_| play.step()),
    act: Play::step,
    turn: |_| {},
    measure: |_| 0,
    check: |_| {},
    blind: 20,
    is_over: |_| false,
    end: Play::finish,
};

/// One of these half of the time, a deadline now and then, and else what a play has.
fn mostly(play: &mut Play, own: &[fn(&mut Play)]) {
    match play.below(10) {
        0..=4 => only(play, own),
        5 => play.wait_for_a_deadline(),
        _ => play.step(),
    }
}

fn only(play: &mut Play, own: &[fn(&mut Play)]) {
    let act = play.one(own).unwrap();
    act(play);
}

pub(super) const WHOLE: Goal = Goal {
    theorem: "1, whole",
    act: |play| {
        mostly(
            play,
            &[
                Play::serve_badly,
                Play::settle_hostile,
                Play::demand_what_is_not_there,
                Play::claim_something,
                Play::be_dutiful,
            ],
        );
    },
    measure: measures::unbacked,
    ..HUNTER
};

pub(super) const BOUNDED_HARM: Goal = Goal {
    theorem: "2, bounded harm",
    act: |play| {
        mostly(
            play,
            &[
                Play::take_lease,
                Play::serve_something,
                Play::demand,
                Play::challenge,
                Play::call_what_anyone_may,
                Play::change_a_stack,
                Play::some_hours,
            ],
        );
    },
    measure: measures::harm,
    ..HUNTER
};

pub(super) const AWAY: Goal = Goal {
    theorem: "2, of a node that stays away",
    prepare: |play| {
        (0..200).for_each(|_| play.step());
        let node = play.one_goes();
        (play.prey.had, play.prey.shown) = play.account_of(node);
        play.prey.node = Some(node);
        play.prey.shown.fines.0 /= play.broken.map_or(1, |broken| broken.shown);
    },
    act: |play| {
        mostly(
            play,
            &[
                |play| play.hunt(play.prey.node.unwrap()),
                Play::claim_something,
                Play::call_what_anyone_may,
            ],
        );
    },
    measure: measures::lost,
    check: |play| {
        let (has, _) = play.account_of(play.prey.node.unwrap());
        let least = play.prey.had.0.saturating_sub(play.prey.shown.fines.0);
        assert!(has.0 >= least, "bounded harm: {has} is less than {least}");
    },
    end: |_| {},
    ..HUNTER
};

pub(super) const NO_PROFIT: Goal = Goal {
    theorem: "3, no profit in harm",
    prepare: |play| {
        let owners = OWNERS.into_iter().chain([WATCHER, STRANGER]);
        play.prey.coalition = owners.map(address).collect();
        play.prey.wealth = play.wealth(&play.prey.coalition);
        (0..60).for_each(|_| play.step());
    },
    act: |play| {
        mostly(
            play,
            &[
                Play::demand,
                Play::serve_badly,
                Play::demand_what_is_not_there,
                Play::challenge,
                Play::equivocate,
                Play::some_hours,
                Play::call_what_anyone_may,
                Play::settle_hostile,
            ],
        );
    },
    measure: measures::gained_by_harm,
    check: |play| {
        let has = play.wealth(&play.prey.coalition);
        assert!(has <= play.prey.wealth, "no profit in harm: {has}");
    },
    ..HUNTER
};

pub(super) const NO_EXIT: Goal = Goal {
    theorem: "4, no exit by guilt",
    act: |play| {
        mostly(
            play,
            &[
                Play::leave_somehow,
                Play::leave_somehow,
                Play::take_lease,
                Play::settle_hostile,
                Play::equivocate,
            ],
        );
    },
    measure: measures::on_the_way_out,
    ..HUNTER
};

pub(super) const NO_PLEA: Goal = Goal {
    theorem: "5, no plea",
    act: |play| {
        mostly(
            play,
            &[
                Play::serve_badly,
                Play::settle_hostile,
                Play::demand,
                Play::equivocate,
                Play::change_a_stack,
                Play::call_what_anyone_may,
            ],
        );
    },
    measure: measures::two_tickets,
    check: measures::check_fines,
    ..HUNTER
};

pub(super) const CONSENT: Goal = Goal {
    theorem: "6, consent",
    prepare: |play| {
        (0..150).for_each(|_| play.step());
        let node = play.one_goes();
        play.prey.node = Some(node);
        play.prey.at_stake = play.w.node(node).at_stake;
    },
    act: |play| {
        mostly(
            play,
            &[
                Play::top_up_something,
                Play::change_a_stack,
                Play::take_lease,
            ],
        );
    },
    measure: measures::bound,
    check: |play| {
        let node = play.w.node(play.prey.node.unwrap());
        assert!(node.at_stake <= play.prey.at_stake, "consent");
    },
    end: |_| {},
    ..HUNTER
};

pub(super) const LIVE_STANDING: Goal = Goal {
    theorem: "7, live standing",
    act: |play| {
        mostly(
            play,
            &[
                Play::serve_badly,
                Play::settle_hostile,
                Play::equivocate,
                Play::buy,
                Play::take_lease,
                Play::take_lease,
                Play::offer_again,
                Play::lease_though_fallen,
            ],
        );
    },
    measure: measures::stale_copies,
    ..HUNTER
};

pub(super) const SKIN: Goal = Goal {
    theorem: "8, skin",
    act: |play| {
        mostly(
            play,
            &[
                Play::buy,
                Play::take_all,
                Play::take_lease,
                Play::equivocate,
            ],
        );
    },
    measure: measures::leverage,
    ..HUNTER
};

pub(super) const FREE_EXITS: Goal = Goal {
    theorem: "9, free exits",
    prepare: |play| {
        (0..150).for_each(|_| play.step());
        for _ in 0..20 {
            play.buy_examined();
            play.take_all();
            play.serve_something();
        }
        play.close(100);
        play.prey.idle_attesters = true;
    },
    act: |play| {
        only(
            play,
            &[
                Play::demand,
                Play::challenge,
                Play::hostile_duties,
                Play::be_dutiful,
                Play::attester_duties,
                Play::settle_all,
                Play::settle_hostile,
                Play::serve_something,
                Play::attesters_come_and_go,
                Play::change_a_stack,
                Play::call_what_anyone_may,
            ],
        );
    },
    turn: Play::an_hour,
    measure: measures::lateness,
    check: |play| play.check_in_time(),
    blind: 4,
    is_over: Play::is_over,
    end: Play::finish_hunt,
};

pub(super) const FOR_SALE: Goal = Goal {
    theorem: "10, nothing for sale that isn't there",
    prepare: |play| {
        (0..60).for_each(|_| play.step());
        play.prey.idle_attesters = true;
    },
    act: |play| {
        mostly(
            play,
            &[
                Play::attesters_come_and_go,
                Play::attester_duties,
                Play::some_hours,
                Play::buy_examined,
                Play::buy_examined,
                Play::take_lease,
                Play::serve_something,
                Play::settle_hostile,
                Play::call_what_anyone_may,
            ],
        );
    },
    measure: measures::unexamined,
    ..HUNTER
};

pub(super) const VALUE_COUNTS: Goal = Goal {
    theorem: "11, value counts",
    prepare: |play| {
        fill_the_treasury(play);
        // all others are one wallet, and no attester's luck is in it
        play.tasks.truncate(1);
        let others = (0..=u8::MAX).filter(|party| ![ADMIN, OPERATOR + 2].contains(party));
        play.prey.coalition = others.map(address).collect::<BTreeSet<_>>();
        play.players
            .retain(|player| player.operator != OPERATOR + 2);
        play.players
            .iter_mut()
            .for_each(|player| player.honest = false);
        play.prey.wealth = play.wealth(&play.prey.coalition);
    },
    act: |play| {
        only(
            play,
            &[
                Play::buy,
                Play::take_lease,
                Play::serve_something,
                Play::deal_with_oneself,
                Play::settle_hostile,
                Play::claim_something,
                Play::claim_something,
                Play::be_dutiful,
                Play::demand,
                Play::round_of_the_treasury,
                Play::round_of_the_treasury,
                Play::wait_for_a_deadline,
                Play::some_hours,
            ],
        );
    },
    measure: measures::circled,
    check: |play| {
        let gained = play.wealth(&play.prey.coalition) - play.prey.wealth;
        assert!(gained <= 0, "value counts: {gained}");
    },
    end: |_| {},
    ..HUNTER
};

/// A node that is nobody's accomplice is convicted of something large, and its fine is the treasury's.
fn fill_the_treasury(play: &mut Play) {
    let (operator, task) = (OPERATOR + 2, play.tasks[0]);
    let node = play.players[2].node;
    let w = &mut play.w;
    let call = w.acquire_call(task, 300 * USDC, 5_000_000, 0);
    let stack = bought(&w.ok(USER, call));
    let units = 100 * USDC;
    w.grant(operator, stack, node, units);
    let mut chain = Chain::new(stack, node, USER, operator);
    chain.serve(w, units);
    w.settle(&chain);
    let mut other = chain.last.as_ref().unwrap().1.message().clone();
    other.response_hash = Hash32([3; 32]);
    let other = signed(other, operator);
    let other = (other.bytes().to_vec(), other.signature().to_bytes());
    let call = w.equivocation_call(stack, node, chain.last_receipt(), other);
    w.ok(STRANGER, call);
    w.now += 7 * DAY + 1;
    w.ok(STRANGER, forfeit_call(node));
    assert!(w.db().communal_treasury.0 > 100 * USDC);
}
