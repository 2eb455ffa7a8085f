//! What is remembered of one wallet between its transactions.
//!
//! A full node's list of owned objects lags behind execution. What the wallet's last transactions
//! changed is therefore remembered here, and a list that is older than that is corrected.

use crate::{
    coin::Coin,
    mask::{EXECUTED_FIELDS, mask},
};
use atoma_types::{Address, ObjectId};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};
use sui_rpc::proto::sui::rpc::v2::{
    ExecuteTransactionRequest, ExecutedTransaction, changed_object::OutputObjectState,
};
use sui_sdk_types::{Digest, SignedTransaction};
use tokio::sync::OwnedMutexGuard;

/// Memory of more changes than this is dropped whole: a stale read is then noticed by the ledger
/// and repaired by a retry.
const MAX_RECENT: usize = 4_096;

#[derive(Debug, Default)]
pub(crate) struct Wallet {
    /// Version after the wallet's own last change; `None` where the object is gone.
    recent: HashMap<ObjectId, Option<u64>>,
    /// Submitted, outcome not known. More than one only where earlier runs of the program left them.
    pending: Vec<Pending>,
    /// An earlier run's transaction that turned out to be executed, until the next work is told.
    pub(crate) resumed: Option<Digest>,
    /// The one gas coin to pay with, where the wallet is one slot of several.
    pub(crate) only_gas: Option<ObjectId>,
    /// Gas coins that are other slots'.
    pub(crate) set_aside: HashSet<ObjectId>,
}

/// A signed transaction on its way.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) digest: Digest,
    pub(crate) signed: Arc<SignedTransaction>,
    /// Whether an earlier run of the program sent it, or was about to.
    pub(crate) resumed: bool,
}

impl Pending {
    /// The very same bytes each time.
    pub(crate) fn request(&self) -> ExecuteTransactionRequest {
        let signatures = self.signed.signatures.iter().cloned().map(Into::into);
        ExecuteTransactionRequest::default()
            .with_transaction(self.signed.transaction.clone())
            .with_signatures(signatures.collect::<Vec<_>>())
            .with_read_mask(mask(EXECUTED_FIELDS))
    }
}

impl Wallet {
    /// One slot of several, which pays with this coin.
    pub(crate) fn of_slot(coin: ObjectId) -> Self {
        Self {
            only_gas: Some(coin),
            ..Self::default()
        }
    }

    /// Remembers what a transaction did to objects.
    fn remember(&mut self, executed: &ExecutedTransaction) {
        if self.recent.len() > MAX_RECENT {
            self.recent.clear();
        }
        for change in &executed.effects().changed_objects {
            let Ok(id) = change.object_id().parse() else {
                continue;
            };
            // an address balance, which has no versions
            if change.output_state() == OutputObjectState::AccumulatorWrite {
                continue;
            }
            let version = match change.output_state() {
                OutputObjectState::ObjectWrite => {
                    change.output_version.or(executed.effects().lamport_version)
                }
                _ => None,
            };
            self.recent.insert(id, version);
        }
    }

    /// Remembers versions read from the ledger.
    fn correct(&mut self, versions: &[(ObjectId, u64)], asked: &[ObjectId]) {
        for id in asked {
            let found = versions.iter().find(|(found, _)| found == id);
            self.recent.insert(*id, found.map(|(_, version)| *version));
        }
    }

    /// Takes out of a list what isn't this wallet's to use.
    pub(crate) fn retain_own(&self, coins: &mut Vec<Coin>) {
        coins.retain(|coin| !self.set_aside.contains(&coin.id));
    }

    /// Takes out of a list what is known to be older than the wallet's own last change, and names
    /// what must be read again.
    pub(crate) fn retain_current(&mut self, coins: &mut Vec<Coin>) -> Vec<ObjectId> {
        let mut behind = Vec::new();
        coins.retain(|coin| match self.recent.get(&coin.id) {
            None => true,
            Some(None) => false,
            Some(Some(version)) if coin.version < *version => {
                behind.push(coin.id);
                false
            }
            Some(Some(_)) => {
                self.recent.remove(&coin.id);
                true
            }
        });
        behind
    }
}

/// Who signs and who pays.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Parties {
    pub(crate) sender: Address,
    pub(crate) gas_owner: Address,
}

/// The wallets that a transaction uses, held for as long as it takes: the sender's, and the payer's
/// where another pays for gas.
#[derive(Debug)]
pub(crate) struct Wallets {
    sender: OwnedMutexGuard<Wallet>,
    payer: Option<OwnedMutexGuard<Wallet>>,
}

impl Wallets {
    /// One wallet that pays for itself.
    pub(crate) fn of(sender: OwnedMutexGuard<Wallet>) -> Self {
        Self {
            sender,
            payer: None,
        }
    }

    /// Two wallets of which the second pays.
    pub(crate) fn sponsored(
        sender: OwnedMutexGuard<Wallet>,
        payer: OwnedMutexGuard<Wallet>,
    ) -> Self {
        Self {
            sender,
            payer: Some(payer),
        }
    }

    pub(crate) fn sender(&mut self) -> &mut Wallet {
        &mut self.sender
    }

    /// Whose coins pay for gas.
    pub(crate) fn payer(&mut self) -> &mut Wallet {
        self.payer.as_mut().unwrap_or(&mut self.sender)
    }

    fn all(&mut self) -> impl Iterator<Item = &mut Wallet> {
        let payer = self.payer.as_deref_mut();
        std::iter::once(&mut *self.sender).chain(payer)
    }

    /// A transaction is on its way; every wallet settles it, whichever is used next.
    pub(crate) fn begin(&mut self, pending: &Pending) {
        for wallet in self.all() {
            wallet.pending.push(pending.clone());
        }
    }

    /// One whose outcome is unknown.
    pub(crate) fn pending(&mut self) -> Option<Pending> {
        self.all()
            .find_map(|wallet| wallet.pending.first().cloned())
    }

    /// It was executed.
    pub(crate) fn finish(
        &mut self,
        digest: Digest,
        executed: ExecutedTransaction,
    ) -> Box<ExecutedTransaction> {
        for wallet in self.all() {
            wallet.remember(&executed);
        }
        self.refused(digest);
        Box::new(executed)
    }

    /// It was not executed and never will be.
    pub(crate) fn refused(&mut self, digest: Digest) {
        for wallet in self.all() {
            wallet.pending.retain(|pending| pending.digest != digest);
        }
    }

    /// Remembers versions read from the ledger.
    pub(crate) fn correct(&mut self, versions: &[(ObjectId, u64)], asked: &[ObjectId]) {
        for wallet in self.all() {
            wallet.correct(versions, asked);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_list_is_corrected() {
        let id = |n| Address::new([n; 32]);
        let coin = |n, version| Coin {
            id: id(n),
            version,
            digest: Digest::ZERO,
            balance: 1,
        };
        let mut wallet = Wallet::default();
        wallet.correct(&[(id(1), 5), (id(2), 7)], &[id(1), id(2), id(3)]);
        let mut coins = vec![coin(1, 5), coin(2, 6), coin(3, 4), coin(4, 1)];
        assert_eq!(wallet.retain_current(&mut coins), [id(2)]);
        assert_eq!(coins, [coin(1, 5), coin(4, 1)]);
    }
}
