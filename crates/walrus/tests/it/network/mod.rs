//! The HTTP API over a local store, asked raw as its documents say, and through our client.

mod api;
mod client;
mod js;
mod server;
mod tokens;
