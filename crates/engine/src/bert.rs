//! BERT-type embedding models through candle: MiniLM, BGE, E5, GTE and their like.
//!
//! Vectors are pooled as the folder's `1_Pooling/config.json` says (the mean of all tokens, or the
//! first one) and scaled to unit length. Candle sums in an order of its own, so these engines are of
//! the tolerant class.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use atoma_runtime::Threads;
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};
use futures::FutureExt;
use futures::future::BoxFuture;
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::checkpoint::{Source, json};
use crate::fingerprint::{digest, new_state};
use crate::load_error::LoadError;
use crate::text::TextModel;
use crate::{
    Embeddings, Engine, EngineError, EngineFault, EventStream, Format, GenerateRequest, Load,
    ModelInfo, Numerics, Prompt, Sampling, Score, Usage,
};

const REVISION_TAG: &[u8] = b"atoma/engine/bert-revision/v1";
/// Requests in work and in the queue; more are refused as overload.
const MAX_REQUESTS: usize = 256;
/// Requests in work: candle spreads one over all processors.
const MAX_RUNNING: usize = 1;

/// An embedding model in this process.
pub struct Bert {
    info: ModelInfo,
    text: TextModel,
    model: Arc<BertModel>,
    pooling: Pooling,
    queue: Arc<Semaphore>,
    running: Arc<Semaphore>,
    tokens: AtomicU64,
}

/// How token vectors become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pooling {
    Mean,
    First,
}

#[derive(Deserialize)]
struct PoolingConfig {
    #[serde(default)]
    pooling_mode_cls_token: bool,
    #[serde(default)]
    pooling_mode_mean_tokens: bool,
}

impl Bert {
    /// Loads a model from a Hugging Face folder.
    ///
    /// # Errors
    /// If a file is missing, or the model is of another kind.
    pub fn load(path: &Path) -> Result<Arc<dyn Engine>, LoadError> {
        Ok(Arc::new(Self::open(path)?))
    }

    /// As [`load`](Self::load), with the concrete type.
    ///
    /// # Errors
    /// As [`load`](Self::load).
    pub fn open(path: &Path) -> Result<Self, LoadError> {
        let source = Source::Folder(path.to_owned());
        let config_text = source.required("config.json")?;
        let config: Config = json("config.json", &config_text)?;
        let tokenizer = source.required("tokenizer.json")?;
        let text = TextModel::new(|name| (name == "tokenizer.json").then(|| tokenizer.clone()))?;
        let weights = source.required("model.safetensors")?;
        let mut state = new_state();
        state.update(REVISION_TAG);
        for file in [&config_text, &tokenizer, &weights] {
            state
                .update(&(file.len() as u64).to_le_bytes())
                .update(file);
        }
        let unreadable = |e: candle_core::Error| LoadError::Config(format!("weights: {e}"));
        let vars = VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)
            .map_err(unreadable)?;
        let model = BertModel::load(vars, &config).map_err(unreadable)?;
        let name = path
            .file_name()
            .map_or("model".into(), |n| n.to_string_lossy().into_owned());
        let info = ModelInfo {
            id: name,
            revision: digest(&state),
            numerics: Numerics::Tolerant,
            context: config.max_position_embeddings,
            vocab: config.vocab_size,
            max_output: 0,
            defaults: crate::SamplingDefaults::default(),
        };
        Ok(Self {
            info,
            text,
            model: Arc::new(model),
            pooling: pooling(&source)?,
            queue: Arc::new(Semaphore::new(MAX_REQUESTS)),
            running: Arc::new(Semaphore::new(MAX_RUNNING)),
            tokens: AtomicU64::new(0),
        })
    }

    async fn embed_all(&self, prompts: Vec<Prompt>) -> Result<Embeddings, EngineError> {
        let _place = self
            .queue
            .try_acquire()
            .map_err(|_| EngineError::Overloaded)?;
        let mut inputs = Vec::with_capacity(prompts.len());
        for prompt in &prompts {
            let tokens = self.text.encode(prompt)?;
            if tokens.is_empty() || tokens.iter().any(|id| *id as usize >= self.info.vocab) {
                return Err(EngineError::BadRequest(
                    "an input is empty or has unknown tokens".into(),
                ));
            }
            if tokens.len() > self.info.context {
                let (limit, got) = (self.info.context, tokens.len());
                return Err(EngineError::ContextTooLong { limit, got });
            }
            inputs.push(tokens);
        }
        let usage = Usage {
            input: inputs.iter().map(|tokens| tokens.len() as u64).sum(),
            ..Usage::default()
        };
        // Given back when the work is done, even if nobody waits for it any more.
        let running = self.running.clone().acquire_owned().await;
        let running = running.map_err(|_| EngineFault::Stopped)?;
        let (model, pooling) = (self.model.clone(), self.pooling);
        let work = move || -> candle_core::Result<Vec<Vec<f32>>> {
            let _running = running;
            // One by one: no padding, so that no text's vector depends on its companions.
            inputs
                .iter()
                .map(|tokens| embed_one(&model, pooling, tokens))
                .collect()
        };
        let vectors = Threads::Real.blocking(work).await;
        let vectors = vectors.map_err(EngineFault::from)?;
        let vectors = vectors.map_err(|e| EngineFault::Model(e.to_string()))?;
        self.tokens.fetch_add(usage.input, Relaxed);
        Ok((vectors, usage))
    }
}

fn embed_one(model: &BertModel, pooling: Pooling, tokens: &[u32]) -> candle_core::Result<Vec<f32>> {
    let ids = Tensor::new(tokens, &Device::Cpu)?.unsqueeze(0)?;
    let hidden = model.forward(&ids, &ids.zeros_like()?, None)?.squeeze(0)?;
    let pooled = match pooling {
        Pooling::Mean => hidden.mean(0)?,
        Pooling::First => hidden.get(0)?,
    };
    let vector: Vec<f32> = pooled.to_vec1()?;
    let length = vector
        .iter()
        .map(|v| f64::from(*v).powi(2))
        .sum::<f64>()
        .sqrt();
    let scale = if length > 0.0 { 1.0 / length } else { 0.0 };
    Ok(vector
        .into_iter()
        .map(|v| (f64::from(v) * scale) as f32)
        .collect())
}

/// The mean, unless the folder says that the first token stands for all.
fn pooling(source: &Source) -> Result<Pooling, LoadError> {
    let Some(text) = source.file("1_Pooling/config.json")? else {
        return Ok(Pooling::Mean);
    };
    let config: PoolingConfig = json("1_Pooling/config.json", &text)?;
    match (
        config.pooling_mode_mean_tokens,
        config.pooling_mode_cls_token,
    ) {
        (true, false) => Ok(Pooling::Mean),
        (false, true) => Ok(Pooling::First),
        _ => Err(LoadError::Unsupported(
            "a pooling other than mean or first token".into(),
        )),
    }
}

/// Embedding models don't talk.
fn cannot<T: Send + 'static>(what: &str) -> BoxFuture<'static, Result<T, EngineError>> {
    let error = EngineError::BadRequest(format!("an embedding model can't {what}"));
    futures::future::ready(Err(error)).boxed()
}

impl Engine for Bert {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn count_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        Ok(self.text.encode(prompt)?.len())
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

    fn load(&self) -> Load {
        let running = MAX_RUNNING - self.running.available_permits();
        let accepted = MAX_REQUESTS - self.queue.available_permits();
        Load {
            running,
            waiting: accepted.saturating_sub(running),
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
