//! Following the package's events, from any place on, through reconnections.

use crate::{
    Cursor, Ledger, ReadError,
    malformed::{MalformedAnswer, parse},
    status::is_definite,
};
use atoma_runtime::WithCauses;
use atoma_types::chain::{Deployment, Event, WalrusDeployment};
use futures::future::BoxFuture;
use futures::{Stream, StreamExt, stream::BoxStream};
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use sui_rpc::{
    client::{EventStreamFrame, EventStreamRequest, EventStreamStart},
    proto::sui::rpc::v2::{self as proto, EventFilter, filter::event::event_type},
};
use sui_sdk_types::{Digest, StructTag};
use tokio::time::sleep;
use tonic::{Code, Status};

/// Pause before a stream that broke for good is opened anew.
pub(crate) const REOPEN_PAUSE: Duration = Duration::from_secs(1);

const EVENT_FIELDS: &[&str] = &[
    "event_type",
    "contents",
    "transaction_digest",
    "checkpoint",
    "transaction_index",
    "event_index",
];

/// An event with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerEvent {
    /// Resume here once the event has been dealt with.
    pub cursor: Cursor,
    /// The transaction that emitted it.
    pub transaction: Digest,
    /// The checkpoint that it is in.
    pub checkpoint: u64,
    /// Its place among the transaction's events, those of other packages counted.
    pub index: u32,
    /// What happened, as the package told it.
    pub event: Event,
}

/// A step of the stream: an event, or only word of how far the ledger has been looked through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LedgerFrame {
    /// Resume here once the frame has been dealt with.
    pub cursor: Cursor,
    /// Every event up to the end of this checkpoint has come, where the ledger says so.
    pub covered: Option<u64>,
    /// What happened, as the package told it.
    pub event: Option<LedgerEvent>,
}

/// The place from which events are followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventStart {
    /// With the oldest event that the ledger still has.
    Beginning,
    /// With the first event after this place.
    After(Cursor),
    /// With what happens from now on.
    Now,
}

/// [`EventStream`] with word of its progress between the events.
pub struct FrameStream(BoxStream<'static, Result<LedgerFrame, ReadError>>);

impl Stream for FrameStream {
    type Item = Result<LedgerFrame, ReadError>;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl fmt::Debug for FrameStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FrameStream")
    }
}

/// The package's events, in the ledger's order. An `Err` that the stream outlives (an event that can't be read) is
/// followed by more; a refusal ends it. Whoever must hear for good takes a [`Listener`](crate::Listener).
pub struct EventStream(BoxStream<'static, Result<LedgerEvent, ReadError>>);

impl Stream for EventStream {
    type Item = Result<LedgerEvent, ReadError>;
    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl fmt::Debug for EventStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EventStream")
    }
}

impl Ledger {
    /// Follows the events after a place, or all of them.
    #[must_use]
    pub fn events(&self, after: Option<Cursor>) -> EventStream {
        self.follow(after.map_or(EventStart::Beginning, EventStart::After))
    }

    /// Follows the events from a start on.
    #[must_use]
    pub fn follow(&self, start: EventStart) -> EventStream {
        EventStream(Follower::new(self.clone(), start).into_stream())
    }

    /// Follows the events from a start on, and says how far it has come: for programs that must know
    /// when they have seen all there is.
    #[must_use]
    pub fn frames(&self, start: EventStart) -> FrameStream {
        FrameStream(Follower::new(self.clone(), start).into_frames())
    }

    /// Follows the events from now on, and returns once it does: whatever is executed after this
    /// is in the stream. To know a state without gaps, subscribe first and read it then.
    ///
    /// # Errors
    /// If nobody answers.
    pub fn subscribe(&self) -> BoxFuture<'_, Result<EventStream, ReadError>> {
        Box::pin(async move {
            let mut follower = Follower::new(self.clone(), EventStart::Now);
            let early = follower.connect().await?.event;
            let later = follower.into_stream();
            Ok(EventStream(
                futures::stream::iter(early.map(Ok)).chain(later).boxed(),
            ))
        })
    }
}

type Frames = BoxStream<'static, Result<EventStreamFrame, Status>>;

/// Holds the place while connections come and go.
pub(crate) struct Follower {
    ledger: Ledger,
    pub(crate) start: EventStart,
    frames: Option<Frames>,
    /// The ledger said no, with this code: it is over.
    refused: Option<Code>,
}

