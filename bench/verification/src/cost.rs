//! What looking at an answer costs beside computing it, in processor time of the same run.

use crate::{
    cheats::look,
    model::Model,
    requests::{drawn, unused},
};
use anyhow::Result;
use atoma_audit::{
    Finding, Work,
    testing::{Provider, SignedRequest, options},
};
use atoma_bench_report::cpu_used;
use futures::future::join_all;
use rand::{SeedableRng, rngs::StdRng};
use serde_json::json;
use std::time::Duration;

/// Tokens of an answer at most.
const TOKENS: u32 = 64;

/// What answers cost, so many at once.
#[derive(Clone, Copy, Debug)]
pub struct Cost {
    /// How many were computed, and looked at, side by side.
    pub at_once: usize,
    /// How many there were.
    pub answers: usize,
    /// Their tokens.
    pub tokens: u64,
    /// To compute all of them.
    pub computed: Duration,
    /// To look at all of them.
    pub looked_at: Duration,
}

impl Cost {
    /// One look over one computation.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.looked_at.as_secs_f64() / self.computed.as_secs_f64().max(1e-9)
    }
}

/// Measures one at a time and eight at once, on one thread.
///
/// # Errors
/// If an engine can't be loaded, or can't tell.
pub async fn cost(model: &Model, answers: usize) -> Result<Vec<Cost>> {
    if answers == 0 {
        return Ok(Vec::new());
    }
    let provider = Provider::new(model.open(options(1, 128))?);
    let auditor = model.open(options(1, 128))?;
    let mut costs = Vec::new();
    for at_once in [1, 8] {
        let mut random = StdRng::seed_from_u64(at_once as u64);
        let more = json!({ "max_tokens": TOKENS, "temperature": 1.0 });
        let requests: Vec<SignedRequest> =
            (0..answers).map(|_| drawn(&mut random, &more)).collect();
        let mut cost = Cost {
            at_once,
            answers,
            tokens: 0,
            computed: Duration::ZERO,
            looked_at: Duration::ZERO,
        };
        for requests in requests.chunks(at_once) {
            let before = cpu_used();
            let served = requests.iter().map(|signed| {
                let mut request = provider.request(signed);
                request.cache_domain = unused();
                provider.run(request)
            });
            let served = join_all(served).await;
            let between = cpu_used();
            let works = requests.iter().zip(&served);
            let works: Vec<Work> = works
                .map(|(signed, answer)| provider.work(signed, answer))
                .collect();
            let prepared = cpu_used();
            let findings = look(&*auditor, &works).await?;
            cost.looked_at += cpu_used().saturating_sub(prepared);
            cost.computed += between.saturating_sub(before);
            cost.tokens += served.iter().map(|answer| answer.usage.output).sum::<u64>();
            anyhow::ensure!(
                findings.iter().all(|finding| *finding == Finding::Honest),
                "an honest answer was found guilty"
            );
        }
        costs.push(cost);
    }
    Ok(costs)
}
