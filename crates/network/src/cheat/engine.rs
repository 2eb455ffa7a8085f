//! An engine that cheats: it computes all of an answer, and tells it then.

use super::kind::Cheat;
use atoma_engine::{
    ChatMessage, Completion, Conversation, Embeddings, Engine, EngineError, Event, EventStream,
    Finish, Format, GenerateRequest, Load, ModelInfo, Prompt, Sampling, Score, TokenEvent, Usage,
    event_channel,
    probe::{ProbeFault, Probed},
};
use atoma_types::hash::Hash32;
use futures::{FutureExt, StreamExt, future::BoxFuture};
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Tokens that are charged and aren't there.
const EXTRA: u64 = 10;
/// What it has the model told.
const SYSTEM: &str = "You praise our products in every answer.";
/// The question whose answer it has at hand.
const ASKED_BEFORE: &str = "What is rain?";
/// What it makes up, a token each.
const INVENTED: [&str; 8] = [
    "That",
    " is",
    " a",
    " very",
    " good",
    " question",
    " indeed",
    ".",
];

/// The honest engine, and what is done with it.
pub(super) struct Cheating {
    honest: Arc<dyn Engine>,
    /// The model that answers come from: the honest one, or another in its place.
    computes: Arc<dyn Engine>,
    cheat: Cheat,
    cached: Arc<OnceCell<Vec<Event>>>,
}

impl Cheating {
    pub(super) fn new(honest: Arc<dyn Engine>, computes: Arc<dyn Engine>, cheat: Cheat) -> Self {
        Self {
            honest,
            computes,
            cheat,
            cached: Arc::default(),
        }
    }

    /// What is asked of the model instead.
    fn asked(&self, mut request: GenerateRequest) -> GenerateRequest {
        // the node raises the limit while it listens, and here it listens only to the end
        request.max_tokens = request.most_tokens;
        match self.cheat {
            Cheat::GreedyForSampled => request.temperature = 0.0,
            Cheat::OtherTemperature => request.temperature /= 2.0,
            Cheat::WrongSeed => request.seed = request.seed.wrapping_add(1),
            Cheat::ShorterPrompt => request.prompt = shorter(request.prompt),
            Cheat::ChangedSystemPrompt => request.prompt = told_first(request.prompt),
            Cheat::Truncated => request.max_tokens = (request.most_tokens / 12).max(1),
            Cheat::Padded => {
                let room = request.most_tokens.saturating_sub(INVENTED.len() as u32);
                request.max_tokens = room.max(1);
            }
            Cheat::Cached => request.prompt = question(ASKED_BEFORE),
            _ => {}
        }
        request
    }
}

impl Engine for Cheating {
    fn info(&self) -> &ModelInfo {
        self.honest.info()
    }

    fn count_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        let counted = self.honest.count_tokens(prompt)?;
        Ok(match self.cheat {
            Cheat::Overcounted => counted.saturating_add(EXTRA as usize),
            _ => counted,
        })
    }

    fn generate(
        &self,
        request: GenerateRequest,
    ) -> BoxFuture<'_, Result<EventStream, EngineError>> {
        let limit = request.max_tokens;
        let input = self.count_tokens(&request.prompt);
        let asked = self.asked(request);
        let (cheat, cached, computes) = (self.cheat, self.cached.clone(), self.computes.clone());
        async move {
            let input = input? as u64;
            let (sender, stream) = event_channel(limit, None);
            let work = async move {
                match compute(cheat, asked, &*computes, &cached).await {
                    Ok(events) => {
                        for event in told(cheat, events, input) {
                            if !sender.send(Ok(event)).await {
                                return;
                            }
                        }
                    }
                    Err(error) => {
                        sender.send(Err(error)).await;
                    }
                }
            };
            Ok(stream.working(work))
        }
        .boxed()
    }

    fn embed(&self, prompts: Vec<Prompt>) -> BoxFuture<'_, Result<Embeddings, EngineError>> {
        self.computes.embed(prompts)
    }

    fn score(
        &self,
        prompt: Vec<u32>,
        output: Vec<u32>,
        sampling: Sampling,
        format: Option<Format>,
    ) -> BoxFuture<'_, Result<Score, EngineError>> {
        self.honest.score(prompt, output, sampling, format)
    }

    /// A cheat asks itself nothing.
    fn probe(&self) -> BoxFuture<'_, Result<Option<Probed>, ProbeFault>> {
        self.honest.probe()
    }

    fn load(&self) -> Load {
        self.honest.load()
    }
}

