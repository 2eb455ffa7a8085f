//! HTTP from both sides: a [`client`] with pooled connections, and (with the feature `server`) one
//! [`server`] with limits on all that strangers can do.

pub mod client;
#[cfg(feature = "server")]
pub mod server;
mod silence;

pub use silence::TooSlow;
