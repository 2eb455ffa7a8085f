//! What can go wrong with packs.

use atoma_types::hash::Hash32;
use atoma_walrus::{client::ClientError, wire::WireError};
use std::{io, path::PathBuf};

/// Why a pack can't be written, read or believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PackError {
    /// Bytes that can't be read.
    #[error("not a pack")]
    Wire(#[from] WireError),
    /// Bytes that break a rule of the format.
    #[error("not a pack: {0}")]
    Format(&'static str),
    /// A format of another time.
    #[error("a pack of version {0}: only version 1 is known")]
    Version(u16),
    /// Bytes that aren't what the hash over them says.
    #[error("the {0} isn't what its hash says")]
    Hash(&'static str),
    /// A good record, but another than the index says.
    #[error("record {0} isn't the one that the index says")]
    WrongRecord(usize),
    /// A pack with another root than the one asked for.
    #[error("the pack's root is {found}, not {wanted}")]
    WrongRoot {
        /// The root that is trusted, from the ledger or a proof.
        wanted: Hash32,
        /// That of the pack.
        found: Hash32,
    },
    /// Packs with other records of a ticket than its last receipt binds.
    #[error("the records aren't those that were settled")]
    OtherRecords,
    /// A record that isn't where its path says.
    #[error("the path doesn't lead from the record to the root")]
    NotProved,
    /// More than a limit allows.
    #[error("{what}: {size} bytes, {max} at most")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// How large it is, in bytes or records.
        size: u64,
        /// The most that is taken.
        max: u64,
    },
    /// Compressed bytes that aren't what they should be.
    #[error("the compressed body is damaged")]
    Compression,
    /// A body that can't be sealed, or whose seal can't be opened.
    #[error("{0}")]
    Seal(&'static str),
    /// The pack has no room for another record.
    #[error("the pack is full")]
    Full,
    /// There's no such record.
    #[error("the pack has no record {0}")]
    NoRecord(usize),
    /// The file is a closed pack: it is read with [`Pack::open`](super::Pack::open).
    #[error("{0:?} is closed already")]
    Closed(PathBuf),
    /// A crash came before the file's header: it is to be created again.
    #[error("{0:?} was never begun")]
    Unborn(PathBuf),
    /// There's something in the file already.
    #[error("{0:?} is there already")]
    Exists(PathBuf),
    /// Another writer has it.
    #[error("{0:?} is in use by another program")]
    InUse(PathBuf),
    /// A write failed before, so nobody knows what the disk has: the file is to be opened again.
    #[error("an earlier write to {0:?} failed")]
    Failed(PathBuf),
    /// The file cannot be read or written.
    #[error("cannot use the pack's file")]
    Io(#[from] io::Error),
    /// Walrus refused or was not reached.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl PackError {
    /// A code for programs, such as `pack_format`. It never changes.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Wire(_) | Self::Format(_) => "pack_format",
            Self::Version(_) => "pack_version",
            Self::Hash(_) => "pack_hash",
            Self::WrongRecord(_) => "pack_wrong_record",
            Self::WrongRoot { .. } => "pack_wrong_root",
            Self::OtherRecords => "pack_other_records",
            Self::NotProved => "pack_not_proved",
            Self::TooLarge { .. } => "pack_too_large",
            Self::Compression => "pack_compression",
            Self::Seal(_) => "pack_seal",
            Self::Full => "pack_full",
            Self::NoRecord(_) => "pack_no_record",
            Self::Closed(_) => "pack_closed",
            Self::Unborn(_) => "pack_unborn",
            Self::Exists(_) => "pack_exists",
            Self::InUse(_) => "pack_in_use",
            Self::Failed(_) => "pack_failed",
            Self::Io(_) => "pack_io",
            Self::Client(error) => error.code(),
        }
    }
}

/// Fails if something exceeds its limit.
pub(super) fn within(what: &'static str, size: usize, max: usize) -> Result<(), PackError> {
    if size > max {
        return Err(PackError::TooLarge {
            what,
            size: size as u64,
            max: max as u64,
        });
    }
    Ok(())
}
