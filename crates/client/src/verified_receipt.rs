//! A receipt that can be relied on.

use atoma_types::message::{Receipt, Signed};
use std::ops::Deref;

/// A receipt that passed every check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedReceipt {
    signed: Signed<Receipt>,
    text: String,
    answer_checked: bool,
}

impl VerifiedReceipt {
    pub(crate) fn new(signed: Signed<Receipt>, text: String, answer_checked: bool) -> Self {
        Self {
            signed,
            text,
            answer_checked,
        }
    }

    /// The receipt and its signature as text, as they stand in a header or stream.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The receipt with its signature.
    #[must_use]
    pub fn signed(&self) -> &Signed<Receipt> {
        &self.signed
    }

    /// Whether the bytes that arrived were held against it. They weren't where the answer was
    /// lost and only the receipt was fetched.
    #[must_use]
    pub fn answer_checked(&self) -> bool {
        self.answer_checked
    }
}

impl Deref for VerifiedReceipt {
    type Target = Receipt;
    fn deref(&self) -> &Receipt {
        self.signed.message()
    }
}
