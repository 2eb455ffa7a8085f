//! What the ledger shows of a node's receipts: the last one with each settlement, a record with each answer.

use atoma_types::{
    PublicKey,
    message::{EvidenceLeaf, MessageSignature, Receipt, Signed},
};

/// The receipts by this key among the byte strings that a transaction's calls were given.
pub(super) fn receipts(arguments: &[Vec<u8>], key: &PublicKey) -> Vec<Signed<Receipt>> {
    let signatures: Vec<MessageSignature> = arguments
        .iter()
        .filter_map(|bytes| MessageSignature::try_from(bytes.as_slice()).ok())
        .collect();
    let mut found = Vec::new();
    for bytes in arguments {
        let (receipt, signatures) = match EvidenceLeaf::from_bytes(bytes) {
            Ok(leaf) => {
                let signature = MessageSignature::try_from(leaf.receipt_signature.as_slice());
                (leaf.receipt, signature.into_iter().collect())
            }
            Err(_) => (bytes.clone(), signatures.clone()),
        };
        let mut signed = signatures.into_iter().filter_map(|signature| {
            let signed = Signed::<Receipt>::decode(receipt.clone(), signature).ok()?;
            signed.verify(key).is_ok().then_some(signed)
        });
        found.extend(signed.next());
    }
    found
}
