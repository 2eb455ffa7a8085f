//! `/v1/chat/completions` and `/v1/completions`.

use super::{
    admitted::Admitted,
    answer_bytes::AnswerForm,
    count::Room,
    engine::{check_model, engine_refusal, fingerprint},
    inference::Inference,
    paid_bytes, respond,
    signed_request::handle,
    stream,
    unserved::{Unserved, not_begun},
};
use crate::{
    billing::Billing,
    in_flight::RequestInFlight,
    lease::Lease,
    pricing::{Plan, RequestBounds},
    tasks::ServedTask,
};
use atoma_engine::{Event, EventStream, GenerateRequest, Prompt};
use atoma_openai::{
    answer::{self, Head},
    frames::{Frames, Kind},
    request::{self, Generation},
    whole::Whole,
};
use atoma_types::{
    Role, TimestampMs,
    message::{Endpoint, RequestHeader},
    refusal::{Refusal, RefusalCode},
};
use axum::{
    extract::{Request, State},
    response::Response,
};
use bytes::Bytes;
use futures::StreamExt;
use std::sync::Arc;

pub(super) async fn chat(State(inference): State<Arc<Inference>>, request: Request) -> Response {
    handle(
        inference,
        Endpoint::ChatCompletions,
        request,
        |inference, admitted| generate(inference, admitted, Kind::Chat),
    )
    .await
}

pub(super) async fn completions(
    State(inference): State<Arc<Inference>>,
    request: Request,
) -> Response {
    handle(
        inference,
        Endpoint::Completions,
        request,
        |inference, admitted| generate(inference, admitted, Kind::Completion),
    )
    .await
}

async fn generate(
    inference: Arc<Inference>,
    mut admitted: Admitted,
    kind: Kind,
) -> Result<Response, Unserved> {
    let (words, permit) = (admitted.words(&inference), admitted.permit.take());
    let Admitted {
        request,
        lease,
        task,
        body,
        ..
    } = &admitted;
    let mut asked = request::read_signed(request, body, task.engine.info().defaults)?;
    check_asked(task, &asked)?;
    let prompt = std::mem::replace(&mut asked.prompt, Prompt::Tokens(Vec::new()));
    let room = Room::of(task, request.message().max_units, lease.left());
    let counter = &inference.counter;
    let counting = counter.count_prompt(task, prompt, &asked.server, body.len(), room);
    let (prompt, measured) = counting.await?;
    let tokens = measured.likely as u64;
    if inference.billing.evidence.is_some() {
        let asked_with = std::slice::from_ref(&prompt);
        paid_bytes::check(body.len(), asked_with, tokens, Some(&asked.server))?;
    }
    let answers = u64::from(asked.server.answers);
    let bounds = RequestBounds {
        input: measured.most as u64,
        likely_input: measured.likely as u64,
        output: asked.max_tokens.map(u64::from),
        answers,
        context: task.engine.context() as u64,
        max_output: task.engine.info().max_output as u64,
        max_units: request.message().max_units,
    };
    let plan = Plan::new(task.weights, &bounds)?;
    let billing = &inference.billing;
    check_record(billing, (lease, task, body), &asked, &plan)?;
    let header = request.message();
    let cache_domain = inference.cache_secret.domain(header.stack, header.origin);
    let head = head(billing.clock.now(), task, request.message(), kind);
    let task = task.clone();
    let mut in_flight = admitted.begin(billing, plan, words, permit)?;
    let prompt_tokens = u32::try_from(measured.likely).unwrap_or(u32::MAX);
    in_flight.prompt(prompt_tokens, 0);

    let server = std::mem::take(&mut asked.server);
    let engine_request = GenerateRequest {
        most_tokens: in_flight.most(),
        prompt_tokens,
        cache_domain,
        server,
        ..asked.engine_request(prompt, in_flight.limit())
    };
    let events = match task.engine.generate(engine_request).await {
        Ok(events) => events,
        Err(error) => return Err(not_begun(admitted, in_flight, &error)),
    };
    if asked.stream {
        let frames = Frames::new(head, kind, asked.include_usage);
        let sealed = in_flight.seal().is_some();
        let body = stream::open(billing.clone(), in_flight, events, frames).await?;
        return Ok(match sealed {
            true => respond::sealed(body),
            false => respond::event_stream(body),
        });
    }
    let logprobs = asked.logprobs.is_some();
    Ok(whole(billing, in_flight, events, &head, kind, logprobs).await?)
}

