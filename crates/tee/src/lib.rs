//! Whether a node runs where nobody can look: evidence of trusted hardware, checked offline.
//!
//! A node's guest makes keys ([`Keyset`]), and has its hardware sign a statement over them
//! ([`statement`]). Evidence, certificates and lists go into one [`Bundle`]. Whoever wants to send
//! the node something private holds the bundle against a [`Policy`] of their own ([`Appraisal`])
//! and gets a [`Verdict`], check by check.
//!
//! This crate does no I/O and has no clock: the time is an argument, the makers' roots are constants
//! ([`Roots::pinned`]), and whatever else a check needs is in the bundle. So a bundle verifies at the
//! time of its registration for ever.
//!
//! Two steps, kept apart: each format's `verify` says what is *true* by its maker's word; the policy
//! says what is *good enough*.

pub mod appraise;
pub mod bounded;
pub mod bundle;
mod crypto;
mod der;
mod fault;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod keyset;
pub mod limits;
pub mod nitro;
pub mod nvidia;
pub mod octets;
pub mod policy;
mod roots;
pub mod snp;
pub mod software;
pub mod statement;
pub mod tdx;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod tier;
mod verdict;
mod x509;

pub use appraise::Appraisal;
pub use bundle::Bundle;
pub use der::DerFault;
pub use fault::Fault;
pub use keyset::Keyset;
pub use policy::{Policy, ReadPolicyError};
pub use roots::Roots;
pub use tier::Tier;
pub use verdict::{Check, Outcome, Verdict};
pub use x509::{AnswerFault, CertificateFault, Pin};
