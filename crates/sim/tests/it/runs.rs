//! What holds of every run.

use atoma_sim::{Plan, PlanError, Report, Strategy, measure, run};

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

#[test]
fn no_money_comes_or_goes_in_any_run() {
    for &strategy in Strategy::ALL {
        let outcome = run(&plan(strategy, 3)).unwrap();
        assert_eq!(outcome.unaccounted, 0, "{strategy}");
    }
}

#[test]
fn honest_nodes_are_convicted_of_nothing_but_in_long_outages() {
    for &strategy in Strategy::ALL {
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
