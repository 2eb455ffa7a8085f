//! `atoma demo`: the first thing that a newcomer runs.

use crate::atoma;

#[test]
fn the_demo_serves_settles_and_conserves_money() {
    let output = atoma::run(&["demo", "What is the sun?"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{stderr}\n{}",
        String::from_utf8_lossy(&output.stdout)
    );
    let steps = atoma::objects(&output.stdout);
    for step in &steps {
        assert!(
            step["step"].is_string() && step["took_ms"].is_u64(),
            "{step}"
        );
    }
    let summary = steps.last().expect("there are steps");
    assert_eq!(summary["step"], "summary");
    assert_eq!(summary["conserved"], true);
    let amount = |name: &str| {
        summary[name]
            .as_u64()
            .unwrap_or_else(|| panic!("no `{name}` in {summary}"))
    };
    assert!(amount("paid_to_nodes_micro_usdc") > 0, "{summary}");
    assert!(amount("receipts_verified") > 0, "{summary}");
    assert_eq!(
        amount("deposited_micro_usdc"),
        amount("paid_to_nodes_micro_usdc")
            + amount("withdrawn_micro_usdc")
            + amount("fees_micro_usdc"),
        "{summary}"
    );
    let answered = |name: &str| {
        steps
            .iter()
            .any(|s| s["step"] == name && s["text"].as_str().is_some_and(|t| !t.is_empty()))
    };
    assert!(answered("answer"), "the model said nothing");
    let step = |name: &str| {
        let found = steps.iter().find(|step| step["step"] == name);
        found.unwrap_or_else(|| panic!("no step `{name}`"))
    };
    let stored = step("evidence");
    assert!(
        stored["blob_id"].is_string() && stored["object"].is_string(),
        "{stored}"
    );
    assert_eq!(stored["sealed_for"].as_array().map(Vec::len), Some(2));
    let verified = step("verify");
    assert_eq!(verified["failed"], 0, "{verified}");
    assert_eq!(verified["verdict"], "holds", "{verified}");
}

#[test]
fn a_demo_that_cannot_work_says_so_and_fails() {
    let output = atoma::run(&["demo", "--model", "/nonexistent/model"]);
    assert!(!output.status.success());
    let last = atoma::objects(&output.stdout)
        .pop()
        .expect("there is an error line");
    let error = last["error"].as_str().unwrap_or_default();
    assert!(error.contains("/nonexistent/model"), "{last}");
}
