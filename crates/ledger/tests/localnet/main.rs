//! The ledger client against localnet: the same code that runs against Sui.

mod disputes;
mod events;
mod story;
mod trial;
mod wallets;
mod world;
