//! Where a question comes from: the command line, standard input, or a conversation.

use anyhow::{Context, Result, ensure};
use std::io::{IsTerminal, Read};

/// Nodes take bodies of 4 MiB; a longer prompt is a mistake, and is not read to its end.
const MAX_PROMPT_BYTES: u64 = 4 << 20;

/// What is asked.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// One question from the command line or standard input, and one answer.
    Once(String),
    /// A conversation with the person at the terminal, line by line.
    Conversation,
}

impl Asked {
    /// By the command line, and by whether a person sits before standard input.
    pub(super) fn of(prompt: Option<&str>, interactive: bool) -> Result<Self> {
        match prompt {
            _ if interactive => Ok(Self::Conversation),
            Some("-") => read(std::io::stdin().lock()).map(Self::Once),
            Some(prompt) => said(prompt).map(Self::Once),
            None if std::io::stdin().is_terminal() => Ok(Self::Conversation),
            None => read(std::io::stdin().lock()).map(Self::Once),
        }
    }
}

/// All of it, without the line's end that an editor or `echo` leaves.
fn read(from: impl Read) -> Result<String> {
    let mut text = String::new();
    let mut from = from.take(MAX_PROMPT_BYTES + 1);
    from.read_to_string(&mut text)
        .context("cannot read the prompt from standard input")?;
    ensure!(
        text.len() as u64 <= MAX_PROMPT_BYTES,
        "the prompt is longer than {MAX_PROMPT_BYTES} bytes"
    );
    said(text.trim_end_matches(['\r', '\n']))
}

/// A prompt that asks something: an empty one would be answered, and paid.
fn said(prompt: &str) -> Result<String> {
    ensure!(!prompt.trim().is_empty(), "the prompt is empty");
    Ok(prompt.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_is_all_of_the_input_but_its_last_line_end() {
        assert_eq!(
            read(&b"What is\nthe sun?\n"[..]).unwrap(),
            "What is\nthe sun?"
        );
        for empty in ["", " ", "\n"] {
            assert!(read(empty.as_bytes()).is_err());
            assert!(Asked::of(Some(empty), false).is_err());
        }
        assert!(read(&b"\xff"[..]).is_err());
        assert!(read(std::io::repeat(b'a')).is_err());
        let once = Asked::of(Some("hi"), false).unwrap();
        assert_eq!(once, Asked::Once("hi".to_owned()));
        assert_eq!(Asked::of(None, true).unwrap(), Asked::Conversation);
    }
}
