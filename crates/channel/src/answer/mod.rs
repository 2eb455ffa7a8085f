//! Answers.
//!
//! ```text
//! tag         16  "atoma/sealans/v1"
//! node        32  who answers
//! request     32  BLAKE2b-256 of the whole sealed request
//! random      32  so that a node that answers twice never uses a key twice
//! commitment  32  to the answer's key
//! frames          bound to BLAKE2b-256 of all before them; each holds text, or an error:
//!                 its HTTP status u16 le ‖ its body
//! receipt         one more frame behind the last, not encrypted, if there is one
//! ```
//!
//! A refusal is an answer of one frame, an error before any text, and marked as that in clear: nothing is due for it and
//! no receipt follows. So whoever passes an answer on tells it from an answer that was given without a receipt, which
//! counts against the node. A node gains nothing by a wrong mark: its reader takes nothing but an error from a marked
//! frame, and no error that comes first from another.

mod head;
mod open;
mod seal;
mod split;

pub(crate) use head::Asked;
pub use open::{AnswerOpener, AnswerPart};
pub(crate) use seal::AnswerKey;
pub use seal::AnswerSealer;
pub use split::{AnswerSplitter, SealedPart};

/// Whether an HTTP status is one that an error has: no answer is told as an error.
fn is_error(status: u16) -> bool {
    (400..600).contains(&status)
}
