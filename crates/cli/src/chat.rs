//! One question, one answer, one receipt.

use crate::{client, output::Output, receipt, settings::Settings, walrus::WalrusNetwork};
use anyhow::{Context, Result, bail};
use atoma_client::{Answer, RequestOptions, StackHandle, VerifiedReceipt};
use atoma_http::client::Events;
use atoma_types::{NodeId, StackId, message::Endpoint, refusal::ErrorBody};
use bytes::Bytes;
use clap::{Args, ValueEnum};
use futures::StreamExt;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// A refusal is a short JSON object; more isn't read of it.
const MAX_REFUSAL_BYTES: usize = 64 << 10;

#[derive(Debug, Args)]
pub(crate) struct Chat {
    /// What to ask.
    prompt: String,
    /// The stack that pays (default: the one bought last).
    #[arg(long)]
    stack: Option<StackId>,
    /// Which node serves (default: one that holds a lease).
    #[arg(long)]
    node: Option<NodeId>,
    /// A system message before the prompt.
    #[arg(long)]
    system: Option<String>,
    /// Stop after this many tokens.
    #[arg(long, default_value_t = 256)]
    max_tokens: u32,
    /// 0 always takes the likeliest token.
    #[arg(long, default_value_t = 0.7)]
    temperature: f32,
    /// Fixes the choice of tokens.
    #[arg(long)]
    seed: Option<u64>,
    /// How the request becomes evidence on Walrus.
    #[arg(long, value_enum, default_value = "sealed")]
    evidence: EvidenceChoice,
    #[command(flatten)]
    walrus: WalrusNetwork,
}

/// How a request becomes evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvidenceChoice {
    /// The node stores it afterwards; only you and the node can read it.
    Sealed,
    /// The node stores it afterwards; everyone can read it.
    Open,
    /// It is stored before it is sent, sealed; the node reads it there first.
    Immediate,
}

impl From<EvidenceChoice> for atoma_client::Evidence {
    fn from(choice: EvidenceChoice) -> Self {
        match choice {
            EvidenceChoice::Sealed => Self::Sealed,
            EvidenceChoice::Open => Self::Open,
            EvidenceChoice::Immediate => Self::Immediate,
        }
    }
}

pub(crate) async fn run(chat: Chat, settings: Settings, output: &Output) -> Result<()> {
    let client = client::open(&settings, Some(chat.walrus.client(&settings)?)).await?;
    let stack = match chat.stack {
        Some(id) => client.open(id).await?,
        None => client.stacks().await?.pop().context(
            "no open stack on this machine: buy one with `atoma stack buy`, or name one with --stack",
        )?,
    };
    let node =
        match chat.node {
            Some(node) => node,
            None => stack.nodes().first().copied().context(
                "no node has units of this stack: give it some with `atoma stack grant`",
            )?,
        };
    let mut messages = Vec::new();
    if let Some(system) = &chat.system {
        messages.push(json!({ "role": "system", "content": system }));
    }
    messages.push(json!({ "role": "user", "content": chat.prompt }));
    let mut body = json!({
        "model": stack.task().model_name,
        "messages": messages,
        "max_tokens": chat.max_tokens,
        "temperature": chat.temperature,
        "stream": true,
        "stream_options": { "include_usage": true },
    });
    if let Some(seed) = chat.seed {
        body["seed"] = json!(seed);
    }
    let options = RequestOptions {
        evidence: chat.evidence.into(),
        ..RequestOptions::default()
    };
    let told = ask(&stack, node, &body, options, |piece| {
        output.piece(piece);
    })
    .await?;
    // the receipt is proof: it is on the disk before the program says so
    client.receipts().flush().await?;
    output.say("\n");
    let mut facts = vec![("text", json!(told.text))];
    if !output.is_json() {
        facts.clear();
    }
    facts.extend(receipt::details(told.receipt.signed()));
    output.object(facts);
    Ok(())
}

/// What came of a question.
pub(crate) struct Told {
    pub(crate) text: String,
    pub(crate) receipt: Arc<VerifiedReceipt>,
    pub(crate) first_token: Duration,
    pub(crate) total: Duration,
}

/// Streams one chat answer from a node and checks its receipt; each piece of text goes to `hear` as
/// it comes.
pub(crate) async fn ask(
    stack: &StackHandle,
    node: NodeId,
    body: &Value,
    options: RequestOptions,
    mut hear: impl FnMut(&str),
) -> Result<Told> {
    let started = Instant::now();
    let body = Bytes::from(body.to_string());
    let mut answer = stack
        .request(node, Endpoint::ChatCompletions, body, options)
        .await?;
    if !answer.status.is_success() {
        return refused(answer).await;
    }
    let receipt = answer.receipt();
    let (mut text, mut first_token, mut events) = (String::new(), None, Events::default());
    while let Some(piece) = answer.body.next().await {
        events.push(&piece?)?;
        while let Some(event) = events.next() {
            let Some(piece) = content(&event) else {
                continue;
            };
            first_token.get_or_insert_with(|| started.elapsed());
            hear(&piece);
            text.push_str(&piece);
        }
    }
    let receipt = receipt.await.context("the node sent no receipt")?;
    let total = started.elapsed();
    Ok(Told {
        text,
        receipt,
        first_token: first_token.unwrap_or(total),
        total,
    })
}

async fn refused(mut answer: Answer) -> Result<Told> {
    let mut body = Vec::new();
    while let Some(piece) = answer.body.next().await {
        body.extend_from_slice(&piece?);
        if body.len() > MAX_REFUSAL_BYTES {
            break;
        }
    }
    match serde_json::from_slice::<ErrorBody>(&body) {
        Ok(refusal) => bail!(
            "the node refused ({}): {}",
            refusal.error.code.unwrap_or_default(),
            refusal.error.message
        ),
        Err(_) => bail!("the node refused with status {}", answer.status),
    }
}

/// The text in an event of the stream.
fn content(event: &[u8]) -> Option<String> {
    let chunk: Value = serde_json::from_slice(event).ok()?;
    let piece = chunk["choices"][0]["delta"]["content"].as_str()?;
    (!piece.is_empty()).then(|| piece.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_events_with_text_have_text() {
        let event = br#"{"choices":[{"delta":{"content":"hi"}}]}"#;
        assert_eq!(content(event).as_deref(), Some("hi"));
        let silent = [
            &br#"{"choices":[{"delta":{"content":""}}]}"#[..],
            br#"{"choices":[]}"#,
            b"[DONE]",
        ];
        assert!(silent.iter().all(|event| content(event).is_none()));
    }
}
