//! `[[engines]]` of a node's configuration file: what answers the requests of a model.

use crate::model;
use anyhow::{Context, Result, ensure};
use atoma_engine::{EmbeddedOptions, Engine, Upstream, UpstreamOptions, WeightType};
use atoma_node::{NodeConfig, SealedModel};
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
    /// Tokens of prompt and output together of an embedded engine, fewer than its model's: answers end elsewhere
    /// then, so its tasks are others than the whole model's, and all who serve or examine one must say the same.
    context: Option<usize>,
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
    /// A model that its owner has sealed: its key is got from their broker, and nothing of it is written in clear.
    Sealed(SealedSource),
    /// Servers that speak OpenAI's API.
    Upstream(UpstreamSource),
}

/// A sealed model.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SealedSource {
    /// Its folder, as `atoma model seal` made it.
    model: PathBuf,
    /// URL of its owner's key broker; the one of `--model-keys` or `ATOMA_MODEL_KEYS` if absent.
    model_keys: Option<String>,
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
    /// So many percent more than its share of the requests a server may have, for the sake of prompts whose
    /// beginning it has already, such as a conversation's next turn; 25 if absent.
    prefix_slack_percent: Option<u32>,
    /// How often each server is asked how it is.
    probe_ms: Option<u64>,
    /// A server that works on requests while nothing moves for so long is taken for hung: it gets no more
    /// until it has shown a token.
    stall_ms: Option<u64>,
}

impl EngineConfig {
    /// Loads the model, or connects to the servers that have it.
    pub(super) async fn start(
        &self,
        node: &NodeConfig,
        model_keys: Option<&str>,
    ) -> Result<Arc<dyn Engine>> {
        match &self.from {
            EngineSource::Builtin => model::load(None, self.embedded()?).await,
            EngineSource::Model(model) => model::load(Some(model), self.embedded()?).await,
            EngineSource::Sealed(source) => {
                let sealed = sealed(&self.model, source, model_keys)?;
                let files = sealed.open(node).await?;
                model::load_sealed(files, &self.model, self.embedded()?).await
            }
            EngineSource::Upstream(source) => {
                Ok(Upstream::connect(upstream(&self.model, source)?)?)
            }
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
            context: self.context,
            weights: self.weights.map(|weights| match weights {
                Weights::F32 => WeightType::F32,
                Weights::Bf16 => WeightType::Bf16,
            }),
            ..usual
        })
    }
}

fn sealed(model: &str, source: &SealedSource, model_keys: Option<&str>) -> Result<SealedModel> {
    let named = source.model_keys.as_deref().or(model_keys);
    let model_keys = named.with_context(|| {
        format!("engine {model}: name the key broker of its owner: `model_keys` beside `model`, or --model-keys")
    })?;
    Ok(SealedModel {
        folder: source.model.clone(),
        model_keys: model_keys.to_owned(),
    })
}

