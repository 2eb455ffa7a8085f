//! `[[engines]]` of a node's configuration file: what answers the requests of a model.

use crate::model;
use anyhow::{Context, Result, ensure};
use atoma_engine::{Engine, Upstream, UpstreamOptions};
use serde::Deserialize;
use std::{path::PathBuf, sync::Arc};

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
    /// Tokens of prompt and output together.
    context: Option<usize>,
    /// Folder with the model's tokenizer: prompts are then counted exactly before they are sent.
    tokenizer: Option<PathBuf>,
}

impl EngineConfig {
    /// Loads the model, or connects to the servers that have it.
    pub(super) async fn start(&self) -> Result<Arc<dyn Engine>> {
        match &self.from {
            EngineSource::Builtin => model::load(None, self.threads).await,
            EngineSource::Model(model) => model::load(Some(model), self.threads).await,
            EngineSource::Upstream(source) => upstream(&self.model, source),
        }
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
    if let Some(context) = source.context {
        options.context = context;
    }
    if let Some(name) = &source.api_key_env {
        let key = std::env::var(name)
            .with_context(|| format!("engine {model}: the variable {name} is not set"))?;
        options.api_key = Some(key);
    }
    Ok(Upstream::connect(options)?)
}
