//! Honest answers in all variations: none may be found guilty.

use crate::{cheats::look, model::Model};
use anyhow::Result;
use atoma_audit::{
    Finding, Work,
    testing::{
        Answer, MODEL, Provider, SignedRequest, asked, caller, completion, embedded, options, sign,
    },
};
use atoma_engine::{EmbeddedOptions, Engine, Isa, WeightType};
use atoma_types::message::Endpoint;
use futures::future::join_all;
use proptest::{
    prelude::prop,
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use rand::{Rng, SeedableRng, rngs::StdRng};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Instant};

/// Answers that are looked at side by side.
const LOOKED_AT_ONCE: usize = 8;
/// How many are computed side by side, in turn.
const AT_ONCE: [usize; 3] = [1, 8, 64];
/// Of so many rounds one is of the extremes.
const EXTREMES: usize = 12;
/// Of so many answers one is broken off.
const LEFT: f64 = 0.15;
/// Tokens of the longest answers, where the context has room for more.
const LONGEST: usize = 600;
/// Tokens of keys and values in one block.
const BLOCK: usize = 32;

/// How many honest answers, and which.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// So many at least, as they come in batches.
    pub answers: usize,
    /// What decides which are drawn.
    pub seed: u64,
    /// When no more are computed, however many there are.
    pub until: Option<Instant>,
}

/// How many honest answers were looked at, and what was said of them.
#[derive(Clone, Debug, Default)]
pub struct Honest {
    /// All of them.
    pub answers: usize,
    /// Their tokens.
    pub tokens: u64,
    /// By what varies: how many, and how many of them were found guilty.
    pub variations: BTreeMap<String, (usize, usize)>,
    /// Of those that were found guilty: what was found, where the client left, and the request.
    pub wronged: Vec<String>,
}

/// One way of running an engine; nothing of it may show.
struct Setup {
    name: &'static str,
    options: EmbeddedOptions,
}

/// Ways to serve. The memory for keys and values is that of one whole context in one of them: where many are served
/// at once, they are thrown out and computed anew.
fn setups(context: usize) -> Vec<Setup> {
    let setup = |name, options| Setup { name, options };
    let few = EmbeddedOptions {
        kv_blocks: Some(context.div_ceil(BLOCK)),
        max_running: 16,
        ..options(2, 48)
    };
    let wide = EmbeddedOptions {
        weights: Some(WeightType::F32),
        ..options(1, 96)
    };
    let plain = EmbeddedOptions {
        isa: Some(Isa::Portable),
        ..options(2, 33)
    };
    let narrow = EmbeddedOptions {
        max_running: 3,
        ..options(1, 7)
    };
    vec![
        setup("served on 2 threads, 128 rows a step", options(2, 128)),
        setup("served on 1 thread, 7 rows a step, 3 at once", narrow),
        setup("served with room for one context", few),
        setup("served with weights widened to f32", wide),
        setup("served without vector instructions", plain),
    ]
}

struct Look {
    providers: Vec<(&'static str, Provider)>,
    auditors: Vec<(&'static str, Arc<dyn Engine>)>,
    /// A model that calls tools, and who looks at it.
    callers: (Provider, Arc<dyn Engine>),
    context: usize,
    seed: u64,
}

impl Look {
    fn new(model: &Model, seed: u64) -> Result<Self> {
        let first = model.open(options(2, 64))?;
        let context = first.info().context;
        let mut providers = Vec::new();
        for setup in setups(context) {
            providers.push((setup.name, Provider::new(model.open(setup.options)?)));
        }
        let plain = EmbeddedOptions {
            isa: Some(Isa::Portable),
            ..options(1, 50)
        };
        Ok(Self {
            providers,
            auditors: vec![
                ("looked at on 2 threads", first),
                (
                    "looked at on 1 thread, 9 rows a step",
                    model.open(options(1, 9))?,
                ),
                ("looked at without vector instructions", model.open(plain)?),
            ],
            callers: (
                Provider::new(caller(options(2, 128))),
                caller(options(1, 40)),
            ),
            context,
            seed,
        })
    }
}

/// Serves, and looks at, so many answers.
///
/// # Errors
/// If an engine can't be loaded, or can't tell.
pub async fn honest(model: &Model, wanted: &Wanted, done: impl Fn(&Honest)) -> Result<Honest> {
    let looking = Look::new(model, wanted.seed)?;
    let mut honest = Honest::default();
    let random = StdRng::seed_from_u64(wanted.seed).random::<[u8; 32]>();
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &random);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let mut round = 0;
    let in_time = || wanted.until.is_none_or(|until| Instant::now() < until);
    while honest.answers < wanted.answers && in_time() {
        looking.round(round, &mut runner, &mut honest).await?;
        round += 1;
        if round % 100 == 0 {
            done(&honest);
        }
    }
    Ok(honest)
}

impl Look {
    async fn round(
        &self,
        round: usize,
        runner: &mut TestRunner,
        honest: &mut Honest,
    ) -> Result<()> {
        let (name, provider) = &self.providers[round % self.providers.len()];
        // the one without vector instructions is slow: one round in four
        let auditor = match round % 4 {
            3 => 2,
            other => other % 2,
        };
        let (looker, auditor) = &self.auditors[auditor];
        if round % EXTREMES == EXTREMES - 1 {
            let requests = self.extremes(provider, round);
            return serve(provider, &**auditor, requests, (name, looker), honest).await;
        }
        let calls = round % 3 == 2;
        let at_once = AT_ONCE[round / 3 % AT_ONCE.len()];
        let requests = (0..at_once).map(|_| drawn(runner, calls)).collect();
        match calls {
            false => serve(provider, &**auditor, requests, (name, looker), honest).await,
            true => {
                let (provider, auditor) = &self.callers;
                let names = ("served by a model that calls tools", "looked at beside it");
                serve(provider, &**auditor, requests, (names.0, names.1), honest).await
            }
        }
    }

