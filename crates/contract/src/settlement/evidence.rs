//! What a settlement rests on: the node's last receipt and the owner's highest header of each lane.

use crate::{Rule, ensure, limits::MAX_LANES, verified::VerifiedMessages};
use atoma_types::{
    chain::{AbortCode, calls::Settle},
    history::LastReceipt,
};

/// Checks that the claim is what the node's last receipt says and the owner's headers allow; returns what that
/// receipt binds: all records of the claim, for its history begins where the claim does or before.
///
/// Headers may have expired: an expiry ends the order, not the voucher.
pub(super) fn check(messages: &VerifiedMessages<'_>, call: &Settle) -> Rule<LastReceipt> {
    let signed = messages.receipt(&call.last_receipt, &call.receipt_signature)?;
    let receipt = signed.message();
    ensure(receipt.seq == call.to_seq, AbortCode::CountMismatch)?;
    ensure(
        receipt.cumulative_units == call.to_units,
        AbortCode::ClaimMismatch,
    )?;
    ensure(receipt.base <= call.from_seq, AbortCode::HistoryTooShort)?;
    let allowed = sum_of_ceilings(messages, call)?;
    ensure(
        u128::from(call.to_units.0) <= allowed,
        AbortCode::ClaimAboveCeilings,
    )?;
    Ok(LastReceipt::of(&signed))
}

/// The ceilings of all lanes together: 60 of them can't overflow `u128`.
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
