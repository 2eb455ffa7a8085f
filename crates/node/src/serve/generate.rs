//! `/v1/chat/completions` and `/v1/completions`.

use super::{
    engine::{check_model, engine_refusal, fingerprint},
    inference::Inference,
    respond,
    signed_request::{Admitted, handle},
    stream,
};
use crate::{
    billing::Billing,
    in_flight::RequestInFlight,
    openai::{
        answer::{self, Head, Whole},
        frames::{Frames, Kind},
        request::{self, Generation},
    },
    pricing::{Plan, RequestBounds},
    tasks::ServedTask,
};
use atoma_engine::{Event, EventStream, GenerateRequest, Prompt};
use atoma_runtime::Threads;
use atoma_types::{
    Role, TimestampMs,
    hash::Hash32,
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

/// Bodies above this are tokenised on a thread where that may take its time; smaller ones take
/// less than the way there.
const TOKENISE_INLINE_BYTES: usize = 8 << 10;

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
    admitted: Admitted,
    kind: Kind,
) -> Result<Response, Refusal> {
    let bodies = admitted.bodies(&inference);
    let Admitted {
        request,
        lease,
        task,
        body,
        permit,
        ..
    } = admitted;
    let mut asked = match kind {
        Kind::Chat => request::chat(&body)?,
        Kind::Completion => request::completion(&body)?,
    };
    check_asked(&task, &asked)?;
    if let Prompt::Chat(conversation) = &mut asked.prompt {
        conversation.time = request.message().issued_at_ms.0 / 1_000;
    }
    let (prompt, tokens) =
        count(inference.runtime.threads, &task, asked.prompt, body.len()).await?;
    let info = task.engine.info();
    let bounds = RequestBounds {
        input: tokens as u64,
        output: asked.max_tokens.map(u64::from),
        context: info.context as u64,
        max_output: info.max_output as u64,
        max_units: request.message().max_units,
        // a stream is cut at the limit wherever it comes from; an upstream's whole answer comes at once
        growable: asked.stream || task.is_embedded(),
    };
    let plan = Plan::new(task.weights, &bounds)?;
    let seed = asked.seed.unwrap_or_else(|| seed_of(request.hash()));
    let billing = &inference.billing;
    let head = head(billing.clock.now(), &task, request.message(), kind);
    let flight =
        RequestInFlight::open(billing, lease, task.clone(), request, plan, bodies, permit)?;

    let engine_request = GenerateRequest {
        prompt,
        max_tokens: flight.limit(),
        temperature: asked.temperature,
        top_p: asked.top_p,
        top_k: asked.top_k,
        min_p: asked.min_p,
        frequency_penalty: asked.frequency_penalty,
        presence_penalty: asked.presence_penalty,
        seed,
        stop: asked.stop,
        logprobs: asked.logprobs,
        raw_body: Some(body),
        endpoint: match kind {
            Kind::Chat => atoma_engine::Endpoint::Chat,
            Kind::Completion => atoma_engine::Endpoint::Completions,
        },
    };
    let events = task
        .engine
        .generate(engine_request)
        .await
        .map_err(|e| engine_refusal(&e))?;
    if asked.stream {
        let frames = Frames::new(head, kind, asked.include_usage);
        let body = stream::open(billing.clone(), flight, events, frames).await?;
        return Ok(respond::event_stream(body));
    }
    whole(
        billing,
        flight,
        events,
        &head,
        kind,
        asked.logprobs.is_some(),
    )
    .await
}

fn check_asked(task: &ServedTask, asked: &Generation) -> Result<(), Refusal> {
    check_model(task, &asked.model)?;
    if task.role == Role::Embedding {
        let message = "the task only serves embeddings";
        return Err(Refusal::new(RefusalCode::WrongEndpoint, message));
    }
    match asked.upstream_only {
        Some(field) if task.is_embedded() => {
            let message = format!("`{field}` is not supported by this model's engine");
            Err(Refusal::new(RefusalCode::InvalidBody, message).param(field))
        }
        _ => Ok(()),
    }
}

/// The seed of a request that names none: drawn from its signed header, so that the node can't
/// choose it and everyone who holds the request can check the answer.
fn seed_of(request: Hash32) -> u64 {
    let Hash32([a, b, c, d, e, f, g, h, ..]) = request;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

/// Counts the prompt's tokens with the engine's own template and tokenizer.
async fn count(
    threads: Threads,
    task: &Arc<ServedTask>,
    prompt: Prompt,
    bytes: usize,
) -> Result<(Prompt, usize), Refusal> {
    let counted = if bytes <= TOKENISE_INLINE_BYTES {
        task.engine
            .count_tokens(&prompt)
            .map(|tokens| (prompt, tokens))
    } else {
        let task = task.clone();
        let work = move || {
            task.engine
                .count_tokens(&prompt)
                .map(|tokens| (prompt, tokens))
        };
        threads
            .blocking(work)
            .await
            .map_err(|_| Refusal::new(RefusalCode::Internal, "the prompt could not be counted"))?
    };
    counted.map_err(|error| engine_refusal(&error))
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
    mut flight: RequestInFlight,
    mut events: EventStream,
    head: &Head,
    kind: Kind,
    logprobs: bool,
) -> Result<Response, Refusal> {
    let limit = events.limit();
    let mut text = String::new();
    let mut tokens = Vec::new();
    let mut relayed: Option<Bytes> = None;
    while let Some(event) = events.next().await {
        match event.map_err(|error| engine_refusal(&error))? {
            Event::Started {
                prompt_tokens,
                cached_tokens,
            } => {
                flight.prompt(prompt_tokens, cached_tokens);
            }
            Event::Token(token) => {
                flight.token(&limit);
                text.push_str(&token.text);
                if logprobs {
                    tokens.push(token);
                }
            }
            Event::Raw { payload, .. } => relayed = Some(payload),
            Event::Done(completion) => {
                let body: Bytes = relayed.take().unwrap_or_else(|| {
                    let whole = Whole {
                        text: &text,
                        tokens: logprobs.then_some(&tokens),
                        finish: completion.finish,
                        usage: completion.usage,
                    };
                    match kind {
                        Kind::Chat => answer::chat(head, &whole).into(),
                        Kind::Completion => answer::completion(head, &whole).into(),
                    }
                });
                flight.sending(&body);
                let pending = flight.commit(completion.usage, fingerprint(&completion))?;
                let receipt = pending.durable(billing).await?;
                return Ok(respond::paid_answer(body, &receipt));
            }
        }
    }
    Err(Refusal::new(
        RefusalCode::Internal,
        "the engine ended without an answer",
    ))
}