fn upstream(model: &str, source: &UpstreamSource) -> Result<UpstreamOptions> {
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
    if let Some(percent) = source.prefix_slack_percent {
        options.prefix_slack_percent = percent;
    }
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
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config_file::ConfigFile;
    use atoma_node::KeySource;
    use atoma_runtime::WithCauses;

    /// What a file with one engine says.
    fn engine(more: &str) -> Result<EngineConfig, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.toml");
        std::fs::write(&path, format!("[[engines]]\nmodel = \"m\"\n{more}\n")).unwrap();
        let mut file = ConfigFile::read(&path).unwrap();
        let engines = file.take::<Vec<EngineConfig>>("engines");
        let engines = engines.map_err(|error| WithCauses(&error).to_string())?;
        Ok(engines.unwrap().remove(0))
    }

    fn servers(more: &str) -> Result<UpstreamOptions> {
        let urls = r#"urls = ["http://10.0.0.2:8000"]"#;
        let config = engine(&format!("[engines.from.upstream]\n{urls}\n{more}")).unwrap();
        let EngineSource::Upstream(source) = &config.from else {
            panic!("servers")
        };
        upstream(&config.model, source)
    }

    #[test]
    fn every_key_of_an_engine_in_the_node_reaches_it() {
        let all = "from = \"builtin\"\nthreads = 3\nmax_running = 5\nmax_waiting = 7\nstep_tokens = 11\n\
            kv_cache_mib = 13\ncontext = 99\nweights = \"f32\"";
        let options = engine(all).unwrap().embedded().unwrap();
        assert_eq!(options.threads, Some(3));
        assert_eq!((options.max_running, options.max_waiting), (5, 7));
        assert_eq!((options.token_budget, options.kv_bytes), (11, 13 << 20));
        assert_eq!(options.context, Some(99));
        assert_eq!(options.weights, Some(WeightType::F32));
        let usual = engine("from = \"builtin\"").unwrap().embedded().unwrap();
        let expected = EmbeddedOptions::default();
        assert_eq!((usual.weights, usual.threads), (None, None));
        assert_eq!(
            (
                usual.max_running,
                usual.max_waiting,
                usual.token_budget,
                usual.kv_bytes
            ),
            (
                expected.max_running,
                expected.max_waiting,
                expected.token_budget,
                expected.kv_bytes
            )
        );
    }

    #[test]
    fn a_sealed_models_broker_is_named_by_its_file_or_on_the_command_line() {
        let named = |more: &str, given: Option<&str>| {
            let from = format!("from = {{ sealed = {{ model = \"/models/m.sealed\"{more} }} }}");
            let config = engine(&from).unwrap();
            let EngineSource::Sealed(source) = &config.from else {
                panic!("a sealed model")
            };
            sealed(&config.model, source, given)
        };
        let file = ", model_keys = \"http://file\"";
        let (in_file, given) = (
            named(file, Some("http://flag")),
            named("", Some("http://flag")),
        );
        assert_eq!(in_file.unwrap().model_keys, "http://file");
        assert_eq!(given.unwrap().model_keys, "http://flag");
        let none = named("", None).unwrap_err().to_string();
        assert!(none.contains("model_keys"), "{none}");
    }

    #[tokio::test]
    async fn the_size_of_keys_and_values_and_the_type_of_weights_take_effect() {
        let key = KeySource::File("none".into());
        let node = NodeConfig::new("none", key, "none");
        let start = async |more: &str| {
            let config = engine(&format!("from = \"builtin\"\nthreads = 1\n{more}")).unwrap();
            config.start(&node, None).await.unwrap()
        };
        let usual = start("").await;
        let small = start("kv_cache_mib = 1").await;
        assert!(small.load().kv_blocks_total < usual.load().kv_blocks_total);
        assert!(small.info().context <= small.load().kv_blocks_total * 32);
        let (exact, rounded) = (
            start("weights = \"f32\"").await,
            start("weights = \"bf16\"").await,
        );
        assert_eq!(exact.info().revision, rounded.info().revision);
        assert_eq!(rounded.info().numerics.as_str(), "det-bf16w-v1");
    }

    #[test]
    fn every_key_of_servers_reaches_them() {
        let all = "model = \"theirs\"\ncontext = 9000\ntokenizer = \"/models/m\"\nmedia_tokens = 17\n\
            max_running = 19\nmax_waiting = 23\nprefix_slack_percent = 29\nprobe_ms = 31\nstall_ms = 37";
        let options = servers(all).unwrap();
        assert_eq!(
            (options.id.as_str(), options.model.as_deref()),
            ("m", Some("theirs"))
        );
        assert_eq!(options.urls, ["http://10.0.0.2:8000"]);
        assert_eq!(options.context, Some(9_000));
        assert_eq!(options.tokenizer, Some(PathBuf::from("/models/m")));
        assert_eq!(
            (
                options.media_tokens,
                options.max_running,
                options.max_waiting
            ),
            (17, 19, 23)
        );
        assert_eq!(options.prefix_slack_percent, 29);
        let times = (options.probe_interval, options.stall);
        assert_eq!(
            times,
            (Duration::from_millis(31), Duration::from_millis(37))
        );
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        let wrong = |more: &str| engine(more).unwrap_err();
        for (more, names) in [
            (
                "from = \"builtin\"\nkv_cache_mb = 5",
                ["kv_cache_mb", "kv_cache_mib"],
            ),
            (
                "from = \"builtin\"\nmax_runing = 5",
                ["max_runing", "max_running"],
            ),
            (
                "from = \"builtin\"\nstep_token = 5",
                ["step_token", "step_tokens"],
            ),
            (
                "from = \"builtin\"\nweight = \"f32\"",
                ["weight", "weights"],
            ),
            ("from = \"builtin\"\nweights = \"fp8\"", ["fp8", "bf16"]),
            ("from = { upstream = { url = [] } }", ["url", "urls"]),
            (
                "from = { upstream = { urls = [], prefix_slack = 1 } }",
                ["prefix_slack", "prefix_slack_percent"],
            ),
        ] {
            let said = wrong(more);
            assert!(names.iter().all(|name| said.contains(name)), "{said}");
        }
        let none = engine("from = { upstream = { urls = [] } }").unwrap();
        let EngineSource::Upstream(source) = &none.from else {
            panic!("servers")
        };
        assert!(
            upstream("m", source)
                .unwrap_err()
                .to_string()
                .contains("no URL")
        );
        assert!(
            servers("probe_ms = 0")
                .unwrap_err()
                .to_string()
                .contains("probe_ms")
        );
        let key = servers("api_key_env = \"ATOMA_NO_SUCH_VARIABLE\"").unwrap_err();
        assert!(key.to_string().contains("ATOMA_NO_SUCH_VARIABLE"), "{key}");
        let large = format!("from = \"builtin\"\nkv_cache_mib = {}", i64::MAX);
        let large = engine(&large).unwrap().embedded().unwrap_err();
        assert!(large.to_string().contains("kv_cache_mib"), "{large}");
    }
}
