//! One part of a network, run from a configuration file until it is told to stop.

use crate::{
    args::{GatewayCommand, LocalnetCommand},
    network,
    output::Output,
    settings::Settings,
};
use anyhow::{Context, Result, ensure};
use atoma_engine::{Engine, Upstream, UpstreamOptions};
use atoma_gateway::{ApiKey, Gateway, GatewayConfig};
use atoma_localnet::{Localnet, LocalnetConfig};
use atoma_node::{KeySource, Node, NodeConfig, ServedModel};
use serde::Deserialize;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio::signal::unix::{SignalKind, signal};

/// Where a ledger keeps its state unless told otherwise.
const DEFAULT_DATA_DIR: &str = "atoma-localnet";
/// Where a ledger listens unless told otherwise.
const DEFAULT_LISTEN: &str = "127.0.0.1:9000";

/// Returns when the user presses Ctrl-C or the system sends SIGTERM.
pub(crate) async fn told_to_stop() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        pressed = tokio::signal::ctrl_c() => pressed?,
        _ = terminate.recv() => {}
    }
    Ok(())
}

/// Says that a part is up, waits until it shall stop.
async fn serve(output: &Output, facts: crate::output::Facts) -> Result<()> {
    let mut all = vec![("step", json!("ready"))];
    all.extend(facts);
    output.object(all);
    output.say("press Ctrl-C to stop");
    told_to_stop().await
}

pub(crate) async fn localnet(command: LocalnetCommand, output: &Output) -> Result<()> {
    let (config, listen, data_dir, unpublished) = match command {
        LocalnetCommand::Config => {
            let defaults = LocalnetConfig {
                listen: DEFAULT_LISTEN.parse()?,
                ..LocalnetConfig::new(DEFAULT_DATA_DIR)
            };
            print!("{}", toml::to_string(&defaults)?);
            return Ok(());
        }
        LocalnetCommand::Run {
            config,
            listen,
            data_dir,
            unpublished,
        } => (config, listen, data_dir, unpublished),
    };
    let mut table = match &config {
        Some(path) => read_table(path)?,
        None => toml::Table::new(),
    };
    let text = |value: String| toml::Value::String(value);
    if let Some(listen) = listen {
        table.insert("listen".to_owned(), text(listen.to_string()));
    }
    if let Some(folder) = data_dir {
        table.insert(
            "data_dir".to_owned(),
            text(folder.to_string_lossy().into_owned()),
        );
    }
    if unpublished {
        table.insert("unpublished".to_owned(), toml::Value::Boolean(true));
    }
    table
        .entry("listen")
        .or_insert_with(|| text(DEFAULT_LISTEN.to_owned()));
    table
        .entry("data_dir")
        .or_insert_with(|| text(DEFAULT_DATA_DIR.to_owned()));
    let config: LocalnetConfig = table.try_into().context("the ledger's configuration")?;
    let folder = config.data_dir.clone();
    let running = Localnet::start(config).await?;
    let deployment = running.is_published().then(|| running.deployment());
    serve(
        output,
        vec![
            ("ledger", json!(running.url())),
            ("network", json!(running.network())),
            ("package", json!(deployment.as_ref().map(|d| d.package))),
            ("db", json!(deployment.as_ref().map(|d| d.db))),
            ("data_dir", json!(folder)),
        ],
    )
    .await?;
    running.shutdown().await;
    Ok(())
}

pub(crate) async fn gateway(
    command: GatewayCommand,
    settings: impl FnOnce() -> Result<Settings>,
    output: &Output,
) -> Result<()> {
    let config = match command {
        GatewayCommand::Run { config } => config,
        GatewayCommand::NewKey => {
            let key = ApiKey::generate();
            output.object(vec![
                ("api_key", json!(key.reveal())),
                ("hash", json!(key.hash().to_string())),
            ]);
            return Ok(());
        }
    };
    let mut table = read_table(&config)?;
    let key: KeySource = table
        .remove("key")
        .context("the configuration names no `key`: see docs/gateway.toml for an example")?
        .try_into()
        .context("`key`")?;
    place(&mut table, &settings()?)?;
    let config: GatewayConfig = table.try_into().context("the gateway's configuration")?;
    let running = Gateway::start(config, key.load()?).await?;
    serve(
        output,
        vec![
            ("endpoint", json!(format!("{}/v1", running.url()))),
            ("admin", json!(running.admin_url())),
        ],
    )
    .await?;
    running.shutdown().await;
    Ok(())
}