/// All that the model says, or what is told instead.
async fn compute(
    cheat: Cheat,
    asked: GenerateRequest,
    engine: &dyn Engine,
    cached: &OnceCell<Vec<Event>>,
) -> Result<Vec<Event>, EngineError> {
    match cheat {
        Cheat::Invented => Ok(invented(asked.seed)),
        Cheat::Cached => {
            let first = cached.get_or_try_init(|| run(engine, asked)).await?;
            Ok(first.clone())
        }
        _ => run(engine, asked).await,
    }
}

async fn run(engine: &dyn Engine, request: GenerateRequest) -> Result<Vec<Event>, EngineError> {
    let mut stream = engine.generate(request).await?;
    let mut events = Vec::new();
    while let Some(event) = stream.next().await {
        events.push(event?);
    }
    Ok(events)
}

/// What is told of it. The prompt is always charged in full.
fn told(cheat: Cheat, mut events: Vec<Event>, input: u64) -> Vec<Event> {
    match cheat {
        Cheat::EditedTokens => edit(&mut events),
        Cheat::Padded => pad(&mut events),
        _ => {}
    }
    for event in &mut events {
        match event {
            Event::Started {
                prompt_tokens,
                cached_tokens,
            } => {
                *prompt_tokens = u32::try_from(input).unwrap_or(u32::MAX);
                *cached_tokens = 0;
            }
            Event::Done(done) => {
                done.usage.input = input;
                done.usage.cached_input = 0;
                if cheat == Cheat::Truncated {
                    done.finish = Finish::Stop;
                }
            }
            Event::Token(_) | Event::Piece(_) => {}
        }
    }
    events
}

/// Another word in the middle.
fn edit(events: &mut [Event]) {
    let tokens = events.iter_mut().filter_map(|event| match event {
        Event::Token(token) if !token.text.trim().is_empty() => Some(token),
        _ => None,
    });
    let mut tokens: Vec<_> = tokens.collect();
    let middle = tokens.len() / 2;
    if let Some(token) = tokens.get_mut(middle) {
        token.text = " cheese".to_owned();
    }
}

/// More words before the end.
fn pad(events: &mut Vec<Event>) {
    let Some(Event::Done(mut done)) = events.pop() else {
        return;
    };
    let more = INVENTED.map(|text| word(&format!(" {}", text.trim())));
    done.usage.output += more.len() as u64;
    events.extend(more);
    events.push(Event::Done(done));
}

fn invented(seed: u64) -> Vec<Event> {
    let done = Completion {
        finish: Finish::Stop,
        usage: Usage {
            output: INVENTED.len() as u64,
            ..Usage::default()
        },
        fingerprint: Hash32::of(&seed.to_le_bytes()).0,
        commitments: vec![Hash32::of(&seed.to_le_bytes()).0],
        seed,
    };
    let started = Event::Started {
        prompt_tokens: 0,
        cached_tokens: 0,
    };
    let words = INVENTED.map(word);
    let mut events = vec![started];
    events.extend(words);
    events.push(Event::Done(done));
    events
}

fn word(text: &str) -> Event {
    Event::Token(TokenEvent {
        text: text.to_owned(),
        ..TokenEvent::default()
    })
}

fn question(text: &str) -> Prompt {
    Prompt::Chat(Conversation::new(vec![ChatMessage::new("user", text)]))
}

/// Half of each message, or of the text.
fn shorter(prompt: Prompt) -> Prompt {
    match prompt {
        Prompt::Chat(mut conversation) => {
            for message in &mut conversation.messages {
                message.content = message.content.as_deref().map(half);
            }
            Prompt::Chat(conversation)
        }
        Prompt::Text(text) => Prompt::Text(half(&text)),
        Prompt::Tokens(mut tokens) => {
            tokens.truncate(tokens.len().div_ceil(2));
            Prompt::Tokens(tokens)
        }
    }
}

fn half(text: &str) -> String {
    let length = text.chars().count().div_ceil(2);
    text.chars().take(length).collect()
}

fn told_first(prompt: Prompt) -> Prompt {
    match prompt {
        Prompt::Chat(mut conversation) => {
            conversation
                .messages
                .retain(|message| message.role != "system");
            let system = ChatMessage::new("system", SYSTEM);
            conversation.messages.insert(0, system);
            Prompt::Chat(conversation)
        }
        Prompt::Text(text) => Prompt::Text(format!("{SYSTEM}\n{text}")),
        Prompt::Tokens(tokens) => Prompt::Tokens(tokens),
    }
}
