//! `[[engines]]` of a node's configuration file: what answers the requests of a model.

use crate::model;
use anyhow::{Context, Result, ensure};
use atoma_engine::{EmbeddedOptions, Engine, Upstream, UpstreamOptions, WeightType};
use serde::Deserialize;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// An engine of a node's configuration file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct EngineConfig {
    /// The name in requests and in the task.
    pub(super) model: String,
    /// Where it comes from.
    from: EngineSource,
    /// Threads of an embedded engine; all cores if absent.
    threads: Option<usize>,
    /// Sequences that an embedded engine works on at a time.
    max_running: Option<usize>,
    /// Requests that wait for an embedded engine; more are refused as overload.
    max_waiting: Option<usize>,
    /// Tokens of one step of an embedded engine: more read prompts faster, and others wait longer for
    /// their next token.
    step_tokens: Option<usize>,
    /// MiB for keys and values of an embedded engine; a context that doesn't fit is shortened.
    kv_cache_mib: Option<usize>,
    /// How an embedded engine keeps weights; as the model's files have them if absent. bf16 halves the
    /// memory of f32 and is another numerics class.
    weights: Option<Weights>,
}

/// How weights are kept in memory.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Weights {
    /// As they are, or widened.
    F32,
    /// Rounded if they are finer.
    Bf16,
}

/// Where an engine comes from.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum EngineSource {
    /// The model inside this program.
    Builtin,
    /// A Hugging Face folder, or a hub's name.
    Model(String),
    /// Servers that speak OpenAI's API.
    Upstream(UpstreamSource),
}

/// Servers that all have the same model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct UpstreamSource {
    /// Their base URLs.
    urls: Vec<String>,
    /// Their own name for the model, if it differs.
    model: Option<String>,
    /// Environment variable with the bearer token they want.
    api_key_env: Option<String>,
    /// Tokens of prompt and output together; what the servers say, if absent.
    context: Option<usize>,
    /// Folder with the model's tokenizer: prompts are counted with it. Without one vLLM and llama.cpp are
    /// asked, which takes one more question for each request; of others the bytes are taken.
    tokenizer: Option<PathBuf>,
    /// Most prompt tokens of one image or sound: so many are reserved for each.
    media_tokens: Option<usize>,
    /// Most requests at a time for each server; more get 429.
    max_running: Option<usize>,
    /// So many requests in a server's own queue, by its metrics, mean 429, too.
    max_waiting: Option<usize>,
    /// How often each server is asked how it is.
    probe_ms: Option<u64>,
    /// A server that works on requests while nothing moves for so long is taken for hung: it gets no more
    /// until it has shown a token.
    stall_ms: Option<u64>,
}

impl EngineConfig {
    /// Loads the model, or connects to the servers that have it.
    pub(super) async fn start(&self) -> Result<Arc<dyn Engine>> {
        match &self.from {
            EngineSource::Builtin => model::load(None, self.embedded()?).await,
            EngineSource::Model(model) => model::load(Some(model), self.embedded()?).await,
            EngineSource::Upstream(source) => upstream(&self.model, source),
        }
    }

    fn embedded(&self) -> Result<EmbeddedOptions> {
        let usual = EmbeddedOptions::default();
        let bytes = |mib: usize| {
            mib.checked_mul(1 << 20)
                .context("`kv_cache_mib` is too large")
        };
        Ok(EmbeddedOptions {
            threads: self.threads,
            max_running: self.max_running.unwrap_or(usual.max_running),
            max_waiting: self.max_waiting.unwrap_or(usual.max_waiting),
            token_budget: self.step_tokens.unwrap_or(usual.token_budget),
            kv_bytes: self.kv_cache_mib.map_or(Ok(usual.kv_bytes), bytes)?,
            weights: self.weights.map(|weights| match weights {
                Weights::F32 => WeightType::F32,
                Weights::Bf16 => WeightType::Bf16,
            }),
            ..usual
        })
    }
}

fn upstream(model: &str, source: &UpstreamSource) -> Result<Arc<dyn Engine>> {
    ensure!(
        !source.urls.is_empty(),
        "engine {model}: `upstream` names no URL"
    );
    let mut options = UpstreamOptions::new(model, source.urls.clone());
    options.model.clone_from(&source.model);
    options.tokenizer.clone_from(&source.tokenizer);
    options.context = source.context;
    let set = |option: &mut usize, value: Option<usize>| *option = value.unwrap_or(*option);
    set(&mut options.media_tokens, source.media_tokens);
    set(&mut options.max_running, source.max_running);
    set(&mut options.max_waiting, source.max_waiting);
    let time = |option: &mut Duration, value: Option<u64>| {
        *option = value.map_or(*option, Duration::from_millis);
    };
    time(&mut options.probe_interval, source.probe_ms);
    time(&mut options.stall, source.stall_ms);
    ensure!(
        !options.probe_interval.is_zero(),
        "engine {model}: `probe_ms` must be at least 1"
    );
    if let Some(name) = &source.api_key_env {
        let key = std::env::var(name)
            .with_context(|| format!("engine {model}: the variable {name} is not set"))?;
        options.api_key = Some(key);
    }
    Ok(Upstream::connect(options)?)
}
