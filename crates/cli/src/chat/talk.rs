//! A conversation: lines from standard input, each asked with all that was said before.

use super::conversation::Conversation;
use crate::advice::advice;
use anyhow::Result;
use atoma_runtime::Threads;
use std::io::{BufRead, IsTerminal, Write};

/// Asks line by line, until the input ends or a person sends an empty line. What fails is said, and the
/// conversation goes on.
pub(super) async fn talk(conversation: &mut Conversation<'_>) -> Result<()> {
    let output = conversation.output;
    let person = std::io::stdin().is_terminal();
    if person {
        output.note("a conversation: an empty line or Ctrl-D ends it, /new begins another");
    }
    while let Some(line) = Threads::Real.blocking(move || next_line(person)).await?? {
        match line.trim() {
            "" if person => break,
            "" => {}
            "/new" => conversation.forget(),
            prompt => {
                if let Err(error) = conversation.say(prompt).await {
                    output.error(&error, advice(&error).as_deref());
                }
            }
        }
    }
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
