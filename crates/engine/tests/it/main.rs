//! The engines, through the trait that the node uses.

#[cfg(feature = "candle")]
mod bert;
mod common;
mod embedded;
mod formats;
mod golden;
mod hub;
mod invariance;
mod many;
mod odd_servers;
mod replicas;
mod upstream;
