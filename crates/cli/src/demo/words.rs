//! What every demo asks and says alike.

use crate::{
    output::{Facts, Output},
    receipt,
};
use atoma_types::message::{Receipt, Signed};

/// The longest answer.
pub(super) const MAX_TOKENS: u32 = 120;
/// What the client checks of every receipt.
pub(super) const RECEIPT_CHECKS: &[&str] = &[
    "signature",
    "key on the ledger",
    "request hash",
    "response hash",
    "chain",
    "units",
];

/// What is told of a receipt; its text form is for programs.
pub(super) fn receipt_facts(signed: &Signed<Receipt>, output: &Output) -> Facts {
    let mut facts = receipt::details(signed);
    if !output.is_json() {
        facts.retain(|(name, _)| *name != "receipt");
    }
    facts
}
