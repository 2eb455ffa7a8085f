//! What was said so far, and the next question: who pays for it, its answer, and what it cost.

use super::{
    args::Chat,
    ask::{
        SHOWN_DIGITS, Told, another_stack_may_do, ask, more_units_may_do, said_to_need,
        stack_may_do,
    },
    need::Tried,
    payer::{self, Choice},
    purchase::{Budget, Question},
    stopped,
};
use crate::{
    confidential, convicted,
    output::{Facts, Output, money, usdc},
    receipt,
    run::told_to_stop,
};
use anyhow::Result;
use atoma_client::{Client, RequestOptions, StackHandle};
use atoma_types::{
    ComputeUnits, MicroUsdc,
    chain::{Stack, Task},
    estimate::BodyBounds,
    message::Endpoint,
};
use serde_json::{Value, json};

/// Purchases for one question: a node may find that it needs more than was bought for it.
const MOST_PURCHASES: usize = 2;

/// What was said so far, and who pays and serves.
pub(super) struct Conversation<'a> {
    chat: Chat,
    client: Client,
    pub(super) output: &'a Output,
    messages: Vec<Value>,
    choice: Option<Choice>,
    budget: Budget,
    /// Who was asked last, and may charge it.
    asked: Option<Choice>,
}

impl<'a> Conversation<'a> {
    /// In which nothing was said but what the system is told.
    pub(super) fn new(mut chat: Chat, client: Client, output: &'a Output) -> Self {
        let system = chat.system.take();
        let system = system.map(|system| json!({ "role": "system", "content": system }));
        Self {
            messages: system.into_iter().collect(),
            choice: None,
            budget: chat.payer.budget(),
            asked: None,
            client,
            chat,
            output,
        }
    }

    /// Whether nothing was said yet.
    pub(super) fn is_new(&self) -> bool {
        self.messages
            .iter()
            .all(|message| message["role"] == "system")
    }

    /// Begins another conversation, under the same system message.
    pub(super) fn forget(&mut self) {
        self.messages.retain(|message| message["role"] == "system");
    }

