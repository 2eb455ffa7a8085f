//! Models that their owner doesn't show to whoever runs them.
//!
//! ```text
//! owner                                    host                     guest of a node
//! seal_folder  ──► sealed folder ────────► disk ──────────────────► SealedFolder::read
//!              ──► key file ──► Broker ◄── nonce, evidence ◄─────── KeyBroker::nonce, key
//!                               judged, recorded
//!                               key for this keyset alone ────────► SealedFolder::open ──► engine, from memory
//! ```
//!
//! The broker judges evidence as a client does, by a policy of its owner's own. It gives a key only to a guest whose
//! release the owner has named, wrapped for the guest's keyset, and bound to model, release and nonce. Each decision is
//! on the disk before it leaves. The format of what is sealed is `atoma-channel`'s (`model`); docs/confidential.md says
//! what all of it protects against, and what not.

mod ask;
mod fault;
mod folder;
mod key_file;
#[cfg(feature = "server")]
mod server;

pub use ask::{AskError, KeyBroker};
pub use fault::KeyFault;
pub use folder::{OpenFolder, ReadFolderError, SealFolderError, Sealed, SealedFolder, seal_folder};
pub use key_file::{KeyFile, KeyFileError};
#[cfg(feature = "server")]
pub use server::{Broker, BrokerConfig, BrokerError};

use atoma_types::hash::Hash32;

/// Where a broker gives nonces for a model's key: `POST`, no body.
fn nonces_path(model: Hash32) -> String {
    format!("/v1/model-keys/{model}/nonces")
}

/// Where it gives the key: `POST`, a bundle that answers such a nonce.
fn key_path(model: Hash32) -> String {
    format!("/v1/model-keys/{model}")
}

/// What a nonce comes in.
#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct NonceAnswer {
    nonce: atoma_tee::octets::Octets<32>,
}