/// What answers a model's requests.
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

/// An engine of a node's configuration file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct EngineConfig {
    /// The name in requests and in the task.
    model: String,
    /// Where it comes from.
    from: EngineSource,
    /// Threads of an embedded engine; all cores if absent.
    threads: Option<usize>,
}

pub(crate) async fn node(path: &Path, settings: &Settings, output: &Output) -> Result<()> {
    let mut table = read_table(path)?;
    place(&mut table, settings)?;
    let engines = table
        .remove("engines")
        .context("the configuration names no [[engines]]: see docs/node.toml for an example")?;
    let engines: Vec<EngineConfig> = engines.try_into().context("[[engines]]")?;
    let config: NodeConfig = table.try_into().context("the node's configuration")?;
    let mut served = Vec::new();
    for engine in engines {
        let progress = output.progress(format!("loading {}", engine.model));
        let started = start_engine(&engine).await?;
        progress.finish_and_clear();
        served.push(ServedModel {
            model: engine.model,
            engine: started,
        });
    }
    let running = Node::start(config, served).await?;
    serve(
        output,
        vec![
            ("node", json!(running.node_id())),
            ("url", json!(running.url())),
            ("admin", json!(running.admin_url())),
        ],
    )
    .await?;
    running.drain_and_stop().await;
    Ok(())
}

async fn start_engine(config: &EngineConfig) -> Result<Arc<dyn Engine>> {
    match &config.from {
        EngineSource::Builtin => network::load_model(None, config.threads).await,
        EngineSource::Model(model) => network::load_model(Some(model), config.threads).await,
        EngineSource::Upstream(source) => upstream(&config.model, source),
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

/// A configuration that names no ledger means the network in use, and the package there.
fn place(table: &mut toml::Table, settings: &Settings) -> Result<()> {
    if table.contains_key("ledger") {
        return Ok(());
    }
    let config = settings.ledger_config();
    table.insert("ledger".to_owned(), toml::Value::String(config.url));
    if let Some(deployment) = config.deployment {
        let deployment = toml::Value::try_from(deployment)?;
        table.insert("deployment".to_owned(), deployment);
    }
    Ok(())
}

fn read_table(path: &Path) -> Result<toml::Table> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    text.parse()
        .with_context(|| format!("{} is not valid TOML", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_a_node_is_valid() {
        let text = include_str!("../../../docs/node.toml");
        let mut table: toml::Table = text.parse().unwrap();
        let engines: Vec<EngineConfig> = table.remove("engines").unwrap().try_into().unwrap();
        assert!(!engines.is_empty());
        let config: NodeConfig = table.try_into().unwrap();
        assert!(!config.subscriptions.is_empty());
    }

    #[test]
    fn the_example_of_a_gateway_is_valid() {
        let text = include_str!("../../../docs/gateway.toml");
        let mut table: toml::Table = text.parse().unwrap();
        let _: KeySource = table.remove("key").unwrap().try_into().unwrap();
        let config: GatewayConfig = table.try_into().unwrap();
        assert!(!config.api_keys.is_empty());
    }

    #[test]
    fn the_ledgers_defaults_are_valid() {
        let defaults = LocalnetConfig::new("x");
        let text = toml::to_string(&defaults).unwrap();
        assert!(toml::from_str::<LocalnetConfig>(&text).is_ok());
        let listen: std::net::SocketAddr = DEFAULT_LISTEN.parse().unwrap();
        assert!(listen.ip().is_loopback());
    }
}
