//! A doc comment of one or two words says no more than the name below it. Every comment of the crates'
//! sources is counted, whole: all its lines are one.

use crate::{shell::root, sources::sources};
use anyhow::{Context, Result, bail};
use std::fs;

/// What a comment has at least.
const FEWEST_WORDS: usize = 3;

/// Fails if a doc comment is shorter; names file and line.
pub(crate) fn check() -> Result<()> {
    let mut found = Vec::new();
    for file in sources()? {
        let at = || format!("cannot read {}", file.display());
        let text = fs::read_to_string(&file).with_context(at)?;
        let shown = file.strip_prefix(root()).unwrap_or(&file).display();
        for (line, comment) in short(&text) {
            found.push(format!("{shown}:{line}: \"{comment}\""));
        }
    }
    if found.is_empty() {
        println!("every doc comment has at least {FEWEST_WORDS} words");
        return Ok(());
    }
    println!("{}", found.join("\n"));
    bail!(
        "{} doc comments say nothing: rewrite or delete them",
        found.len()
    )
}

/// Short comments, with the numbers of the lines on which they begin.
fn short(text: &str) -> Vec<(usize, String)> {
    let mut comments: Vec<(usize, &str, String)> = Vec::new();
    let mut open = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim_start();
        let sign = ["///", "//!"]
            .into_iter()
            .find(|sign| line.starts_with(sign));
        // four slashes are no doc comment
        let sign = sign.filter(|_| !line.starts_with("////"));
        if let Some(sign) = sign {
            let said = line[sign.len()..].trim();
            match comments.last_mut() {
                Some((_, _, comment)) if open == Some(sign) => {
                    *comment += " ";
                    *comment += said;
                }
                _ => comments.push((index + 1, sign, said.to_owned())),
            }
        }
        open = sign;
    }
    let words = |comment: &str| {
        let words = comment.split_whitespace();
        words
            .filter(|word| word.contains(char::is_alphanumeric))
            .count()
    };
    let short = comments
        .into_iter()
        .filter(|(_, _, comment)| words(comment) < FEWEST_WORDS);
    short.map(|(line, _, comment)| (line, comment)).collect()
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn a_comment_of_two_words_is_found_and_a_longer_one_is_not() {
        let text = "//! Juries.\n\n/// Its number.\nseq: u64,\n/// The place of\n/// its receipt.\nseq: u64,\n//// Zeros.\n// Zeros.\n";
        let found = [(1, "Juries.".to_owned()), (3, "Its number.".to_owned())];
        assert_eq!(short(text), found);
    }
}
