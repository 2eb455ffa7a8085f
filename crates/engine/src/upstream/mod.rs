//! OpenAI-compatible servers as an engine: vLLM, SGLang, TGI, llama.cpp and their like, one or many.
//!
//! What is sent is made of a request's own fields, always as a stream, and what comes back is read into
//! [`Piece`](crate::Piece)s: nothing is passed on as it came, neither way. Requests fail over to another server until one
//! has said its first words, never after. Dropping a stream closes its connection, by which all of these
//! servers stop generating.
//!
//! * `body` writes what is sent, in each server's `dialect`; `start` sends it, `reader` reads what comes.
//! * `score` has servers tell how likely the tokens of a claimed answer are.
//! * `choice` says which server gets a prompt, by its load and by what it has seen of the prompt (`prefix`).
//! * `probe` and `servers` say which servers are well.

mod account;
mod ask;
mod body;
mod choice;
mod content;
mod dialect;
mod folder;
mod frame;
mod measure;
mod metrics;
mod options;
mod prefix;
mod prefix_counts;
mod probe;
mod reader;
mod refusal;
#[cfg(feature = "fuzzing")]
pub(crate) mod replay;
mod score;
mod servers;
mod start;

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;

use self::choice::Outcome;
use self::dialect::Identity;
pub use self::options::UpstreamOptions;
use self::prefix::Prefix;
use self::prefix_counts::PrefixCounts;
use self::probe::Probe;
use self::servers::{Server, in_order};
use crate::http::Http;
use crate::text::TextModel;
use crate::{
    ConnectError, Embeddings, Engine, EngineError, EventStream, Format, GenerateRequest, Load,
    Measured, ModelInfo, Numerics, Prompt, Sampling, Score, ServerFields,
};

/// Longest wait for the first byte, and between bytes: a long prompt on a busy server takes its
/// time, but not longer than clients wait.
const SILENCE_TIMEOUT: Duration = Duration::from_secs(300);
/// Where vectors are made.
const EMBEDDINGS: &str = "/v1/embeddings";
/// Assumed where neither the operator nor a server says.
const USUAL_CONTEXT: usize = 32_768;

/// Servers that speak OpenAI's protocol.
pub struct Upstream {
    info: ModelInfo,
    /// As the operator says.
    context: Option<usize>,
    model: String,
    http: Http,
    servers: Vec<Arc<Server>>,
    max_running: usize,
    max_waiting: usize,
    media_tokens: usize,
    prefix_slack_percent: u32,
    prefixes: PrefixCounts,
    text: Option<Arc<TextModel>>,
    probe: Probe,
    probing: tokio::task::AbortHandle,
}

impl Upstream {
    /// Sets the engine up and starts probing; must be called within a tokio runtime. Servers may be
    /// down at the time.
    ///
    /// # Errors
    /// If a URL or the tokenizer folder is not usable.
    pub fn connect(options: UpstreamOptions) -> Result<Arc<dyn Engine>, ConnectError> {
        Ok(Arc::new(Self::new(options)?))
    }

