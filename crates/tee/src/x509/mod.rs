//! X.509 as the makers of hardware use it: version 3, ECDSA over P-256 or P-384 or RSA-PSS, a root
//! that is pinned. Everything is read from the bytes as they came.

mod algorithm;
mod answer;
mod certificate;
mod chain;
mod revocation;

pub use crate::fault::CertificateFault;
pub(crate) use algorithm::Algorithm;
pub use answer::AnswerFault;
pub(crate) use answer::check_answers;
pub(crate) use certificate::Certificate;
pub use chain::Pin;
pub(crate) use chain::{Chain, Links};
pub(crate) use revocation::RevocationList;
