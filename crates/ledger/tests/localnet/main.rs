//! The ledger client against localnet: the same code that runs against Sui.

mod disputes;
mod events;
mod gas;
mod story;
mod trial;
mod wallets;
mod world;
