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
fn the_demo_of_a_full_node_shows_both_records_and_pays_both_nodes() {
    let output = atoma::run(&["demo", "What is the sun?", "--forward"]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let steps = atoma::objects(&output.stdout);
    let step = |name: &str| {
        let found = steps.iter().find(|step| step["step"] == name);
        found.unwrap_or_else(|| panic!("no step `{name}`"))
    };
    let (first, second) = (step("receipt"), step("forwarded"));
    assert_eq!(first["node"], step("stock")["node"]);
    assert_eq!(second["second_node"], step("stock")["other_node"]);
    assert_eq!(first["units"], second["second_units"]);
    let checks = step("verify")["checks"].as_array().unwrap();
    let seen = checks
        .iter()
        .find(|check| check["check"] == "second record");
    assert_eq!(seen.unwrap()["result"], "passed");
    assert_eq!(step("settled")["units_paid"], first["units"]);
    // the gateway's request may have come to the full node, too
    assert!(step("forward_settled")["units_paid"].as_u64() >= first["units"].as_u64());
    for settled in ["settled", "forward_settled"] {
        assert!(step(settled)["paid_to_node_micro_usdc"].as_u64() > Some(0));
    }
    assert_eq!(step("summary")["conserved"], true);
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

/// The last step of a demo in which a node cheats in a way, or doesn't.
fn cheated(kind: &str) -> serde_json::Value {
    let output = atoma::run(&["demo", "--cheat", kind]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let summary = atoma::objects(&output.stdout).pop().unwrap();
    assert_eq!(summary["step"], "summary");
    assert_eq!(summary["conserved"], true);
    summary
}

#[test]
fn the_demo_of_a_cheat_convicts_its_node_and_gives_its_user_all_back() {
    let summary = cheated("int4");
    assert_eq!(summary["convicted"], true);
    assert_eq!(summary["user_whole"], true);
}

/// How the node was convicted, and that the demand's fee came back with all else.
fn shown_nothing(kind: &str) -> serde_json::Value {
    let output = atoma::run(&["demo", "--cheat", kind]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    let steps = atoma::objects(&output.stdout);
    let summary = steps.last().unwrap();
    assert_eq!(
        (&summary["conserved"], &summary["user_whole"]),
        (&true.into(), &true.into()),
        "{summary}"
    );
    let convicted = steps.iter().find(|step| step["step"] == "convicted");
    convicted.unwrap()["charge"].clone()
}

#[test]
fn the_demo_of_a_node_that_shows_nothing_convicts_it_of_that() {
    let undisclosed = "an examined record was not disclosed in time";
    assert_eq!(shown_nothing("withheld"), undisclosed);
    let silence = "a demanded record was not shown in time";
    assert_eq!(shown_nothing("silent"), silence);
}

#[test]
fn the_demo_without_a_cheat_pays_everyone() {
    let summary = cheated("none");
    assert_eq!(summary["convicted"], false);
    assert!(summary["paid_to_node_micro_usdc"].as_u64() > Some(0));
    assert!(summary["attesters_earned_micro_usdc"].as_u64() > Some(0));
}
