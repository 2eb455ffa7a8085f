//! Requests for vectors, `/v1/embeddings`: counted, computed and billed as a whole.

use super::{
    count::Room,
    engine::{check_model, engine_refusal},
    inference::Inference,
    respond,
    signed_request::{Admitted, handle},
};
use crate::{
    in_flight::RequestInFlight,
    openai::{answer, request},
    pricing::Plan,
};
use atoma_types::{message::Endpoint, refusal::Refusal};
use axum::{
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use std::sync::Arc;

/// What English has, rounded down.
const USUAL_BYTES_PER_TOKEN: u64 = 4;

pub(super) async fn embeddings(
    State(inference): State<Arc<Inference>>,
    request: Request,
) -> Response {
    handle(inference, Endpoint::Embeddings, request, embed).await
}

async fn embed(inference: Arc<Inference>, mut admitted: Admitted) -> Result<Response, Refusal> {
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
    let room = Room::of(&*task.engine, &task.weights, request.message().max_units);
    let counting = (inference.counter).count_inputs(&task, asked.inputs, body.len(), room);
    let (inputs, tokens) = counting.await?;
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
    // a server outside counts for itself, and what there is here may be the bytes
    let likely = match task.is_embedded() {
        true => tokens,
        false => tokens / USUAL_BYTES_PER_TOKEN,
    };
    flight.computes_input(likely);
    let (vectors, usage) = task.engine.embed(inputs).await.map_err(|error| {
        flight.release();
        engine_refusal(&error)
    })?;
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
