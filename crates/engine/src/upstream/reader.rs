//! Reads a server's answer piece by piece, to its end or to the one error that it comes to.
//!
//! An answer is complete when each answer that was asked for had an end that we know, or the stream said
//! `[DONE]` after at least one had begun. Anything else (the stream ends, an error stands in it, an answer
//! was given up, a frame can't be read) is an error.

use std::sync::Arc;
use std::time::Duration;

use ::http::{Response, header::CONTENT_TYPE};
use atoma_http::client::{AnswerLimits, Body, Error, Events, Pieces};
use bytes::Bytes;

use super::SILENCE_TIMEOUT;
use super::account::Account;
use super::frame::Frame;
use super::refusal::of_frame;
use super::servers::Server;
use crate::{AnswerDelta, EngineError, Finish, Unavailable};

/// Largest answer that isn't streamed although a stream was asked for.
const MAX_WHOLE_BYTES: usize = 16 << 20;
/// How long the counts may take after the last word of an answer.
const COUNTS_TIMEOUT: Duration = Duration::from_secs(5);

/// An answer on its way.
pub(super) struct Reader {
    source: Source,
    server: Arc<Server>,
    pub(super) account: Account,
    /// The last frame came.
    over: bool,
}

enum Source {
    /// A stream of events.
    Stream(Box<Pieces>, Events),
    /// A server that sends an answer whole; gone once it was read.
    Whole(Option<Body>),
}

impl Reader {
    pub(super) fn new(response: Response<Body>, server: Arc<Server>, account: Account) -> Self {
        let kind = response.headers().get(CONTENT_TYPE);
        let is_json = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
        let body = response.into_body();
        let source = if is_json {
            Source::Whole(Some(body))
        } else {
            let pieces = Pieces::new(body, SILENCE_TIMEOUT);
            Source::Stream(Box::new(pieces), Events::default())
        };
        Self {
            source,
            server,
            account,
            over: false,
        }
    }

    /// One that is given its payloads by [`take`](Self::take).
    #[cfg(feature = "fuzzing")]
    pub(super) fn detached(server: Arc<Server>, account: Account) -> Self {
        Self {
            source: Source::Whole(None),
            server,
            account,
            over: false,
        }
    }

    /// Whether the end was said.
    #[cfg(feature = "fuzzing")]
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// What comes next of the answer; nothing at its end.
    ///
    /// # Errors
    /// If it isn't complete and nothing more comes, or what comes is no answer.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<AnswerDelta>>, EngineError> {
        while !self.over {
            let payload = self.payload().await?;
            let deltas = self.take(payload)?;
            if !deltas.is_empty() {
                self.server.moved();
                return Ok(Some(deltas));
            }
        }
        Ok(None)
    }

    /// The account of an answer that came to its end; the connection is left to the next request.
    pub(super) fn finish(self) -> Account {
        if let Source::Stream(pieces, _) = self.source {
            pieces.finish();
        }
        self.account
    }

    async fn payload(&mut self) -> Result<Option<Bytes>, EngineError> {
        match &mut self.source {
            Source::Whole(body) => match body.take() {
                None => Ok(None),
                Some(body) => {
                    let limits = AnswerLimits::within(SILENCE_TIMEOUT, MAX_WHOLE_BYTES);
                    body.whole(limits).await.map(Some).map_err(|e| broken(&e))
                }
            },
            Source::Stream(pieces, events) => loop {
                if let Some(payload) = events.next() {
                    return Ok(Some(payload));
                }
                let arriving = pieces.next();
                let data = if self.account.has_ended() {
                    // whoever doesn't say its counts by now won't
                    let Ok(data) = tokio::time::timeout(COUNTS_TIMEOUT, arriving).await else {
                        return Ok(None);
                    };
                    data
                } else {
                    arriving.await
                };
                match data {
                    Ok(None) => return Ok(None),
                    // the answer itself is here
                    Err(_) if self.account.has_ended() => return Ok(None),
                    Err(error) => return Err(broken(&error)),
                    Ok(Some(data)) => events.push(&data).map_err(|_| unreadable())?,
                }
            },
        }
    }

    /// What the next payload says; none is the end of the stream.
    pub(super) fn take(&mut self, payload: Option<Bytes>) -> Result<Vec<AnswerDelta>, EngineError> {
        match payload {
            Some(payload) if &payload[..] == b"[DONE]" => self.end(true),
            Some(payload) => self.read(&payload),
            None => self.end(false),
        }
    }

    fn read(&mut self, payload: &[u8]) -> Result<Vec<AnswerDelta>, EngineError> {
        let text = payload.trim_ascii();
        if text.is_empty() || text == b"null" {
            return Ok(Vec::new());
        }
        let frame: Frame<'_> = serde_json::from_slice(text).map_err(|_| unreadable())?;
        if frame.is_error() {
            return Err(of_frame(text, self.server.context()));
        }
        self.account.see(&frame)
    }

    /// The end of the stream; `said` when it said so itself.
    fn end(&mut self, said: bool) -> Result<Vec<AnswerDelta>, EngineError> {
        self.over = true;
        let complete = self.account.has_ended() || (said && self.account.has_begun());
        if !complete {
            let why = if self.account.has_begun() {
                Unavailable::BrokeOff
            } else {
                Unavailable::EmptyAnswer
            };
            return Err(why.into());
        }
        Ok(self.account.end(Finish::Stop))
    }
}

/// What is said of an answer that began and didn't end.
pub(super) fn broken(error: &Error) -> EngineError {
    let why = if error.is_timeout() {
        Unavailable::FellSilent
    } else {
        Unavailable::BrokeOff
    };
    why.into()
}

/// What came isn't repeated: it may hold part of an answer.
pub(super) fn unreadable() -> EngineError {
    Unavailable::Unreadable.into()
}