    /// As [`connect`](Self::connect), with the concrete type.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn new(options: UpstreamOptions) -> Result<Self, ConnectError> {
        check_urls(&options.urls)?;
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| ConnectError::NoRuntime)?;
        let folder = options.tokenizer.as_deref();
        let unusable = |source| ConnectError::Folder {
            folder: options.tokenizer.clone().unwrap_or_default(),
            source,
        };
        let text = folder.map(folder::text).transpose().map_err(unusable)?;
        let advice = folder.map(folder::advice).transpose().map_err(unusable)?;
        let http = Http::new(options.api_key.as_deref())?;
        let servers = options.urls.iter().map(|url| Arc::new(Server::new(url)));
        let servers: Vec<_> = servers.collect();
        let context = options.context.unwrap_or(USUAL_CONTEXT);
        let info = ModelInfo {
            id: options.id.clone(),
            revision: [0; 32],
            numerics: Numerics::Tolerant,
            context,
            vocab: 0,
            max_output: 0,
            only_embeds: false,
            defaults: advice.unwrap_or_default(),
        };
        let model = options.model.unwrap_or(options.id);
        let probe = Probe {
            http: http.clone(),
            servers: servers.clone(),
            model: model.clone(),
            interval: options.probe_interval,
            stall: options.stall,
        };
        Ok(Self {
            info,
            context: options.context,
            model,
            http,
            servers,
            max_running: options.max_running,
            max_waiting: options.max_waiting,
            media_tokens: options.media_tokens,
            prefix_slack_percent: options.prefix_slack_percent,
            prefixes: PrefixCounts::default(),
            text: text.map(Arc::new),
            probing: runtime.spawn(probe.clone().run()).abort_handle(),
            probe,
        })
    }

    /// An engine for the first model that a server at `url` has, under that server's own name.
    ///
    /// # Errors
    /// If the URL is none, or no server there lists a model.
    pub async fn discover(url: &str) -> Result<Arc<dyn Engine>, ConnectError> {
        let nameless = Self::new(UpstreamOptions::new("", vec![url.to_owned()]))?;
        let name = match nameless.servers.first() {
            Some(server) => nameless.probe.first_model(server).await,
            None => None,
        };
        let url = url.to_owned();
        let Some(name) = name else {
            return Err(ConnectError::NoModel { url });
        };
        Self::connect(UpstreamOptions::new(name, vec![url]))
    }

    /// Healthy servers, best first for a prompt.
    fn candidates(&self, prefix: &Prefix) -> (Vec<Arc<Server>>, Outcome) {
        in_order(&self.servers, prefix, self.prefix_slack_percent)
    }

    /// What the servers may have of a prompt already; nothing where there is no choice among them.
    fn prefix(&self, request: &GenerateRequest) -> Prefix {
        if self.servers.len() > 1 {
            Prefix::of(request)
        } else {
            Prefix::default()
        }
    }

    /// What a server is, asked if it isn't known yet.
    async fn identity(&self, server: &Server) -> Identity {
        if server.identity().is_none() {
            self.probe.identify(server).await;
        }
        server.identity().unwrap_or_default()
    }
}

impl Engine for Upstream {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// What the operator says, or else the smallest that a server says.
    fn context(&self) -> usize {
        let said = self
            .servers
            .iter()
            .filter_map(|server| server.context())
            .min();
        self.context.or(said).unwrap_or(USUAL_CONTEXT)
    }

    fn count_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        match &self.text {
            Some(text) => text.count(prompt),
            None => Ok(Self::bound(prompt)),
        }
    }

    fn has_tokenizer(&self) -> bool {
        self.text.is_some()
    }

    fn measure<'a>(
        &'a self,
        prompt: &'a Prompt,
        server: &'a ServerFields,
    ) -> BoxFuture<'a, Result<Measured, EngineError>> {
        self.measured(prompt, server).boxed()
    }

    fn bound(&self, prompt: &Prompt, server: &ServerFields) -> Result<Measured, EngineError> {
        Ok(self.bounded(prompt, server))
    }

    fn generate(
        &self,
        request: GenerateRequest,
    ) -> BoxFuture<'_, Result<EventStream, EngineError>> {
        self.start(request).boxed()
    }

    fn embed(&self, prompts: Vec<Prompt>) -> BoxFuture<'_, Result<Embeddings, EngineError>> {
        self.embed_all(prompts).boxed()
    }

    fn score(
        &self,
        prompt: Vec<u32>,
        output: Vec<u32>,
        sampling: Sampling,
        format: Option<Format>,
    ) -> BoxFuture<'_, Result<Score, EngineError>> {
        self.score_one(prompt, output, sampling, format).boxed()
    }

    fn load(&self) -> Load {
        let upstreams: Vec<_> = self.servers.iter().map(|s| s.load()).collect();
        Load {
            running: upstreams.iter().map(|u| u.running).sum(),
            waiting: upstreams.iter().map(|u| u.waiting).sum(),
            most_waiting: self.max_waiting.saturating_mul(upstreams.len()),
            healthy: upstreams.iter().any(|u| u.healthy),
            upstreams,
            prefixes: self.prefixes.load(),
            ..Load::default()
        }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.probing.abort();
    }
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

fn check_urls(urls: &[String]) -> Result<(), ConnectError> {
    if urls.is_empty() {
        return Err(ConnectError::NoUrl);
    }
    for url in urls {
        let parsed = url.parse::<::http::Uri>().ok();
        let parsed = parsed.filter(|uri| uri.authority().is_some());
        if !parsed.is_some_and(|u| matches!(u.scheme_str(), Some("http" | "https"))) {
            return Err(ConnectError::Url(url.clone()));
        }
    }
    Ok(())
}
