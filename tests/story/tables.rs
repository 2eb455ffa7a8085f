//! What people see fits their terminal, and what programs get says its units.

use crate::atoma::{Process, command, objects, plain};
use serde_json::Value;
use std::path::Path;

const COLUMNS: usize = 80;

/// A command's text, as a person reads it.
fn reads(home: &Path, args: &[&str]) -> String {
    let output = plain().args(args).env("ATOMA_HOME", home).output().unwrap();
    String::from_utf8(output.stdout).unwrap()
}

fn prints(home: &Path, args: &[&str]) -> Vec<Value> {
    let output = command(args).env("ATOMA_HOME", home).output().unwrap();
    objects(&output.stdout)
}

/// Names of numbers that count nothing with a unit.
const PLAIN: [&str; 30] = [
    "nodes",
    "reputation",
    "settled",
    "paid_tickets",
    "convictions",
    "candidates",
    "ticket",
    "unit",
    "from_unit",
    "to_unit",
    "record",
    "seq",
    "units",
    "ungranted_units",
    "cumulative_units",
    "input_tokens",
    "output_tokens",
    "cached_input_tokens",
    "passed",
    "failed",
    "skipped",
    "records",
    "hold",
    "incomplete",
    "fail",
    "number",
    "checkpoint",
    "requests",
    "events",
    "end_epoch",
];

fn says_its_unit(name: &str) -> bool {
    let endings = [
        "_micro_usdc",
        "_micro_usdc_per_million_units",
        "_mist",
        "_ms",
        "_bytes",
        "_units",
    ];
    PLAIN.contains(&name) || endings.iter().any(|ending| name.ends_with(ending))
}

#[test]
fn tables_fit_eighty_columns_and_numbers_name_their_units() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let devnet = Process::start_at(home, &["devnet", "--any-port"]);
    prints(home, &["wallet", "new"]);
    prints(home, &["wallet", "fund", "--usdc", "5"]);
    let told = prints(
        home,
        &["chat", "Hello!", "--budget", "1", "--max-tokens", "4"],
    );
    let request = told[0]["request"].as_str().unwrap();
    let stack = told[0]["stack"].as_str().unwrap();
    let commands: [&[&str]; 11] = [
        &["wallet", "list"],
        &["task", "list"],
        &["task", "show", devnet.text("model")],
        &["node", "list"],
        &["node", "list", "--all"],
        &["stack", "list", "--all"],
        &["stack", "show", stack],
        &["receipt", "list"],
        &["dispute", "show", stack],
        &["verify", request],
        &["network", "list"],
    ];
    for args in commands {
        let text = reads(home, args);
        // an object alone shows whole ids; the tables are what must fit
        let is_table = !matches!(args, ["task" | "stack", "show", _]);
        // what follows a table after an empty line is an object
        let table = text.lines().take_while(|line| !line.trim().is_empty());
        for line in table.filter(|_| is_table) {
            assert!(line.chars().count() <= COLUMNS, "{args:?}\n{text}");
        }
        assert!(
            !text.contains("micro") && !text.contains("mist"),
            "{args:?}\n{text}"
        );
        for object in prints(home, args) {
            for (name, value) in object.as_object().unwrap() {
                assert!(
                    !value.is_number() || says_its_unit(name),
                    "{args:?}: {name}"
                );
            }
        }
    }
    for section in [
        "overview",
        "nodes",
        "tasks",
        "stacks",
        "settlements",
        "disputes",
        "events",
    ] {
        let text = reads(home, &["explore", section]);
        for line in text.lines() {
            assert!(line.chars().count() <= COLUMNS, "explore {section}\n{text}");
        }
    }
    // cut ids are told apart, and are taken as they are shown
    let list = reads(home, &["node", "list"]);
    let shown = list
        .lines()
        .nth(1)
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap();
    assert!(shown.ends_with('\u{2026}'), "{list}");
    assert_eq!(prints(home, &["node", "show", shown]).len(), 1);
    let wide = reads(home, &["--wide", "node", "list"]);
    assert!(wide.lines().any(|line| line.len() > 2 * COLUMNS), "{wide}");
}
