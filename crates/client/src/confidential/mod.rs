//! Asking so that nobody but an attested node reads it. A client with a policy seals every request; there is no way
//! around it, so nothing goes out in clear by mistake.
//!
//! ```text
//! Attested        a node whose evidence the policy accepts, kept until that ends
//! seal            the body for the node that is asked; nothing else of a request changes
//! SealedAnswer    opens the answer as it comes; its end waits for the receipt
//! ```

mod answer;
mod appraise;
mod attested;
mod fault;
mod opening;
mod passed;
mod seal;
mod through;

pub(crate) use answer::SealedAnswer;
pub(crate) use attested::AttestedNodes;
pub use attested::{Attested, Confidential};
pub use fault::AttestationFault;
pub(crate) use passed::{PassedAnswer, PassedOutcome};
pub use seal::Sealing;
pub use through::{Through, ThroughAnswer};
