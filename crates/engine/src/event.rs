//! What an engine says while it generates, and the bounded channel it says it through.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::task::{Context, Poll};

use futures::Stream;
use futures::future::BoxFuture;
use tokio::sync::mpsc;

use crate::{EngineError, EngineFault, Finish, Piece, Usage};

/// Events that may wait for a slow reader before its request is paused: about a second of a fast
/// model, so that a hiccup of the network doesn't stall a step, and a stalled client costs little.
pub const EVENT_CAPACITY: usize = 256;

/// One thing that happened to a request.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The request left the queue. Servers outside say it with their first words, or not at all.
    Started {
        /// Tokens of the prompt.
        prompt_tokens: u32,
        /// Those of them taken from the prefix cache.
        cached_tokens: u32,
    },
    /// One token. Its text may be empty: part of a character, or held back by a stop string.
    Token(TokenEvent),
    /// A piece of what a server outside says.
    Piece(Piece),
    /// The end; always the last event.
    Done(Completion),
}

/// A token that the engine generated, with the text that it completes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TokenEvent {
    /// Its id; upstreams don't say.
    pub id: Option<u32>,
    /// Text that became certain with this token.
    pub text: String,
    /// Characters of the answer before this token, those included that a stop string may yet take.
    pub offset: usize,
    /// Its log probability, when asked for.
    pub logprob: Option<Logprob>,
    /// The likeliest alternatives, when asked for, likeliest first.
    pub top: Vec<Logprob>,
}

/// A token and its log probability.
#[derive(Debug, Clone, PartialEq)]
pub struct Logprob {
    /// Token id; zero when an upstream doesn't say.
    pub id: u32,
    /// The token alone as text; U+FFFD for parts of a character.
    pub token: String,
    /// The token alone.
    pub bytes: Vec<u8>,
    /// Natural logarithm of its probability.
    pub logprob: f32,
}

/// The account of a finished generation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Completion {
    /// Why the answer ended: a stop, the limit, or a cancelled request.
    pub finish: Finish,
    /// Tokens that were computed, cached and generated.
    pub usage: Usage,
    /// Exact engines: commitments to token ids and logits, folded (see
    /// [`Fingerprint`](crate::fingerprint::Fingerprint)). Zero for servers outside.
    pub fingerprint: [u8; 32],
    /// The commitments that the fingerprint folds, one per chunk of 32 tokens; empty for upstreams.
    pub commitments: Vec<[u8; 32]>,
    /// The seed that was used.
    pub seed: u64,
}

/// Most tokens a running request may generate; shared, so that the caller can raise it in slices
/// as it reserves money. Raise ahead of time: an engine that reaches it ends the answer.
#[derive(Debug)]
pub struct OutputLimit(AtomicU32);

impl OutputLimit {
    /// A limit to start with.
    pub fn new(tokens: u32) -> Self {
        Self(AtomicU32::new(tokens))
    }

    /// The most tokens that the answer may have, as of now: it may be raised while it runs.
    pub fn get(&self) -> u32 {
        self.0.load(SeqCst)
    }

    /// Raises the limit to `tokens` in all; a smaller number changes nothing.
    pub fn raise(&self, tokens: u32) {
        self.0.fetch_max(tokens, SeqCst);
    }

    /// Lowers the limit: the engine stops at the first token at or beyond it.
    pub fn lower(&self, tokens: u32) {
        self.0.fetch_min(tokens, SeqCst);
    }
}

type Notify = Arc<dyn Fn() + Send + Sync>;

/// What reader and writer share beside the queue.
struct Backpressure {
    /// Set by a writer that found the queue full.
    paused: AtomicBool,
    /// Called when a paused writer can go on, and when the reader is gone.
    notify: Option<Notify>,
}

/// The reading end of a generation. Dropping it cancels the request at the engine's next step.
pub struct EventStream {
    queue: mpsc::Receiver<Result<Event, EngineError>>,
    limit: Arc<OutputLimit>,
    shared: Arc<Backpressure>,
    /// The engine's work, where the reader does it.
    work: Option<BoxFuture<'static, ()>>,
    ended: bool,
}

