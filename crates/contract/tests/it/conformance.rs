//! Scenarios for the Move package: what Rust does here, Move must do, byte for byte.
//!
//! What the other tests of this crate do is recorded (`tape`): the attacks, every way to be refused, and plays of parties
//! that want to break a theorem. With `ATOMA_CONFORMANCE` naming a folder the scenarios are written there as JSON,
//! `hand.json` and `random.json`; `cargo xtask move` plays them in the Move VM.
//!
//! In Move an abort ends a test. So what is recorded of one world becomes one scenario of the calls that
//! succeeded, and for calls that were refused one each: the calls before it, and it.

use crate::{
    attacks::{self, Tale},
    package::FIRST_FOREIGN_CODE,
    raw,
    tape::{self, Outcome, Step, Steps},
    theorems, ways,
    world::{ADMIN, World, address},
};
use atoma_types::{
    chain::{AbortCode, Call, Event, ObjectKind, Params},
    hash::Hash32,
};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    rc::Rc,
};

/// Plays, unless `ATOMA_CONFORMANCE_PLAYS` says otherwise.
const PLAYS: usize = 10;
/// Steps of one.
const STEPS: usize = 150;
/// Refusals of one that are played.
const REFUSALS: usize = 2;
/// Scenarios of one test with the same end: some make a thousand copies of a world for what is counted over all of them.
const COPIES: usize = 24;

/// Codes that no call in Move can end with, and why. What is missing here must be reached.
const UNREACHABLE: &[(AbortCode, &str)] = &[
    (AbortCode::ObjectMissing, "the ledger checks the inputs"),
    (
        AbortCode::WrongObjectKind,
        "Move's types say what an argument is",
    ),
    (
        AbortCode::NotAdmin,
        "the ledger lets nobody pass another's object",
    ),
];

/// Codes that only worlds changed behind the rules' back reach here; Move's own tests provoke them.
const IN_MOVE_S_TESTS: &[AbortCode] = &[
    AbortCode::WrongVersion,
    AbortCode::WrongDatabase,
    AbortCode::NoticeNotOver,
];

/// An event of upgrades alone, which are no part of the rules.
const OF_UPGRADES: (&str, &str) = ("db", "VersionAnnounced");

/// A name, and what is played.
type Scenario = (String, Steps);

/// Whether a call of the package in Move can end with this code.
fn reachable(code: u64) -> bool {
    code < FIRST_FOREIGN_CODE && !UNREACHABLE.iter().any(|(other, _)| other.code() == code)
}

/// The code that a scenario ends with, if it ends with one.
fn refusal(steps: &[Rc<Step>]) -> Option<&tape::Abort> {
    match &steps.last()?.outcome {
        Outcome::Aborts(abort) => Some(abort),
        Outcome::Done { .. } => None,
    }
}

/// The scenarios of a tale, by name: those that Move can play.
fn of((name, tale): Tale) -> Vec<Scenario> {
    let scenarios = tape::record(tale).into_iter().enumerate();
    let mut ends = BTreeMap::<&str, usize>::new();
    scenarios
        .filter(|(_, steps)| refusal(steps).is_none_or(|abort| reachable(abort.code)))
        .filter(|(_, steps)| {
            let end = refusal(steps).map_or("", |abort| abort.name);
            let count = ends.entry(end).or_default();
            *count += 1;
            *count <= COPIES
        })
        .map(|(place, steps)| match refusal(&steps) {
            Some(abort) => (format!("{name}_{place}_{}", abort.name), steps),
            None => (format!("{name}_{place}"), steps),
        })
        .collect()
}

