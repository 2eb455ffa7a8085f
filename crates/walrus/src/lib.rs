//! Walrus, natively: the coding that makes a blob's id, the formats of what storage nodes keep and
//! sign, quilts.
//!
//! * [`coding`] turns a blob into slivers and an id, and slivers back into the blob.
//! * [`committee`] signs and checks the storage nodes' confirmations.
//! * [`quilt`] puts many small blobs into one.
//! * [`http`] serves such a store through Walrus's own HTTP API, whose JSON is in [`api`].
//! * [`client`] stores and reads through that API, here or on the real network, and trusts neither
//!   publisher nor aggregator.
//! * [`store`] is a Walrus of one's own: storage nodes in one process.
//!
//! The formats but packs are Walrus's own, byte for byte; `docs/walrus.md` says which.

pub mod api;
pub mod client;
pub mod coding;
pub mod committee;
pub mod http;
mod object_id;
pub mod quilt;
pub mod store;
pub mod wire;

pub use coding::{BlobId, CodingError};
pub use object_id::{ObjectId, ObjectIdError};
