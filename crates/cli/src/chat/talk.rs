//! A conversation: lines from standard input, each asked with all that was said before.

use super::{ask::is_too_long, conversation::Conversation, stopped::Stopped};
use crate::{advice::advice, run::told_to_stop};
use anyhow::{Result, ensure};
use atoma_runtime::Threads;
use std::io::{BufRead, IsTerminal, Write};

/// What a line that begins with `/` may say.
const COMMANDS: &str = "an empty line, /quit or Ctrl-D ends it, /new begins another, /help says this, Ctrl-C stops an \
                        answer; a blank before a / makes the line a question";

/// What to do where all that was said is more than the model reads.
const TOO_LONG: &str =
    "the model reads all that was said before, too: /new begins another conversation";

/// What somebody means by a line of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Input<'a> {
    Blank,
    Quit,
    New,
    Help,
    /// A mistyped command, which nobody wants to pay an answer to.
    Unknown(&'a str),
    Question(&'a str),
}

impl<'a> Input<'a> {
    fn of(line: &'a str) -> Self {
        let said = line.trim();
        let word = line.split_whitespace().next().unwrap_or_default();
        // a path has more of them
        let named = line
            .strip_prefix('/')
            .filter(|_| word.matches('/').count() == 1);
        match named {
            _ if said.is_empty() => Self::Blank,
            None => Self::Question(said),
            Some(_) if ["/quit", "/exit"].contains(&said) => Self::Quit,
            Some(_) if said == "/new" => Self::New,
            Some(_) if said == "/help" => Self::Help,
            Some(_) => Self::Unknown(word),
        }
    }
}

/// Asks line by line, until the input ends or a person sends an empty line. What fails is said, and the
/// conversation goes on.
///
/// # Errors
///
/// If the input can't be read, or where nobody sits before it and a line of it was not answered.
pub(super) async fn talk(conversation: &mut Conversation<'_>) -> Result<()> {
    let output = conversation.output;
    let person = std::io::stdin().is_terminal();
    if person {
        output.note(format!("a conversation: {COMMANDS}"));
    }
    let (mut lines, mut failed) = (0u64, 0u64);
    loop {
        let line = Threads::Real.blocking(move || next_line(person));
        let line = tokio::select! {
            biased;
            // where an answer was stopped Ctrl-C ends no program by itself any more
            stopped = told_to_stop() => {
                stopped?;
                match person {
                    true => break,
                    false => return Err(Stopped::NOTHING.into()),
                }
            }
            line = line => line??,
        };
        let Some(line) = line else { break };
        match Input::of(&line) {
            Input::Blank if person => break,
            Input::Quit => break,
            Input::Blank => {}
            Input::New => conversation.forget(),
            Input::Help => output.note(COMMANDS),
            Input::Unknown(word) => {
                output.note(format!("{word} is no command here: {COMMANDS}"));
                (lines, failed) = (lines + 1, failed + 1);
            }
            Input::Question(prompt) => {
                lines += 1;
                let Err(error) = conversation.say(prompt).await else {
                    continue;
                };
                if error.is::<Stopped>() {
                    if !person {
                        return Err(error);
                    }
                    output.note(format!("\n{error}"));
                } else {
                    let help = match is_too_long(&error) && !conversation.is_new() {
                        true => Some(TOO_LONG.to_owned()),
                        false => advice(&error),
                    };
                    output.error(&error, help.as_deref());
                    failed += 1;
                }
            }
        }
    }
    // a person has seen it, and goes on; a script looks at how the program ends
    ensure!(
        person || failed == 0,
        "{failed} of {lines} lines were not answered"
    );
    Ok(())
}

/// The next line; a person is asked for it.
fn next_line(person: bool) -> std::io::Result<Option<String>> {
    if person {
        let mut stderr = std::io::stderr();
        stderr.write_all(b"> ")?;
        stderr.flush()?;
    }
    let mut line = String::new();
    let read = std::io::stdin().lock().read_line(&mut line)?;
    Ok((read > 0).then_some(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_command_is_no_question() {
        assert_eq!(Input::of("  \n"), Input::Blank);
        assert_eq!(Input::of("/new\n"), Input::New);
        assert_eq!(Input::of("/help \n"), Input::Help);
        for end in ["/quit\n", "/exit \n"] {
            assert_eq!(Input::of(end), Input::Quit);
        }
        for (line, word) in [
            ("/nwe\n", "/nwe"),
            ("/", "/"),
            ("/help me", "/help"),
            ("/quit now", "/quit"),
        ] {
            assert_eq!(Input::of(line), Input::Unknown(word));
        }
        let questions = ["what is /new?", "/etc/passwd: what is it?", "1 / 2?"];
        for question in questions {
            assert_eq!(Input::of(question), Input::Question(question));
        }
        assert_eq!(Input::of(" /quit\n"), Input::Question("/quit"));
    }
}
