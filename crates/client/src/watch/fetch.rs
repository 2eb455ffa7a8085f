//! Having a node show the records that a walk lacks, one number after the other. The first that isn't good, or isn't the next,
//! ends it: what its node shows after that is of no use.

use crate::{
    Client, ClientError, Receipts,
    records::{CHECKED_AT_ONCE, MAX_ASKED, Record, RecordSource},
};
use atoma_evidence::receipt::ReceiptError;
use atoma_types::{
    NodeId, RequestId, StackId,
    chain::{Stack, Ticket},
    hash::Hash32,
    message::{Receipt, Signed},
};
use std::collections::HashMap;
use tokio::time::{Instant, timeout_at};

/// What came of asking a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// The record is kept now.
    Here,
    /// The node answered without it, or with what isn't good.
    Denied,
    /// The node can't be asked now, or not by us, or takes too long.
    Unknown,
}

/// What is wrong with a receipt where another one is kept in its place.
fn another(
    receipts: &Receipts,
    lease: (StackId, NodeId),
    shown: &Signed<Receipt>,
) -> Result<Option<ReceiptError>, ClientError> {
    let seq = shown.message().seq;
    let kept = receipts.good_at(lease, seq)?;
    let same = kept.iter().any(|kept| kept.hash() == shown.hash());
    let other = kept.first().filter(|_| !same);
    Ok(other.map(|kept| ReceiptError::Equivocation {
        seq,
        first: kept.hash(),
        second: shown.hash(),
    }))
}

/// Asks a ticket's node for the records up to this number that aren't kept, and keeps them. What has come by `until` stays,
/// and the next question goes on from there.
pub(super) async fn fetch(
    client: &Client,
    of: (&Stack, NodeId, &Ticket),
    receipts: &Receipts,
    (seq, until): (u64, Instant),
) -> Result<Shown, ClientError> {
    let asked = timeout_at(until, ask(client, of, receipts, seq)).await;
    receipts.flush().await?;
    asked.unwrap_or(Ok(Shown::Unknown))
}

async fn ask(
    client: &Client,
    (stack, node, ticket): (&Stack, NodeId, &Ticket),
    receipts: &Receipts,
    seq: u64,
) -> Result<Shown, ClientError> {
    let Ok(info) = client.find_node(node).await else {
        return Ok(Shown::Unknown);
    };
    let Some(source) = RecordSource::of(client, stack, &info) else {
        return Ok(Shown::Unknown);
    };
    let before = receipts.kept_before(stack.id, node, seq)?;
    let before = before.map_or(0, |receipt| receipt.message().seq);
    let (mut after, mut asked) = (before.max(ticket.base), 0);
    while after < seq && asked < MAX_ASKED {
        let page = match source.after(after).await {
            Ok(page) if page.is_empty() => return Ok(Shown::Denied),
            Ok(page) => page,
            Err(ClientError::Refused { status, .. }) if status == http::StatusCode::NOT_FOUND => {
                return Ok(Shown::Denied);
            }
            Err(ClientError::Malformed { .. }) => return Ok(Shown::Denied),
            Err(_) => return Ok(Shown::Unknown),
        };
        asked += page.len();
        // these are held against what is on the disk
        receipts.flush().await?;
        let mut requests = HashMap::new();
        for (place, record) in page.iter().enumerate() {
            let its = record.receipt.message().seq;
            if its.checked_sub(1) != Some(after)
                || !takes(&source, receipts, record, &mut requests)?
            {
                return Ok(Shown::Denied);
            }
            after = its;
            if place % CHECKED_AT_ONCE == 0 {
                tokio::task::yield_now().await;
            }
        }
    }
    Ok(match after < seq {
        true => Shown::Denied,
        false => Shown::Here,
    })
}

/// Keeps a record, with what is wrong with it; says whether it is good. `requests` are those of its page, which aren't on the
/// disk yet, and their receipts.
fn takes(
    source: &RecordSource,
    receipts: &Receipts,
    record: &Record,
    requests: &mut HashMap<RequestId, Hash32>,
) -> Result<bool, ClientError> {
    if source.verify(record).is_err() {
        return Ok(false);
    }
    let second = record.receipt.hash();
    let first = requests.insert(record.receipt.message().request_id, second);
    let fault = match first {
        Some(first) if first != second => Some(ReceiptError::Twice { first, second }),
        _ => another(receipts, source.lease(), &record.receipt)?,
    };
    source.keep(record, fault.as_ref());
    Ok(fault.is_none())
}
