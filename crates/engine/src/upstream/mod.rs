//! OpenAI-compatible servers as an engine: vLLM, SGLang, TGI, llama.cpp and their like, one or many.
//!
//! A request with the client's own body is relayed: the body goes out with usage, seed and model name
//! forced, and frames come back unchanged as [`Event::Raw`](crate::Event::Raw). A request without one
//! comes back as tokens. Requests fail over to another server until one has begun to answer, never
//! after. Dropping a stream closes its connection, by which all of these servers stop generating.

mod answer;
mod ask;
mod body;
mod probe;
mod relay;
mod servers;

use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

use ::http::Response;
use atoma_http::client::Body;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;

use self::relay::{Answer, SILENCE_TIMEOUT, refusal};
use self::servers::{Busy, Server, in_order};
use crate::http::Http;
use crate::text::TextModel;
use crate::{
    Embeddings, Endpoint, Engine, EngineError, EventStream, GenerateRequest, Load, ModelInfo,
    Numerics, Prompt, Sampling, Score, event_channel,
};

/// How an upstream engine is set up.
#[derive(Clone)]
pub struct UpstreamOptions {
    /// Base URLs, with or without `/v1`.
    pub urls: Vec<String>,
    /// The name that it is served under here.
    pub id: String,
    /// The servers' own name for the model, if it differs.
    pub model: Option<String>,
    /// Sent as a bearer token.
    pub api_key: Option<String>,
    /// Tokens of prompt and output together.
    pub context: usize,
    /// Folder with the model's tokenizer, to count prompts exactly.
    pub tokenizer: Option<std::path::PathBuf>,
    /// Most requests at a time per server; more are refused as overload.
    pub max_running: usize,
    /// How often each server is probed.
    pub probe_interval: Duration,
}

impl UpstreamOptions {
    /// The usual options for a model served at `urls`.
    pub fn new(id: impl Into<String>, urls: Vec<String>) -> Self {
        Self {
            urls,
            id: id.into(),
            model: None,
            api_key: None,
            context: 32_768,
            tokenizer: None,
            max_running: 1024,
            probe_interval: Duration::from_secs(5),
        }
    }
}

impl std::fmt::Debug for UpstreamOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UpstreamOptions")
            .field("urls", &self.urls)
            .field("id", &self.id)
            .field("model", &self.model)
            .field("api_key", &self.api_key.as_ref().map(|_| "elided"))
            .field("context", &self.context)
            .finish_non_exhaustive()
    }
}

/// Servers that speak OpenAI's protocol.
pub struct Upstream {
    info: ModelInfo,
    model: String,
    http: Http,
    servers: Vec<Arc<Server>>,
    max_running: usize,
    text: Option<TextModel>,
    probe: tokio::task::AbortHandle,
}

impl Upstream {
    /// Sets the engine up and starts probing; must be called within a tokio runtime. Servers may be
    /// down at the time.
    ///
    /// # Errors
    /// If a URL or the tokenizer folder is not usable.
    pub fn connect(options: UpstreamOptions) -> Result<Arc<dyn Engine>, EngineError> {
        Ok(Arc::new(Self::new(options)?))
    }