    /// Asks, and tells the answer and its cost. A question that fails, or is broken off, was not said.
    ///
    /// # Errors
    ///
    /// If it isn't answered; [`Stopped`](stopped::Stopped) if somebody has stopped it.
    pub(super) async fn say(&mut self, prompt: &str) -> Result<()> {
        self.messages
            .push(json!({ "role": "user", "content": prompt }));
        let before = self.budget;
        let told = tokio::select! {
            biased;
            stopped = told_to_stop() => stopped.map(|()| None),
            told = self.answered() => told.map(Some),
        };
        let (told, choice) = match told {
            Ok(Some(answered)) => answered,
            Ok(None) => {
                self.messages.pop();
                if self.asked.is_none() && self.budget != before {
                    self.output.note(
                        "what was ordered may be done all the same: `atoma stack list` shows the stacks that there are",
                    );
                }
                let asked = self.asked.take();
                return Err(stopped::tell(asked.as_ref(), &self.client, self.output)
                    .await?
                    .into());
            }
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
    async fn answered(&mut self) -> Result<(Told, Choice)> {
        self.asked = None;
        let payer = self.chat.payer.clone();
        let mut candidates: Vec<Choice> = self.choice.iter().cloned().collect();
        let mut failed = Vec::new();
        for looked in [false, true] {
            if looked {
                candidates = payer.candidates(&self.client).await?;
            }
            for choice in candidates.drain(..) {
                match self.ask_with_all(&choice).await {
                    Ok(told) => return Ok((told, choice)),
                    Err(error) if another_stack_may_do(&error) => failed.push((error, choice)),
                    Err(error) => return Err(error),
                }
            }
        }
        self.tell_of_convictions().await?;
        if let Some(task) = payer.to_buy(&self.client).await? {
            for _ in 0..MOST_PURCHASES {
                let Some(choice) = self.bought(&task, &failed).await? else {
                    break;
                };
                match self.ask(&choice).await {
                    Ok(told) => return Ok((told, choice)),
                    Err(error) if more_units_may_do(&error) => failed.push((error, choice)),
                    Err(error) => return Err(error),
                }
            }
        }
        if let Some((error, _)) = failed.pop() {
            return Err(match more_units_may_do(&error) {
                true => error.context(
                    "no stack has room for this answer: --max-tokens asks for a shorter one, --budget buys a stack",
                ),
                false => error,
            });
        }
        anyhow::bail!(
            "no open stack on this machine: buy one with `atoma stack buy` or --budget, or name one with --stack"
        )
    }

    /// A stack that is bought or topped up because these failed, if that may do.
    async fn bought(
        &mut self,
        task: &Task,
        failed: &[(anyhow::Error, Choice)],
    ) -> Result<Option<Choice>> {
        let of_task = |failed: &&(_, Choice)| failed.1.stack.task().id == task.id;
        let said = failed.iter().rev().find(of_task);
        let said = said.and_then(|(error, _)| said_to_need(error));
        let question = self.question(task, said);
        let (mut tried, mut lacking) = (Vec::new(), Vec::new());
        for (error, choice) in failed.iter().filter(of_task) {
            let stack = &choice.stack;
            lacking.extend(more_units_may_do(error).then(|| choice.clone()));
            tried.push(Tried {
                node: choice.node,
                lacks_units: stack_may_do(error),
                is_used: self.client.receipts().has_any(stack.id())?,
                units: stack.live_units(),
            });
        }
        let question = (&question, &tried[..], &lacking[..]);
        let (payer, budget) = (&self.chat.payer, &mut self.budget);
        let with = (&self.client, self.output);
        payer.buy(task, question, budget, with).await
    }

    /// Says whose conviction left a stack without a node, before another one is bought or wanted.
    async fn tell_of_convictions(&self) -> Result<()> {
        let now = self.client.runtime().now();
        let stacks = self.client.stacks().await?;
        let left = stacks.iter().map(StackHandle::view);
        let left = left.filter(|stack| stack.expires_at_ms > now && stack.free > MicroUsdc::ZERO);
        let left: Vec<Stack> = left.collect();
        convicted::tell(self.client.ledger(), &left, self.output).await;
        Ok(())
    }

    /// Asks; where the lease lacks units, once more with those that no node has. A node gives back what an idle lease
    /// doesn't use.
    async fn ask_with_all(&mut self, choice: &Choice) -> Result<Told> {
        let error = match self.ask(choice).await {
            Err(error) if more_units_may_do(&error) => error,
            told => return told,
        };
        let Choice { stack, node } = choice;
        let before = stack.refresh().await?.ungranted;
        let needed = said_to_need(&error).unwrap_or(before);
        if before == ComputeUnits::ZERO || payer::grant(stack, *node, needed).await.is_err() {
            return Err(error);
        }
        self.ask(choice).await
    }

    /// What the question may cost on a task.
    fn question(&self, task: &Task, said: Option<ComputeUnits>) -> Question {
        Question {
            bounds: BodyBounds {
                endpoint: Endpoint::ChatCompletions,
                bytes: self.body(&task.model_name).to_string().len() as u64,
                max_tokens: Some(self.chat.max_tokens.into()),
                answers: 1,
            },
            weights: task.weights,
            said,
        }
    }

    fn body(&self, model: &str) -> Value {
        let chat = &self.chat;
        let mut body = json!({
            "model": model,
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
        body
    }

    async fn ask(&mut self, choice: &Choice) -> Result<Told> {
        self.asked = Some(choice.clone());
        let chat = &self.chat;
        let body = self.body(&choice.stack.task().model_name);
        let options = RequestOptions {
            evidence: chat.evidence.into(),
            no_forward: chat.no_forward,
            ..RequestOptions::default()
        };
        // before the first byte leaves, once for each node
        let known = self.choice.as_ref().map(|known| known.node);
        if self.client.is_confidential() && known != Some(choice.node) {
            let task = choice.stack.task().id;
            confidential::tell(&self.client, choice.node, task, self.output).await?;
        }
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
            output.notes(&self.facts(told, cost));
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
        facts.extend(
            told.receipt
                .second()
                .map(receipt::second)
                .unwrap_or_default(),
        );
        facts
    }
}
