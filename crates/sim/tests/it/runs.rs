//! What holds of every run.

use atoma_sim::{Plan, PlanError, Report, Size, Strategy, advise, measure, run};
use atoma_types::chain::Params;

fn plan(strategy: Strategy, seed: u64) -> Plan {
    Plan::new(strategy, 60, 40_000, seed)
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_gives_others() {
    let bytes = |seed| {
        let measured = measure(&plan(Strategy::CheapModel, seed)).unwrap();
        let outcome = serde_json::to_string(&measured.outcome).unwrap();
        outcome + &serde_json::to_string(&Report::new(&measured)).unwrap()
    };
    assert_eq!(bytes(1), bytes(1));
    assert_ne!(bytes(1), bytes(2));
}

/// What `atoma sim advise --json` prints.
#[test]
fn an_advice_has_a_line_for_each_strategy_then_the_parameters_and_the_same_bytes_again() {
    let bytes = |seed| {
        let size = Size {
            nodes: 40,
            requests: 4_000,
            seed,
        };
        advise(size).unwrap().to_json().unwrap()
    };
    let text = bytes(1);
    assert_eq!(text, bytes(1));
    assert_ne!(text, bytes(2));
    let lines = text.lines().map(serde_json::from_str);
    let mut lines: Vec<serde_json::Value> = lines.map(Result::unwrap).collect();
    let last = lines.pop().unwrap();
    let parameters: Params = serde_json::from_value(last["parameters"].clone()).unwrap();
    assert_eq!(parameters, Params::default());
    let named = lines.iter().map(|line| line["strategy"].as_str().unwrap());
    let named: Vec<&str> = named.collect();
    let others = Strategy::ALL.iter().filter(|&&s| s != Strategy::Honest);
    let others: Vec<&str> = others.map(|strategy| strategy.name()).collect();
    assert_eq!(named, others);
    let has_profit = |line: &serde_json::Value| line.get("profit_relative_to_honesty").is_some();
    assert!(lines.iter().all(has_profit));
}

#[test]
fn no_money_comes_or_goes_in_any_run() {
    for &strategy in Strategy::ALL {
        let outcome = run(&plan(strategy, 3)).unwrap();
        assert_eq!(outcome.unaccounted, 0, "{strategy}");
    }
}

#[test]
fn honest_nodes_are_convicted_of_nothing_but_in_long_outages_and_by_liars() {
    let others = Strategy::ALL.iter().copied();
    // of five drawn for a jury all may be the accusing owner's
    for strategy in others.filter(|&strategy| strategy != Strategy::AccusingOwner) {
        let outcome = run(&plan(strategy, 4)).unwrap();
        assert_eq!(outcome.seen.convicted_honest, 0, "{strategy}");
    }
}

#[test]
fn honesty_beside_itself_is_one() {
    let measured = measure(&plan(Strategy::Honest, 5)).unwrap();
    assert_eq!(measured.ratio(), Some(atoma_sim::WHOLE));
}

#[test]
fn ten_thousand_nodes_and_a_million_requests_run() {
    let outcome = run(&Plan::new(Strategy::CheapModel, 10_000, 1_000_000, 1)).unwrap();
    assert!(outcome.seen.requests >= 1_000_000);
    assert!(outcome.seen.convicted > 0);
    assert_eq!(outcome.unaccounted, 0);
}

/// Those whose parties would have whole tasks to themselves, or more names than a task has places, if tasks were
/// dealt out carelessly.
#[test]
fn no_coalition_of_attesters_or_names_earns_more_among_ten_thousand_nodes_either() {
    for strategy in [
        Strategy::Sybil,
        Strategy::ColludingShare,
        Strategy::LazyExaminer,
        Strategy::HelpedExaminer,
        Strategy::CopyingExaminer,
        Strategy::BribedExaminers,
    ] {
        let plan = Plan::new(strategy, 10_000, 1_000_000, 1);
        let earned = measure(&plan).unwrap().ratio().unwrap();
        assert!(earned < atoma_sim::WHOLE, "{strategy}: {earned}");
    }
}

#[test]
fn plans_that_cannot_be_carried_out_are_refused() {
    let mut small = plan(Strategy::Honest, 1);
    small.nodes = 3;
    assert_eq!(run(&small), Err(PlanError::Nodes));
    let mut nothing = plan(Strategy::Honest, 1);
    nothing.requests = 0;
    assert_eq!(run(&nothing), Err(PlanError::Requests));
    let mut market = plan(Strategy::Honest, 1);
    market.market.request = 0;
    assert_eq!(run(&market), Err(PlanError::Market));
}
