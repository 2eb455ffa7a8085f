//! Walrus, natively: the coding that makes a blob's id, the formats of what storage nodes keep and
//! sign, quilts.
//!
//! * [`coding`] turns a blob into slivers and an id, and slivers back into the blob.
//! * [`committee`] signs and checks the storage nodes' confirmations.
//! * [`quilt`] puts many small blobs into one.
//! * [`store`] is a Walrus of one's own: storage nodes in one process.
//!
//! The formats are Walrus's own, byte for byte; `docs/walrus.md` says which.

pub mod coding;
pub mod committee;
mod object_id;
pub mod quilt;
pub mod store;
mod wire;

pub use coding::{BlobId, CodingError};
pub use object_id::{ObjectId, ObjectIdError};
