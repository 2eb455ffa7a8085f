//! The development ledger, by its clients.

mod balances;
mod coins;
mod common;
mod contract;
mod crash;
mod javascript;
mod publish;
