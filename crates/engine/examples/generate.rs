//! Asks the model inside the program a question, and prints the answer as it comes.
//!
//! ```text
//! cargo run --release -p atoma-engine --example generate -- "What is the sun?"
//! ```

use atoma_engine::{ChatMessage, Conversation, Engine, Event, GenerateRequest, Prompt, builtin};
use futures::StreamExt;
use std::{env, error::Error, io::Write};

/// Tokens of the answer at most.
const MAX_TOKENS: u32 = 64;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let question = env::args().nth(1);
    let question = question.unwrap_or_else(|| "What is the sun?".to_owned());

    let engine = builtin::load()?;
    let prompt = Prompt::Chat(Conversation::new(vec![ChatMessage::new("user", question)]));
    println!("{} tokens in", engine.count_tokens(&prompt)?);

    // dropping the stream would cancel the request at its next token
    let mut events = engine
        .generate(GenerateRequest::new(prompt, MAX_TOKENS))
        .await?;
    while let Some(event) = events.next().await {
        match event? {
            Event::Token(token) => {
                print!("{}", token.text);
                std::io::stdout().flush()?;
            }
            // the same prompt and seed give the same fingerprint on every machine
            Event::Done(done) => {
                let fingerprint: Vec<String> = done
                    .fingerprint
                    .iter()
                    .map(|byte| format!("{byte:02x}"))
                    .collect();
                println!("\n{:?}, {}", done.finish, fingerprint.concat());
            }
            Event::Started { .. } | Event::Piece(_) => {}
        }
    }
    Ok(())
}
