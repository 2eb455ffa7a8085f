//! How far the ledger is, when something happened, and whether it is still the ledger that it was.

use crate::{
    Connection, ReadError, TipError, WrongNetwork,
    connection::network_of,
    malformed::{MalformedAnswer, parse},
    mask::mask,
};
use atoma_types::TimestampMs;
use futures::future::BoxFuture;
use sui_rpc::proto::{
    proto_to_timestamp_ms,
    sui::rpc::v2::{
        GetCheckpointRequest, GetServiceInfoRequest, get_checkpoint_request::CheckpointId,
    },
};
use sui_sdk_types::Digest;
use tonic::Code;

/// Where a ledger stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tip {
    /// Number of the last checkpoint that the ledger has sealed.
    pub checkpoint: u64,
    /// The oldest checkpoint that it still has.
    pub oldest: u64,
}

/// A checkpoint that the ledger has sealed: number, digest and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number that it has in the order of the ledger.
    pub number: u64,
    /// Its digest, which all before it goes into.
    pub digest: Digest,
    /// When it was sealed.
    pub time: TimestampMs,
}

impl Connection {
    /// Where the ledger stands now. Refuses if another network answers at the URL by now.
    ///
    /// # Errors
    /// If nobody answers, another network does, or the answer can't be read.
    pub fn tip(&self) -> BoxFuture<'_, Result<Tip, TipError>> {
        Box::pin(async move {
            let mut client = self.inner.client.clone();
            let answer = client
                .ledger_client()
                .get_service_info(GetServiceInfoRequest::default())
                .await
                .map_err(|status| self.refused(&status))?
                .into_inner();
            let found = network_of(&answer)?;
            if found != self.network() {
                let expected = self.network();
                return Err(WrongNetwork { found, expected }.into());
            }
            Ok(Tip {
                checkpoint: answer.checkpoint_height(),
                oldest: answer.lowest_available_checkpoint(),
            })
        })
    }

    /// A checkpoint. It never changes: another digest at the same number is another history.
    ///
    /// # Errors
    /// If nobody answers, or the answer can't be read.
    pub fn checkpoint(&self, number: u64) -> BoxFuture<'_, Result<Checkpoint, ReadError>> {
        Box::pin(async move {
            let mut request = GetCheckpointRequest::default();
            request.checkpoint_id = Some(CheckpointId::SequenceNumber(number));
            request.read_mask = Some(mask(&["digest", "summary.timestamp"]));
            let mut client = self.inner.client.clone();
            let answer = client.ledger_client().get_checkpoint(request).await;
            let answer = match answer {
                Ok(answer) => answer.into_inner(),
                Err(status) if status.code() == Code::NotFound => {
                    return Err(ReadError::NotFound {
                        what: "checkpoint",
                        id: number.to_string(),
                    });
                }
                Err(status) => return Err(self.refused(&status)),
            };
            let checkpoint = answer.checkpoint();
            let time = checkpoint.summary().timestamp;
            Ok(Checkpoint {
                number,
                digest: parse("checkpoint's digest", checkpoint.digest())?,
                time: time
                    .and_then(|time| proto_to_timestamp_ms(time).ok())
                    .map(TimestampMs)
                    .ok_or(MalformedAnswer::Missing("time of the checkpoint"))?,
            })
        })
    }
}
