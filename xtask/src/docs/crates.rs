//! The map of crates: the column "Uses" of its table is what the manifests say, and the rows stand so
//! that no crate uses one above it.

use super::files::read;
use crate::shell::root;
use anyhow::{Result, bail, ensure};
use std::fs;

/// Where the map stands.
pub(super) const PATH: &str = "ARCHITECTURE.md";

/// The document with the column filled in.
pub(super) fn written_into(document: &str) -> Result<String> {
    let names: Vec<&str> = document.lines().filter_map(row_name).collect();
    every_crate_is_there(&names)?;
    let mut text = String::new();
    for line in document.lines() {
        match row_name(line) {
            Some(name) => {
                let uses = uses(&read(&format!("crates/{name}/Cargo.toml"))?);
                let below = &names[names.iter().position(|other| *other == name).unwrap_or(0)..];
                if let Some(above) = uses.iter().find(|used| !below.contains(&used.as_str())) {
                    bail!("{PATH}: {name} uses {above}, which stands above it");
                }
                text.push_str(&with_uses(line, &in_order(&uses, &names)));
            }
            None => text.push_str(line),
        }
        text.push('\n');
    }
    Ok(text)
}

/// The crate that a row of the map is about.
fn row_name(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("| `")?;
    rest.split_once('`').map(|(name, _)| name)
}

fn every_crate_is_there(names: &[&str]) -> Result<()> {
    for entry in fs::read_dir(root().join("crates"))? {
        let folder = entry?.file_name().to_string_lossy().into_owned();
        ensure!(
            names.contains(&folder.as_str()),
            "{PATH}: the map doesn't have the crate {folder}"
        );
    }
    Ok(())
}

/// Our crates among a manifest's dependencies; those of tests left out.
fn uses(manifest: &str) -> Vec<String> {
    let mut section = "";
    let mut uses = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        } else if section == "[dependencies]"
            && let Some(rest) = line.strip_prefix("atoma-")
        {
            let name = rest.split(['.', ' ', '=']).next().unwrap_or(rest);
            uses.push(name.to_owned());
        }
    }
    uses
}

/// As the map has them, from top to bottom.
fn in_order(uses: &[String], names: &[&str]) -> String {
    let used = names.iter().filter(|name| uses.iter().any(|u| u == *name));
    used.copied().collect::<Vec<_>>().join(", ")
}

/// The row with another last cell.
fn with_uses(line: &str, uses: &str) -> String {
    let cells: Vec<&str> = line.trim_end_matches('|').split('|').collect();
    let kept = &cells[..cells.len().min(3)].join("|");
    match uses {
        "" => format!("{kept}| |"),
        uses => format!("{kept}| {uses} |"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_crates_that_are_not_for_tests_count() {
        let manifest = "[package]\nname = \"atoma-x\"\n[dependencies]\natoma-types.workspace = true\n\
                        atoma-http = { workspace = true }\nserde = \"1\"\n[dev-dependencies]\natoma-node.workspace = true\n";
        assert_eq!(uses(manifest), ["types", "http"]);
    }

    #[test]
    fn the_last_cell_is_replaced() {
        assert_eq!(with_uses("| `a` | b | c |", "d, e"), "| `a` | b | d, e |");
        assert_eq!(with_uses("| `a` | b | |", ""), "| `a` | b | |");
    }
}
