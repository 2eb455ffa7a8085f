//! Requests for vectors, `/v1/embeddings`: counted, computed and billed as a whole. Once they are computed
//! they are paid, whether their user is still there or not; and not a moment before.

use super::{
    admitted::Admitted,
    count::Room,
    engine::check_model,
    inference::Inference,
    paid_bytes, respond,
    signed_request::handle,
    unserved::{Unserved, not_begun},
};
use crate::pricing::Plan;
use atoma_openai::{answer, request};
use atoma_types::message::Endpoint;
use axum::{
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use std::sync::Arc;
use tracing::Instrument;

pub(super) async fn embeddings(
    State(inference): State<Arc<Inference>>,
    request: Request,
) -> Response {
    handle(inference, Endpoint::Embeddings, request, embed).await
}

async fn embed(inference: Arc<Inference>, mut admitted: Admitted) -> Result<Response, Unserved> {
    let (words, permit) = (admitted.words(&inference), admitted.permit.take());
    let Admitted {
        request,
        lease,
        task,
        body,
        ..
    } = &admitted;
    let asked = request::embedding(body)?;
    check_model(task, &asked.model)?;
    let room = Room::of(task, request.message().max_units, lease.left());
    let counting = (inference.counter).count_inputs(task, asked.inputs, body.len(), room);
    let (inputs, tokens) = counting.await?;
    if inference.billing.evidence.is_some() {
        paid_bytes::check(body.len(), &inputs, tokens, None)?;
    }
    let plan = Plan::input_only(task.weights, tokens, request.message().max_units)?;
    let task = task.clone();
    let mut in_flight = admitted.begin(&inference.billing, plan, words, permit)?;
    let span = in_flight.span().clone();
    let computing = async move {
        let (vectors, usage) = match task.engine.embed(inputs).await {
            Ok(made) => made,
            Err(error) => return Ok(Err(Box::new((in_flight, error)))),
        };
        let body = Bytes::from(answer::embeddings(
            &task.model,
            &vectors,
            usage,
            asked.base64,
        ));
        let body = in_flight.ending(body);
        let seal = in_flight.seal().cloned();
        Ok(Ok((body, seal, in_flight.commit(usage, None)?)))
    };
    let computing = computing.instrument(span);
    let (body, seal, pending) = match inference.concurrency.outlive(computing).await? {
        Ok(computed) => computed,
        Err(failed) => {
            let (in_flight, error) = *failed;
            return Err(not_begun(admitted, in_flight, &error));
        }
    };
    let receipt = pending.durable(&inference.billing).await?;
    Ok(respond::answer(body, &receipt, seal.as_ref()))
}
