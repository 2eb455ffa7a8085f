//! `LedgerService`: objects, transactions, checkpoints, epochs and the lists of history.

use super::{Services, filter::Filter, invalid, list, list::Range, mask, message, parse};
use crate::{
    error::LocalnetError,
    execution::gas::REFERENCE_GAS_PRICE,
    objects::Draft,
    record::{Executed, Sealed},
    store::{EventRow, Place, place_of_checkpoint},
};
use atoma_types::{
    ObjectId,
    chain::{CLOCK_OBJECT, LOCALNET_CHAIN},
};
use futures::stream;
use std::sync::Arc;
use sui_rpc::{
    field::FieldMaskTree,
    merge::Merge,
    proto::{sui::rpc::v2 as pb, timestamp_ms_to_proto},
};
use sui_sdk_types::{Digest, Object};
use tonic::{Request, Response, Status, codegen::BoxStream};

type Answer<T> = Result<Response<T>, Status>;

/// Objects or transactions of one request, as on Sui.
const MAX_BATCH: usize = 1_000;
/// The protocol version that is told to clients: nothing here depends on it.
const PROTOCOL_VERSION: u64 = 1;

impl Services {
    /// A live object; the clock with the time it is now.
    fn live(&self, id: &ObjectId, version: Option<u64>) -> Result<Arc<Object>, Status> {
        let object = self.access.view.read().state.object(id).cloned();
        let object = object.ok_or_else(|| Status::not_found(format!("object {id} not found")))?;
        if version.is_some_and(|version| version != object.version()) {
            let text = format!("object {id} is kept in version {} only", object.version());
            return Err(Status::not_found(text));
        }
        if *id == CLOCK_OBJECT
            && let Some(mut clock) = Draft::of(&object)
        {
            clock.contents = crate::clock::contents(self.access.clock.now());
            let previous = object.previous_transaction();
            let now = clock.seal(object.version(), previous, object.storage_rebate());
            return Ok(now.unwrap_or(object));
        }
        Ok(object)
    }

    fn object(
        &self,
        request: &pb::GetObjectRequest,
        mask: &FieldMaskTree,
    ) -> Result<pb::Object, Status> {
        let id = parse("object_id", request.object_id.as_deref())?;
        let object = self.live(&id, request.version)?;
        Ok(message::object(&object, mask))
    }

    async fn transaction(
        &self,
        digest: Digest,
        mask: &FieldMaskTree,
    ) -> Result<pb::ExecutedTransaction, Status> {
        let found = self
            .access
            .history(move |db| db.transaction(digest))
            .await?;
        let executed =
            found.ok_or_else(|| Status::not_found(format!("transaction {digest} not found")))?;
        Ok(message::executed(&executed, self.tip(), mask))
    }

    /// The last checkpoint sealed.
    pub(super) fn tip(&self) -> u64 {
        self.access.view.read().tip.sequence_number
    }
}

/// A status inside a batch.
fn status_message(status: &Status) -> sui_rpc::proto::google::rpc::Status {
    let mut message = sui_rpc::proto::google::rpc::Status::default();
    message.code = status.code() as i32;
    message.message = status.message().to_owned();
    message
}

#[tonic::async_trait]
impl pb::ledger_service_server::LedgerService for Services {
    async fn get_service_info(
        &self,
        _: Request<pb::GetServiceInfoRequest>,
    ) -> Answer<pb::GetServiceInfoResponse> {
        let tip = self.access.view.read().tip.clone();
        let mut info = pb::GetServiceInfoResponse::default();
        info.chain_id = Some(self.access.chain.to_string());
        info.chain = Some(LOCALNET_CHAIN.to_owned());
        info.epoch = Some(tip.epoch);
        info.checkpoint_height = Some(tip.sequence_number);
        info.timestamp = Some(timestamp_ms_to_proto(tip.timestamp_ms));
        info.lowest_available_checkpoint = Some(0);
        info.lowest_available_checkpoint_objects = Some(tip.sequence_number);
        info.server = Some(concat!("atoma-localnet/", env!("CARGO_PKG_VERSION")).to_owned());
        Ok(Response::new(info))
    }

