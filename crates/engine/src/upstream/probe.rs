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

/// A probe that takes longer got no answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);
/// So many probes in a row without an answer mean that a server is ill.
const MOST_SILENCES: u32 = 2;
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
        let mut silences = Silences::default();
        loop {
            ticks.tick().await;
            let probed = self.probe(server).await;
            match silences.judge(probed) {
                Verdict::Well => self.is_well(server).await,
                Verdict::Unknown => {}
                Verdict::Ill => server.failed(),
            }
            server.check_progress(self.stall);
        }
    }

    async fn is_well(&self, server: &Server) {
        server.succeeded();
        if server.identity().is_none() {
            self.identify(server).await;
        }
        if let Got::Answer(200, text) = self.get(server, "/metrics").await
            && let Some(metrics) = metrics::read(&String::from_utf8_lossy(&text))
        {
            server.measured(&metrics);
        }
    }

    /// vLLM, SGLang, TGI and llama.cpp have `/health`; whoever hasn't lists its models.
    async fn probe(&self, server: &Server) -> Probed {
        if server.is_hung() {
            return match self.can_answer(server).await {
                true => Probed::Good,
                false => Probed::Bad,
            };
        }
        let got = match self.get(server, "/health").await {
            Got::Answer(404 | 405, _) => self.get(server, "/v1/models").await,
            answer => answer,
        };
        match got {
            Got::Answer(200..300, _) => Probed::Good,
            Got::Answer(..) | Got::Nothing => Probed::Bad,
            Got::Silence => Probed::Silent,
        }
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
            Got::Nothing | Got::Silence => {}
            Got::Answer(200, body) => server.identified(identify(&body, &self.model)),
            // it doesn't say, and won't
            Got::Answer(..) => server.identified(Identity::default()),
        }
    }

    /// The name of a model that a server has.
    pub(super) async fn first_model(&self, server: &Server) -> Option<String> {
        match self.get(server, "/v1/models").await {
            Got::Answer(200, body) => first_model(&body),
            _ => None,
        }
    }

    async fn get(&self, server: &Server, path: &str) -> Got {
        let url = format!("{}{path}", server.base);
        let reply = async {
            let answer = self.http.get(&url).await.ok()?;
            let status = answer.status().as_u16();
            let limits = AnswerLimits::within(PROBE_TIMEOUT, MAX_PROBE_BYTES);
            Some((status, answer.into_body().whole(limits).await.ok()?))
        };
        match tokio::time::timeout(PROBE_TIMEOUT, reply).await {
            Ok(Some((status, body))) => Got::Answer(status, body),
            Ok(None) => Got::Nothing,
            Err(_) => Got::Silence,
        }
    }
}

/// What a question comes to.
enum Got {
    /// Status and body.
    Answer(u16, Bytes),
    /// No connection, or one that broke.
    Nothing,
    /// No answer in time.
    Silence,
}

/// What a probe comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Probed {
    Good,
    Bad,
    Silent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Well,
    /// It stays what it was.
    Unknown,
    Ill,
}

/// Probes in a row that got no answer in time. A server that is very busy lets one of them wait; whether it
/// gets on with its work is seen elsewhere.
#[derive(Debug, Default)]
struct Silences(u32);

impl Silences {
    fn judge(&mut self, probed: Probed) -> Verdict {
        let before = self.0;
        self.0 = match probed {
            Probed::Silent => before.saturating_add(1),
            Probed::Good | Probed::Bad => 0,
        };
        match probed {
            Probed::Good => Verdict::Well,
            Probed::Bad => Verdict::Ill,
            Probed::Silent if self.0 < MOST_SILENCES => Verdict::Unknown,
            Probed::Silent => Verdict::Ill,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_silence_says_nothing_and_two_in_a_row_that_it_is_ill() {
        let mut silences = Silences::default();
        let mut judge = |probed| silences.judge(probed);
        assert_eq!(judge(Probed::Silent), Verdict::Unknown);
        assert_eq!(judge(Probed::Good), Verdict::Well);
        assert_eq!(judge(Probed::Silent), Verdict::Unknown);
        assert_eq!(judge(Probed::Silent), Verdict::Ill);
        assert_eq!(judge(Probed::Silent), Verdict::Ill);
        assert_eq!(judge(Probed::Good), Verdict::Well);
        assert_eq!(judge(Probed::Bad), Verdict::Ill);
    }
}