    /// Requests at the edges: the longest answers, loops, temperatures near none, vectors.
    fn extremes(&self, provider: &Provider, round: usize) -> Vec<(SignedRequest, Option<usize>)> {
        let seed = (self.seed << 32) + round as u64;
        let text = "a ".repeat(30);
        let prompt = atoma_engine::Prompt::Text(text.clone());
        let tokens = provider.engine.count_tokens(&prompt).expect("counted");
        let room = (self.context - tokens).min(LONGEST);
        let long = |more: Value| {
            let mut fields =
                json!({ "max_tokens": room, "seed": seed, "stream": round.is_multiple_of(2) });
            if let (Value::Object(fields), Value::Object(more)) = (&mut fields, more) {
                fields.extend(more);
            }
            sign(completion(&text, fields))
        };
        let vectors =
            json!({ "model": MODEL, "input": ["the sun", format!("a text {round}"), "🙂"] });
        let all = [
            long(json!({ "temperature": 0.0 })),
            long(json!({ "temperature": 1.5 })),
            long(json!({ "temperature": 1e-3, "frequency_penalty": 1.0, "logprobs": 2 })),
            sign((Endpoint::Embeddings, vectors)),
        ];
        all.into_iter().map(|signed| (signed, None)).collect()
    }
}

/// A request, and where its client leaves, if it does.
fn drawn(runner: &mut TestRunner, calls: bool) -> (SignedRequest, Option<usize>) {
    let strategy = (asked(calls), prop::option::weighted(LEFT, 0usize..1_000));
    let tree = strategy.new_tree(runner).expect("a case");
    let (asked, left) = tree.current();
    (sign(asked), left)
}

/// Computes answers side by side, has them looked at, and counts.
async fn serve(
    provider: &Provider,
    auditor: &dyn Engine,
    requests: Vec<(SignedRequest, Option<usize>)>,
    names: (&str, &str),
    honest: &mut Honest,
) -> Result<()> {
    let served = requests
        .iter()
        .map(|(signed, left)| record(provider, signed, *left));
    let served: Vec<(Work, Option<Answer>)> = join_all(served).await;
    let works: Vec<Work> = served.iter().map(|(work, _)| work.clone()).collect();
    let mut findings = Vec::new();
    for works in works.chunks(LOOKED_AT_ONCE) {
        findings.extend(look(auditor, works).await?);
    }
    let at_once = format!("computed {} at once", requests.len());
    for (((signed, left), (_, answer)), finding) in requests.iter().zip(&served).zip(findings) {
        honest.answers += 1;
        let mut all = vec![names.0.to_owned(), names.1.to_owned(), at_once.clone()];
        all.extend(
            variations(signed, answer.as_ref(), *left)
                .into_iter()
                .map(str::to_owned),
        );
        let guilty = finding != Finding::Honest;
        for name in all {
            let (looked_at, wronged) = honest.variations.entry(name).or_default();
            *looked_at += 1;
            *wronged += usize::from(guilty);
        }
        honest.tokens += answer.as_ref().map_or(0, |answer| answer.usage.output);
        if guilty {
            let body = String::from_utf8_lossy(&signed.body);
            honest
                .wronged
                .push(format!("{finding}: {}; {left:?} {body}", names.0));
        }
    }
    Ok(())
}

async fn record(
    provider: &Provider,
    signed: &SignedRequest,
    left: Option<usize>,
) -> (Work, Option<Answer>) {
    if signed.header.message().endpoint == Endpoint::Embeddings {
        return (embedded(provider, signed).await, None);
    }
    let answer = provider.serve(signed).await;
    let work = match left {
        Some(left) => provider.work_left(signed, &answer, left),
        None => provider.work(signed, &answer),
    };
    (work, Some(answer))
}

/// What is special about an answer.
fn variations(
    signed: &SignedRequest,
    answer: Option<&Answer>,
    left: Option<usize>,
) -> Vec<&'static str> {
    let asked = signed.asked();
    let Some(answer) = answer else {
        return vec!["vectors"];
    };
    let has = |field: &str| !asked[field].is_null() && asked[field] != json!([]);
    let text = String::from_utf8_lossy(&signed.body);
    let all = [
        (signed.streams(), "streamed"),
        (!signed.streams(), "told as a whole"),
        (left.is_some(), "left by its client"),
        (has("stop"), "with stop strings"),
        (has("response_format"), "in the form of a schema"),
        (has("tools"), "with tools"),
        (has("logprobs"), "with log probabilities"),
        (asked["temperature"] == 0.0, "greedy"),
        (asked["temperature"] != 0.0, "sampled"),
        (text.contains('🙂'), "emoji and other scripts"),
        (text.contains("a a a"), "of a prompt that repeats itself"),
        (
            answer.usage.cached_input > 0,
            "prompt's beginning from the cache",
        ),
        (answer.usage.cached_input == 0, "nothing from the cache"),
        (answer.usage.output > 200, "longer than 200 tokens"),
    ];
    all.into_iter()
        .filter(|(is, _)| *is)
        .map(|(_, name)| name)
        .collect()
}
