//! Models that nodes of this program serve: the built-in one, a folder's, a hub's, or a server's.

use anyhow::{Context, Result};
use atoma_broker::OpenFolder;
use atoma_engine::{
    EmbeddedOptions, Engine, Upstream,
    hub::{self, HubOptions},
};
use atoma_runtime::Threads;
use clap::Args;
use indicatif::ProgressBar;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// What `demo` and `devnet` serve.
#[derive(Debug, Clone, Args)]
pub(crate) struct ModelChoice {
    /// Hugging Face folder or hub name of a Llama-family model or a BERT that embeds, or the URL of a server that speaks
    /// OpenAI's API (default: the built-in one).
    #[arg(long, value_name = "FOLDER|NAME|URL")]
    pub(crate) model: Option<String>,
    /// Threads for the engine (default: all cores).
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
}

/// Environment variable with the token for a hub's gated models; the one that its own tools read.
const HUB_TOKEN: &str = "HF_TOKEN";
/// Environment variable with the URL of another hub than the public one, such as a mirror; the one that its own tools
/// read.
const HUB_ENDPOINT: &str = "HF_ENDPOINT";

/// The built-in model, one from a folder or hub, or a server's.
pub(crate) async fn load(model: Option<&str>, options: EmbeddedOptions) -> Result<Arc<dyn Engine>> {
    if let Some(url) = model.filter(|model| model.contains("://")) {
        return Ok(Upstream::discover(url).await?);
    }
    let model = match model {
        Some(model) => Some(fetch_model(model).await?),
        None => None,
    };
    let load = move || -> Result<Arc<dyn Engine>> {
        match model {
            None => Ok(Arc::new(atoma_engine::builtin::load_with(options)?)),
            Some(folder) => atoma_engine::open(&folder, options)
                .with_context(|| format!("cannot load the model in {}", folder.display())),
        }
    };
    Threads::Real.blocking(load).await?
}

/// A model that others' answers are held against.
pub(crate) async fn load_to_judge(
    model: Option<&str>,
    options: EmbeddedOptions,
) -> Result<Arc<dyn Engine>> {
    healthy(load(model, options).await?).await
}

/// An engine that gives the same bits in every way: with one that errs, honest nodes would be accused.
async fn healthy(engine: Arc<dyn Engine>) -> Result<Arc<dyn Engine>> {
    let probed = engine.probe().await;
    probed.context("nobody can be judged with this engine")?;
    Ok(engine)
}

/// A sealed model, whose key is there: it is read part by part, and is clear in memory alone.
pub(crate) async fn load_sealed(
    files: OpenFolder,
    name: &str,
    options: EmbeddedOptions,
) -> Result<Arc<dyn Engine>> {
    let id = name.to_owned();
    let load = move || {
        let loaded = atoma_engine::open_files(Arc::new(files), &id, options);
        loaded.context("cannot load the sealed model")
    };
    Threads::Real.blocking(load).await?
}

/// The revision of a model that only a server has, from its repository's metadata.
pub(crate) async fn remote_revision(model: &str) -> Result<[u8; 32]> {
    let revision = hub::revision(model, &hub_options(&atoma_home()?)).await;
    revision.with_context(|| format!("cannot get the revision of {model}"))
}

fn atoma_home() -> Result<PathBuf> {
    std::env::var_os("ATOMA_HOME")
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".atoma")))
        .context("no home folder to keep models in: set ATOMA_HOME")
}

fn hub_options(home: &Path) -> HubOptions {
    let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
    let usual = HubOptions::new(home.join("models"));
    HubOptions {
        token: set(HUB_TOKEN),
        endpoint: set(HUB_ENDPOINT)
            .map_or(usual.endpoint, |url| url.trim_end_matches('/').to_owned()),
        ..usual
    }
}

/// A model's folder: `model` itself if it is one, or else the model of that name from the hub, kept
/// in the data folder.
async fn fetch_model(model: &str) -> Result<PathBuf> {
    let options = hub_options(&atoma_home()?);
    let bar = ProgressBar::new_spinner();
    let folder = hub::resolve(model, &options, |progress| {
        let total = progress
            .total
            .map_or_else(String::new, |total| format!(" of {total}"));
        bar.set_message(format!(
            "fetching {}: {}{total} bytes",
            progress.file, progress.done
        ));
        bar.tick();
    })
    .await;
    bar.finish_and_clear();
    folder.context("cannot get the model")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advice::advice;
    use atoma_engine::{
        builtin,
        testing::{Erring, Errs},
    };

    #[tokio::test]
    async fn nobody_is_judged_with_an_engine_that_errs() {
        let engine: Arc<dyn Engine> = Arc::new(builtin::load().unwrap());
        let engine = healthy(engine).await.unwrap();
        let erring = Erring::new(engine, Errs::InPrefill);
        let refused = healthy(Arc::new(erring)).await.err().unwrap();
        let said = format!("{refused:#}");
        assert!(said.contains("scored by one prefill"), "{said}");
        assert!(advice(&refused).unwrap().contains("test its memory"));
    }
}
