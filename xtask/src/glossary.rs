//! The glossary has each word once: a word that stands there twice means two things.

use crate::shell::root;
use anyhow::{Context, Result, ensure};
use std::{collections::BTreeSet, fs};

/// The page, from the root.
const PAGE: &str = "docs/glossary.md";

/// Fails with every word that stands twice.
pub(crate) fn check() -> Result<()> {
    let text = fs::read_to_string(root().join(PAGE)).context(PAGE)?;
    let twice = twice(&text);
    ensure!(
        twice.is_empty(),
        "{PAGE} explains twice: {}",
        twice.join(", ")
    );
    println!("the glossary explains every word once");
    Ok(())
}

/// The words that more than one row explains; a row may be for several, with commas between them.
fn twice(text: &str) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let rows = text.lines().filter_map(|line| line.strip_prefix("| "));
    // the heads of tables
    let rows = rows.filter(|row| !row.starts_with("Word |"));
    let words = rows.filter_map(|row| row.split(" |").next());
    let words = words.flat_map(|words| words.split(", "));
    let again = words.filter(|word| !seen.insert(*word));
    again.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::twice;

    #[test]
    fn a_word_of_two_rows_is_found() {
        let head = "| Word | What it is |\n|---|---|\n";
        let rows = "| fee | one |\n| request key, fee | two |\n";
        assert_eq!(twice(&format!("{head}{rows}{head}")), ["fee"]);
    }
}
