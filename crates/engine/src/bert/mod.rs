//! BERT-type embedding models: MiniLM, BGE, E5, GTE and their like, the same bits on every processor.
//!
//! A folder is read as sentence-transformers writes it: pooling (`1_Pooling`), the most tokens of a text
//! (`sentence_bert_config.json`), the steps there are (`modules.json`). What is longer is refused, not
//! cut. Vectors have unit length, whether the folder asks for it or not. As everywhere in this engine,
//! a vector is a function of the weights and the text alone.

mod config;
mod encoder;
mod folder;
mod pooling;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use futures::FutureExt;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use rayon::ThreadPool;
use tokio::sync::Semaphore;

use self::config::BertConfig;
pub(crate) use self::config::MODEL_TYPE;
use self::encoder::Encoder;
use self::folder::SentenceFolder;
use self::pooling::Pooling;
use crate::checkpoint::{Checkpoint, Source};
use crate::embedded::kern::{Bf16, Simd, Weight};
use crate::embedded::{EmbeddedOptions, WeightType, pool_of, thread_pool};
use crate::load_error::LoadError;
use crate::probe::{ProbeFault, Probed, probe};
use crate::text::TextModel;
use crate::unit::{finite, unit};
use crate::{
    BadRequest, Embeddings, Engine, EngineError, EngineFault, EventStream, Format, GenerateRequest,
    Load, ModelInfo, Prompt, Sampling, SamplingDefaults, Score, Unsupported, Usage,
};

/// Steps at a time: each uses all threads of the engine.
const STEPS_AT_A_TIME: usize = 1;

/// Makes vectors of texts, on these threads or its own; what is behind it is a matter of how weights are kept.
type Embed = dyn Fn(&[Vec<u32>], Option<&ThreadPool>) -> Vec<Vec<f32>> + Send + Sync;

/// An embedding model in this process.
pub struct Bert {
    info: ModelInfo,
    text: Arc<TextModel>,
    lower_case: bool,
    embed: Arc<Embed>,
    /// Tokens of a step, unless one text alone has more.
    step_tokens: usize,
    /// Places of requests, in work or waiting.
    places: Arc<Semaphore>,
    most_requests: usize,
    /// Requests take turns, step by step, in the order in which they ask.
    turn: Arc<Semaphore>,
    tokens: AtomicU64,
    options: EmbeddedOptions,
    /// Where steps are computed instead of on all threads.
    one_thread: Mutex<Option<Arc<ThreadPool>>>,
}

impl Bert {
    /// Loads a model from a folder. Of the options, those of keys and values have no meaning here.
    ///
    /// # Errors
    /// If a file is missing or broken, or the model is of another kind or has steps that aren't
    /// computed here.
    pub fn open(path: &Path, options: EmbeddedOptions) -> Result<Self, LoadError> {
        let name = path.file_name();
        let name = name.map_or("model".into(), |name| name.to_string_lossy());
        Self::from_source(&Source::Folder(path.to_owned()), &name, options)
    }

    pub(crate) fn from_source(
        source: &Source,
        name: &str,
        options: EmbeddedOptions,
    ) -> Result<Self, LoadError> {
        let config_text = source.required("config.json")?;
        let config = BertConfig::parse(&config_text)?;
        let tokenizer = source.required("tokenizer.json")?;
        let folder = SentenceFolder::read(source)?;
        let context = folder.most_tokens.unwrap_or(config.positions);
        if context == 0 || context > config.positions {
            let (tokens, places) = (context, config.positions);
            return Err(Unsupported::TextLength { tokens, places }.into());
        }
        let text = TextModel::new(|name| (name == "tokenizer.json").then(|| tokenizer.clone()))?;
        let simd = options.simd()?;
        let mut checkpoint = Checkpoint::open(source)?;
        let (kept, numerics) = options.kept(&checkpoint);
        let vocab = config.vocab;
        let load = Start {
            config,
            pooling: folder.pooling,
            simd,
            options: &options,
        };
        let embed = match kept {
            WeightType::F32 => load.run::<f32>(&mut checkpoint)?,
            WeightType::Bf16 => load.run::<Bf16>(&mut checkpoint)?,
        };
        let mut files = vec![
            ("config.json", Some(&config_text[..])),
            ("tokenizer.json", Some(&tokenizer[..])),
        ];
        files.extend(folder.files.iter().map(|(n, text)| (*n, text.as_deref())));
        let info = ModelInfo {
            id: options.id.clone().unwrap_or_else(|| name.to_owned()),
            revision: checkpoint.revision(&files),
            numerics,
            context,
            vocab,
            max_output: 0,
            only_embeds: true,
            defaults: SamplingDefaults::default(),
        };
        let most_requests = options.max_waiting.max(1);
        Ok(Self {
            info,
            text: Arc::new(text),
            lower_case: folder.lower_case,
            embed,
            step_tokens: options.token_budget,
            places: Arc::new(Semaphore::new(most_requests)),
            most_requests,
            turn: Arc::new(Semaphore::new(STEPS_AT_A_TIME)),
            tokens: AtomicU64::new(0),
            options,
            one_thread: Mutex::default(),
        })
    }