    /// As [`connect`](Self::connect), with the concrete type.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub fn new(options: UpstreamOptions) -> Result<Self, EngineError> {
        if options.urls.is_empty() {
            return Err(EngineError::BadRequest(
                "an upstream needs at least one URL".into(),
            ));
        }
        let runtime = tokio::runtime::Handle::try_current()
            .map_err(|_| EngineError::Internal("an upstream needs a tokio runtime".into()))?;
        for url in &options.urls {
            let parsed = url
                .parse::<::http::Uri>()
                .ok()
                .filter(|uri| uri.authority().is_some());
            if !parsed.is_some_and(|u| matches!(u.scheme_str(), Some("http" | "https"))) {
                return Err(EngineError::BadRequest(format!(
                    "{url:?} isn't an http(s) URL"
                )));
            }
        }
        let text = options.tokenizer.as_deref().map(load_text).transpose()?;
        let http = Http::new(options.api_key.as_deref())?;
        let servers: Vec<_> = options
            .urls
            .iter()
            .map(|u| Arc::new(Server::new(u)))
            .collect();
        let probes = probe::probe_all(http.clone(), servers.clone(), options.probe_interval);
        let info = ModelInfo {
            id: options.id.clone(),
            revision: [0; 32],
            numerics: Numerics::Tolerant,
            context: options.context,
            vocab: 0,
            max_output: options.context.saturating_sub(1),
        };
        Ok(Self {
            info,
            model: options.model.unwrap_or(options.id),
            http,
            servers,
            max_running: options.max_running,
            text,
            probe: runtime.spawn(probes).abort_handle(),
        })
    }

    /// Sends to the best server, and to the next ones while none has begun to answer.
    async fn send(&self, path: &str, body: Bytes) -> Result<(Response<Body>, Busy), EngineError> {
        let candidates = in_order(&self.servers);
        if candidates.is_empty() {
            return Err(EngineError::Unavailable(
                "no upstream server is healthy".into(),
            ));
        }
        let mut last = EngineError::Overloaded;
        for server in candidates
            .into_iter()
            .filter(|s| s.running() < self.max_running)
        {
            let busy = Busy::new(server.clone());
            let started = Instant::now();
            let url = format!("{}{path}", server.base);
            let reply = self.http.post(&url, body.clone());
            let response = match tokio::time::timeout(SILENCE_TIMEOUT, reply).await {
                Ok(Ok(response)) => response,
                Ok(Err(error)) => {
                    tracing::debug!(server = %server.base, %error, "upstream can't be reached");
                    server.failed();
                    last = EngineError::Unavailable("the upstream can't be reached".into());
                    continue;
                }
                Err(_) => {
                    last = EngineError::Unavailable("the upstream doesn't answer".into());
                    continue;
                }
            };
            server.succeeded();
            server.observed(started.elapsed());
            if response.status().is_success() {
                return Ok((response, busy));
            }
            let error = refusal(response).await;
            // Another server can't make a bad request good.
            if error.status() == 400 {
                return Err(error);
            }
            last = error;
        }
        Err(last)
    }

    async fn start(&self, request: GenerateRequest) -> Result<EventStream, EngineError> {
        let outgoing = match &request.raw_body {
            Some(raw) => body::forwarded(raw, &request, &self.model)?,
            None => {
                request.sampling().validate()?;
                body::built(&request, &self.model)
            }
        };
        // A bound is good enough where the upstream itself doesn't say.
        let input = self.count_tokens(&request.prompt).unwrap_or(0) as u32;
        let path = match (&request.raw_body, request.endpoint, &request.prompt) {
            (Some(_), Endpoint::Chat, _) | (None, _, Prompt::Chat(_)) => "/v1/chat/completions",
            _ => "/v1/completions",
        };
        let (response, busy) = self.send(path, outgoing.body.clone()).await?;
        let (events, stream) = event_channel(request.max_tokens, None);
        let answer = Answer {
            response,
            outgoing,
            limit: stream.limit(),
            input,
            seed: request.seed,
        };
        Ok(stream.working(async move {
            // Counted as running until the answer is complete or nobody wants it any more.
            let _busy = busy;
            if let Err(error) = answer.pump(&events).await {
                events.send(Err(error)).await;
            }
        }))
    }
}

impl Engine for Upstream {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn count_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        /// Tokens that a template may add per turn, generously.
        const PER_TURN: usize = 16;
        if let Some(text) = &self.text {
            return text.count(prompt);
        }
        // No tokenizer makes more tokens than bytes.
        Ok(match prompt {
            Prompt::Tokens(tokens) => tokens.len(),
            Prompt::Text(text) => text.len() + 1,
            Prompt::Chat(chat) => {
                let turns = chat
                    .messages
                    .iter()
                    .map(|m| m.text().len() + m.role.len() + PER_TURN);
                let tools = chat.tools.as_ref().map_or(0, |t| t.text().len());
                turns.sum::<usize>() + tools + PER_TURN
            }
        })
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
        _sampling: Sampling,
    ) -> BoxFuture<'_, Result<Score, EngineError>> {
        self.score_one(prompt, output).boxed()
    }

    fn load(&self) -> Load {
        let upstreams: Vec<_> = self.servers.iter().map(|s| s.load()).collect();
        Load {
            running: upstreams.iter().map(|u| u.running).sum(),
            healthy: upstreams.iter().any(|u| u.healthy),
            upstreams,
            ..Load::default()
        }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.probe.abort();
    }
}

impl std::fmt::Debug for Upstream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Upstream")
            .field("info", &self.info)
            .finish_non_exhaustive()
    }
}

fn load_text(folder: &std::path::Path) -> Result<TextModel, EngineError> {
    TextModel::new(|name| std::fs::read(folder.join(name)).ok())
        .map_err(|e| EngineError::BadRequest(format!("{}: {e}", folder.display())))
}
