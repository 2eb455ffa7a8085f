//! Walrus, natively: the coding that makes a blob's id, the formats of what storage nodes keep and
//! sign, quilts.
//!
//! * [`coding`] turns a blob into slivers and an id, and slivers back into the blob.
//! * [`committee`] signs and checks the storage nodes' confirmations.
//! * [`quilt`] puts many small blobs into one.
//!
//! The formats are Walrus's own, byte for byte; `docs/walrus.md` says which.

pub mod coding;
pub mod committee;
pub mod quilt;
mod wire;

pub use coding::{BlobId, CodingError};
