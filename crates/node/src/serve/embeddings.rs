//! Requests for vectors, `/v1/embeddings`: counted, computed and billed as a whole.

use super::{
    engine::{check_model, engine_refusal},
    inference::Inference,
    respond,
    signed_request::{Admitted, handle},
};
use crate::{
    in_flight::RequestInFlight,
    openai::{answer, request},
    pricing::Plan,
    tasks::ServedTask,
};
use atoma_engine::Prompt;
use atoma_runtime::Threads;
use atoma_types::{
    message::Endpoint,
    refusal::{Refusal, RefusalCode},
};
use axum::{
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use std::sync::Arc;

pub(super) async fn embeddings(
    State(inference): State<Arc<Inference>>,
    request: Request,
) -> Response {
    handle(inference, Endpoint::Embeddings, request, embed).await
}

async fn embed(inference: Arc<Inference>, admitted: Admitted) -> Result<Response, Refusal> {
    let words = admitted.words(&inference);
    let Admitted {
        request,
        lease,
        task,
        body,
        permit,
        ..
    } = admitted;
    let asked = request::embedding(&body)?;
    check_model(&task, &asked.model)?;
    let (inputs, tokens) = count(inference.runtime.threads, &task, asked.inputs).await?;
    let plan = Plan::input_only(task.weights, tokens, request.message().max_units)?;
    let mut flight = RequestInFlight::open(
        &inference.billing,
        lease,
        task.clone(),
        request,
        plan,
        words,
        permit,
    )?;
    let (vectors, usage) = task
        .engine
        .embed(inputs)
        .await
        .map_err(|error| engine_refusal(&error))?;
    let body = Bytes::from(answer::embeddings(
        &task.model,
        &vectors,
        usage,
        asked.base64,
    ));
    flight.sending(&body);
    let receipt = flight
        .commit(usage, None)?
        .durable(&inference.billing)
        .await?;
    Ok(respond::paid_answer(body, &receipt))
}

/// Tokens of all inputs; each must fit the context.
async fn count(
    threads: Threads,
    task: &Arc<ServedTask>,
    inputs: Vec<Prompt>,
) -> Result<(Vec<Prompt>, u64), Refusal> {
    let task = task.clone();
    let work = move || {
        // a server outside counts for itself: here there may be no more than the bytes
        let context = if task.is_embedded() {
            task.engine.context()
        } else {
            0
        };
        let mut total = 0u64;
        for input in &inputs {
            let tokens = task
                .engine
                .count_tokens(input)
                .map_err(|e| engine_refusal(&e))?;
            if context > 0 && tokens > context {
                let message = format!("an input has {tokens} tokens; the context holds {context}");
                let refusal = Refusal::new(RefusalCode::ContextTooLong, message);
                return Err(refusal.param("input").needed(context as u64));
            }
            total = total.saturating_add(tokens as u64);
        }
        Ok((inputs, total))
    };
    threads
        .blocking(work)
        .await
        .map_err(|_| Refusal::new(RefusalCode::Internal, "the inputs could not be counted"))?
}
