//! What a stack, as last read, is good for. Pure.

use crate::catalog::Seller;
use atoma_client::StackHandle;
use atoma_types::{ComputeUnits, DurationMs, MicroUsdc, NodeId, TimestampMs, chain::Stack};

/// A stack that ends within this time takes no new requests: a request signed now is good for two
/// minutes and must not outlive it.
const LAST_MINUTES: DurationMs = DurationMs(3 * 60 * 1_000);

/// Whether a stack still takes requests.
pub(super) fn lives(stack: &StackHandle, now: TimestampMs) -> bool {
    stack.expires_at() > now.saturating_add(LAST_MINUTES)
}

/// What is left of a node's lease, as far as anything is signed for it.
pub(super) fn room(stack: &StackHandle, node: NodeId) -> ComputeUnits {
    match stack.signs_for(node) {
        true => stack.room(node),
        false => ComputeUnits::ZERO,
    }
}

/// Whether a node may have units of a stack: any may, or those that were drawn.
pub(super) fn may_serve(view: &Stack, node: NodeId) -> bool {
    view.candidates.is_empty() || view.candidates.contains(&node)
}

/// Whether nobody has so many units of a stack as a seller lacks that has this room on it.
pub(super) fn has_for(
    view: &Stack,
    room: ComputeUnits,
    seller: &Seller,
    units: ComputeUnits,
) -> bool {
    let takes_more = match view.lease(seller.node) {
        Some(lease) => !lease.closed,
        None => seller.price <= view.max_price,
    };
    takes_more && may_serve(view, seller.node) && view.ungranted >= units.saturating_sub(room)
}

/// Whether nothing of a stack is left that could cost anything.
pub(super) fn is_over(view: &Stack) -> bool {
    view.live_units() == ComputeUnits::ZERO
}

/// What a stack costs so far, were it closed as its leases stand: what is in escrow, and what its leases
/// were paid.
pub(super) fn costs(view: &Stack) -> MicroUsdc {
    let leases = view.leases.iter();
    let paid = leases.filter_map(|lease| lease.price.cost(lease.paid_units));
    let sum = paid.fold(view.escrow.0, |sum, paid| sum.saturating_add(paid.0));
    MicroUsdc(sum)
}
