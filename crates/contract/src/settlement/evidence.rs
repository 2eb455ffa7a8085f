//! What a settlement rests on: the node's last receipt and the owner's highest header of each lane.

use crate::{Rule, ensure, limits::MAX_LANES, verified::VerifiedMessages};
use atoma_types::{
    ComputeUnits,
    chain::{AbortCode, calls::Settle},
    hash::Hash32,
};

/// Checks that the claim is what the node's last receipt says and the owner's headers allow. A
/// lease never used is settled with nothing at all.
///
/// Headers may have expired: an expiry ends the request, not the voucher.
pub(super) fn check(messages: &VerifiedMessages<'_>, call: &Settle) -> Rule {
    if call.claimed_units == ComputeUnits::ZERO && call.count == 0 {
        let empty = call.headers.is_empty()
            && call.header_signatures.is_empty()
            && call.last_receipt.is_empty()
            && call.receipt_signature.is_empty()
            && call.receipts_root == Hash32::ZERO;
        return ensure(empty, AbortCode::NotAllEmpty);
    }
    check_receipt(messages, call)?;
    let allowed = sum_of_ceilings(messages, call)?;
    ensure(
        u128::from(call.claimed_units.0) <= allowed,
        AbortCode::ClaimAboveCeilings,
    )
}

fn check_receipt(messages: &VerifiedMessages<'_>, call: &Settle) -> Rule {
    let signed = messages.receipt(&call.last_receipt, &call.receipt_signature)?;
    let receipt = signed.message();
    ensure(
        receipt.seq == call.count && call.count > 0,
        AbortCode::CountMismatch,
    )?;
    ensure(
        receipt.cumulative_units == call.claimed_units,
        AbortCode::ClaimMismatch,
    )
}

/// The ceilings of all lanes together: 64 of them can't overflow `u128`.
fn sum_of_ceilings(messages: &VerifiedMessages<'_>, call: &Settle) -> Rule<u128> {
    let count = call.headers.len();
    ensure(
        (1..=MAX_LANES).contains(&count) && call.header_signatures.len() == count,
        AbortCode::HeaderCountInvalid,
    )?;
    let key = messages.request_key()?;
    let mut last_lane = None;
    let mut sum = 0;
    for (bytes, signature) in call.headers.iter().zip(&call.header_signatures) {
        let signed = messages.header(bytes, signature, &key)?;
        let header = signed.message();
        ensure(last_lane < Some(header.lane), AbortCode::LanesNotRising)?;
        last_lane = Some(header.lane);
        sum += u128::from(header.ceiling.0);
    }
    Ok(sum)
}
