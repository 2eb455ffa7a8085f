//! The embedded engine: Llama-family models on the CPU, the same bits on every processor.
//!
//! Every logit is a function of (weights, numeric class, tokens so far) alone: not of threads,
//! batch companions, chunks of prefill, cache hits or instruction set. [`kern`] says how. With noise
//! that is a function of (seed, position, token), a whole answer can be checked exactly by one
//! prefill: [`Engine::score`].

mod config;
mod confirm;
mod files;
mod job;
pub(crate) mod kern;
mod kv;
mod mailbox;
mod model;
mod options;
mod probes;
mod rope;
mod shares;
mod start;
pub(crate) mod tensors;
mod worker;

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use atoma_runtime::Threads;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

#[cfg(feature = "fuzzing")]
pub(crate) use self::config::ModelConfig;
#[cfg(not(feature = "fuzzing"))]
use self::config::ModelConfig;
use self::files::Files;
use self::job::{Embedding, Generation, Job, Scoring, Work};
pub use self::kern::Isa;
use self::kern::{BLOCK, Bf16};
use self::mailbox::Mailbox;
pub use self::options::{EmbeddedOptions, WeightType};
use self::start::{Start, default_blocks};
pub(crate) use self::start::{pool_of, thread_pool};
use self::worker::Limits;
use crate::checkpoint::{Checkpoint, Source};
use crate::deltas::Deltas;
use crate::fingerprint::{Fingerprint, digest, new_state};
use crate::format::{Formats, Guide};
use crate::load_error::LoadError;
use crate::probe::{ProbeFault, Probed, probe};
use crate::sample::Counts;
use crate::text::TextModel;
use crate::tool_calls::ToolCalls;
use crate::unit::finite;
use crate::{
    BadRequest, CacheDomain, Embeddings, Engine, EngineError, EngineFault, Event, EventStream,
    Format, GenerateRequest, Load, ModelInfo, Prompt, Sampling, Score, ToolChoice, Usage,
    event_channel,
};

/// Most stop strings of a request, and bytes of one: more are mistakes, and each costs time per
/// token. OpenAI allows four.
const MAX_STOPS: usize = 16;
const MAX_STOP_BYTES: usize = 1024;
const CONTEXT_TAG: &[u8] = b"atoma/engine/context/v1";
/// Inputs of one embedding request that wait or run at a time: enough to fill a step, few enough to
/// leave places to others.
const EMBEDDINGS_AT_A_TIME: usize = 16;
/// Most alternatives per token, as OpenAI has it.
const MAX_TOP_LOGPROBS: u8 = 20;
/// Texts longer than this are tokenized away from the async threads.
const INLINE_TEXT_BYTES: usize = 16 << 10;

/// A model in this process.
pub struct Embedded {
    info: ModelInfo,
    hidden: usize,
    text: Arc<TextModel>,
    eos: Vec<u32>,
    shared: Arc<Mailbox>,
    formats: Arc<Formats>,
    limits: Limits,
    blocks: usize,
    threads: Threads,
    /// What the first probe came to, of it or of one that is alike: another one would say the same.
    probed: Arc<probes::Outcome>,
}

impl Embedded {
    /// Loads a model from a Hugging Face folder.
    ///
    /// # Errors
    /// If a file is missing or broken, or the model is of a kind that this engine does not run.
    pub fn open(path: &Path, options: EmbeddedOptions) -> Result<Self, LoadError> {
        let name = path
            .file_name()
            .map_or("model".into(), |n| n.to_string_lossy().into_owned());
        Self::from_source(&Source::Folder(path.to_owned()), &name, options)
    }