impl Follower {
    pub(crate) fn new(ledger: Ledger, start: EventStart) -> Self {
        Self {
            ledger,
            start,
            frames: None,
            refused: None,
        }
    }

    /// After a refusal: what the ledger said. From the place where it is now it may be gone on with.
    pub(crate) fn take_up(&mut self) -> Option<Code> {
        let refused = self.refused.take()?;
        self.frames = None;
        Some(refused)
    }

    fn into_frames(self) -> BoxStream<'static, Result<LedgerFrame, ReadError>> {
        futures::stream::unfold(self, |mut follower| async move {
            let item = follower.next().await?;
            Some((item, follower))
        })
        .boxed()
    }

    fn into_stream(self) -> BoxStream<'static, Result<LedgerEvent, ReadError>> {
        self.into_frames()
            .filter_map(async |frame| frame.map(|frame| frame.event).transpose())
            .boxed()
    }

    /// Waits for the first frame, which says that the subscription stands.
    pub(crate) async fn connect(&mut self) -> Result<LedgerFrame, ReadError> {
        let frame = self.frames().await?.next().await;
        match frame {
            Some(Ok(frame)) => self.take(frame),
            Some(Err(status)) => Err(self.ledger.refused(&status)),
            None => Err(MalformedAnswer::EventsEnded.into()),
        }
    }

    pub(crate) async fn next(&mut self) -> Option<Result<LedgerFrame, ReadError>> {
        while self.refused.is_none() {
            let frames = match self.frames().await {
                Ok(frames) => frames,
                Err(error) => {
                    tracing::warn!(error = %WithCauses(&error), "cannot follow the ledger's events yet");
                    sleep(REOPEN_PAUSE).await;
                    continue;
                }
            };
            match frames.next().await {
                Some(Ok(frame)) => return Some(self.take(frame)),
                Some(Err(status)) if is_definite(&status) => {
                    self.refused = Some(status.code());
                    return Some(Err(self.ledger.refused(&status)));
                }
                Some(Err(status)) => {
                    tracing::warn!(%status, "the stream of events broke");
                    self.reopen().await;
                }
                None => self.reopen().await,
            }
        }
        None
    }

    async fn reopen(&mut self) {
        self.frames = None;
        sleep(REOPEN_PAUSE).await;
    }

    /// Moves the place, and reads the event if the frame has one of ours.
    fn take(&mut self, found: EventStreamFrame) -> Result<LedgerFrame, ReadError> {
        let cursor = Cursor(found.cursor);
        self.start = EventStart::After(cursor.clone());
        let frame = LedgerFrame {
            cursor: cursor.clone(),
            covered: found.covered_checkpoint,
            event: None,
        };
        let Some(event) = found.event else {
            return Ok(frame);
        };
        let Some(known) = known_event(&event, &self.ledger.deployment)? else {
            return Ok(frame);
        };
        let transaction = parse("event's transaction", event.transaction_digest())?;
        let event = LedgerEvent {
            cursor,
            transaction,
            checkpoint: event.checkpoint(),
            index: event.event_index(),
            event: known,
        };
        Ok(LedgerFrame {
            event: Some(event),
            ..frame
        })
    }

    /// The open stream; opens one at the current place if there is none.
    async fn frames(&mut self) -> Result<&mut Frames, ReadError> {
        if self.frames.is_none() {
            let start = match &self.start {
                EventStart::Now => EventStreamStart::Tip,
                EventStart::After(cursor) => EventStreamStart::Resume(cursor.0.clone()),
                EventStart::Beginning => EventStreamStart::Checkpoint(oldest(&self.ledger).await?),
            };
            let request = EventStreamRequest::new()
                .with_read_mask(crate::mask::mask(EVENT_FIELDS))
                .with_filter(filter(&self.ledger.deployment))
                .with_start(start);
            self.frames = Some(self.ledger.inner.client.stream_events(request).boxed());
        }
        Ok(self.frames.as_mut().expect("filled just above"))
    }
}

/// The oldest checkpoint that the ledger still has.
async fn oldest(ledger: &Ledger) -> Result<u64, ReadError> {
    let mut client = ledger.inner.client.clone();
    let answer = client
        .ledger_client()
        .get_service_info(proto::GetServiceInfoRequest::default())
        .await
        .map_err(|status| ledger.refused(&status))?;
    Ok(answer.into_inner().lowest_available_checkpoint())
}

