//! The engines, through the trait that the node uses.
#![allow(
    unexpected_cfgs,
    reason = "`cargo xtask test --aarch64` sets `emulated`: there is no candle then"
)]

mod bert;
mod common;
mod confirm;
mod embedded;
mod formats;
#[cfg(not(emulated))]
mod golden;
#[cfg(not(emulated))]
mod golden_bert;
mod hub;
mod invariance;
mod many;
mod odd_servers;
mod probe;
mod real_model;
mod replicas;
mod spans;
mod upstream;
mod upstream_scores;