/// The engine's end of an [`EventStream`].
pub struct EventSender {
    queue: mpsc::Sender<Result<Event, EngineError>>,
    shared: Arc<Backpressure>,
}

/// A stream and its sender. `notify` is called from the reader's side whenever a sender that found
/// the queue full can go on, and when the reader is dropped; senders that await need none.
pub fn event_channel(limit: u32, notify: Option<Notify>) -> (EventSender, EventStream) {
    let (tx, rx) = mpsc::channel(EVENT_CAPACITY);
    let shared = Arc::new(Backpressure {
        paused: AtomicBool::new(false),
        notify,
    });
    let limit = Arc::new(OutputLimit::new(limit));
    let stream = EventStream {
        queue: rx,
        limit,
        shared: shared.clone(),
        work: None,
        ended: false,
    };
    (EventSender { queue: tx, shared }, stream)
}

// === impl EventStream ===

impl EventStream {
    /// The output limit of the running request.
    pub fn limit(&self) -> Arc<OutputLimit> {
        self.limit.clone()
    }

    /// Lets the reader itself do the engine's work, which is to wait for somebody else: `work` goes
    /// on while the stream is read and nothing is in its queue, and is dropped with it. No task of
    /// its own has to be started, woken and cancelled.
    #[must_use]
    pub fn working(mut self, work: impl Future<Output = ()> + Send + 'static) -> Self {
        self.work = Some(Box::pin(work));
        self
    }

    fn poll_queue(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Event, EngineError>>> {
        match (self.queue.poll_recv(cx), &mut self.work) {
            (Poll::Pending, Some(work)) => {
                if work.as_mut().poll(cx).is_ready() {
                    self.work = None;
                }
                self.queue.poll_recv(cx)
            }
            (polled, _) => polled,
        }
    }
}

impl Stream for EventStream {
    type Item = Result<Event, EngineError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let item = std::task::ready!(self.poll_queue(cx));
        if self.shared.paused.swap(false, SeqCst) {
            self.shared.wake();
        }
        let item = item.unwrap_or_else(|| Err(EngineFault::Stopped.into()));
        self.ended = matches!(item, Err(_) | Ok(Event::Done(_)));
        Poll::Ready(Some(item))
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.queue.close();
        self.shared.wake();
    }
}

impl std::fmt::Debug for EventStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventStream")
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

// === impl EventSender ===

impl EventSender {
    /// Whether anybody still listens.
    pub fn is_cancelled(&self) -> bool {
        self.queue.is_closed()
    }

    /// Sends, waiting for room; false when nobody listens.
    pub async fn send(&self, event: Result<Event, EngineError>) -> bool {
        self.queue.send(event).await.is_ok()
    }

    /// Waits until everything sent was taken; false when nobody listens. A reader that asks for more
    /// tokens does so before it takes the next event.
    pub async fn drained(&self) -> bool {
        self.queue.reserve_many(EVENT_CAPACITY).await.is_ok()
    }

    /// Whether so many more events have room now; if not, the stream's `notify` is called when one
    /// was read.
    pub(crate) fn has_room(&self, events: usize) -> bool {
        let has = || self.queue.capacity() >= events;
        // The second look closes the gap between the first and the flag.
        has() || {
            self.shared.paused.store(true, SeqCst);
            has()
        }
    }

    /// Sends if there is room and gives the event back if not; after that, the stream's `notify`
    /// is called once there is. Events to a closed stream vanish.
    ///
    /// # Errors
    /// The event itself, if there is no room or nobody reads any more.
    pub fn try_send(
        &self,
        event: Result<Event, EngineError>,
    ) -> Result<(), Result<Event, EngineError>> {
        let attempt = |event| match self.queue.try_send(event) {
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Full(event)) => Err(event),
        };
        // The second attempt closes the gap between "full" and the flag: a reader that took an
        // event in between didn't see the flag, but left room.
        attempt(event).or_else(|event| {
            self.shared.paused.store(true, SeqCst);
            attempt(event)
        })
    }
}

impl std::fmt::Debug for EventSender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventSender").finish_non_exhaustive()
    }
}

impl Backpressure {
    fn wake(&self) {
        if let Some(notify) = &self.notify {
            notify();
        }
    }
}