    pub(crate) fn from_source(
        source: &Source,
        name: &str,
        options: EmbeddedOptions,
    ) -> Result<Self, LoadError> {
        let (files, mut config) = Files::read(source)?;
        let text = Arc::new(files.text_model()?);
        config
            .eos
            .extend(text.eos_id().filter(|id| !config.eos.contains(id)));

        let simd = options.simd()?;
        let mut checkpoint = Checkpoint::open(source)?;
        let (kept, numerics) = options.kept(&checkpoint);
        let blocks = options
            .kv_blocks
            .unwrap_or_else(|| default_blocks(&config, &options))
            .max(1);
        let limits = limits(&config, &options, blocks, name);
        let start = Start {
            config: config.clone(),
            limits,
            blocks,
            text: text.clone(),
        };
        let shared = match kept {
            WeightType::F32 => start.run::<f32>(&mut checkpoint, simd, &options)?,
            WeightType::Bf16 => start.run::<Bf16>(&mut checkpoint, simd, &options)?,
        };
        let revision = checkpoint.revision(&files.of_revision());
        let revision = revision_within(revision, limits.context, config.context);
        let probed = probes::outcome(revision, &options);
        let info = ModelInfo {
            id: options.id.unwrap_or_else(|| name.to_owned()),
            revision,
            numerics,
            context: limits.context,
            vocab: config.vocab,
            max_output: limits.context - 1,
            only_embeds: false,
            defaults: files.defaults()?,
        };
        Ok(Self {
            info,
            hidden: config.hidden,
            formats: Arc::new(Formats::new(text.clone(), config.vocab, config.eos.clone())),
            eos: config.eos,
            text,
            shared,
            limits,
            blocks,
            threads: options.worker,
            probed,
        })
    }

    /// Tokens of a prompt that leaves `room` in the context.
    async fn encode(&self, prompt: Prompt, room: usize) -> Result<Vec<u32>, EngineError> {
        let bytes = match &prompt {
            Prompt::Tokens(_) => 0,
            Prompt::Text(text) => text.len(),
            Prompt::Chat(chat) => chat.messages.iter().map(|m| m.text().len()).sum(),
        };
        let tokens = if bytes <= INLINE_TEXT_BYTES {
            self.text.encode(&prompt)?
        } else {
            let text = self.text.clone();
            let encoded = self.threads.blocking(move || text.encode(&prompt)).await;
            encoded.map_err(EngineFault::from)??
        };
        self.check(&tokens, room)?;
        Ok(tokens)
    }

    /// The form that an answer must have, and what takes calls of tools out of it.
    fn called(
        &self,
        request: &GenerateRequest,
    ) -> Result<(Option<Format>, Option<ToolCalls>), EngineError> {
        let tools = match &request.prompt {
            Prompt::Chat(chat) => chat.tools.as_ref(),
            _ => None,
        };
        let name = match &request.tool_choice {
            ToolChoice::None => return Ok((request.format.clone(), None)),
            ToolChoice::Auto => {
                let syntax = tools.and(self.text.call_syntax());
                let calls = syntax.map(|syntax| ToolCalls::new(syntax, request.seed));
                return Ok((request.format.clone(), calls));
            }
            ToolChoice::Required => None,
            ToolChoice::Named(name) => Some(name.clone()),
        };
        let tools = tools.ok_or(BadRequest::NoTools)?.clone();
        if request.format.is_some() {
            return Err(BadRequest::CallAndForm.into());
        }
        let syntax = self.text.call_syntax();
        let calls = syntax.map(|syntax| ToolCalls::new(syntax, request.seed));
        Ok((Some(Format::ToolCall { tools, name }), calls))
    }

    /// A guide to the form that an answer must have; away from the async threads, as it takes a while.
    async fn guide(&self, format: Option<Format>) -> Result<Option<Guide>, EngineError> {
        let Some(format) = format else {
            return Ok(None);
        };
        let formats = self.formats.clone();
        let made = self.threads.blocking(move || formats.guide(&format)).await;
        let made = made.map_err(EngineFault::from)?;
        Ok(Some(made?))
    }

    fn check(&self, tokens: &[u32], room: usize) -> Result<(), EngineError> {
        let (limit, got) = (self.limits.context - room, tokens.len());
        if tokens.is_empty() {
            return Err(BadRequest::EmptyPrompt.into());
        }
        if let Some(id) = tokens.iter().find(|id| **id as usize >= self.info.vocab) {
            return Err(BadRequest::NoToken(*id).into());
        }
        if got > limit {
            return Err(EngineError::ContextTooLong { limit, got });
        }
        Ok(())
    }

