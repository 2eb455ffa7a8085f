//! Which fields of an answer are asked for.

use sui_rpc::field::{FieldMask, FieldMaskUtil};

/// These fields, by their paths.
pub(crate) fn mask(fields: &[&str]) -> FieldMask {
    FieldMask::from_paths(fields)
}
