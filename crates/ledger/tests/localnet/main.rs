//! The ledger client against localnet: the same code that runs against Sui. What needs no localnet of its
//! own (`gas`, `story`, `wallets` but for a few) runs on any network that `ATOMA_TEST_NETWORK` names.

mod anywhere;
mod balances;
mod broken;
mod busy;
mod crash;
mod disputes;
mod events;
mod gas;
mod listen;
mod story;
mod wallets;
