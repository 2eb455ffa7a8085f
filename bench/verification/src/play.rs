//! Cheats at play: what they leave in a record.

use crate::{
    kinds::Record,
    requests::{drawn, unused},
    world::World,
};
use atoma_audit::{
    Work,
    testing::{
        Answer, MODEL, Provider, SignedRequest, TOOLS, cut, edited, of_tokens, resign, shortened,
        sign, write,
    },
};
use atoma_engine::{Event, Finish, GenerateRequest};
use atoma_openai::answer;
use atoma_types::{
    UnitWeights, Usage,
    hash::Hash32,
    message::{Endpoint, Receipt},
};
use rand::{Rng, rngs::StdRng};
use serde_json::{Value, json};

/// What a cheat's record needs beside the world.
pub(crate) struct Player<'a> {
    pub(crate) world: &'a World,
    /// Who computes it: an engine that cheats, or the honest one.
    pub(crate) by: &'a Provider,
}

/// The record, or none where the cheat has changed nothing.
pub(crate) type Played = Option<Work>;

impl Record {
    /// What its request must say beside what is drawn.
    pub(crate) fn asks(self) -> Value {
        match self {
            // enough words for a change, and room for more tokens
            Self::Edited1 | Self::Edited5 | Self::Edited20 => json!({ "max_tokens": 48 }),
            Self::NonCanonical => json!({ "max_tokens": 300 }),
            Self::Logprobs => json!({ "logprobs": true, "top_logprobs": 2 }),
            Self::OtherUsage => json!({ "stream": false }),
            Self::CoarseLeft | Self::Unsent => json!({ "stream": true }),
            Self::EndsEarly => json!({ "max_tokens": null }),
            _ => json!({}),
        }
    }

    /// The request that it is played on.
    pub(crate) fn sign(self, random: &mut StdRng) -> SignedRequest {
        match self {
            Self::SkippedInput => {
                let texts = ["sea", "sun", "moon", "king"];
                let from = random.random_range(0..10_000);
                let input: Vec<String> =
                    texts.iter().map(|text| format!("{text} {from}")).collect();
                let body = json!({ "model": MODEL, "input": input });
                sign((Endpoint::Embeddings, body))
            }
            Self::OtherCall => {
                let tools: Value = serde_json::from_str(TOOLS).expect("JSON");
                let body = json!({ "model": MODEL, "tools": tools, "tool_choice": "required", "max_tokens": 60,
                    "seed": random.random::<u32>(), "messages": [{ "role": "user", "content": "go" }] });
                sign((Endpoint::ChatCompletions, body))
            }
            Self::CachedAsNew => {
                let long = "You are the keeper of a lighthouse, and answer all questions in one short sentence. ".repeat(3);
                let body = json!({ "model": MODEL, "max_tokens": 24, "seed": random.random::<u32>(), "messages": [
                    { "role": "system", "content": long }, { "role": "user", "content": "Hello!" }] });
                sign((Endpoint::ChatCompletions, body))
            }
            Self::Logprobs => loop {
                let drawn = drawn(random, &self.asks());
                if drawn.header.message().endpoint == Endpoint::ChatCompletions {
                    return drawn;
                }
            },
            _ => drawn(random, &self.asks()),
        }
    }
}

