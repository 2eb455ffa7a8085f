//! The way through an audit, with an engine.

use crate::{Finding, Plan, Recomputed, Rerun, Unable, Work, asked::Asked, judge, plan};
use atoma_engine::{Engine, EngineError, GenerateRequest};
use atoma_types::hash::Hash32;
use futures::StreamExt;

/// What somebody who had the engine has found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Examined {
    /// Whether the answer is right, and if not, why.
    pub finding: Finding,
    /// What the computation gave, as a digest; none where none was needed.
    pub computed: Option<Hash32>,
}

/// Examines one answer: reads it, computes it again where that is needed, and judges.
///
/// # Errors
/// If this engine can't tell: it is another, it doesn't work, or the class isn't exact.
pub async fn examine(engine: &dyn Engine, work: &Work) -> Result<Examined, Unable> {
    let rerun = match plan(work, engine.info())? {
        Plan::Found(finding) => {
            return Ok(Examined {
                finding,
                computed: None,
            });
        }
        Plan::Compute(rerun) => rerun,
    };
    let recomputed = recompute(engine, &rerun).await?;
    Ok(Examined {
        finding: judge(work, &rerun, &recomputed),
        computed: recomputed.digest(),
    })
}

/// Computes what the request asks for.
async fn recompute(engine: &dyn Engine, rerun: &Rerun) -> Result<Recomputed, EngineError> {
    let computed = match rerun.asked() {
        Asked::Text(request) => text(engine, request, rerun.said()).await,
        Asked::Vectors(inputs) => {
            let embedded = engine.embed(inputs.clone()).await;
            embedded.map(|(vectors, usage)| Recomputed::Vectors { vectors, usage })
        }
    };
    match computed {
        // a node can't have been able to, either
        Err(EngineError::BadRequest(_) | EngineError::ContextTooLong { .. }) => {
            Ok(Recomputed::Refused)
        }
        other => other,
    }
}

/// The answer's events: by prefill where the answer is what it should be, else by generating it.
async fn text(
    engine: &dyn Engine,
    request: &GenerateRequest,
    said: &str,
) -> Result<Recomputed, EngineError> {
    match engine.confirm(request.clone(), said.to_owned()).await? {
        Some(events) => Ok(Recomputed::Text(events)),
        None => generate(engine, request.clone()).await,
    }
}

async fn generate(
    engine: &dyn Engine,
    request: GenerateRequest,
) -> Result<Recomputed, EngineError> {
    let mut stream = engine.generate(request).await?;
    let mut events = Vec::new();
    while let Some(event) = stream.next().await {
        events.push(event?);
    }
    Ok(Recomputed::Text(events))
}