/// Every parameter is set to its least and its largest value, and beyond both; with floors and without.
fn every_parameter_at_its_bounds() {
    for name in Params::NAMES {
        for development in [false, true] {
            let mut world = World::new();
            if development {
                let call = world.development_call();
                world.ok(ADMIN, call);
            }
            let (floor, cap) = Params::bounds(name).unwrap();
            for value in [
                cap,
                cap.saturating_add(1),
                floor,
                floor.saturating_sub(1),
                cap / 2,
            ] {
                let call = world.set_param_call(name, value);
                // whether it is refused is for Move to say as well
                let _ = world.run(ADMIN, call);
            }
        }
    }
}

fn by_hand() -> Vec<Scenario> {
    let bounds: Tale = ("bounds", every_parameter_at_its_bounds);
    let tales = attacks::tales().into_iter();
    let tales = tales.chain(ways::TALES.iter().copied());
    let tales = tales.chain(ways::good::TALES.iter().copied());
    let tales = tales.chain(raw::TALES.iter().copied()).chain([bounds]);
    unique(tales.flat_map(of).collect())
}

/// The same calls twice prove nothing more, and neither does the beginning of another scenario.
fn unique(scenarios: Vec<Scenario>) -> Vec<Scenario> {
    // worlds that were copied share the steps before
    let mut inner = BTreeSet::new();
    for (_, steps) in &scenarios {
        if refusal(steps).is_none() {
            let before_last = steps.iter().rev().skip(1);
            inner.extend(before_last.map(Rc::as_ptr));
        }
    }
    let mut seen = BTreeSet::new();
    let mut fresh = |(_, steps): &Scenario| {
        let last = steps.last().map(Rc::as_ptr);
        let texts: Vec<_> = steps
            .iter()
            .map(|step| serde_json::to_vec(&**step).unwrap())
            .collect();
        let parts: Vec<_> = texts.iter().map(Vec::as_slice).collect();
        let is_inner = last.is_some_and(|last| inner.contains(&last));
        !is_inner && seen.insert(Hash32::of_parts(&parts))
    };
    scenarios
        .into_iter()
        .filter(|scenario| fresh(scenario))
        .collect()
}

/// Each play, and some of its refusals: the rarest so far.
fn at_random(plays: usize) -> Vec<Scenario> {
    let mut refused = BTreeMap::<&str, usize>::new();
    let mut all = Vec::new();
    for seed in 0..plays as u64 {
        let recorded = tape::record(|| theorems::short_play(seed, STEPS));
        let mut refusals: Vec<_> = recorded
            .iter()
            .filter_map(|steps| Some((refusal(steps)?, steps)))
            .filter(|(abort, _)| reachable(abort.code))
            .collect();
        for _ in 0..REFUSALS {
            let rarest = refusals
                .iter()
                .enumerate()
                .min_by_key(|(_, (abort, steps))| {
                    (refused.get(abort.name).copied().unwrap_or(0), steps.len())
                });
            let Some((place, _)) = rarest else { break };
            let (abort, steps) = refusals.swap_remove(place);
            *refused.entry(abort.name).or_default() += 1;
            let name = format!("play_{seed}_{}_{}", all.len(), abort.name);
            all.push((name, steps.clone()));
        }
        let wholes = recorded
            .into_iter()
            .filter(|steps| refusal(steps).is_none());
        all.extend(
            wholes
                .max_by_key(Vec::len)
                .map(|steps| (format!("play_{seed}"), steps)),
        );
    }
    all
}

fn write(folder: &str, file: &str, scenarios: &[Scenario]) {
    let scenarios: Vec<_> = scenarios
        .iter()
        .map(|(name, steps)| json!({ "name": name, "steps": written(steps) }))
        .collect();
    let book = json!({ "admin": address(ADMIN).to_string(), "scenarios": scenarios });
    let path = Path::new(folder).join(file);
    std::fs::write(path, serde_json::to_vec(&book).unwrap()).unwrap();
}

/// What came of the steps before a refusal is in another scenario.
fn written(steps: &[Rc<Step>]) -> Vec<serde_json::Value> {
    let whole = |step: &Step| serde_json::to_value(step).unwrap();
    match (refusal(steps), steps.split_last()) {
        (Some(_), Some((last, before))) => before
            .iter()
            .map(|step| step.call_alone())
            .chain([whole(last)])
            .collect(),
        _ => steps.iter().map(|step| whole(step)).collect(),
    }
}

