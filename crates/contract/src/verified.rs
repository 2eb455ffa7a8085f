//! Signed messages that are taken to the ledger: each is read and held against whom it must be of.

use crate::{Rule, Txn, ensure};
use atoma_types::{
    NetworkId,
    chain::{AbortCode, Lease, Stack},
    ed25519::DecodedKey,
    message::{MessageSignature, Receipt, RequestHeader, Signed},
};

/// Whose messages they must be.
pub(crate) struct VerifiedMessages<'a> {
    network: NetworkId,
    stack: &'a Stack,
    lease: &'a Lease,
}

impl<'a> VerifiedMessages<'a> {
    pub(crate) fn new(txn: &Txn<'_>, stack: &'a Stack, lease: &'a Lease) -> Self {
        Self {
            network: txn.network(),
            stack,
            lease,
        }
    }

    /// A receipt of this lease, by the key that it began with.
    pub(crate) fn receipt(&self, bytes: &[u8], signature: &[u8]) -> Rule<Signed<Receipt>> {
        let signature =
            MessageSignature::try_from(signature).map_err(|_| AbortCode::ReceiptBadSignature)?;
        let signed = Signed::<Receipt>::decode(bytes.to_vec(), signature)
            .map_err(|_| AbortCode::ReceiptInvalid)?;
        let receipt = signed.message();
        ensure(
            receipt.network == self.network,
            AbortCode::ReceiptWrongNetwork,
        )?;
        ensure(receipt.stack == self.stack.id, AbortCode::ReceiptWrongStack)?;
        ensure(receipt.node == self.lease.node, AbortCode::ReceiptWrongNode)?;
        signed
            .verify(&self.lease.key)
            .map_err(|_| AbortCode::ReceiptBadSignature)?;
        Ok(signed)
    }

    /// The stack's request key, decoded once.
    pub(crate) fn request_key(&self) -> Rule<DecodedKey> {
        self.stack
            .request_key
            .decode()
            .map_err(|_| AbortCode::HeaderBadSignature)
    }

    /// A request header to this node on this stack. Its expiry isn't looked at: it ends the request,
    /// not the voucher.
    pub(crate) fn header(
        &self,
        bytes: &[u8],
        signature: &[u8],
        key: &DecodedKey,
    ) -> Rule<Signed<RequestHeader>> {
        let signature =
            MessageSignature::try_from(signature).map_err(|_| AbortCode::HeaderBadSignature)?;
        let signed = Signed::<RequestHeader>::decode(bytes.to_vec(), signature)
            .map_err(|_| AbortCode::HeaderInvalid)?;
        let header = signed.message();
        ensure(
            header.network == self.network,
            AbortCode::HeaderWrongNetwork,
        )?;
        ensure(header.stack == self.stack.id, AbortCode::HeaderWrongStack)?;
        ensure(header.node == self.lease.node, AbortCode::HeaderWrongNode)?;
        ensure(header.task == self.stack.task, AbortCode::HeaderWrongTask)?;
        signed
            .verify(key)
            .map_err(|_| AbortCode::HeaderBadSignature)?;
        Ok(signed)
    }
}