/// Events whose type our package defines, in its first version or the current one.
fn filter(deployment: &Deployment) -> EventFilter {
    let of = |package: &atoma_types::ObjectId| event_type(package.to_string());
    if deployment.package == deployment.original_package {
        EventFilter::matching(of(&deployment.package))
    } else {
        let packages = [deployment.original_package, deployment.package];
        EventFilter::any(
            packages
                .iter()
                .map(|package| proto::EventTerm::all([of(package)])),
        )
    }
}

/// The event, if its type is our package's or Walrus's: a foreign package's event of the same name is
/// none of ours. An event that this version doesn't know yet is passed over.
pub(crate) fn known_event(
    event: &proto::Event,
    deployment: &Deployment,
) -> Result<Option<Event>, MalformedAnswer> {
    let tag = tag(event)?;
    if ![deployment.original_package, deployment.package].contains(tag.address()) {
        return walrus_event(event, &deployment.walrus);
    }
    let name = (tag.module().as_str(), tag.name().as_str());
    if !Event::NAMES.contains(&name) {
        let (module, name) = name;
        tracing::warn!(
            module,
            name,
            "the package emitted an event that is not known here"
        );
        return Ok(None);
    }
    read(event, name)
}

/// The event, if its type is Walrus's own and it is known here.
pub(crate) fn walrus_event(
    event: &proto::Event,
    walrus: &WalrusDeployment,
) -> Result<Option<Event>, MalformedAnswer> {
    let tag = tag(event)?;
    let name = (tag.module().as_str(), tag.name().as_str());
    let its = [walrus.original_package, walrus.package].contains(tag.address());
    if !its || !Event::WALRUS_NAMES.contains(&name) {
        return Ok(None);
    }
    read(event, name)
}

fn tag(event: &proto::Event) -> Result<StructTag, MalformedAnswer> {
    parse("event's type", event.event_type())
}

fn read(
    event: &proto::Event,
    (module, name): (&str, &str),
) -> Result<Option<Event>, MalformedAnswer> {
    let bytes = event.contents().value();
    Ok(Some(Event::from_bytes(module, name, bytes)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::{
        Address, BlobId, NetworkId, TaskId,
        chain::events::{BlobCertified, TaskDeprecated},
    };

    fn event(package: Address, name: &str, bytes: Vec<u8>) -> proto::Event {
        proto::Event::default()
            .with_event_type(format!("{package}::task::{name}"))
            .with_contents(bytes)
    }

    #[test]
    fn only_our_packages_events_count() {
        let deployment = Deployment {
            package: Address::new([2; 32]),
            ..Deployment::localnet(NetworkId([0; 32]))
        };
        let ours = Event::from(TaskDeprecated {
            task: TaskId(Address::new([3; 32])),
        });
        let read = |package, name, bytes| known_event(&event(package, name, bytes), &deployment);
        let bytes = ours.to_bytes();
        for package in [deployment.package, deployment.original_package] {
            let found = read(package, "TaskDeprecated", bytes.clone()).unwrap();
            assert_eq!(found.as_ref(), Some(&ours));
        }
        let foreign = Address::new([9; 32]);
        assert_eq!(
            read(foreign, "TaskDeprecated", bytes.clone()).unwrap(),
            None
        );
        assert_eq!(read(deployment.package, "Unheard", bytes).unwrap(), None);
        assert!(read(deployment.package, "TaskDeprecated", vec![1]).is_err());
    }

    #[test]
    fn a_blob_is_certified_by_walrus_alone() {
        let deployment = Deployment {
            package: Address::new([2; 32]),
            ..Deployment::localnet(NetworkId([0; 32]))
        };
        let told = Event::from(BlobCertified {
            epoch: 1,
            blob_id: BlobId([3; 32]),
            end_epoch: 6,
            deletable: false,
            object_id: Address::new([4; 32]),
            is_extension: false,
        });
        let (module, name) = (told.module(), told.name());
        let read = |package: Address| {
            let event = proto::Event::default()
                .with_event_type(format!("{package}::{module}::{name}"))
                .with_contents(told.to_bytes());
            walrus_event(&event, &deployment.walrus).unwrap()
        };
        assert_eq!(read(deployment.walrus.package), Some(told.clone()));
        let lookalikes = [deployment.package, Address::new([9; 32])];
        assert_eq!(lookalikes.map(read), [None, None]);
    }
}
