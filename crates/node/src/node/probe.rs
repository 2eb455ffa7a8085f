//! Engines of exact classes show that they give the same bits in every way, before anything is promised.

use super::served_model::ServedModel;
use crate::{error::NodeError, metrics::Metrics};
use atoma_runtime::Clock;

/// Probes what is to be served. An engine that errs would have its node convicted for honest work.
pub(super) async fn probe(
    engines: &[ServedModel],
    clock: &dyn Clock,
    metrics: &Metrics,
) -> Result<(), NodeError> {
    for ServedModel { model, engine } in engines {
        let begun = clock.instant();
        let probed = engine.probe().await;
        let probed = probed.map_err(|source| NodeError::Engine {
            model: model.clone(),
            source,
        })?;
        let Some(probed) = probed else {
            tracing::info!(model, "not probed: its class promises no bits");
            continue;
        };
        let took = clock.instant().saturating_duration_since(begun);
        metrics.probed(took);
        tracing::info!(
            model,
            ways = probed.ways,
            at_once = probed.at_once,
            answers = probed.answers,
            tokens = probed.tokens,
            cached_tokens = probed.cached_tokens,
            known = probed.known,
            took_ms = took.as_millis() as u64,
            "the engine gives the same bits in every way"
        );
    }
    Ok(())
}
