//! The engines, through the trait that the node uses.
#![expect(
    clippy::disallowed_types,
    reason = "a hub that counts what is asked of it"
)]

#[cfg(feature = "candle")]
mod bert;
mod common;
mod embedded;
mod golden;
mod hub;
mod invariance;
mod upstream;
