//! Two receipts for one request among all that is kept of a lease, whoever showed them and whatever else is wrong with
//! them: the ledger needs not to have seen either. Whether a receipt may be one of two is known when it is written, so a lease
//! with a million good ones has none to be looked at.

use crate::{ClientError, Receipts};
use atoma_types::{
    NetworkId, StackId,
    chain::Lease,
    hash::Hash32,
    message::{Receipt, Signed},
};
use std::collections::BTreeMap;

/// Receipts that are read at once: some milliseconds of work.
const READ_AT_ONCE: usize = 1_024;
/// Receipts of one request that are held against each other: an honest node has one.
pub(super) const OF_ONE_REQUEST: usize = 256;
/// Receipts that are remembered while others are looked at, 2 MiB: what came for another request than its own is found by
/// them.
const REMEMBERED: usize = 1 << 12;

/// Different receipts for one request: with them anybody has their node convicted.
pub(super) type Pair = [Signed<Receipt>; 2];

/// Whether the ledger takes it for a receipt of this lease.
pub(super) fn is_of(
    receipt: &Signed<Receipt>,
    (network, stack): (NetworkId, StackId),
    lease: &Lease,
) -> bool {
    let said = receipt.message();
    (said.network, said.stack, said.node) == (network, stack, lease.node)
        && receipt.verify(&lease.key).is_ok()
}

/// Two of these that are for one request, if there are any.
pub(super) fn pair<'a>(
    receipts: impl Iterator<Item = &'a Signed<Receipt>> + Clone,
) -> Option<Pair> {
    let mut after = receipts.clone();
    receipts.into_iter().find_map(|one| {
        after.next();
        let mut others = after.clone();
        let other = others.find(|other| are_twice(one, other))?;
        Some([one.clone(), other.clone()])
    })
}

/// As the ledger has it: what counts is the header that was signed.
fn are_twice(one: &Signed<Receipt>, other: &Signed<Receipt>) -> bool {
    one.message().request_hash == other.message().request_hash && one.bytes() != other.bytes()
}

/// Looks for two among the kept receipts of a lease, of which one has a higher number than this, or any.
pub(super) async fn kept(
    receipts: &Receipts,
    (network, stack): (NetworkId, StackId),
    lease: &Lease,
    above: Option<u64>,
) -> Result<Option<Pair>, ClientError> {
    let of = (stack, lease.node);
    let mut after = above.map_or((0, Hash32::ZERO), |seq| (seq, Hash32([u8::MAX; 32])));
    let mut first = BTreeMap::new();
    loop {
        let page = receipts.suspects(of, after, READ_AT_ONCE)?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        after = last.place;
        for suspect in page {
            // one that can't be read proves nothing
            let Ok(suspect) = Signed::<Receipt>::from_bytes(suspect.receipt) else {
                continue;
            };
            if !is_of(&suspect, (network, stack), lease) {
                continue;
            }
            let request = suspect.message().request_id;
            let mut others = receipts.of_request(of, request, OF_ONE_REQUEST)?;
            others.retain(|other| {
                are_twice(&suspect, other) && is_of(other, (network, stack), lease)
            });
            let other = others.pop();
            let hash = suspect.message().request_hash;
            let known = first.get(&hash).filter(|known| are_twice(&suspect, known));
            if let Some(other) = other.or_else(|| known.cloned()) {
                return Ok(Some([suspect, other]));
            }
            if first.len() < REMEMBERED {
                first.insert(hash, suspect);
            }
        }
        // a long one must not keep others waiting
        tokio::task::yield_now().await;
    }
}

#[cfg(test)]
#[path = "twice_test.rs"]
mod tests;
