//! `docs/security-review.md` has every attack by the name of its scenario, and no name that isn't there.

use crate::attacks;
use std::{collections::BTreeSet, path::Path};

/// The rows that the table must have: those of the list that edition 1 fell to.
const ROWS: &[&str] = &[
    "A1", "A2", "A3", "A4", "A5", "A6", "A7", "B1", "B2", "B3", "B4", "B5", "B6", "B7", "B8", "B9",
    "B10", "B11", "B12", "B13", "C1", "C2", "C3", "C4", "C5", "C6", "C7",
];

#[test]
fn the_table_of_attacks_is_held_to_the_scenarios() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let text = std::fs::read_to_string(root.join("docs/security-review.md")).unwrap();
    let (_, table) = text.split_once("## Every attack, by").unwrap();
    let (table, _) = table.split_once("\n## ").unwrap();
    let rows: Vec<Vec<&str>> = table
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").collect())
        .collect();
    let names: BTreeSet<_> = rows.iter().map(|row| row[0]).collect();
    for row in ROWS {
        assert!(names.contains(row), "{row}");
    }
    let tales = attacks::tales();
    let mut missing: BTreeSet<_> = tales.iter().map(|(name, _)| *name).collect();
    for row in &rows {
        let [_, _, scenarios, elsewhere] = row[..] else {
            panic!("{row:?}");
        };
        for name in quoted(scenarios) {
            assert!(tales.iter().any(|(tale, _)| *tale == name), "{name}");
            missing.remove(name);
        }
        for name in quoted(elsewhere) {
            let (path, test) = name.split_once("::").unwrap();
            let source = std::fs::read_to_string(root.join(path));
            let source = source.unwrap_or_else(|error| panic!("{path}: {error}"));
            assert!(source.contains(&format!("fn {test}(")), "{name}");
        }
        // a row whose scenario has its number
        if ROWS.contains(&row[0]) && !scenarios.contains('–') {
            let number = format!("`{}_", row[0].to_lowercase());
            assert!(scenarios.contains(&number), "{row:?}");
        }
    }
    assert!(missing.is_empty(), "no row has {missing:?}");
}

/// What stands in backticks.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}
