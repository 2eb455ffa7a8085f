//! Following events for as long as a program runs: no refusal, however definite, is the last word. A proxy before the
//! ledger may say anything for a moment, and the ledger itself may have forgotten the place that it is to go on from.

use crate::{
    EventStart, Ledger, LedgerFrame, ReadError,
    events::{Follower, REOPEN_PAUSE},
};
use atoma_runtime::Backoff;
use futures::{Stream, StreamExt, future::BoxFuture, stream::BoxStream};
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::sleep;
use tonic::Code;

/// The pause after a refusal doubles with each that follows, up to this: what happens meanwhile is heard so much later.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// A place that was refused so often in a row is given up: one of several full nodes behind a name may be behind the
/// others for a moment.
const PLACE_TRIES: u32 = 3;

/// What comes to a [`Listener`].
#[expect(
    clippy::large_enum_variant,
    reason = "nearly all that comes is a frame, and one lives at a time"
)]
#[derive(Debug)]
pub enum Told {
    /// An event, or only word of how far the ledger has been looked through: events come.
    Frame(LedgerFrame),
    /// An event that can't be read, or a refusal, after which it is tried again.
    Failed(ReadError),
    /// The ledger doesn't have the place any more: of what happened since then some may never be told. Events come again
    /// by now, so a state that is read after this misses nothing.
    Lost,
}

/// The package's events, in the ledger's order, for good: it never ends.
pub struct Listener(BoxStream<'static, Told>);

impl Stream for Listener {
    type Item = Told;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Listener")
    }
}

impl Ledger {
    /// Listens from a start on, for good. Where the ledger doesn't have the place any more, it begins `anew`.
    #[must_use]
    pub fn listen(&self, start: EventStart, anew: EventStart) -> Listener {
        let follower = Follower::new(self.clone(), start);
        Listening::new(follower, anew, None).into_listener()
    }

    /// Listens from now on, and returns once it does, as [`Ledger::subscribe`] does.
    ///
    /// # Errors
    /// If nobody answers.
    pub fn listen_from_now(&self, anew: EventStart) -> BoxFuture<'_, Result<Listener, ReadError>> {
        Box::pin(async move {
            let mut follower = Follower::new(self.clone(), EventStart::Now);
            let first = follower.connect().await?;
            Ok(Listening::new(follower, anew, Some(first)).into_listener())
        })
    }
}

struct Listening {
    follower: Follower,
    anew: EventStart,
    /// What came when the stream was begun, and was not told yet.
    next: Option<LedgerFrame>,
    /// Before the stream is taken up again.
    rest: Option<Duration>,
    /// The pauses after refusals.
    backoff: Backoff,
    /// How often the place was refused in a row.
    refusals: u32,
    /// The place was given up, and nobody was told so far.
    lost: bool,
}

impl Listening {
    fn new(follower: Follower, anew: EventStart, next: Option<LedgerFrame>) -> Self {
        Self {
            follower,
            anew,
            next,
            rest: None,
            backoff: Backoff::new(REOPEN_PAUSE, LONGEST_PAUSE),
            refusals: 0,
            lost: false,
        }
    }

    fn into_listener(self) -> Listener {
        let all = futures::stream::unfold(self, |mut listening| async move {
            let told = listening.next().await;
            Some((told, listening))
        });
        Listener(all.boxed())
    }

    async fn next(&mut self) -> Told {
        if let Some(frame) = self.next.take() {
            return Told::Frame(frame);
        }
        loop {
            if let Some(rest) = self.rest.take() {
                sleep(rest).await;
            }
            match self.follower.next().await {
                Some(Ok(frame)) => return self.came(frame),
                Some(Err(error)) => {
                    self.take_up();
                    return Told::Failed(error);
                }
                None => self.take_up(),
            }
        }
    }

    fn came(&mut self, frame: LedgerFrame) -> Told {
        self.backoff.succeeded();
        self.refusals = 0;
        if std::mem::take(&mut self.lost) {
            self.next = Some(frame);
            return Told::Lost;
        }
        Told::Frame(frame)
    }

    /// After a refusal it is tried again: at the place, as long as the place may be good.
    fn take_up(&mut self) {
        let Some(code) = self.follower.take_up() else {
            // only an event that can't be read
            return;
        };
        self.rest = Some(self.backoff.failed());
        self.refusals = match is_of_the_place(code) {
            true => self.refusals.saturating_add(1),
            false => 0,
        };
        if self.refusals >= PLACE_TRIES {
            self.refusals = 0;
            self.lost = true;
            self.follower.start = match self.follower.start {
                EventStart::After(_) => self.anew.clone(),
                EventStart::Beginning | EventStart::Now => EventStart::Now,
            };
        }
    }
}

/// What a ledger may say of a place that it doesn't have: it has forgotten it, or doesn't know it yet. Proxies say other
/// things.
fn is_of_the_place(code: Code) -> bool {
    matches!(
        code,
        Code::InvalidArgument | Code::NotFound | Code::OutOfRange | Code::FailedPrecondition
    )
}
