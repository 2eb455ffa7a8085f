//! What a settlement rests on: the node's last receipt and the owner's highest header of each lane.

use crate::{Rule, ensure, limits::MAX_LANES};
use atoma_types::{
    ComputeUnits, NetworkId, Signature,
    chain::{AbortCode, Node, Stack, calls::Settle},
    hash::Hash32,
    message::{Receipt, RequestHeader, Signed},
    verifier::Verifier,
};

/// Whose evidence it must be.
pub(super) struct Evidence<'a> {
    pub(super) network: NetworkId,
    pub(super) stack: &'a Stack,
    pub(super) node: &'a Node,
}

impl Evidence<'_> {
    /// Checks that the claim is what the node's last receipt says and the owner's headers allow. A
    /// lease never used is settled with nothing at all.
    ///
    /// Headers may have expired: an expiry ends the order, not the voucher.
    pub(super) fn check(&self, call: &Settle, receipts_root: Hash32) -> Rule {
        if call.claimed_units == ComputeUnits::ZERO && call.count == 0 {
            let empty = call.headers.is_empty()
                && call.header_signatures.is_empty()
                && call.last_receipt.is_empty()
                && call.receipt_signature.is_empty()
                && receipts_root == Hash32::ZERO;
            return ensure(empty, AbortCode::NotAllEmpty);
        }
        self.check_receipt(call)?;
        let allowed = self.sum_of_ceilings(call)?;
        ensure(
            u128::from(call.claimed_units.0) <= allowed,
            AbortCode::ClaimAboveCeilings,
        )
    }

    fn check_receipt(&self, call: &Settle) -> Rule {
        let signature = Signature::try_from(call.receipt_signature.as_slice())
            .map_err(|_| AbortCode::ReceiptBadSignature)?;
        let signed = Signed::<Receipt>::decode(call.last_receipt.clone(), signature)
            .map_err(|_| AbortCode::ReceiptInvalid)?;
        let receipt = signed.message();
        ensure(
            receipt.network == self.network,
            AbortCode::ReceiptWrongNetwork,
        )?;
        ensure(receipt.stack == self.stack.id, AbortCode::ReceiptWrongStack)?;
        ensure(receipt.node == self.node.id, AbortCode::ReceiptWrongNode)?;
        signed
            .verify(&self.node.response_key)
            .map_err(|_| AbortCode::ReceiptBadSignature)?;
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
    fn sum_of_ceilings(&self, call: &Settle) -> Rule<u128> {
        let count = call.headers.len();
        ensure(
            (1..=MAX_LANES).contains(&count) && call.header_signatures.len() == count,
            AbortCode::HeaderCountInvalid,
        )?;
        let key = self
            .stack
            .request_key
            .verifier()
            .map_err(|_| AbortCode::HeaderBadSignature)?;
        let mut last_lane = None;
        let mut sum = 0;
        for (bytes, signature) in call.headers.iter().zip(&call.header_signatures) {
            let header = self.header(bytes, signature, &key)?;
            ensure(last_lane < Some(header.lane), AbortCode::LanesNotRising)?;
            last_lane = Some(header.lane);
            sum += u128::from(header.ceiling.0);
        }
        Ok(sum)
    }

    fn header(&self, bytes: &[u8], signature: &[u8], key: &Verifier) -> Rule<RequestHeader> {
        let signature =
            Signature::try_from(signature).map_err(|_| AbortCode::HeaderBadSignature)?;
        let signed = Signed::<RequestHeader>::decode(bytes.to_vec(), signature)
            .map_err(|_| AbortCode::HeaderInvalid)?;
        let header = signed.message();
        ensure(
            header.network == self.network,
            AbortCode::HeaderWrongNetwork,
        )?;
        ensure(header.stack == self.stack.id, AbortCode::HeaderWrongStack)?;
        ensure(header.node == self.node.id, AbortCode::HeaderWrongNode)?;
        ensure(header.task == self.stack.task, AbortCode::HeaderWrongTask)?;
        signed
            .verify_with(key)
            .map_err(|_| AbortCode::HeaderBadSignature)?;
        Ok(header.clone())
    }
}
