//! Holding wallets for as long as a transaction of theirs takes.

use crate::{
    Connection,
    wallet::{Parties, Wallet, Wallets},
};
use atoma_types::Address;
use std::sync::Arc;
use tokio::sync::OwnedMutexGuard;

impl Connection {
    /// Holds the wallets of a transaction, always in the same order: two transactions that need the
    /// same two can't wait for each other.
    pub(crate) async fn wallets(&self, parties: Parties) -> Wallets {
        let Parties { sender, gas_owner } = parties;
        if sender == gas_owner {
            return Wallets::of(self.wallet(sender).await);
        }
        let (first, second) = (sender.min(gas_owner), sender.max(gas_owner));
        let first = self.wallet(first).await;
        let second = self.wallet(second).await;
        let (sender, payer) = if sender < gas_owner {
            (first, second)
        } else {
            (second, first)
        };
        Wallets::sponsored(sender, payer)
    }

    async fn wallet(&self, owner: Address) -> OwnedMutexGuard<Wallet> {
        let wallet = Arc::clone(self.inner.wallets.lock().entry(owner).or_default());
        wallet.lock_owned().await
    }
}
