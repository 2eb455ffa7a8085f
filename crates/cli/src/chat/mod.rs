//! `atoma chat`: a question and its answer, or a conversation. The answer goes to stdout, what it cost to
//! stderr.

mod args;
mod ask;
mod conversation;
mod need;
mod payer;
mod prompt;
mod purchase;
mod stopped;
mod talk;

pub(crate) use args::{Chat, USUAL_TOKENS};
pub(crate) use ask::ask;
pub(crate) use stopped::Stopped;

use crate::{client, output::Output, settings::Settings};
use anyhow::Result;
use conversation::Conversation;
use prompt::Asked;

pub(crate) async fn run(chat: Chat, settings: Settings, output: &Output) -> Result<()> {
    let asked = Asked::of(chat.prompt.as_deref(), chat.interactive)?;
    let sealed = chat.seal.read(&settings)?;
    let walrus = Some(chat.walrus.client(&settings)?);
    let client = client::open_sealing(&settings, walrus, sealed).await?;
    let mut conversation = Conversation::new(chat, client, output);
    match asked {
        Asked::Once(prompt) => conversation.say(&prompt).await,
        Asked::Conversation => talk::talk(&mut conversation).await,
    }
}
