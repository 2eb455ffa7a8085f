//! Quilts (version 1): many small blobs in one.
//!
//! A quilt is a blob of exactly `p * s * symbol size` bytes whose matrix is filled column by column;
//! each patch owns whole columns, so that reading one takes a few secondary slivers:
//!
//! ```text
//! index : 01 | length u32 le | BCS { vector<{ end column u16, identifier, tags }> }
//! patch : 01 | length u32 le | mask u8 | size u16 le | BCS identifier
//!            | if mask & 1: size u16 le | BCS tags | data
//! ```
//!
//! Patches are sorted by identifier. A patch begins where the one before it ends, the first behind
//! the index.

mod build;
mod error;
mod identifier;
mod index;
mod patch_id;
mod read;

pub use build::{QuiltBlob, QuiltLayout, build};
pub use error::QuiltError;
pub use identifier::check_identifier;
pub use index::{MAX_INDEX_COLUMNS, QuiltIndex, QuiltPatch};
pub use patch_id::QuiltPatchId;
pub use read::{PatchContent, Quilt, patch_of_columns};

/// The only version.
const VERSION: u8 = 1;
/// Version and length before the index and before each patch (which has a mask besides).
const PREFIX: usize = 5;
/// A patch's tags: values by names, in the order of the names.
pub type Tags = std::collections::BTreeMap<String, String>;