    async fn embed_all(&self, prompts: Vec<Prompt>) -> Result<Embeddings, EngineError> {
        let place = self.places.try_acquire();
        let _place = place.map_err(|_| EngineError::Overloaded)?;
        let (text, lower_case) = (self.text.clone(), self.lower_case);
        let encode = move || {
            let encoded = prompts.iter().map(|p| encode(&text, lower_case, p));
            encoded.collect::<Result<Vec<_>, _>>()
        };
        let encoded = self.options.worker.blocking(encode).await;
        let mut inputs = encoded.map_err(EngineFault::from)??;
        inputs.iter().try_for_each(|tokens| self.check(tokens))?;
        let usage = Usage {
            input: inputs.iter().map(|tokens| tokens.len() as u64).sum(),
            ..Usage::default()
        };
        let mut vectors = Vec::with_capacity(inputs.len());
        while !inputs.is_empty() {
            let rest = inputs.split_off(texts_of_a_step(&inputs, self.step_tokens));
            let step = std::mem::replace(&mut inputs, rest);
            // Given back when the step is done, even if nobody waits for it any more.
            let turn = self.turn.clone().acquire_owned().await;
            let turn = turn.map_err(|_| EngineFault::Stopped)?;
            let (embed, one_thread) = (self.embed.clone(), self.one_thread.lock().clone());
            let tokens: usize = step.iter().map(Vec::len).sum();
            let work = move || {
                let _turn = turn;
                embed(&step, one_thread.as_deref())
            };
            let made = self.options.worker.blocking(work).await;
            for vector in made.map_err(EngineFault::from)? {
                vectors.push(finite(vector)?);
            }
            self.tokens.fetch_add(tokens as u64, Relaxed);
        }
        Ok((vectors, usage))
    }

    fn check(&self, tokens: &[u32]) -> Result<(), EngineError> {
        let (limit, got) = (self.info.context, tokens.len());
        if tokens.is_empty() {
            return Err(BadRequest::EmptyInput.into());
        }
        if let Some(id) = tokens.iter().find(|id| **id as usize >= self.info.vocab) {
            return Err(BadRequest::NoToken(*id).into());
        }
        if got > limit {
            return Err(EngineError::ContextTooLong { limit, got });
        }
        Ok(())
    }
}

/// What an encoder is loaded with.
struct Start<'a> {
    config: BertConfig,
    pooling: Pooling,
    simd: Simd,
    options: &'a EmbeddedOptions,
}

impl Start<'_> {
    fn run<T: Weight>(self, checkpoint: &mut Checkpoint) -> Result<Arc<Embed>, LoadError> {
        /// What was trained beside the encoder, and what follows from the configuration.
        fn is_idle(name: &str) -> bool {
            let name = name.strip_prefix("bert.").unwrap_or(name);
            name.starts_with("pooler.")
                || name.starts_with("cls.")
                || name.ends_with("position_ids")
        }
        let pool = thread_pool(self.options)?;
        let (pooling, width) = (self.pooling, self.config.hidden);
        let encoder: Encoder<T> =
            pool.install(|| Encoder::load(self.config, checkpoint, self.simd))?;
        checkpoint.all_used_but(is_idle)?;
        Ok(Arc::new(
            move |texts: &[Vec<u32>], threads: Option<&ThreadPool>| {
                let hidden = threads.unwrap_or(&pool).install(|| encoder.encode(texts));
                let mut rest = &hidden[..];
                let mut vector = |text: &Vec<u32>| {
                    let (tokens, after) = rest.split_at(text.len() * width);
                    rest = after;
                    unit(&pooling.pool(tokens, width))
                };
                texts.iter().map(&mut vector).collect()
            },
        ))
    }
}

/// How many of the first texts fit in a step: one at least.
fn texts_of_a_step(texts: &[Vec<u32>], budget: usize) -> usize {
    let mut tokens = 0;
    let fitting = texts.iter().take_while(|text| {
        tokens += text.len();
        tokens <= budget
    });
    fitting.count().max(1)
}

fn encode(text: &TextModel, lower_case: bool, prompt: &Prompt) -> Result<Vec<u32>, EngineError> {
    match prompt {
        Prompt::Text(plain) if lower_case => text.encode(&Prompt::Text(plain.to_lowercase())),
        other => text.encode(other),
    }
}

/// Embedding models don't talk.
fn cannot<T: Send + 'static>(what: &'static str) -> BoxFuture<'static, Result<T, EngineError>> {
    let error = BadRequest::OnlyEmbeds(what);
    futures::future::ready(Err(error.into())).boxed()
}

impl Engine for Bert {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn count_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        Ok(encode(&self.text, self.lower_case, prompt)?.len())
    }

    fn generate(
        &self,
        _request: GenerateRequest,
    ) -> BoxFuture<'_, Result<EventStream, EngineError>> {
        cannot("generate")
    }

    fn embed(&self, prompts: Vec<Prompt>) -> BoxFuture<'_, Result<Embeddings, EngineError>> {
        self.embed_all(prompts).boxed()
    }

    fn score(
        &self,
        _prompt: Vec<u32>,
        _output: Vec<u32>,
        _sampling: Sampling,
        _format: Option<Format>,
    ) -> BoxFuture<'_, Result<Score, EngineError>> {
        cannot("score")
    }

    fn on_one_thread(&self, one: bool) -> Result<(), EngineFault> {
        let thread = one.then(|| pool_of(1)).transpose();
        let thread = thread.map_err(|_| EngineFault::Thread)?;
        *self.one_thread.lock() = thread.map(Arc::new);
        Ok(())
    }

    fn probe(&self) -> BoxFuture<'_, Result<Option<Probed>, ProbeFault>> {
        probe(self)
    }

    fn load(&self) -> Load {
        let running = STEPS_AT_A_TIME - self.turn.available_permits();
        let accepted = self.most_requests - self.places.available_permits();
        Load {
            running,
            waiting: accepted.saturating_sub(running),
            most_waiting: self.most_requests.saturating_sub(STEPS_AT_A_TIME),
            prefill_tokens: self.tokens.load(Relaxed),
            healthy: true,
            ..Load::default()
        }
    }
}

impl std::fmt::Debug for Bert {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bert")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}
