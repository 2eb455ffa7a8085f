//! A receipt that can be relied on.

use atoma_evidence::second::SecondRecord;
use atoma_types::message::{Receipt, RequestHeader, Signed};
use std::ops::Deref;

/// A receipt that passed every check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedReceipt {
    request: Signed<RequestHeader>,
    signed: Signed<Receipt>,
    second: Option<SecondRecord>,
    text: String,
    answer_checked: bool,
}

impl VerifiedReceipt {
    pub(crate) fn new(
        request: Signed<RequestHeader>,
        signed: Signed<Receipt>,
        second: Option<SecondRecord>,
        text: String,
        answer_checked: bool,
    ) -> Self {
        Self {
            request,
            signed,
            second,
            text,
            answer_checked,
        }
    }

    /// The receipt and its signature as text, as they stand in a header or stream; with the second record.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The header that it answers.
    #[must_use]
    pub fn request(&self) -> &Signed<RequestHeader> {
        &self.request
    }

    /// The record of the node that computed the answer, where the one that was asked has passed the request
    /// on. It fits this receipt; its signatures are checked by [`Client::check_second`](crate::Client).
    #[must_use]
    pub fn second(&self) -> Option<&SecondRecord> {
        self.second.as_ref()
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
