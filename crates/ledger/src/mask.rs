//! Which fields of an answer are asked for.

use sui_rpc::field::{FieldMask, FieldMaskUtil};

/// These fields, by their paths.
pub(crate) fn mask(fields: &[&str]) -> FieldMask {
    FieldMask::from_paths(fields)
}

/// What is asked for of an executed transaction.
pub(crate) const EXECUTED_FIELDS: &[&str] = &[
    "digest",
    "effects.status",
    "effects.gas_used",
    "effects.changed_objects",
    "effects.lamport_version",
    "events.events",
    "checkpoint",
];
