//! A node as its users meet it, over HTTP, on a localnet of its own.

mod audits;
mod common;
mod embeddings;
mod evidence;
mod forward;
mod keysets;
mod kill;
mod lease_records;
mod log;
mod odd_servers;
mod probe;
mod receipts;
mod refusals;
mod replayed;
mod restart;
mod same_id;
mod sealed;
mod servers;
mod serving;
mod streams;
mod upstream;
