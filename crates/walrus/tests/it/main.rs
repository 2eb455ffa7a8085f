//! Blobs, their store, its HTTP API and packs.

mod coding;
mod crash;
mod network;
mod packs;
mod store;
mod vectors;
