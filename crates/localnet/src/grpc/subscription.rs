//! `SubscriptionService`: checkpoints, transactions and events as they are sealed. Each stream
//! begins by saying where the ledger stands, says so again when nothing happens, and ends with
//! `unavailable` if its client can't keep up: clients then read what they missed from the lists.

use super::{Services, cursor, filter::Filter, mask, message};
use crate::{record::Sealed, trouble::Deaf};
use futures::stream;
use std::{collections::VecDeque, sync::Arc, time::Duration};
use sui_rpc::proto::sui::rpc::v2 as pb;
use tokio::sync::{
    broadcast::{self, error::RecvError},
    watch,
};
use tonic::{Request, Response, Status, codegen::BoxStream};

type Answer<T> = Result<Response<BoxStream<T>>, Status>;

/// Between two frames that only say where the ledger stands, as on Sui's nodes. Clients give a
/// silent stream up after thirty seconds.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// A live stream: frames ready to go, and what they are made from.
struct Live<M, F> {
    ready: VecDeque<F>,
    sealed: broadcast::Receiver<Arc<Sealed>>,
    stopping: watch::Receiver<bool>,
    /// Changes when it should end before.
    deaf: watch::Receiver<Deaf>,
    tip: u64,
    /// Turns a checkpoint into frames.
    make: M,
    /// A frame that says where the ledger stands, where the protocol has one.
    idle: fn(u64) -> Option<F>,
    over: bool,
}

impl<M, F> Live<M, F>
where
    M: Fn(&Sealed) -> Vec<F>,
{
    async fn next(&mut self) -> Option<Result<F, Status>> {
        loop {
            if let Some(frame) = self.ready.pop_front() {
                return Some(Ok(frame));
            }
            if self.over {
                return None;
            }
            tokio::select! {
                biased;
                sealed = self.sealed.recv() => match sealed {
                    // sealed before this stream looked at the tip
                    Ok(sealed) if sealed.summary.sequence_number <= self.tip => {}
                    Ok(sealed) => {
                        self.tip = sealed.summary.sequence_number;
                        self.ready.extend((self.make)(&sealed));
                    }
                    Err(RecvError::Lagged(_)) => {
                        self.over = true;
                        return Some(Err(Status::unavailable("the client reads too slowly")));
                    }
                    Err(RecvError::Closed) => self.over = true,
                },
                _ = self.stopping.wait_for(|stopping| *stopping) => {
                    self.over = true;
                    return Some(Err(Status::unavailable("the ledger is shutting down")));
                }
                Ok(()) = self.deaf.changed() => {
                    if let Some(status) = self.deaf.borrow_and_update().end() {
                        self.over = true;
                        return Some(Err(status));
                    }
                }
                () = tokio::time::sleep(HEARTBEAT) => self.ready.extend((self.idle)(self.tip)),
            }
        }
    }
}

impl Services {
    fn follow<M, F>(&self, make: M, idle: fn(u64) -> Option<F>) -> BoxStream<F>
    where
        M: Fn(&Sealed) -> Vec<F> + Send + 'static,
        F: Send + 'static,
    {
        // first listen, then look: nothing can fall between
        let sealed = self.access.sealed.subscribe();
        let stopping = self.access.stopping.subscribe();
        let deaf = self.access.trouble.deaf();
        let tip = self.tip();
        let live = Live {
            ready: idle(tip).into_iter().collect(),
            sealed,
            stopping,
            deaf,
            tip,
            make,
            idle,
            over: false,
        };
        Box::pin(stream::unfold(live, |mut live| async move {
            let frame = live.next().await?;
            Some((frame, live))
        }))
    }
}

/// The checkpoint before one, which an item in it leaves covered.
fn before(checkpoint: u64) -> Option<u64> {
    checkpoint.checked_sub(1)
}

