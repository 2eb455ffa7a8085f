//! Proof of what was asked and what was answered, from the record that a node keeps to the dispute
//! that a user opens.
//!
//! ```text
//! request + receipt + bodies ── record ──> pack ── Walrus ──> one record, proved by a short path
//!                                                     │
//!                      ledger, node, kept receipts ── gather ──> check ──> report
//! ```
//!
//! * [`receipt`] says what a receipt must say, alone and beside the others of its lease.
//! * [`second`] says what the record of a node that answered for another must say.
//! * [`pack`] holds records of requests and answers in one blob, sealed for their parties, each of
//!   them provable by itself.
//! * [`immediate`] makes and checks the blob of a request that is stored before it is sent.
//! * [`gather`] collects what there is about a request from ledger, Walrus, node and this machine.
//! * [`check`] decides, without any I/O, whether that holds.
//! * [`dispute`] brings what doesn't hold before the ledger.
//!
//! Nobody is believed but the ledger: neither gateway nor node, publisher or aggregator.

pub mod chain;
pub mod check;
pub mod dispute;
pub mod gather;
mod histories;
pub mod immediate;
pub mod pack;
pub mod receipt;
pub mod second;

#[cfg(test)]
mod sample;
