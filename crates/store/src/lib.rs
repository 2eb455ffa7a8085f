//! Durable stores: SQLite files that are private, locked, versioned, and written in groups.
//!
//! Everything here that must survive a crash is a schema over this crate: the node's journal, the
//! client's receipts and bounds, the gateway's budgets, localnet's ledger, registries of blobs, the
//! index.
//!
//! ```text
//! FolderLock, Slot    who may use a folder, FileLock a file; the system gives them back when a
//!                     process dies
//! Kind                what a file is: tables, version, mark; opens, upgrades or refuses it
//! Readers             connections that only read, beside the one that writes
//! Store<W: Writer>    one writer, many senders: operations gather, are committed together with one
//!                     `fsync`, and only then acknowledged
//! SharedConnection    for what is written seldom: one connection that callers take in turn
//! ```
//!
//! # What is promised
//!
//! * An acknowledged operation survives a crash of the process and of the machine (write-ahead log,
//!   `synchronous = FULL`).
//! * A batch is in the file wholly or not at all.
//! * Where the kind says that its files can be read again elsewhere, the system need only have the
//!   commit, not the disk, and tables that nothing brings up to date are made anew.
//! * A failed commit closes the store (or, where the policy says so, is tried again): memory then
//!   knows more than the disk, and going on would acknowledge what nobody can find again.
//! * A file of another kind, or of a newer version, is never touched.
//!
//! # In line
//!
//! A store runs its writer on a thread of its own, or, for deterministic simulation, in line: then
//! whoever waits for an acknowledgement does the writer's work first. The same code commits in both.

mod connection;
mod error;
mod kind;
mod lock;
mod place;
mod private;
mod readers;
mod shared;
mod writer;

pub use error::{OpenError, WriteError};
pub use kind::{Durability, Kind, Unmarked, Upgrade};
pub use lock::{FileLock, FolderLock, Slot};
pub use place::Place;
pub use private::create_folder;
pub use readers::Readers;
pub use shared::{SharedConnection, Stopped};
pub use writer::{Ack, Gather, OnFailure, Policy, Reply, Store, Writer, WriterThread};