impl Player<'_> {
    /// What an engine is asked. One that cheats writes as much as it ever may.
    fn request(&self, signed: &SignedRequest) -> GenerateRequest {
        let request = self.by.request(signed);
        GenerateRequest {
            most_tokens: request.max_tokens,
            cache_domain: unused(),
            ..request
        }
    }

    /// What an engine that cheats makes of a request.
    pub(crate) async fn engine(&self, signed: &SignedRequest) -> Played {
        let due = self.world.due(signed).await;
        let request = self.request(signed);
        let told = self.by.run(request).await;
        self.unless_alike(signed, &due, &told)
    }

    fn unless_alike(&self, signed: &SignedRequest, due: &Answer, told: &Answer) -> Played {
        let all = |answer: &Answer| {
            let usage = answer.usage;
            let counts = (usage.prompt_tokens(), usage.output);
            (write(signed, answer), counts, answer.fingerprint)
        };
        (all(due) != all(told)).then(|| self.world.honest.work(signed, told))
    }

    /// What is done to an answer or its record; `chance` decides where.
    pub(crate) async fn record(
        &self,
        record: Record,
        signed: &SignedRequest,
        chance: StdRng,
    ) -> Played {
        match record {
            Record::SkippedInput => return self.skipped(signed).await,
            Record::OtherCall => return self.other_call(signed).await,
            Record::CachedAsNew => return self.cached_as_new(signed).await,
            Record::EndsEarly => return self.ends_early(signed).await,
            Record::CoarseLeft => return self.left_by_a_cheap_one(signed).await,
            _ => {}
        }
        let due = self.world.due(signed).await;
        let told = match record {
            Record::ChangedPrompt => self.other_question(signed, &due, chance).await,
            Record::CheapWords => self.cheap_words(signed, &due).await?,
            Record::Edited1 => self.changed(signed, &due, 0.01, chance).await,
            Record::Edited5 => self.changed(signed, &due, 0.05, chance).await,
            Record::Edited20 => self.changed(signed, &due, 0.2, chance).await,
            Record::NonCanonical => letter_by_letter(signed, &due),
            Record::Hidden => hidden(&due),
            Record::Unreported => {
                let mut less = due.clone();
                less.usage.output -= 1;
                less
            }
            Record::Logprobs => doubtful(&due),
            _ => return Some(self.signed(record, signed, &due)),
        };
        self.unless_alike(signed, &due, &told)
    }

    /// Whose record says something else than the answer.
    fn signed(&self, record: Record, signed: &SignedRequest, due: &Answer) -> Work {
        let honest = &self.world.honest;
        let mut work = honest.work(signed, due);
        let mut receipt: Receipt = work.exchange.receipt().message().clone();
        match record {
            Record::OtherEngine => receipt.engine.model = Hash32([1; 32]),
            Record::Overcharged => receipt.units.0 += 1,
            Record::OtherUsage => {
                receipt.usage.input += 10;
                receipt.units = UnitWeights::TEXT.units(&receipt.usage).expect("units");
            }
            Record::OtherBody => receipt.response_hash = Hash32([2; 32]),
            Record::Unsent => {
                let half = &due.events[..due.events.len().div_ceil(2)];
                let left = Answer {
                    fingerprint: None,
                    ..due.clone()
                };
                return honest.work_of(signed, cut(signed.kind(), half).into(), &left);
            }
            _ => {}
        }
        resign(&mut work, receipt);
        work
    }

    async fn other_question(
        &self,
        signed: &SignedRequest,
        due: &Answer,
        mut chance: StdRng,
    ) -> Answer {
        let mut request = self.world.honest.request(signed);
        request.prompt = self
            .world
            .honest
            .request(&drawn(&mut chance, &json!({})))
            .prompt;
        request.cache_domain = unused();
        let mut told = self.world.honest.run(request).await;
        told.usage = Usage {
            output: told.usage.output,
            ..due.usage
        };
        told
    }

    /// None where the words are the true model's own: they are only cut into frames otherwise.
    async fn cheap_words(&self, signed: &SignedRequest, due: &Answer) -> Option<Answer> {
        let cheap = self.by.run(self.request(signed)).await;
        let ids = cheap.ids();
        match ids == due.ids() {
            true => None,
            false => Some(of_tokens(&self.world.honest, signed, &cheap, &ids).await),
        }
    }

    /// Some tokens are others, and all have the scores that the true model gives them.
    async fn changed(
        &self,
        signed: &SignedRequest,
        due: &Answer,
        part: f64,
        mut chance: StdRng,
    ) -> Answer {
        let mut ids = due.ids();
        // an end stays where it is
        let until = ids.len() - usize::from(ends(due));
        let words = &self.world.words;
        let many = ((part * until as f64).round() as usize).clamp(1, until.max(1));
        for place in rand::seq::index::sample(&mut chance, until.max(1), many.min(until.max(1))) {
            let from = chance.random_range(0..words.len());
            let mut others = words.iter().cycle().skip(from);
            ids[place] = *others.find(|id| **id != ids[place]).expect("another word");
        }
        of_tokens(&self.world.honest, signed, due, &ids).await
    }

    /// A vector that stands there twice.
    async fn skipped(&self, signed: &SignedRequest) -> Played {
        let asked = atoma_openai::request::embedding(&signed.body).expect("a request for vectors");
        let engine = &self.world.honest.engine;
        let (mut vectors, usage) = engine.embed(asked.inputs).await.expect("vectors");
        vectors[2] = vectors[1].clone();
        let body = answer::embeddings(MODEL, &vectors, usage, asked.base64);
        let answer = Answer {
            events: Vec::new(),
            usage,
            fingerprint: None,
        };
        Some(self.world.honest.work_of(signed, body.into(), &answer))
    }

    async fn other_call(&self, signed: &SignedRequest) -> Played {
        let caller = &self.world.caller;
        let due = caller.serve(signed).await;
        let said = String::from_utf8(write(signed, &due).to_vec()).expect("text");
        let (from, to) = match said.contains("true") {
            true => ("true", "false"),
            false => ("false", "true"),
        };
        let told = said.replace(from, to);
        (told != said).then(|| caller.work_of(signed, told.into(), &due))
    }

    async fn cached_as_new(&self, signed: &SignedRequest) -> Played {
        let honest = &self.world.honest;
        // the second one finds what the first has left
        honest.serve(signed).await;
        let mut answer = honest.serve(signed).await;
        let cached = answer.usage.cached_input;
        answer.usage.input += cached;
        answer.usage.cached_input = 0;
        (cached > 0).then(|| honest.work(signed, &answer))
    }

    async fn ends_early(&self, signed: &SignedRequest) -> Played {
        let honest = &self.world.honest;
        let mut request = honest.request(signed);
        request.max_tokens = 8;
        let answer = honest.run(request).await;
        (!ends(&answer)).then(|| honest.work(signed, &answer))
    }

    async fn left_by_a_cheap_one(&self, signed: &SignedRequest) -> Played {
        let told = self.by.run(self.request(signed)).await;
        let body = cut(signed.kind(), &told.events);
        let told = Answer {
            fingerprint: None,
            ..told
        };
        Some(self.world.honest.work_of(signed, body.into(), &told))
    }
}

/// Whether the model has ended it.
fn ends(answer: &Answer) -> bool {
    matches!(answer.events.last(), Some(Event::Done(done)) if done.finish != Finish::Length)
}

/// The same words, as if each letter were a token.
fn letter_by_letter(signed: &SignedRequest, due: &Answer) -> Answer {
    let letters = due.text().chars().count() as u64 + 1;
    let most = signed.asked()["max_tokens"].as_u64().unwrap_or(u64::MAX);
    let mut told = due.clone();
    if ends(due) {
        told.usage.output = letters.clamp(due.usage.output, most);
    }
    told
}

/// A third of the words is missing.
fn hidden(due: &Answer) -> Answer {
    let tokens = due.ids().len();
    let Some(Event::Done(done)) = due.events.last() else {
        return due.clone();
    };
    let mut told = shortened(due, (tokens * 2 / 3).max(1), done.finish);
    told.usage = due.usage;
    told
}

fn doubtful(due: &Answer) -> Answer {
    let mut told = edited(due, |_, _| None);
    for event in &mut told.events {
        if let Event::Token(token) = event
            && let Some(logprob) = &mut token.logprob
        {
            logprob.logprob /= 2.0;
        }
    }
    told
}
