//! Finds out which servers are well.

use std::sync::Arc;
use std::time::Duration;

use super::servers::Server;
use crate::http::Http;

/// A probe that takes longer has failed.
const PROBE_TIMEOUT: Duration = Duration::from_secs(3);

/// Asks every server how it is, for ever.
pub(super) async fn probe_all(http: Http, servers: Vec<Arc<Server>>, interval: Duration) {
    let mut ticks = tokio::time::interval(interval);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let probes = servers.iter().map(|server| probe(&http, server));
        futures::future::join_all(probes).await;
    }
}

/// vLLM, SGLang, TGI and llama.cpp have `/health`; whoever hasn't lists its models.
async fn probe(http: &Http, server: &Server) {
    let ask = |path: &'static str| async move {
        let url = format!("{}{path}", server.base);
        let reply = http.get(&url);
        match tokio::time::timeout(PROBE_TIMEOUT, reply).await {
            Ok(Ok(response)) => Some(response.status()),
            _ => None,
        }
    };
    let status = match ask("/health").await {
        Some(status) if status == 404 || status == 405 => ask("/v1/models").await,
        status => status,
    };
    if status.is_some_and(|status| status.is_success()) {
        server.succeeded();
    } else {
        server.failed();
    }
}