    async fn get_object(
        &self,
        request: Request<pb::GetObjectRequest>,
    ) -> Answer<pb::GetObjectResponse> {
        let request = request.into_inner();
        let mask = mask(request.read_mask.clone(), "object_id,version,digest");
        let mut response = pb::GetObjectResponse::default();
        response.object = Some(self.object(&request, &mask)?);
        Ok(Response::new(response))
    }

    async fn batch_get_objects(
        &self,
        request: Request<pb::BatchGetObjectsRequest>,
    ) -> Answer<pb::BatchGetObjectsResponse> {
        let request = request.into_inner();
        if request.requests.len() > MAX_BATCH {
            return Err(invalid("requests", "too many in one batch"));
        }
        let mask = mask(request.read_mask, "object_id,version,digest");
        let mut response = pb::BatchGetObjectsResponse::default();
        for one in &request.requests {
            use pb::get_object_result::Result as Found;
            let mut result = pb::GetObjectResult::default();
            result.result = Some(match self.object(one, &mask) {
                Ok(object) => Found::Object(object),
                Err(status) => Found::Error(status_message(&status)),
            });
            response.objects.push(result);
        }
        Ok(Response::new(response))
    }

    async fn get_transaction(
        &self,
        request: Request<pb::GetTransactionRequest>,
    ) -> Answer<pb::GetTransactionResponse> {
        let request = request.into_inner();
        let digest = parse("digest", request.digest.as_deref())?;
        let mask = mask(request.read_mask, "digest");
        let mut response = pb::GetTransactionResponse::default();
        response.transaction = Some(self.transaction(digest, &mask).await?);
        Ok(Response::new(response))
    }

    async fn batch_get_transactions(
        &self,
        request: Request<pb::BatchGetTransactionsRequest>,
    ) -> Answer<pb::BatchGetTransactionsResponse> {
        let request = request.into_inner();
        if request.digests.len() > MAX_BATCH {
            return Err(invalid("digests", "too many in one batch"));
        }
        let mask = mask(request.read_mask, "digest");
        let mut response = pb::BatchGetTransactionsResponse::default();
        for digest in &request.digests {
            use pb::get_transaction_result::Result as Found;
            let found = match parse("digest", Some(digest)) {
                Ok(digest) => self.transaction(digest, &mask).await,
                Err(status) => Err(status),
            };
            let mut result = pb::GetTransactionResult::default();
            result.result = Some(match found {
                Ok(transaction) => Found::Transaction(transaction),
                Err(status) => Found::Error(status_message(&status)),
            });
            response.transactions.push(result);
        }
        Ok(Response::new(response))
    }

    async fn get_checkpoint(
        &self,
        request: Request<pb::GetCheckpointRequest>,
    ) -> Answer<pb::GetCheckpointResponse> {
        use pb::get_checkpoint_request::CheckpointId;
        let request = request.into_inner();
        let mask = mask(request.read_mask, "sequence_number,digest");
        let missing = || Status::not_found("checkpoint not found");
        let number = match request.checkpoint_id {
            None => self.tip(),
            Some(CheckpointId::SequenceNumber(number)) => number,
            Some(CheckpointId::Digest(text)) => {
                let digest = parse("digest", Some(&text))?;
                let found = self.access.history(move |db| db.checkpoint_number(digest));
                found.await?.ok_or_else(missing)?
            }
            Some(_) => return Err(invalid("checkpoint_id", "unknown kind")),
        };
        let found = self.access.history(move |db| db.checkpoint(number)).await?;
        let mut response = pb::GetCheckpointResponse::default();
        response.checkpoint = Some(message::checkpoint(&found.ok_or_else(missing)?, &mask));
        Ok(Response::new(response))
    }

