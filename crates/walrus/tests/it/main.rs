//! Blobs, their store and its HTTP API.
#![expect(
    clippy::disallowed_methods,
    reason = "tokens of an hour ago, by the machine's clock"
)]

mod coding;
mod crash;
mod network;
mod store;
mod vectors;
