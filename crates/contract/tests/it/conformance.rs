//! Scenarios for the Move package: what Rust does here, Move must do, byte for byte.
//!
//! Everything that the tests of this crate do is recorded (`tape`): the good ways, every way to be
//! refused, and random parties. With `ATOMA_CONFORMANCE` naming a folder the scenarios are written
//! there as JSON, `hand.json` and `random.json`; `cargo xtask move` plays them in the Move VM.
//!
//! In Move an abort ends a test. So what is recorded of one world becomes one scenario of the calls that
//! succeeded, and for calls that were refused one each: the calls before it, and it.

use crate::{
    aborts, disputes, exits, markets,
    package::FIRST_FOREIGN_CODE,
    payments, random,
    tape::{self, Outcome, Step},
    treasury,
    world::{ADMIN, World, address},
};
use atoma_types::chain::{AbortCode, Call, Event, ObjectKind, Params};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// Random plays, unless `ATOMA_CONFORMANCE_PLAYS` says otherwise.
const PLAYS: usize = 500;
/// The seed of the random plays: any, but always the same.
const SEED: [u8; 32] = *b"atoma-conformance-the-same-plays";

/// Codes that no call in Move can end with, and why. What is missing here must be reached.
const UNREACHABLE: &[(AbortCode, &str)] = &[
    (AbortCode::ObjectMissing, "the ledger checks the inputs"),
    (
        AbortCode::WrongObjectKind,
        "Move's types say what an argument is",
    ),
    (
        AbortCode::NotBlobOwner,
        "the ledger lets nobody pass another's object",
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
    AbortCode::SubscriptionsFull,
    AbortCode::LeasesFull,
    AbortCode::BookFull,
    AbortCode::BlobInvalid,
];

type Scenario = (String, Vec<Step>);

/// Whether a call of the package in Move can end with this code.
fn reachable(code: u64) -> bool {
    code < FIRST_FOREIGN_CODE && !UNREACHABLE.iter().any(|(other, _)| other.code() == code)
}

/// By the calls that succeeded and, for each that was refused, by those before it and it.
fn scenarios(name: &str, steps: &[Step]) -> Vec<Scenario> {
    let mut done: Vec<Step> = Vec::new();
    let mut scenarios = Vec::new();
    for step in steps {
        match &step.outcome {
            Outcome::Aborts(abort) => {
                if reachable(abort.code) {
                    let steps = done.iter().chain([step]).cloned().collect();
                    scenarios.push((format!("{name}_{}", abort.name), steps));
                }
            }
            Outcome::Done { .. } => done.push(step.clone()),
        }
    }
    scenarios.push((name.to_owned(), done));
    scenarios
}

/// Every parameter is set to its least and its largest value, and beyond both.
fn every_parameter_at_its_bounds() {
    for name in Params::NAMES {
        let mut world = World::new();
        let most = Params::limit(name).unwrap();
        world.set_param(name, most);
        for value in [most.saturating_add(1), 0, 1, 999, 1_000] {
            let call = world.set_param_call(name, value);
            // whether it is refused is for Move to say as well
            let _ = world.run(ADMIN, call);
        }
    }
}

fn by_hand() -> Vec<Scenario> {
    let mut all = Vec::new();
    let mut add = |name: String, act: &mut dyn FnMut()| {
        let worlds = tape::record(act);
        for (world, steps) in worlds
            .iter()
            .enumerate()
            .filter(|(_, steps)| !steps.is_empty())
        {
            all.extend(scenarios(&format!("{name}_{world}"), steps));
        }
    };
    for (place, (code, case)) in aborts::cases().into_iter().enumerate() {
        add(format!("abort_{place}_{code}"), &mut || drop(case()));
    }
    add("bounds".to_owned(), &mut every_parameter_at_its_bounds);
    for (name, tale) in [
        disputes::TALES,
        exits::TALES,
        markets::TALES,
        payments::TALES,
        treasury::TALES,
    ]
    .concat()
    {
        add(name.to_owned(), &mut || tale());
    }
    unique(all)
}

/// The same calls twice prove nothing more; names become unique.
fn unique(scenarios: Vec<Scenario>) -> Vec<Scenario> {
    let mut seen = BTreeSet::new();
    let mut names = BTreeMap::<String, usize>::new();
    scenarios
        .into_iter()
        .filter(|(_, steps)| seen.insert(serde_json::to_string(steps).unwrap()))
        .map(|(name, steps)| {
            let count = names.entry(name.clone()).or_default();
            *count += 1;
            let name = match *count {
                1 => name,
                more => format!("{name}_{more}"),
            };
            (name, steps)
        })
        .collect()
}

/// Each play, and one of its refusals: the rarest so far.
fn at_random(plays: usize) -> Vec<Scenario> {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &SEED);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let mut refused = BTreeMap::<String, usize>::new();
    let mut all = Vec::new();
    for number in 0..plays {
        let worlds = tape::record(|| random::short_play(&mut runner));
        let name = format!("play_{number}");
        let mut own = scenarios(&name, &worlds.concat());
        let whole = own.pop();
        let rarest = own.into_iter().min_by_key(|(_, steps)| {
            let Some(Outcome::Aborts(abort)) = steps.last().map(|step| &step.outcome) else {
                return (usize::MAX, 0);
            };
            (refused.get(abort.name).copied().unwrap_or(0), steps.len())
        });
        if let Some((name, steps)) = rarest {
            if let Some(Outcome::Aborts(abort)) = steps.last().map(|step| &step.outcome) {
                *refused.entry(abort.name.to_owned()).or_default() += 1;
            }
            all.push((name, steps));
        }
        all.extend(whole);
    }
    all
}

fn write(folder: &str, file: &str, scenarios: &[Scenario]) {
    let scenarios: Vec<_> = scenarios
        .iter()
        .map(|(name, steps)| json!({ "name": name, "steps": steps }))
        .collect();
    let book = json!({ "admin": address(ADMIN).to_string(), "scenarios": scenarios });
    let path = Path::new(folder).join(file);
    std::fs::write(path, serde_json::to_vec(&book).unwrap()).unwrap();
}

#[test]
fn the_scenarios_reach_every_function_and_every_code() {
    let hand = by_hand();
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
    for name in Event::NAMES.iter().chain(&kinds).map(named) {
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
    assert!(hand.len() >= 60, "{}", hand.len());
    if let Ok(folder) = std::env::var("ATOMA_CONFORMANCE") {
        write(&folder, "hand.json", &hand);
    }
}

#[test]
fn random_scenarios_are_written() {
    let plays = std::env::var("ATOMA_CONFORMANCE_PLAYS").ok();
    let plays = plays.and_then(|plays| plays.parse().ok()).unwrap_or(PLAYS);
    // without a reader a few show that it works
    let folder = std::env::var("ATOMA_CONFORMANCE").ok();
    let scenarios = at_random(if folder.is_some() { plays } else { 5 });
    assert!(scenarios.len() >= 5);
    if let Some(folder) = folder {
        write(&folder, "random.json", &scenarios);
    }
}
