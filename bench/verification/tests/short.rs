//! The study's short form: a few answers of each kind.

use atoma_bench_verification::{
    Found, Kind, Model, TolerantRow, Trials, Wanted, cheats, cost, honest, tolerant,
};
use atoma_network::cheat::Cheat;

#[tokio::test]
async fn every_cheat_is_found_that_can_be_and_what_cannot_be_is_named() {
    let rows = cheats(&Model::default(), 3, |_| ()).await.unwrap();
    assert_eq!(rows.len(), Kind::all().len());
    for row in rows {
        assert!(row.is_as_expected(), "{}: {row:?}", row.kind.name());
    }
}

#[tokio::test]
async fn no_honest_answer_is_found_guilty() {
    let wanted = Wanted {
        answers: 24,
        ..Wanted::default()
    };
    let honest = honest(&Model::default(), &wanted, |_| ()).await.unwrap();
    assert_eq!(honest.wronged, Vec::<String>::new());
    assert!(honest.answers >= 24);
}

#[tokio::test]
async fn what_a_look_costs_is_measured() {
    for cost in cost(&Model::default(), 8).await.unwrap() {
        assert!(cost.ratio() > 0.0, "{cost:?}");
    }
}

#[tokio::test]
async fn close_numbers_are_honest_and_plain_cheats_are_seen_in_the_tolerant_classes() {
    let trials = Trials {
        honest: 1_200,
        cheats: 400,
        seed: 3,
    };
    let classes = tolerant(&Model::default(), trials, |_| ()).await.unwrap();
    assert_eq!(classes.len(), 2);
    for class in classes {
        let found = |row: &TolerantRow| Found::of(&class.fitted, &row.audits);
        let (good, bad): (Vec<_>, Vec<_>) = class.rows.iter().partition(|row| row.is_honest);
        assert!(good.iter().all(|row| found(row).guilty == 0), "{good:?}");
        // what any of the classes must see, in each audit of 200 tokens; a model that is mostly sure of what it says says
        // nearly the same if it is greedy
        let seen = bad.iter().filter(|row| found(row).guilty == found(row).all);
        let seen: Vec<&str> = seen.map(|row| row.does.as_str()).collect();
        for plain in [Cheat::WrongSeed, Cheat::Int4, Cheat::ShorterPrompt] {
            assert!(seen.contains(&plain.does()), "{plain}: {seen:?}");
        }
    }
}
