//! `atoma node run`: a node as a process of its own.

use super::engines::EngineConfig;
use crate::{
    config_file::ConfigFile,
    free_ports::{Place, ensure_free},
    output::Output,
    run::{default_ledger, put_away, until_stopped},
    settings::Settings,
};
use anyhow::{Context, Result};
use atoma_node::{Node, NodeConfig, ServedModel};
use serde_json::json;
use std::path::Path;

pub(super) async fn run(
    path: &Path,
    model_keys: Option<&str>,
    settings: &Settings,
    output: &Output,
) -> Result<()> {
    let (config, engines) = read(path, settings)?;
    // a model may take minutes to load
    let place = |what: &str, at, named_by| Place {
        what: what.to_owned(),
        at,
        named_by,
    };
    let places = vec![
        place("the node", config.listen, "`listen`"),
        place("the operator's side", config.admin_listen, "`admin_listen`"),
    ];
    ensure_free(places, None).await?;
    let mut served = Vec::new();
    for engine in engines {
        let progress = output.progress(format!("loading {}", engine.model));
        let started = engine.start(&config, model_keys).await?;
        progress.finish_and_clear();
        served.push(ServedModel {
            model: engine.model,
            engine: started,
        });
    }
    let running = Node::start(config, served).await?;
    until_stopped(
        output,
        vec![
            ("node", json!(running.node_id())),
            ("url", json!(running.url())),
            ("admin", json!(running.admin_url())),
        ],
    )
    .await?;
    put_away(running.drain_and_stop(), None, output).await;
    Ok(())
}

/// The node's configuration, and what answers its requests.
fn read(path: &Path, settings: &Settings) -> Result<(NodeConfig, Vec<EngineConfig>)> {
    let mut file = ConfigFile::read(path)?;
    let engines = file.take("engines")?;
    let place = default_ledger(&mut file, settings);
    // a misspelt key is named before what is missing, perhaps because of it
    let mut config: NodeConfig = file.parse()?;
    let engines = engines.with_context(|| {
        format!(
            "{}: it names no engine: add a section [[engines]], as in docs/node.toml",
            path.display()
        )
    })?;
    config.deployment = config.deployment.or(place);
    Ok((config, engines))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_named_before_what_is_missing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.toml");
        std::fs::write(&path, "[limits]\nmax_conections = 4\n").unwrap();
        let error = read(&path, &Settings::default()).unwrap_err().to_string();
        assert!(error.contains("max_conections"), "{error}");
    }

    #[test]
    fn the_example_is_valid() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/node.toml");
        let settings = Settings::default();
        let (config, engines) = read(Path::new(path), &settings).unwrap();
        assert!(!engines.is_empty());
        assert!(!config.subscriptions.is_empty());
    }
}
