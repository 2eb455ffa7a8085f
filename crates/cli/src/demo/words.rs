//! What every demo asks and says alike.

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
