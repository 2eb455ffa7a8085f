//! HTTP from both sides: a [`client`] with pooled connections, and (with the feature `server`) one
//! [`server`] with limits on all that strangers can do.

pub mod client;
mod public;
#[cfg(feature = "server")]
pub mod server;
mod silence;

pub use public::is_public;
pub use silence::TooSlow;
