//! How an upstream engine is set up.

use std::path::PathBuf;
use std::time::Duration;

/// Servers, what they have, and how much is asked of them.
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
    /// Tokens of prompt and output together; what the servers say, if absent.
    pub context: Option<usize>,
    /// Folder with the model's tokenizer, to count prompts here; the servers are asked, if absent.
    pub tokenizer: Option<PathBuf>,
    /// Most prompt tokens of one image or sound.
    pub media_tokens: usize,
    /// Most requests at a time per server; more are refused as overload.
    pub max_running: usize,
    /// So many requests in a server's own queue, by its metrics, are an overload, too.
    pub max_waiting: usize,
    /// A server may have so many percent more than its share of the requests, for the sake of prompts
    /// whose beginning it has already.
    pub prefix_slack_percent: u32,
    /// How often each server is probed.
    pub probe_interval: Duration,
    /// A server that works on requests and gets nowhere for so long is taken for hung.
    pub stall: Duration,
}

impl UpstreamOptions {
    /// The usual options for a model served at `urls`.
    pub fn new(id: impl Into<String>, urls: Vec<String>) -> Self {
        Self {
            urls,
            id: id.into(),
            model: None,
            api_key: None,
            context: None,
            tokenizer: None,
            // Pixtral and Qwen2-VL make so many of an image of 1,800 by 1,800 pixels
            media_tokens: 4_096,
            max_running: 1_024,
            max_waiting: 64,
            // what consistent hashing with bounded loads is used with; a prompt of which nothing must be
            // read again is worth it
            prefix_slack_percent: 25,
            probe_interval: Duration::from_secs(5),
            stall: Duration::from_secs(60),
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
