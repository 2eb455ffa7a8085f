//! `atoma chat`: a question and its answer, or a conversation. The answer goes to stdout, what it cost to
//! stderr.

mod ask;
mod payer;
mod prompt;
mod talk;

pub(crate) use ask::ask;

use crate::{
    client,
    output::{Facts, Output, money, usdc},
    receipt,
    settings::Settings,
    walrus::WalrusNetwork,
};
use anyhow::Result;
use ask::{Told, another_stack_may_do};
use atoma_client::{Client, RequestOptions};
use atoma_types::MicroUsdc;
use clap::{Args, ValueEnum};
use payer::{Choice, Payer};
use prompt::Asked;
use serde_json::{Value, json};

/// Of a request's id, what the line of its cost shows: commands take it for the whole.
const SHOWN_DIGITS: usize = 16;

#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Chat {
    /// What to ask; `-` reads it from standard input (default: standard input, or a conversation in a
    /// terminal).
    prompt: Option<String>,
    /// A conversation: each line is asked, with all that was said before.
    #[arg(long, short, conflicts_with = "prompt")]
    interactive: bool,
    #[command(flatten)]
    payer: Payer,
    /// A system message before the prompt.
    #[arg(long)]
    system: Option<String>,
    /// Stop after this many tokens.
    #[arg(long, default_value_t = 256, value_name = "N")]
    max_tokens: u32,
    /// 0 always takes the likeliest token (default: as the model's makers advise).
    #[arg(long, value_name = "T")]
    temperature: Option<f32>,
    /// Fixes the choice of tokens.
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Say all that the receipt says, on stderr.
    #[arg(long)]
    receipt: bool,
    /// How the request becomes evidence on Walrus.
    #[arg(long, value_enum, default_value = "sealed")]
    evidence: EvidenceChoice,
    #[command(flatten)]
    walrus: WalrusNetwork,
}

const EXAMPLES: &str = "\
Examples:
  atoma chat \"What is the sun?\"               paid by the stack bought last
  atoma chat --budget 0.50 \"What is the sun?\" buys a stack first where none has room
  cat question.txt | atoma chat > answer.txt  the answer alone; the cost is on stderr
  atoma chat                                  a conversation; an empty line or Ctrl-D ends it";

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
    let asked = Asked::of(chat.prompt.as_deref(), chat.interactive)?;
    let client = client::open(&settings, Some(chat.walrus.client(&settings)?)).await?;
    let mut chat = Conversation {
        messages: Vec::new(),
        choice: None,
        client,
        chat,
        output,
    };
    if let Some(system) = chat.chat.system.take() {
        chat.messages
            .push(json!({ "role": "system", "content": system }));
    }
    match asked {
        Asked::Once(prompt) => chat.say(&prompt).await,
        Asked::Conversation => talk::talk(&mut chat).await,
    }
}

/// What was said so far, and who pays and serves.
struct Conversation<'a> {
    chat: Chat,
    client: Client,
    output: &'a Output,
    messages: Vec<Value>,
    choice: Option<Choice>,
}

impl Conversation<'_> {
    /// Begins another conversation, under the same system message.
    fn forget(&mut self) {
        self.messages.retain(|message| message["role"] == "system");
    }

    /// Asks, and tells the answer and its cost. A question that fails was not said.
    async fn say(&mut self, prompt: &str) -> Result<()> {
        self.messages
            .push(json!({ "role": "user", "content": prompt }));
        let told = self.answered().await;
        let (told, choice) = match told {
            Ok(answered) => answered,
            Err(error) => {
                self.messages.pop();
                return Err(error);
            }
        };
        self.messages
            .push(json!({ "role": "assistant", "content": told.text }));
        // the receipt is proof: it is on the disk before the program says so
        self.client.receipts().flush().await?;
        self.tell(&told, &choice);
        self.choice = Some(choice);
        Ok(())
    }

    /// The answer, paid by the first stack that can, or by one that is bought.
    async fn answered(&self) -> Result<(Told, Choice)> {
        let payer = &self.chat.payer;
        let mut candidates: Vec<Choice> = self.choice.iter().cloned().collect();
        let mut failed = None;
        for looked in [false, true] {
            if looked {
                candidates = payer.candidates(&self.client).await?;
            }
            for choice in candidates.drain(..) {
                match self.ask(&choice).await {
                    Ok(told) => return Ok((told, choice)),
                    Err(error) if another_stack_may_do(&error) => failed = Some(error),
                    Err(error) => return Err(error),
                }
            }
        }
        if let Some(choice) = payer.buy(&self.client, self.output).await? {
            let told = self.ask(&choice).await?;
            return Ok((told, choice));
        }
        failed.map_or(Ok(()), Err)?;
        anyhow::bail!(
            "no open stack on this machine: buy one with `atoma stack buy` or --budget, or name one with --stack"
        )
    }

    async fn ask(&self, choice: &Choice) -> Result<Told> {
        let chat = &self.chat;
        let mut body = json!({
            "model": choice.stack.task().model_name,
            "messages": self.messages,
            "max_tokens": chat.max_tokens,
            "stream": true,
            "stream_options": { "include_usage": true },
        });
        if let Some(temperature) = chat.temperature {
            body["temperature"] = json!(temperature);
        }
        if let Some(seed) = chat.seed {
            body["seed"] = json!(seed);
        }
        let options = RequestOptions {
            evidence: chat.evidence.into(),
            ..RequestOptions::default()
        };
        let hear = |piece: &str| self.output.piece(piece);
        ask(&choice.stack, choice.node, &body, options, hear).await
    }

    fn tell(&self, told: &Told, choice: &Choice) {
        let output = self.output;
        let price = choice.stack.price(choice.node);
        let cost = price.and_then(|price| price.cost(told.receipt.units));
        if output.is_json() {
            let mut facts = vec![
                ("text", json!(told.text)),
                ("cut", json!(told.cut)),
                ("model", json!(choice.stack.task().model_name)),
            ];
            facts.extend(self.facts(told, cost));
            output.object(facts);
            return;
        }
        output.say("");
        if told.cut {
            output.note("the answer is cut: --max-tokens allows a longer one");
        }
        if self.chat.receipt {
            output.notes(self.facts(told, cost));
            return;
        }
        let receipt = &told.receipt;
        let request = receipt.request_id.to_string();
        output.note(format!(
            "{} USDC: {} units, {} tokens in, {} out; receipt {}",
            cost.map_or_else(|| "?".to_owned(), |cost| usdc(cost.0)),
            receipt.units.0,
            receipt.usage.prompt_tokens(),
            receipt.usage.output,
            &request[..SHOWN_DIGITS.min(request.len())],
        ));
    }

    fn facts(&self, told: &Told, cost: Option<MicroUsdc>) -> Facts {
        let mut facts = vec![("cost_micro_usdc", cost.map_or(Value::Null, money))];
        facts.extend(receipt::details(told.receipt.signed()));
        facts
    }
}