/// Whether an answer that may be examined fits into a record together with what was asked.
fn check_record(
    billing: &Billing,
    (lease, task, body): (&Lease, &ServedTask, &[u8]),
    asked: &Generation,
    plan: &Plan,
) -> Result<(), Refusal> {
    let evidence = billing.evidence.as_ref().filter(|_| lease.is_examined());
    let Some(evidence) = evidence else {
        return Ok(());
    };
    let form = AnswerForm {
        stream: asked.stream,
        logprobs: asked.logprobs,
        model: &task.model,
    };
    let answer = form.bytes(plan.output_cap);
    evidence.check_record(answer.saturating_add(body.len() as u64))
}

fn check_asked(task: &ServedTask, asked: &Generation) -> Result<(), Refusal> {
    check_model(task, &asked.model)?;
    if task.role == Role::Embedding {
        let message = "the task only serves embeddings";
        return Err(Refusal::new(RefusalCode::WrongEndpoint, message));
    }
    match asked.server_only {
        Some(field) if task.is_embedded() => {
            let message = format!("`{field}` is not supported by this model's engine");
            Err(Refusal::new(RefusalCode::InvalidBody, message).param(field))
        }
        _ => Ok(()),
    }
}

fn head(now: TimestampMs, task: &ServedTask, request: &RequestHeader, kind: Kind) -> Head {
    let prefix = match kind {
        Kind::Chat => "chatcmpl",
        Kind::Completion => "cmpl",
    };
    let revision = task.class.model.to_string();
    Head {
        id: format!("{prefix}-{}", request.request_id),
        created: now.0 / 1_000,
        model: task.model.clone(),
        system_fingerprint: format!("fp_{}", &revision[..10]),
    }
}

/// Waits for the whole answer and sends it with its receipt.
async fn whole(
    billing: &Billing,
    mut in_flight: RequestInFlight,
    mut events: EventStream,
    head: &Head,
    kind: Kind,
    logprobs: bool,
) -> Result<Response, Refusal> {
    in_flight.computes_whole();
    let limit = events.limit();
    let mut whole = Whole::new(logprobs);
    while let Some(event) = events.next().await {
        let event = event.map_err(|error| {
            in_flight.release();
            engine_refusal(&error)
        })?;
        match event {
            Event::Started {
                prompt_tokens,
                cached_tokens,
            } => {
                in_flight.prompt(prompt_tokens, cached_tokens);
            }
            Event::Token(token) => {
                in_flight.tokens(1, &limit);
                whole.token(&token);
            }
            Event::Piece(piece) => {
                in_flight.tokens(piece.tokens, &limit);
                whole.piece(piece);
            }
            Event::Done(completion) => {
                let done = whole.end(completion.finish);
                let body: Bytes = match kind {
                    Kind::Chat => answer::chat(head, &done, completion.usage).into(),
                    Kind::Completion => answer::completion(head, &done, completion.usage).into(),
                };
                let body = in_flight.ending(body);
                let seal = in_flight.seal().cloned();
                let pending = in_flight.commit(completion.usage, fingerprint(&completion))?;
                let receipt = pending.durable(billing).await?;
                return Ok(respond::answer(body, &receipt, seal.as_ref()));
            }
        }
    }
    in_flight.release();
    Err(Refusal::new(
        RefusalCode::Internal,
        "the engine ended without an answer",
    ))
}