    fn post(&self, job: Job) -> Result<(), EngineError> {
        self.shared.post(job, self.limits.max_waiting)
    }
}

impl Engine for Embedded {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn count_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        match prompt {
            Prompt::Tokens(tokens) => Ok(tokens.len()),
            _ => Ok(self.text.encode(prompt)?.len()),
        }
    }

    fn tokenize(&self, prompt: &Prompt) -> Result<Vec<u32>, EngineError> {
        self.text.encode(prompt)
    }

    fn detokenize(&self, tokens: &[u32]) -> String {
        self.text.decode(tokens)
    }

    fn generate(
        &self,
        request: GenerateRequest,
    ) -> BoxFuture<'_, Result<EventStream, EngineError>> {
        let work = async move {
            let sampling = request.sampling();
            sampling.validate()?;
            check_request(&request)?;
            let (format, calls) = self.called(&request)?;
            let tokens = self.encode(request.prompt, 1).await?;
            let guide = self.guide(format).await?;
            let shared = self.shared.clone();
            let notify = Arc::new(move || shared.ring());
            let (events, stream) = event_channel(request.max_tokens, Some(notify));
            let usage = Usage {
                input: tokens.len() as u64,
                ..Usage::default()
            };
            let generation = Generation {
                sampling,
                logprobs: request.logprobs,
                limit: stream.limit(),
                events,
                pending: VecDeque::new(),
                deltas: Deltas::new(&self.text, &tokens, request.stop),
                counts: Counts::new(),
                guide,
                mask: None,
                calls,
                fingerprint: Fingerprint::default(),
                usage,
                started: false,
            };
            let work = Work::Generate(Box::new(generation));
            self.post(Job::new(tokens, request.cache_domain, work))?;
            Ok(stream)
        };
        work.boxed()
    }

    fn embed(&self, prompts: Vec<Prompt>) -> BoxFuture<'_, Result<Embeddings, EngineError>> {
        let work = async move {
            let mut usage = Usage::default();
            let mut inputs = Vec::with_capacity(prompts.len());
            for prompt in prompts {
                let tokens = self.encode(prompt, 0).await?;
                usage.input += tokens.len() as u64;
                inputs.push(tokens);
            }
            let mut vectors = Vec::with_capacity(inputs.len());
            let mut replies = VecDeque::new();
            for tokens in inputs {
                let most = EMBEDDINGS_AT_A_TIME.min(self.limits.max_waiting / 2).max(1);
                if replies.len() == most {
                    vectors.extend(next_vector(&mut replies).await?);
                }
                let (reply, answer) = oneshot::channel();
                let sum = vec![0.0; self.hidden];
                let work = Work::Embed(Embedding { sum, reply });
                let job = Job::new(tokens, CacheDomain::SHARED, work);
                // A request that was let in is worked off.
                let limit = if vectors.is_empty() && replies.is_empty() {
                    self.limits.max_waiting
                } else {
                    usize::MAX
                };
                self.shared.post(job, limit)?;
                replies.push_back(answer);
            }
            while let Some(vector) = next_vector(&mut replies).await? {
                vectors.push(vector);
            }
            Ok((vectors, usage))
        };
        work.boxed()
    }

    fn score(
        &self,
        prompt: Vec<u32>,
        output: Vec<u32>,
        sampling: Sampling,
        format: Option<Format>,
    ) -> BoxFuture<'_, Result<Score, EngineError>> {
        let work = async move {
            sampling.validate()?;
            let guide = self.guide(format).await?;
            let (reply, answer) = oneshot::channel();
            let mut tokens = [&prompt[..], &output].concat();
            self.check(&tokens, 0)?;
            if prompt.is_empty() || output.is_empty() {
                return Err(BadRequest::EmptyScore.into());
            }
            // Nothing is asked of what would follow the last token.
            tokens.pop();
            let scoring = Scoring {
                prompt: prompt.len(),
                output,
                sampling,
                guide,
                masks: HashMap::new(),
                scores: Vec::new(),
                fingerprint: Fingerprint::default(),
                reply,
            };
            let work = Work::Score(Box::new(scoring));
            self.post(Job::new(tokens, CacheDomain::SHARED, work))?;
            answer.await.map_err(|_| stopped())?
        };
        work.boxed()
    }

    fn confirm(
        &self,
        request: GenerateRequest,
        said: String,
    ) -> BoxFuture<'_, Result<Option<Vec<Event>>, EngineError>> {
        self.confirmed(request, said).boxed()
    }

    fn on_one_thread(&self, one: bool) -> Result<(), EngineFault> {
        let thread = one.then(|| pool_of(1)).transpose();
        let thread = thread.map_err(|_| EngineFault::Thread)?;
        *self.shared.one_thread.lock() = thread.map(Arc::new);
        Ok(())
    }

    fn probe(&self) -> BoxFuture<'_, Result<Option<Probed>, ProbeFault>> {
        async { self.probed.get_or_init(|| probe(self)).await.clone() }.boxed()
    }

    fn load(&self) -> Load {
        let stats = &self.shared.stats;
        Load {
            running: stats.running.load(Relaxed),
            waiting: stats.waiting.load(Relaxed),
            most_waiting: self.limits.max_waiting,
            kv_blocks_free: stats.blocks_free.load(Relaxed),
            kv_blocks_total: self.blocks,
            threads: stats.threads.load(Relaxed),
            prefill_tokens: stats.prefill_tokens.load(Relaxed),
            output_tokens: stats.output_tokens.load(Relaxed),
            healthy: !stats.dead.load(Relaxed),
            ..Load::default()
        }
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        self.shared.close();
    }
}

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

