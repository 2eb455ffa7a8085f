//! Packs: their bytes, what crashes and hostile hands leave of them, and records fetched from Walrus.

mod packs;
mod remote;
mod server;
