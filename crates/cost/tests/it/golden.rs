//! The default report, as people and programs see it.

use atoma_cost::{Assumptions, report, to_text};

#[test]
fn the_default_report() {
    let report = report(&Assumptions::for_model(None).unwrap()).unwrap();
    let text = to_text(&report);
    let seen = concat!(env!("CARGO_TARGET_TMPDIR"), "/cost-default.txt");
    std::fs::write(seen, &text).unwrap();
    assert!(text.lines().all(|line| line.len() <= 100), "{text}");
    assert_eq!(
        text,
        include_str!("../golden/default.txt"),
        "what was seen is in {seen}"
    );
}

#[test]
fn json_has_exact_amounts_as_text() {
    let report = report(&Assumptions::for_model(None).unwrap()).unwrap();
    let json = serde_json::to_value(&report).unwrap();
    assert_eq!(json["lines"][0]["kind"], "compute");
    assert_eq!(json["lines"][0]["per_month"], "26730.00");
    assert_eq!(json["lines"][0]["per_request"], "0.000891");
    assert_eq!(json["assumptions"]["gpu_hour"], "2.75");
    assert_eq!(json["volume"]["requests_per_month"], 30_000_000);
    assert_eq!(json["volume"]["records_per_pack"], 9_554);
}
