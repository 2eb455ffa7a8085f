//! Everything about keys that pure rules don't need: secrets and signing with them, Sui's keystore
//! files, and a [`Verifier`] that gets faster with each signature by the same key.
//!
//! What a signature is, and the check of it, stands in [`atoma_types::ed25519`]: whoever
//! only reads signed messages, as the contract does, needs nothing from here.

mod at_rest;
mod keystore;
mod multiples;
mod private_file;
mod salt;
mod sealing;
mod signing;
mod verifier;

pub use at_rest::{AtRestKey, SEAL_BYTES};
pub use keystore::{Keystore, KeystoreError};
pub use private_file::{ExposedSecret, read_private};
pub use sealing::x25519_of;
pub use signing::{SecretKeyError, SigningKey};
pub use verifier::Verifier;
