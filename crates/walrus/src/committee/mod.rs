//! What storage nodes sign, and how many signatures make a certificate.

mod bls;
mod certificate;
mod message;

pub use bls::{BlsError, BlsPublicKey, BlsSecretKey, BlsSignature};
pub use certificate::{Certificate, CertificateError, Committee, Member};
pub use message::{Confirmation, Persistence};
