//! Each strategy gains under the weaker set that is named for it, and doesn't under the defaults.

use atoma_sim::{Plan, Size, Strategy, WHOLE, choose, measure, weaker};
use atoma_types::chain::Params;

fn plan(strategy: Strategy) -> Plan {
    let Size {
        nodes,
        requests,
        seed,
    } = Size::default();
    Plan::new(strategy, nodes, requests, seed)
}

fn gains(plan: &Plan) -> bool {
    let ratio = measure(plan).unwrap().ratio();
    ratio.is_some_and(|ratio| ratio > WHOLE)
}

fn pays_only_under_weaker_rules(strategy: Strategy) {
    let plan = plan(strategy);
    assert_eq!(plan.rules.params, Params::default());
    assert!(!gains(&plan), "{strategy} gains under the defaults");
    let set = weaker(strategy).unwrap();
    assert!(
        gains(&set.of(&plan)),
        "{strategy} doesn't gain where {}",
        set.name
    );
}

macro_rules! strategies {
    ($($test:ident: $strategy:ident;)*) => {
        $(#[test]
        fn $test() {
            pays_only_under_weaker_rules(Strategy::$strategy);
        })*
    };
}

strategies! {
    a_cheap_model_pays_only_at_the_floors: CheapModel;
    cheating_on_large_requests_pays_only_if_records_are_drawn: Selective;
    withholding_pays_only_if_users_sign_on: Withholding;
    overcounting_pays_only_unexamined: Overcounting;
    a_made_up_capacity_pays_only_if_it_is_believed: CapacityBluff;
    many_names_pay_only_if_names_are_counted: Sybil;
    convicting_oneself_pays_only_if_silence_is_cheaper: SelfConvicting;
    washing_pays_only_if_more_comes_back_than_was_paid: WashTrading;
    a_colluding_fifth_pays_only_at_the_floors: ColludingShare;
    looking_at_nothing_pays_only_if_nobody_tests: LazyExaminer;
    echoing_the_examiner_pays_only_if_it_says_what_it_found: CopyingExaminer;
    being_told_what_to_say_pays_only_if_nobody_tests: HelpedExaminer;
    bribing_a_fifth_pays_only_at_the_floors: BribedExaminers;
    griefing_pays_only_where_fines_go_to_owners: GriefingUser;
    accusing_pays_only_where_a_bond_is_flat_and_all_is_given_back: AccusingOwner;
    squatting_pays_only_where_whole_stacks_are_leased_for_ever: SquattingUser;
}

#[test]
fn an_outage_below_the_answer_window_costs_business_and_no_collateral() {
    let measured = measure(&plan(Strategy::RegionalOutage)).unwrap();
    assert!(measured.ratio().is_some_and(|ratio| ratio < WHOLE));
    assert_eq!(measured.outcome.seen.convicted, 0);
}

/// Seven drawn jurors are five of a third's once in 22 times; its examiners accuse now and then, too.
#[test]
fn an_accusing_third_is_believed_about_once_in_twenty_two() {
    let measured = measure(&plan(Strategy::AccusingOwner)).unwrap();
    let seen = &measured.outcome.seen;
    let (accused, convicted) = (seen.accusations, seen.convicted_honest);
    assert!(accused > 500, "{accused}");
    let about = accused / 33..=accused / 15;
    assert!(about.contains(&convicted), "{convicted} of {accused}");
    let honest = &measured.honest.seen;
    assert_eq!((honest.accusations, honest.convicted_honest), (0, 0));
}

#[test]
fn the_advice_has_an_object_for_each_strategy_and_then_the_default_parameters() {
    let size = Size {
        nodes: 40,
        requests: 10_000,
        seed: 1,
    };
    let advice = atoma_sim::advise(size).unwrap();
    let json = advice.to_json().unwrap();
    let lines: Vec<serde_json::Value> = json
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let (last, strategies) = lines.split_last().unwrap();
    assert_eq!(strategies.len(), Strategy::ALL.len() - 1);
    for line in strategies {
        assert!(line["strategy"].is_string());
        assert!(line.get("profit_relative_to_honesty").is_some());
    }
    let params: Params = serde_json::from_value(last["parameters"].clone()).unwrap();
    assert_eq!(params, Params::default());
    assert_eq!(choose::parameters(&atoma_sim::Market::default()), params);
    let mut told = Vec::new();
    let again = atoma_sim::advise_telling(size, |at| told.push(at)).unwrap();
    let all = told.len();
    assert!(all > Strategy::ALL.len() && told[0].now == strategies[0]["strategy"]);
    for (done, at) in told.iter().enumerate() {
        assert_eq!((at.done, at.all), (done, all), "each part is told once");
    }
    assert_eq!(again.to_json().unwrap(), json);
    assert_eq!(again.plots(), advice.plots());
}
