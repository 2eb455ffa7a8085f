//! Finds out what the servers are, and which are well.

use std::sync::Arc;
use std::time::Duration;

use atoma_http::client::AnswerLimits;
use bytes::Bytes;
use serde_json::json;

use super::dialect::{Identity, first_model, identify};
use super::metrics;
use super::servers::Server;
use crate::http::Http;

/// A probe that takes longer has failed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);
/// Largest answer to a probe: metrics have the most, some hundred KiB.
const MAX_PROBE_BYTES: usize = 4 << 20;
/// A server that hung has so long for one token, or as long as it takes to be found hanging.
const TRIAL_TIMEOUT: Duration = Duration::from_secs(10);

/// Asks every server how it is.
#[derive(Clone)]
pub(super) struct Probe {
    pub(super) http: Http,
    pub(super) servers: Vec<Arc<Server>>,
    /// The servers' name for the model.
    pub(super) model: String,
    pub(super) interval: Duration,
    pub(super) stall: Duration,
}

impl Probe {
    /// For ever, each server at its own pace: one that hangs keeps nobody from asking the others.
    pub(super) async fn run(self) {
        let watched = self.servers.iter().map(|server| self.watch(server));
        futures::future::join_all(watched).await;
    }

    async fn watch(&self, server: &Server) {
        let mut ticks = tokio::time::interval(self.interval);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.probe(server).await;
        }
    }

    async fn probe(&self, server: &Server) {
        let well = if server.is_hung() {
            self.can_answer(server).await
        } else {
            self.is_up(server).await
        };
        if !well {
            server.failed();
            return server.check_progress(self.stall);
        }
        server.succeeded();
        if server.identity().is_none() {
            self.identify(server).await;
        }
        if let Some((200, text)) = self.get(server, "/metrics").await
            && let Some(metrics) = metrics::read(&String::from_utf8_lossy(&text))
        {
            server.measured(&metrics);
        }
        server.check_progress(self.stall);
    }

    /// vLLM, SGLang, TGI and llama.cpp have `/health`; whoever hasn't lists its models.
    async fn is_up(&self, server: &Server) -> bool {
        let status = match self.get(server, "/health").await {
            Some((404 | 405, _)) => self.get(server, "/v1/models").await,
            answer => answer,
        };
        status.is_some_and(|(status, _)| (200..300).contains(&status))
    }

    /// A server that hung may say that it is well: it must show one token.
    async fn can_answer(&self, server: &Server) -> bool {
        let body = json!({ "model": self.model, "prompt": "a", "max_tokens": 1 });
        let url = format!("{}/v1/completions", server.base);
        let trial = self.http.post(&url, body.to_string().into());
        let answer = tokio::time::timeout(TRIAL_TIMEOUT.min(self.stall), async {
            let answer = trial.await.ok()?;
            let good = answer.status().is_success();
            let limits = AnswerLimits::within(TRIAL_TIMEOUT, MAX_PROBE_BYTES);
            answer.into_body().whole(limits).await.ok().filter(|_| good)
        });
        matches!(answer.await, Ok(Some(_)))
    }

    /// Asks a server what it is.
    pub(super) async fn identify(&self, server: &Server) {
        match self.get(server, "/v1/models").await {
            None => {}
            Some((200, body)) => server.identified(identify(&body, &self.model)),
            // it doesn't say, and won't
            Some(_) => server.identified(Identity::default()),
        }
    }

    /// The name of a model that a server has.
    pub(super) async fn first_model(&self, server: &Server) -> Option<String> {
        match self.get(server, "/v1/models").await? {
            (200, body) => first_model(&body),
            _ => None,
        }
    }

    async fn get(&self, server: &Server, path: &str) -> Option<(u16, Bytes)> {
        let url = format!("{}{path}", server.base);
        let reply = async {
            let answer = self.http.get(&url).await.ok()?;
            let status = answer.status().as_u16();
            let limits = AnswerLimits::within(PROBE_TIMEOUT, MAX_PROBE_BYTES);
            Some((status, answer.into_body().whole(limits).await.ok()?))
        };
        tokio::time::timeout(PROBE_TIMEOUT, reply)
            .await
            .ok()
            .flatten()
    }
}
