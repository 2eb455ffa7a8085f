//! Carries an answer from its server to its stream, frame by frame or whole.

use std::sync::Arc;
use std::time::Duration;

use ::http::Response;
use atoma_http::client::{AnswerLimits, Body, Error, Events, Pieces};
use bytes::Bytes;

use super::answer::{Account, Chunk};
use super::body::Outgoing;
use crate::{EngineError, Event, EventSender, OutputLimit};

/// Longest wait for the first byte, and between bytes: a long prompt on a busy server takes its
/// time, but not longer than clients wait.
pub(super) const SILENCE_TIMEOUT: Duration = Duration::from_secs(300);
/// Largest answer that isn't streamed; embeddings of many texts are the largest.
pub(super) const MAX_ANSWER_BYTES: usize = 64 << 20;
/// Largest error that is read for its message.
const MAX_ERROR_BYTES: usize = 64 << 10;

/// An answer that has begun.
pub(super) struct Answer {
    pub(super) response: Response<Body>,
    pub(super) outgoing: Outgoing,
    pub(super) limit: Arc<OutputLimit>,
    pub(super) input: u32,
    pub(super) seed: u64,
}

impl Answer {
    /// Carries the answer over to the stream, to its end.
    pub(super) async fn pump(self, events: &EventSender) -> Result<(), EngineError> {
        events
            .send(Ok(Event::Started {
                prompt_tokens: 0,
                cached_tokens: 0,
            }))
            .await;
        if self.outgoing.streaming {
            self.pump_frames(events).await
        } else {
            self.pump_whole(events).await
        }
    }

    async fn pump_whole(self, events: &EventSender) -> Result<(), EngineError> {
        let body = whole(self.response, MAX_ANSWER_BYTES).await?;
        let mut account = Account::new();
        let chunk: Chunk<'_> = serde_json::from_slice(&body).map_err(|e| unreadable(&e))?;
        let carries_token = account.see(&chunk, &body).carries_token;
        drop(chunk);
        let payload = body;
        events
            .send(Ok(Event::Raw {
                payload,
                carries_token,
            }))
            .await;
        events
            .send(Ok(Event::Done(account.close(false, self.input, self.seed))))
            .await;
        Ok(())
    }

    async fn pump_frames(self, events: &EventSender) -> Result<(), EngineError> {
        let mut arriving = Pieces::new(self.response.into_body(), SILENCE_TIMEOUT);
        let (mut frames, mut account) = (Events::default(), Account::new());
        let (mut cut, mut complete) = (false, false);
        'answer: while let Some(data) = arriving.next().await.map_err(|e| broken(&e))? {
            frames
                .push(&data)
                .map_err(|e| EngineError::Unavailable(e.to_string()))?;
            while let Some(payload) = frames.next() {
                if &payload[..] == b"[DONE]" {
                    complete = true;
                    break 'answer;
                }
                let chunk: Chunk<'_> =
                    serde_json::from_slice(&payload).map_err(|e| unreadable(&e))?;
                if let Some(error) = &chunk.error {
                    let text = error["message"].as_str().unwrap_or("no message").to_owned();
                    return Err(EngineError::Unavailable(format!("upstream: {text}")));
                }
                // The upstream has its own limit, which the body states. It is cut off at the first
                // token beyond ours, so that an answer that ends just there ends by itself.
                if chunk.carries_token() && account.output() >= self.limit.get() {
                    cut = true;
                    break 'answer;
                }
                let seen = account.see(&chunk, &payload);
                let event = if !self.outgoing.relay {
                    chunk.token().map(Event::Token)
                } else if seen.is_usage && !self.outgoing.wants_usage {
                    None
                } else {
                    drop(chunk);
                    Some(Event::Raw {
                        payload,
                        carries_token: seen.carries_token,
                    })
                };
                if let Some(event) = event {
                    events.send(Ok(event)).await;
                }
            }
        }
        if complete {
            arriving.finish();
        }
        if cut && self.outgoing.relay {
            events
                .send(Ok(Event::Raw {
                    payload: account.length_frame().into(),
                    carries_token: false,
                }))
                .await;
        }
        events
            .send(Ok(Event::Done(account.close(cut, self.input, self.seed))))
            .await;
        Ok(())
    }
}

/// A whole body of bounded length.
pub(super) async fn whole(response: Response<Body>, limit: usize) -> Result<Bytes, EngineError> {
    let limits = AnswerLimits::within(SILENCE_TIMEOUT, limit);
    let body = response.into_body().whole(limits).await;
    body.map_err(|e| broken(&e))
}

/// What is said of an answer that began and didn't end.
fn broken(error: &Error) -> EngineError {
    let message = if error.is_timeout() {
        "the upstream fell silent"
    } else {
        "the upstream's answer broke off"
    };
    EngineError::Unavailable(message.into())
}

/// The error that a status other than success means.
pub(super) async fn refusal(response: Response<Body>) -> EngineError {
    let status = response.status().as_u16();
    let body = whole(response, MAX_ERROR_BYTES).await.unwrap_or_default();
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    // OpenAI and most have `error.message`; some have `message`, TGI has `error` alone.
    let message = [&json["error"]["message"], &json["message"], &json["error"]];
    let message = message
        .into_iter()
        .find_map(|m| m.as_str())
        .unwrap_or("no message");
    match status {
        429 => EngineError::Overloaded,
        400 | 404 | 413 | 415 | 422 => EngineError::BadRequest(format!("upstream: {message}")),
        _ => EngineError::Unavailable(format!("the upstream answers with status {status}")),
    }
}

/// The text isn't repeated: it may hold part of an answer.
pub(super) fn unreadable(error: &serde_json::Error) -> EngineError {
    EngineError::Unavailable(format!(
        "unreadable answer of the upstream at byte {}",
        error.column()
    ))
}
