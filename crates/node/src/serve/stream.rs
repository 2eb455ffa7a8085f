//! Streamed answers: every event of the engine leaves at once as SSE frames; the receipt follows
//! as a comment once it is durable.

use super::engine::{engine_refusal, fingerprint};
use crate::{billing::Billing, in_flight::RequestInFlight};
use atoma_engine::{Completion, Event, EventStream, OutputLimit};
use atoma_openai::frames::{self, Frames};
use atoma_types::{
    message::{Receipt, Signed},
    refusal::{Refusal, RefusalCode},
};
use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt;
use std::{convert::Infallible, sync::Arc};
use tracing::Instrument;

/// How a stream ends.
const DONE: &[u8] = b"data: [DONE]\n\n";

/// A stream on its way. Dropped by the server when the client leaves, which cancels the engine
/// (by dropping its events) and settles the request in flight.
struct Streaming {
    billing: Arc<Billing>,
    in_flight: RequestInFlight,
    events: EventStream,
    limit: Arc<OutputLimit>,
    frames: Frames,
    stage: Stage,
}

enum Stage {
    /// Something is ready to be sent.
    Ready(Output),
    /// The engine is at work.
    Running,
    /// All frames are sent; the receipt is missing.
    Ended(Box<Completion>),
    Over,
}

enum Output {
    Frame(Bytes),
    Last(Bytes, Box<Completion>),
}

/// Starts the stream. Waits for the first output, so that an engine that fails before it still
/// becomes an error with a status of its own.
pub(super) async fn open(
    billing: Arc<Billing>,
    in_flight: RequestInFlight,
    events: EventStream,
    frames: Frames,
) -> Result<Body, Refusal> {
    let limit = events.limit();
    let mut streaming = Streaming {
        billing,
        in_flight,
        events,
        limit,
        frames,
        stage: Stage::Running,
    };
    let first = streaming.pull().await?;
    streaming.stage = Stage::Ready(first);
    Ok(Body::from_stream(futures::stream::unfold(
        streaming,
        |mut streaming| async move {
            let span = streaming.in_flight.span().clone();
            let bytes = streaming.next().instrument(span).await?;
            Some((Ok::<_, Infallible>(bytes), streaming))
        },
    )))
}

impl Streaming {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            match std::mem::replace(&mut self.stage, Stage::Over) {
                Stage::Ready(output) => {
                    let (bytes, next) = match output {
                        Output::Frame(bytes) => (bytes, Stage::Running),
                        Output::Last(bytes, completion) => (bytes, Stage::Ended(completion)),
                    };
                    self.stage = next;
                    if !bytes.is_empty() {
                        return Some(self.in_flight.sending(bytes));
                    }
                }
                Stage::Running => match self.pull().await {
                    Ok(output) => self.stage = Stage::Ready(output),
                    Err(refusal) => {
                        // a broken answer costs nothing
                        self.in_flight.release();
                        return Some(self.broken(&refusal));
                    }
                },
                Stage::Ended(completion) => {
                    return Some(self.end(&completion).await);
                }
                Stage::Over => return None,
            }
        }
    }

    /// The receipt and the stream's end; of a sealed one the end is sealed, and the receipt stands behind it.
    async fn end(&mut self, completion: &Completion) -> Bytes {
        let Some(seal) = self.in_flight.seal().cloned() else {
            return match self.receipt(completion).await {
                Ok(receipt) => frames::receipt_and_done(&receipt.to_text()),
                Err(refusal) => frames::broken(&refusal.to_json()),
            };
        };
        // the receipt commits to the sealed end, so nothing can be sealed any more if there is none
        let done = self.in_flight.ending(Bytes::from_static(DONE));
        match self.receipt(completion).await {
            Ok(receipt) => [&done[..], &seal.receipt(&receipt)].concat().into(),
            Err(_) => done,
        }
    }

    /// The words that it can't go on.
    fn broken(&self, refusal: &Refusal) -> Bytes {
        match self.in_flight.seal() {
            Some(seal) => seal.fail(refusal).unwrap_or_default(),
            None => frames::broken(&refusal.to_json()),
        }
    }

    async fn receipt(&mut self, completion: &Completion) -> Result<Arc<Signed<Receipt>>, Refusal> {
        let pending = self
            .in_flight
            .commit(completion.usage, fingerprint(completion))?;
        pending.durable(&self.billing).await
    }

    /// The engine's next event that shows.
    async fn pull(&mut self) -> Result<Output, Refusal> {
        while let Some(event) = self.events.next().await {
            match event.map_err(|error| engine_refusal(&error))? {
                Event::Started {
                    prompt_tokens,
                    cached_tokens,
                } => {
                    self.in_flight.prompt(prompt_tokens, cached_tokens);
                }
                Event::Token(token) => {
                    self.in_flight.tokens(1, &self.limit);
                    let frame = self.frames.token(&token);
                    if !frame.is_empty() {
                        return Ok(Output::Frame(frame));
                    }
                }
                Event::Piece(piece) => {
                    self.in_flight.tokens(piece.tokens, &self.limit);
                    let frame = self.frames.piece(&piece);
                    if !frame.is_empty() {
                        return Ok(Output::Frame(frame));
                    }
                }
                Event::Done(completion) => {
                    let last = self.frames.finish(completion.finish, completion.usage);
                    return Ok(Output::Last(last, Box::new(completion)));
                }
            }
        }
        Err(Refusal::new(
            RefusalCode::Internal,
            "the engine ended without an answer",
        ))
    }
}
