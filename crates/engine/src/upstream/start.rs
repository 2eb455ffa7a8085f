//! Sends a request to a server and carries its answer over to a stream.

use atoma_runtime::WithCauses;
use std::sync::Arc;

use ::http::Response;
use atoma_http::client::Body;
use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::time::Instant;
use tracing::{Instrument, Span};

use super::account::Account;
use super::prefix::Prefix;
use super::reader::Reader;
use super::refusal::refusal;
use super::servers::{Asked, Busy, Server};
use super::{SILENCE_TIMEOUT, Upstream, body};
use crate::{
    AnswerDelta, Engine, EngineError, Event, EventSender, EventStream, Finish, GenerateRequest,
    OutputLimit, Piece, Unavailable, event_channel,
};

/// Counts that are guesses may be wrong by so much before an answer is cut for them: a quarter, and
/// some tokens. The server itself keeps to the limit.
const GUESS_SLACK: u32 = 16;

/// What a request needs while its answer comes.
struct Terms {
    limit: Arc<OutputLimit>,
    /// The most that the limit may become.
    most: u32,
    /// Prompt tokens, where the server doesn't say.
    input: u32,
    seed: u64,
}

impl Upstream {
    /// Sends to a server; anything but success is an error.
    async fn send(
        &self,
        server: &Arc<Server>,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Body>, EngineError> {
        let url = format!("{}{path}", server.base);
        let reply = self.http.post(&url, body);
        let response = match tokio::time::timeout(SILENCE_TIMEOUT, reply).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                tracing::debug!(server = %server.base, error = %WithCauses(&error), "the server can't be reached");
                server.failed();
                return Err(Unavailable::Unreachable.into());
            }
            Err(_) => return Err(Unavailable::NoAnswer.into()),
        };
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        if matches!(status.as_u16(), 401 | 403 | 404) {
            // what only the operator can mend: the key, the model's name, the path
            tracing::warn!(server = %server.base, %status, path, "the server refuses");
        }
        Err(refusal(response, path, server.context()).await)
    }

    /// Asks servers in turn until one has answered, beginning with the best for the prompt; gives up at
    /// once where the request is at fault.
    pub(super) async fn first_of<'a, T>(
        &'a self,
        prefix: &Prefix,
        ask: impl Fn(Arc<Server>, Busy) -> BoxFuture<'a, Result<T, EngineError>>,
    ) -> Result<T, EngineError> {
        let (candidates, outcome) = self.candidates(prefix);
        if candidates.is_empty() {
            return Err(Unavailable::NoServer.into());
        }
        if !prefix.is_empty() {
            self.prefixes.count(outcome);
        }
        let has_room = |server: &Arc<Server>| {
            server.running() < self.max_running && server.waiting() < self.max_waiting
        };
        let mut last = EngineError::Overloaded;
        for server in candidates.into_iter().filter(has_room) {
            let busy = Busy::new(server.clone());
            let beginning = Asked::new(server.clone(), prefix);
            let asked = ask(server.clone(), busy).instrument(span_of(&server));
            let answer = tokio::select! {
                biased;
                answer = asked => answer,
                () = server.hangs() => Err(hung()),
            };
            match answer {
                // another server can't make a bad request good
                Err(error) if error.status() != 400 => last = error,
                Err(error) => return Err(error),
                Ok(answer) => {
                    beginning.taken();
                    return Ok(answer);
                }
            }
        }
        Err(last)
    }

    /// A request whose answer is one JSON document.
    pub(super) async fn send_once(
        &self,
        server: &Arc<Server>,
        path: &str,
        body: Bytes,
    ) -> Result<Response<Body>, EngineError> {
        let started = Instant::now();
        let response = self.send(server, path, body).await?;
        server.succeeded();
        server.observed(started.elapsed());
        Ok(response)
    }

    pub(super) async fn start(&self, request: GenerateRequest) -> Result<EventStream, EngineError> {
        request.sampling().validate()?;
        let begin = |server, busy| self.begin(server, busy, &request).boxed();
        let begun = self.first_of(&self.prefix(&request), begin).await?;
        let (events, stream) = event_channel(request.max_tokens, None);
        let terms = Terms {
            limit: stream.limit(),
            most: request.most_tokens,
            input: match request.prompt_tokens {
                0 => self.count_tokens(&request.prompt).unwrap_or(0) as u32,
                counted => counted,
            },
            seed: request.seed,
        };
        let server = begun.busy.0.clone();
        let span = span_of(&server);
        let work = async move {
            let carried = tokio::select! {
                biased;
                carried = begun.carry(&terms, &events) => carried,
                () = server.hangs() => Err(hung()),
            };
            if let Err(error) = carried {
                events.send(Err(error)).await;
            }
        };
        Ok(stream.working(work.instrument(span)))
    }

    /// Sends the request to one server, and reads until it has said its first words.
    async fn begin(
        &self,
        server: Arc<Server>,
        busy: Busy,
        request: &GenerateRequest,
    ) -> Result<Begun, EngineError> {
        let started = Instant::now();
        let dialect = self.identity(&server).await.dialect;
        let body = body::generation(request, &self.model, dialect);
        let response = self
            .send(&server, body::path(&request.prompt), body)
            .await?;
        let account = Account::new(request.server.answers, self.text.clone());
        let mut reader = Reader::new(response, server.clone(), account);
        let first = reader.next().await?;
        tracing::debug!("the answer begins");
        server.succeeded();
        server.observed(started.elapsed());
        Ok(Begun {
            reader,
            first,
            busy,
        })
    }
}

