//! Evidence: what was asked and what was answered, kept so that it can be shown.
//!
//! ```text
//! receipt + bodies --(one commit)--> journal --packs in the background--> Walrus
//!                                       \-- GET /v1/receipts/{id}/proof --/
//! ```
//!
//! * The bodies become durable in the same commit as their receipt, in the journal's table
//!   `evidence`: that is the log. No second file, no second wait, nothing to reconcile.
//! * [`PackTask`] seals what the log holds for user and node, puts it into packs, stores these, and
//!   takes it out of the log once Walrus has it. A pack is a file until then, so that a crash
//!   neither loses it nor stores it twice. If Walrus is away the log grows; at its bound new
//!   requests are refused, and nothing that was taken in is lost.
//! * [`prove`](EvidenceLog::prove) shows a record: where it is stored, its path to the pack's root,
//!   its path to the root that was settled.
//! * [`pack_lists`] makes what a settlement names: the blob that leads to all records of the ticket.
//! * [`mod@answer`] hears what is demanded on the ledger, by owners, examiners and juries, and shows it, in time.
//! * [`read_back`] finds on Walrus what must be shown and the log lacks, after a disk was lost.
//! * [`stored`] reads what a user stored before asking, in `immediate` mode.
//!
//! Nothing here is on the way to a first token.

mod answer;
mod build;
mod cache;
mod error;
mod log;
mod pack;
mod pack_lists;
mod prove;
mod read_back;
mod reader;
mod room;
mod stored;

pub(crate) use answer::AnswerTask;
pub(crate) use build::Builder;
pub use error::EvidenceError;
pub(crate) use log::EvidenceLog;
pub(crate) use pack::{PackStore, PackTask};
pub(crate) use pack_lists::PackLists;
pub(crate) use read_back::ReadBack;