#[tonic::async_trait]
impl pb::subscription_service_server::SubscriptionService for Services {
    async fn subscribe_checkpoints(
        &self,
        request: Request<pb::SubscribeCheckpointsRequest>,
    ) -> Answer<pb::SubscribeCheckpointsResponse> {
        let request = request.into_inner();
        let mask = mask(request.read_mask, "sequence_number,digest");
        let filter = Filter::transactions(request.filter.as_ref())?;
        let filtered = request.filter.is_some();
        let make = move |sealed: &Sealed| {
            let passes = !filtered || sealed.transactions.iter().any(|t| filter.passes(t));
            let mut frame = pb::SubscribeCheckpointsResponse::default();
            frame.cursor = Some(sealed.summary.sequence_number);
            frame.checkpoint = passes.then(|| message::checkpoint(sealed, &mask));
            vec![frame]
        };
        // without a filter every frame has its checkpoint, so there is none to send in between
        Ok(Response::new(self.follow(make, |_| None)))
    }

    async fn subscribe_transactions(
        &self,
        request: Request<pb::SubscribeTransactionsRequest>,
    ) -> Answer<pb::SubscribeTransactionsResponse> {
        let request = request.into_inner();
        let mask = mask(request.read_mask, "digest");
        let filter = Filter::transactions(request.filter.as_ref())?;
        let frame = |transaction, watermark| {
            let mut frame = pb::SubscribeTransactionsResponse::default();
            frame.transaction = transaction;
            frame.watermark = Some(watermark);
            frame
        };
        let make = move |sealed: &Sealed| {
            let number = sealed.summary.sequence_number;
            let mut frames: Vec<_> = sealed
                .transactions
                .iter()
                .filter(|executed| filter.passes(executed))
                .map(|executed| {
                    let place = (number, executed.position, 1);
                    let watermark = cursor::watermark(place, before(number));
                    frame(Some(message::executed(executed, number, &mask)), watermark)
                })
                .collect();
            let end = cursor::watermark(cursor::end_of(number), Some(number));
            frames.push(frame(None, end));
            frames
        };
        let idle = |tip| {
            let mut frame = pb::SubscribeTransactionsResponse::default();
            frame.watermark = Some(cursor::watermark(cursor::end_of(tip), Some(tip)));
            Some(frame)
        };
        Ok(Response::new(self.follow(make, idle)))
    }

    async fn subscribe_events(
        &self,
        request: Request<pb::SubscribeEventsRequest>,
    ) -> Answer<pb::SubscribeEventsResponse> {
        self.access.trouble.deaf_now().check(None)?;
        let request = request.into_inner();
        let mask = mask(request.read_mask, "*");
        let filter = Filter::events(request.filter.as_ref())?;
        let frame = |event, watermark| {
            let mut frame = pb::SubscribeEventsResponse::default();
            frame.event = event;
            frame.watermark = Some(watermark);
            frame
        };
        let make = move |sealed: &Sealed| {
            let number = sealed.summary.sequence_number;
            let mut frames = Vec::new();
            for executed in &sealed.transactions {
                let events = executed.events.iter().flat_map(|events| &events.0);
                for (index, event) in (0u32..).zip(events) {
                    if !filter.passes(event) {
                        continue;
                    }
                    let place = message::EventPlace {
                        checkpoint: number,
                        transaction: executed.digest,
                        position: executed.position,
                        number: index,
                    };
                    let at = (number, executed.position, u64::from(index));
                    let watermark = cursor::watermark(at, before(number));
                    frames.push(frame(Some(message::event(event, place, &mask)), watermark));
                }
            }
            let end = cursor::watermark(cursor::end_of(number), Some(number));
            frames.push(frame(None, end));
            frames
        };
        let idle = |tip| {
            let mut frame = pb::SubscribeEventsResponse::default();
            frame.watermark = Some(cursor::watermark(cursor::end_of(tip), Some(tip)));
            Some(frame)
        };
        Ok(Response::new(self.follow(make, idle)))
    }
}