/// The vector that was asked for first.
async fn next_vector(
    replies: &mut VecDeque<oneshot::Receiver<Result<Vec<f32>, EngineError>>>,
) -> Result<Option<Vec<f32>>, EngineError> {
    match replies.pop_front() {
        Some(reply) => {
            let vector = reply.await.map_err(|_| stopped())??;
            Ok(Some(finite(vector)?))
        }
        None => Ok(None),
    }
}

fn check_request(request: &GenerateRequest) -> Result<(), BadRequest> {
    if request.max_tokens == 0 {
        return Err(BadRequest::MaxTokens);
    }
    if request.stop.len() > MAX_STOPS || request.stop.iter().any(|s| s.len() > MAX_STOP_BYTES) {
        return Err(BadRequest::Stops);
    }
    if request
        .logprobs
        .is_some_and(|count| count > MAX_TOP_LOGPROBS)
    {
        return Err(BadRequest::Logprobs);
    }
    Ok(())
}

fn stopped() -> EngineError {
    EngineFault::Stopped.into()
}

/// The revision of a model with this context. Where it is shorter than the whole, answers end elsewhere, so it is
/// another model to whoever compares.
///
/// `BLAKE2b-256("atoma/engine/context/v1" | revision 32 | context u64 le)`
fn revision_within(revision: [u8; 32], context: usize, whole: usize) -> [u8; 32] {
    if context >= whole {
        return revision;
    }
    let mut state = new_state();
    state.update(CONTEXT_TAG).update(&revision);
    digest(state.update(&(context as u64).to_le_bytes()))
}

/// How much the worker takes on: as the operator says, within what model and memory allow.
fn limits(config: &ModelConfig, options: &EmbeddedOptions, blocks: usize, name: &str) -> Limits {
    let wanted = options.context.unwrap_or(config.context);
    let wanted = wanted.clamp(2, config.context.max(2));
    let limits = Limits {
        token_budget: options.token_budget.max(1),
        max_running: options.max_running.max(1),
        max_waiting: options.max_waiting.max(1),
        context: wanted.min(blocks * BLOCK),
    };
    if limits.context < wanted || config.context < config.promised {
        let why = if limits.context < wanted {
            "keys and values have no room for more"
        } else {
            "attention reaches no further"
        };
        tracing::warn!(
            model = options.id.as_deref().unwrap_or(name),
            tokens = limits.context,
            of = config.promised,
            "the context is shortened: {why}"
        );
    }
    limits
}