    async fn get_epoch(
        &self,
        request: Request<pb::GetEpochRequest>,
    ) -> Answer<pb::GetEpochResponse> {
        let request = request.into_inner();
        if request.epoch.is_some_and(|epoch| epoch != 0) {
            return Err(Status::not_found("this ledger stays in epoch 0"));
        }
        let mut protocol = pb::ProtocolConfig::default();
        protocol.protocol_version = Some(PROTOCOL_VERSION);
        let mut epoch = pb::Epoch::default();
        epoch.epoch = Some(0);
        epoch.first_checkpoint = Some(0);
        epoch.reference_gas_price = Some(REFERENCE_GAS_PRICE);
        epoch.protocol_config = Some(protocol);
        let mut response = pb::GetEpochResponse::default();
        let mask = mask(request.read_mask, "epoch");
        response.epoch = Some(pb::Epoch::merge_from(&epoch, &mask));
        Ok(Response::new(response))
    }

    async fn list_events(
        &self,
        request: Request<pb::ListEventsRequest>,
    ) -> Answer<BoxStream<pb::ListEventsResponse>> {
        let request = request.into_inner();
        let mask = mask(request.read_mask, "*");
        let filter = Filter::events(request.filter.as_ref())?;
        let range = Range::new(
            request.start_checkpoint,
            request.end_checkpoint,
            request.options.as_ref(),
            self.tip(),
        )?;
        let goes_on = request.options.as_ref().is_some_and(|o| o.after.is_some());
        let deaf = self.access.trouble.deaf_now();
        deaf.check(goes_on.then_some(range.after))?;
        let bounds = range.clone();
        let (rows, cut) = self
            .access
            .history(move |db| {
                scan(
                    &bounds,
                    |after, before, limit| db.events(after, before, bounds.descending, limit),
                    place_of_event,
                    |row: &EventRow| filter.passes(&row.event),
                )
            })
            .await?;
        let frames = frames(&range, rows, cut, place_of_event, |row, watermark, end| {
            let mut frame = pb::ListEventsResponse::default();
            frame.event = row.map(|row| {
                let place = message::EventPlace {
                    checkpoint: row.checkpoint,
                    transaction: row.digest,
                    position: row.position,
                    number: row.number,
                };
                message::event(&row.event, place, &mask)
            });
            frame.watermark = Some(watermark);
            frame.end = end;
            frame
        });
        Ok(Response::new(Box::pin(stream::iter(frames))))
    }

    async fn list_transactions(
        &self,
        request: Request<pb::ListTransactionsRequest>,
    ) -> Answer<BoxStream<pb::ListTransactionsResponse>> {
        let request = request.into_inner();
        let mask = mask(request.read_mask, "digest");
        let filter = Filter::transactions(request.filter.as_ref())?;
        let tip = self.tip();
        let range = Range::new(
            request.start_checkpoint,
            request.end_checkpoint,
            request.options.as_ref(),
            tip,
        )?;
        let bounds = range.clone();
        let (rows, cut) = self
            .access
            .history(move |db| {
                scan(
                    &bounds,
                    |after, before, limit| db.transactions(after, before, bounds.descending, limit),
                    place_of_transaction,
                    |executed| filter.passes(executed),
                )
            })
            .await?;
        let frames = frames(
            &range,
            rows,
            cut,
            place_of_transaction,
            |row, watermark, end| {
                let mut frame = pb::ListTransactionsResponse::default();
                frame.transaction = row.map(|row| message::executed(&row, tip, &mask));
                frame.watermark = Some(watermark);
                frame.end = end;
                frame
            },
        );
        Ok(Response::new(Box::pin(stream::iter(frames))))
    }

