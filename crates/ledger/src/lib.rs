//! the one ledger client, for localnet and Sui alike
