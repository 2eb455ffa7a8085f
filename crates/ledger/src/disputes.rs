//! The calls of disputes, from what people hold: receipts, headers, records. Each is executed with
//! [`Ledger::execute`].

use crate::Ledger;
use atoma_types::{
    NodeId, ObjectId, StackId,
    chain::{Call, Clock, Payment, Stack, calls},
    merkle::Proof,
    message::{EvidenceLeaf, Message, Receipt, RequestHeader, Signed},
};

impl Ledger {
    /// The owner demands to see the record of a `seq`, which the node has settled. With the receipt
    /// that they hold, the record must have just this one.
    #[must_use]
    pub fn open_dispute(
        &self,
        stack: &Stack,
        node: NodeId,
        seq: u64,
        receipt: Option<&Signed<Receipt>>,
    ) -> Call {
        let (receipt, receipt_signature) = parts(receipt);
        calls::OpenDispute {
            stack: stack.id.into(),
            node: node.into(),
            bond: Payment(stack.dispute_bond),
            seq,
            receipt,
            receipt_signature,
            clock: Clock,
        }
        .into()
    }

    /// Shows a record that is demanded. `blob` is the object of the certified blob that holds it.
    #[must_use]
    pub fn answer_dispute(
        &self,
        stack: StackId,
        node: NodeId,
        blob: ObjectId,
        record: &EvidenceLeaf,
        proof: &Proof,
    ) -> Call {
        calls::AnswerDispute {
            db: self.deployment().db.into(),
            stack: stack.into(),
            node: node.into(),
            blob: blob.into(),
            record: record.to_bytes(),
            proof: proof.to_bytes(),
            clock: Clock,
        }
        .into()
    }

    /// Ends a dispute that nobody answered in time.
    #[must_use]
    pub fn resolve_dispute(&self, stack: &Stack, node: NodeId, seq: u64) -> Call {
        calls::ResolveDispute {
            db: self.deployment().db.into(),
            stack: stack.id.into(),
            task: stack.task.into(),
            node: node.into(),
            seq,
            clock: Clock,
        }
        .into()
    }

    /// Proves that the node of two receipts signed what contradicts itself.
    #[must_use]
    pub fn prove_equivocation(
        &self,
        stack: &Stack,
        first: &Signed<Receipt>,
        second: &Signed<Receipt>,
    ) -> Call {
        let node = first.message().node;
        let (first, first_signature) = parts(Some(first));
        let (second, second_signature) = parts(Some(second));
        calls::ProveEquivocation {
            db: self.deployment().db.into(),
            stack: stack.id.into(),
            task: stack.task.into(),
            node: node.into(),
            first,
            first_signature,
            second,
            second_signature,
            clock: Clock,
        }
        .into()
    }

    /// Proves that a receipt charges more than tariff, settlement or, if it is shown, its order
    /// allows.
    #[must_use]
    pub fn prove_over_claim(
        &self,
        stack: &Stack,
        receipt: &Signed<Receipt>,
        header: Option<&Signed<RequestHeader>>,
    ) -> Call {
        let node = receipt.message().node;
        let (receipt, receipt_signature) = parts(Some(receipt));
        let (header, header_signature) = parts(header);
        calls::ProveOverClaim {
            db: self.deployment().db.into(),
            stack: stack.id.into(),
            task: stack.task.into(),
            node: node.into(),
            receipt,
            receipt_signature,
            header,
            header_signature,
            clock: Clock,
        }
        .into()
    }

    /// Proves that a node settled bytes that are no genuine record.
    #[must_use]
    pub fn prove_forged_request(
        &self,
        stack: &Stack,
        node: NodeId,
        record: Vec<u8>,
        proof: &Proof,
    ) -> Call {
        calls::ProveForgedRequest {
            db: self.deployment().db.into(),
            stack: stack.id.into(),
            task: stack.task.into(),
            node: node.into(),
            record,
            proof: proof.to_bytes(),
            clock: Clock,
        }
        .into()
    }
}

/// Bytes and signature, or nothing twice.
fn parts<T: Message>(signed: Option<&Signed<T>>) -> (Vec<u8>, Vec<u8>) {
    signed.map_or_else(Default::default, |signed| {
        (signed.bytes().to_vec(), signed.signature().to_bytes())
    })
}