    async fn list_checkpoints(
        &self,
        request: Request<pb::ListCheckpointsRequest>,
    ) -> Answer<BoxStream<pb::ListCheckpointsResponse>> {
        let request = request.into_inner();
        let mask = mask(request.read_mask, "sequence_number,digest");
        let filter = Filter::transactions(request.filter.as_ref())?;
        let range = Range::new(
            request.start_checkpoint,
            request.end_checkpoint,
            request.options.as_ref(),
            self.tip(),
        )?;
        let filtered = request.filter.is_some();
        let bounds = range.clone();
        let (rows, cut) = self
            .access
            .history(move |db| {
                scan(
                    &bounds,
                    |after, before, limit| db.checkpoints(after, before, bounds.descending, limit),
                    place_of_sealed,
                    |sealed| !filtered || sealed.transactions.iter().any(|t| filter.passes(t)),
                )
            })
            .await?;
        let frames = frames(
            &range,
            rows,
            cut,
            place_of_sealed,
            |row, mut watermark, end| {
                let mut frame = pb::ListCheckpointsResponse::default();
                if let Some(sealed) = &row {
                    // a whole checkpoint covers itself
                    watermark.checkpoint = Some(sealed.summary.sequence_number);
                }
                frame.checkpoint = row.map(|sealed| message::checkpoint(&sealed, &mask));
                frame.watermark = Some(watermark);
                frame.end = end;
                frame
            },
        );
        Ok(Response::new(Box::pin(stream::iter(frames))))
    }
}

fn place_of_event(row: &EventRow) -> Place {
    (row.checkpoint, row.position, u64::from(row.number))
}

fn place_of_transaction(executed: &Executed) -> Place {
    (executed.checkpoint, executed.position, 1)
}

fn place_of_sealed(sealed: &Sealed) -> Place {
    place_of_checkpoint(sealed.summary.sequence_number)
}

/// Where a scan was cut short: by its limit of items, or of rows (the last one read).
#[derive(Clone, Copy)]
enum Cut {
    Items,
    Rows(Place),
}

/// Reads rows until the range ends, enough passed, or too many were read.
fn scan<T>(
    range: &Range,
    read: impl Fn(Place, Place, usize) -> Result<Vec<T>, LocalnetError>,
    place: impl Fn(&T) -> Place,
    passes: impl Fn(&T) -> bool,
) -> Result<(Vec<T>, Option<Cut>), LocalnetError> {
    let (mut after, mut before) = (range.after, range.before);
    let mut found = Vec::new();
    let mut scanned = 0;
    loop {
        let rows = read(after, before, range.limit)?;
        let full = rows.len() == range.limit;
        scanned += rows.len();
        let Some(last) = rows.last().map(&place) else {
            return Ok((found, None));
        };
        for row in rows {
            if passes(&row) {
                found.push(row);
                if found.len() == range.limit {
                    return Ok((found, Some(Cut::Items)));
                }
            }
        }
        if !full {
            return Ok((found, None));
        }
        if scanned >= list::SCAN_LIMIT {
            return Ok((found, Some(Cut::Rows(last))));
        }
        (after, before) = range.narrowed(last);
    }
}

/// The frames of a response: an item each, and an end.
fn frames<T, F>(
    range: &Range,
    rows: Vec<T>,
    cut: Option<Cut>,
    place: impl Fn(&T) -> Place,
    frame: impl Fn(Option<T>, pb::Watermark, Option<pb::QueryEnd>) -> F,
) -> Vec<Result<F, Status>> {
    let last = rows.len();
    let mut frames: Vec<Result<F, Status>> = Vec::with_capacity(last + 1);
    for (number, row) in rows.into_iter().enumerate() {
        let watermark = range.at(place(&row));
        let ends = matches!(cut, Some(Cut::Items)) && number + 1 == last;
        let end = ends.then(|| list::query_end(pb::QueryEndReason::ItemLimit));
        frames.push(Ok(frame(Some(row), watermark, end)));
    }
    match cut {
        Some(Cut::Items) => {}
        Some(Cut::Rows(place)) => {
            let end = list::query_end(pb::QueryEndReason::ScanLimit);
            frames.push(Ok(frame(None, range.at(place), Some(end))));
        }
        None => {
            let (end, watermark) = range.end();
            frames.push(Ok(frame(None, watermark, Some(end))));
        }
    }
    frames
}
