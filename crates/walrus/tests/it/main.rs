//! Blobs, their store and its HTTP API.

mod coding;
mod crash;
mod network;
mod store;
mod vectors;