#[test]
fn the_scenarios_reach_every_function_and_every_code() {
    let hand = by_hand();
    if let Ok(folder) = std::env::var("ATOMA_CONFORMANCE") {
        write(&folder, "hand.json", &hand);
    }
    let steps = || hand.iter().flat_map(|(_, steps)| steps);
    for function in Call::FUNCTIONS {
        let name = format!("{}::{}", function.module, function.name);
        let done = steps().any(|s| s.call == name && matches!(s.outcome, Outcome::Done { .. }));
        assert!(done, "{name}");
    }
    // every wire type that the client reads: its bytes are compared in the Move VM
    let mut wire = BTreeSet::new();
    for step in steps() {
        if let Outcome::Done {
            events, objects, ..
        } = &step.outcome
        {
            wire.extend(events.iter().chain(objects).map(tape::Bytes::type_));
        }
    }
    let named = |(module, name): &(&str, &str)| format!("{module}::{name}");
    let kinds = [
        ObjectKind::Db,
        ObjectKind::Node,
        ObjectKind::Task,
        ObjectKind::Stack,
    ]
    .map(ObjectKind::move_name);
    let events = Event::NAMES.iter().filter(|name| **name != OF_UPGRADES);
    for name in events.chain(&kinds).map(named) {
        assert!(wire.contains(name.as_str()), "{name}");
    }
    let codes: BTreeSet<_> = steps()
        .filter_map(|step| match &step.outcome {
            Outcome::Aborts(abort) => Some(abort.code),
            Outcome::Done { .. } => None,
        })
        .collect();
    let missing: Vec<_> = AbortCode::ALL
        .iter()
        .filter(|code| !codes.contains(&code.code()))
        .filter(|code| reachable(code.code()))
        .filter(|code| !IN_MOVE_S_TESTS.contains(code))
        .collect();
    assert!(missing.is_empty(), "reached by no scenario: {missing:?}");
    assert!(hand.len() >= 200, "{}", hand.len());
    check_refusals(&hand);
}

/// `move/atoma/refusals.json` says which function is refused with which codes by some scenario: a check that nothing meets any
/// more is seen there. Written anew with `ATOMA_WRITE_REFUSALS=1`. Beside it, Move's own tests have every function refuse
/// objects of another version.
fn check_refusals(hand: &[Scenario]) {
    let mut table = BTreeMap::<String, BTreeSet<&str>>::new();
    for function in Call::FUNCTIONS {
        table.insert(
            format!("{}::{}", function.module, function.name),
            BTreeSet::new(),
        );
    }
    for (_, steps) in hand {
        if let (Some(abort), Some(last)) = (refusal(steps), steps.last()) {
            table.get_mut(&last.call).unwrap().insert(abort.name);
        }
    }
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../move/atoma/refusals.json"
    );
    let text = serde_json::to_string_pretty(&table).unwrap() + "\n";
    if std::env::var_os("ATOMA_WRITE_REFUSALS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let current = std::fs::read_to_string(path).unwrap_or_default();
    assert!(current == text, "write it anew with ATOMA_WRITE_REFUSALS=1");
}

#[test]
fn random_scenarios_are_written() {
    let plays = std::env::var("ATOMA_CONFORMANCE_PLAYS").ok();
    let plays = plays.and_then(|plays| plays.parse().ok()).unwrap_or(PLAYS);
    // without a reader a few show that it works
    let folder = std::env::var("ATOMA_CONFORMANCE").ok();
    let scenarios = at_random(if folder.is_some() { plays } else { 2 });
    assert!(scenarios.len() >= 2);
    if let Some(folder) = folder {
        write(&folder, "random.json", &scenarios);
    }
}
