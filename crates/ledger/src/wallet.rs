//! What is remembered of one wallet between its transactions.
//!
//! A full node's list of owned objects lags behind execution. What the wallet's last transactions
//! changed is therefore remembered here, and a list that is older than that is corrected.

use crate::coins::Coin;
use atoma_types::ObjectId;
use std::collections::HashMap;
use sui_rpc::proto::sui::rpc::v2::{
    ExecuteTransactionRequest, ExecutedTransaction, changed_object::OutputObjectState,
};
use sui_sdk_types::Digest;

/// Memory of more changes than this is dropped whole: a stale read is then noticed by the ledger
/// and repaired by a retry.
const MAX_RECENT: usize = 4_096;

#[derive(Debug, Default)]
pub(crate) struct Wallet {
    /// Version after the wallet's own last change; `None` where the object is gone.
    recent: HashMap<ObjectId, Option<u64>>,
    /// Submitted, outcome not known.
    pub(crate) pending: Option<Pending>,
}

/// A signed transaction on its way.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) digest: Digest,
    pub(crate) request: ExecuteTransactionRequest,
}

impl Wallet {
    /// Remembers what a transaction did to objects.
    pub(crate) fn remember(&mut self, executed: &ExecutedTransaction) {
        if self.recent.len() > MAX_RECENT {
            self.recent.clear();
        }
        for change in &executed.effects().changed_objects {
            let Ok(id) = change.object_id().parse() else {
                continue;
            };
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
    pub(crate) fn correct(&mut self, versions: &[(ObjectId, u64)], asked: &[ObjectId]) {
        for id in asked {
            let found = versions.iter().find(|(found, _)| found == id);
            self.recent.insert(*id, found.map(|(_, version)| *version));
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::Address;

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
