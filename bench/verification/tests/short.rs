//! The study's short form: a few answers of each kind.

use atoma_bench_verification::{Kind, Model, Wanted, cheats, cost, honest};

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
