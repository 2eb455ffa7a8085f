//! What the ledger shows of a node's receipts: the last one with each settlement, a record with each answer and each
//! disclosure. Events show it: what a transaction gives its calls may be put together within it, out of the sight of who
//! reads its inputs.

use atoma_types::{
    NodeId, StackId,
    chain::Event,
    message::{EvidenceLeaf, MessageSignature, Receipt, Signed},
};

/// A node's lease of a stack.
type LeaseOf = (StackId, NodeId);

/// The lease of which an event shows a receipt, and the receipt, unless whoever told of the event made it up.
pub(super) fn receipt(event: &Event) -> Option<(LeaseOf, Option<Signed<Receipt>>)> {
    Some(match event {
        Event::SettlementOpened(e) => {
            let receipt = decode(&e.last_receipt, &e.receipt_signature);
            ((e.stack, e.node), receipt)
        }
        Event::DemandAnswered(e) => ((e.stack, e.node), in_record(&e.record)),
        Event::Disclosed(e) => ((e.stack, e.node), in_record(&e.record)),
        Event::DisclosedToJury(e) => ((e.stack, e.node), in_record(&e.record)),
        _ => return None,
    })
}

fn in_record(record: &[u8]) -> Option<Signed<Receipt>> {
    let leaf = EvidenceLeaf::from_bytes(record).ok()?;
    decode(&leaf.receipt, &leaf.receipt_signature)
}

fn decode(receipt: &[u8], signature: &[u8]) -> Option<Signed<Receipt>> {
    let signature = MessageSignature::try_from(signature).ok()?;
    Signed::decode(receipt.to_vec(), signature).ok()
}
