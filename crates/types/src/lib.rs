//! The nouns of the protocol: ids, money, units, signed messages, receipts, Merkle trees and the
//! objects, calls and events of the ledger package. Bytes and meaning only; no I/O, no clock.
//!
//! Everything that is signed or stored on the ledger is [BCS]; each such type states its exact
//! bytes and has a golden vector in its tests.
//!
//! [BCS]: https://docs.rs/bcs

mod blob_id;
pub mod chain;
mod decode;
pub mod ed25519;
pub mod estimate;
pub mod hash;
pub mod history;
pub mod http;
pub mod ids;
pub mod merkle;
pub mod message;
pub mod money;
pub mod refusal;
pub mod role;
mod sealing_key;
mod text_bytes;
pub mod time;
pub mod units;
mod words;

pub use blob_id::{BlobId, ParseBlobIdError};
pub use decode::DecodeError;
pub use ed25519::{PublicKey, Sign, Signature, Verify};
pub use ids::{NetworkId, NodeId, ObjectId, RequestId, StackId, TaskId};
pub use money::{MicroUsdc, Price};
pub use role::{EngineClass, Numerics, Role, Rule, SecurityLevel};
pub use sealing_key::SealingKey;
pub use sui_sdk_types::Address;
pub use time::{DurationMs, TimestampMs};
pub use units::{ComputeUnits, UnitWeights, Usage};
