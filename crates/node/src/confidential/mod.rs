//! The node as a guest that nobody can look into: keys that never leave it, evidence for them, and requests that are
//! sealed to them.
//!
//! ```text
//! Attester   asks the hardware (today: software that acts as hardware) to sign the statement over a keyset
//! Renewal    makes keysets with overlap, has them attested, writes that on the ledger
//! Guest      holds the secrets, opens requests, each once; shows the evidence
//! Seal       what an answer goes through on its way out
//! SealedModel  gets the key of a sealed model from its owner's broker, before the engine is loaded
//! ```
//!
//! Nothing here is written to the disk but the hashes of requests that were opened ([`seen::SeenFile`]).

mod attester;
mod config;
mod error;
mod guest;
mod guest_kind;
mod keys;
mod refusal;
mod renewal;
mod seal;
mod sealed_model;
mod seen;
mod software;

pub use attester::AttesterError;
pub use config::ConfidentialConfig;
pub use error::GuestError;
pub(crate) use guest::{Guest, Opened};
pub use guest_kind::GuestKind;
pub(crate) use renewal::{Renewal, Surroundings};
pub(crate) use seal::Seal;
pub use sealed_model::{SealedModel, SealedModelError};
