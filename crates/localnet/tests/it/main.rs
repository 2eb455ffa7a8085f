//! The development ledger, by its clients.
#![expect(
    clippy::disallowed_methods,
    reason = "waits for blocking sockets and programs"
)]

mod coins;
mod common;
mod contract;
mod crash;
mod javascript;
mod publish;
