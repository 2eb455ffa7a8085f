//! The gateway as its users meet it, over HTTP.

mod common;
mod endpoint;
mod log;
mod sdk;
mod sealed;
