//! Having a node show the records that a walk lacks.

use crate::{
    Client, ClientError, Receipts,
    records::{CHECKED_AT_ONCE, MAX_ASKED, RecordSource},
};
use atoma_evidence::receipt::ReceiptError;
use atoma_types::{
    NodeId, StackId,
    chain::{Stack, Ticket},
    message::{Receipt, Signed},
};

/// What came of asking a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// The record is kept now.
    Here,
    /// The node answered without it.
    Denied,
    /// The node can't be asked now, or not by us.
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

/// Asks a ticket's node for the records up to this number that aren't kept, and keeps them.
pub(super) async fn fetch(
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
    let mut here = false;
    while after < seq && asked < MAX_ASKED {
        let page = match source.after(after).await {
            Ok(page) => page,
            Err(ClientError::Refused { status, .. }) if status == http::StatusCode::NOT_FOUND => {
                return Ok(Shown::Denied);
            }
            Err(ClientError::Malformed { .. }) => return Ok(Shown::Denied),
            Err(_) => return Ok(Shown::Unknown),
        };
        let Some(last) = page.last().map(|record| record.receipt.message().seq) else {
            break;
        };
        if last <= after {
            break;
        }
        for (place, record) in page.iter().enumerate() {
            let its = record.receipt.message().seq;
            if source.verify(record).is_ok() {
                let fault = another(receipts, (stack.id, node), &record.receipt)?;
                source.keep(record, fault.as_ref());
                here |= its == seq && fault.is_none();
            }
            if place % CHECKED_AT_ONCE == 0 {
                tokio::task::yield_now().await;
            }
        }
        (after, asked) = (last, asked + page.len());
    }
    receipts.flush().await?;
    Ok(match here {
        true => Shown::Here,
        false => Shown::Denied,
    })
}