/// An answer whose first words are here.
struct Begun {
    reader: Reader,
    first: Option<Vec<AnswerDelta>>,
    /// Counted as running until the answer is complete or nobody wants it any more.
    busy: Busy,
}

impl Begun {
    /// Carries the answer over to the stream, to its end or to its limit.
    async fn carry(self, terms: &Terms, events: &EventSender) -> Result<(), EngineError> {
        let mut reader = self.reader;
        let (mut next, mut sent, mut prompt_known) = (self.first, 0, false);
        while let Some(deltas) = next {
            if let (false, Some((prompt_tokens, cached_tokens))) =
                (prompt_known, reader.account.prompt())
            {
                prompt_known = true;
                let started = Event::Started {
                    prompt_tokens,
                    cached_tokens,
                };
                events.send(Ok(started)).await;
            }
            // whoever reads may raise the limit once it has all that was sent
            if terms.is_passed(&reader.account)
                && events.drained().await
                && terms.is_passed(&reader.account)
            {
                let deltas = cut(&deltas, &mut reader.account);
                events
                    .send(Ok(Event::Piece(Piece { deltas, tokens: 0 })))
                    .await;
                let done = reader.account.close(sent, terms.input, terms.seed);
                events.send(Ok(Event::Done(done))).await;
                return Ok(());
            }
            let tokens = reader.account.output().saturating_sub(sent);
            sent += tokens;
            if !events
                .send(Ok(Event::Piece(Piece { deltas, tokens })))
                .await
            {
                return Ok(());
            }
            next = reader.next().await?;
        }
        let account = reader.finish();
        let done = account.close(terms.limit.get(), terms.input, terms.seed);
        events.send(Ok(Event::Done(done))).await;
        Ok(())
    }
}

impl Terms {
    /// Whether more has come than may be delivered. A guess is held against the server only where it
    /// may not have known the limit, or is far beyond it.
    fn is_passed(&self, account: &Account) -> bool {
        let limit = self.limit.get();
        let known = account.is_exact() || limit < self.most;
        let slack = if known { 0 } else { limit / 4 + GUESS_SLACK };
        account.output() > limit.saturating_add(slack)
    }
}

/// The ends of answers whose next deltas aren't delivered any more.
fn cut(deltas: &[AnswerDelta], account: &mut Account) -> Vec<AnswerDelta> {
    let ended = deltas.iter().filter(|delta| delta.finish.is_some());
    let ended: Vec<u32> = ended.map(|delta| delta.index).collect();
    let mut ends = account.end(Finish::Length);
    ends.extend(ended.into_iter().map(|index| AnswerDelta {
        index,
        finish: Some(Finish::Length),
        ..AnswerDelta::default()
    }));
    ends
}

/// Within the span of whoever asks: what is said of a try at a server is found by the request's id.
fn span_of(server: &Server) -> Span {
    tracing::info_span!("server", url = %server.base)
}

fn hung() -> EngineError {
    Unavailable::Hangs.into()
}
