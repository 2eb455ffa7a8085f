//! Whose money is spent: one account for the stacks that the gateway buys, one for each API key.

use crate::{
    budget::{Account, Amount, BudgetError, BudgetStore, Standing},
    concurrency::User,
    config::GatewayConfig,
    keys::{KeyHash, KeyRing},
};
use std::sync::Arc;

/// Under this name the store keeps what was put into stacks. Keys' names have a prefix.
const STACKS_ACCOUNT: &str = "stacks";
const KEY_PREFIX: &str = "key/";

/// The accounts of a configuration, with what each has spent before.
#[derive(Clone, Debug)]
pub(crate) struct Accounts {
    budgets: Arc<BudgetStore>,
    stacks: Arc<Account>,
    /// In the configuration's order.
    keys: Vec<Arc<Account>>,
}

impl Accounts {
    /// Opens the store of what was spent.
    ///
    /// # Errors
    ///
    /// If its database can't be opened or read.
    pub(crate) fn open(config: &GatewayConfig) -> Result<Self, BudgetError> {
        let keys = config.api_keys.iter().map(|key| {
            let name = format!("{KEY_PREFIX}{}", key.name);
            (name, Amount::from(key.budget))
        });
        let stacks = (STACKS_ACCOUNT.to_owned(), Amount::from(config.budget));
        let names: Vec<_> = [stacks].into_iter().chain(keys).collect();
        let budgets = BudgetStore::open(&config.data_dir, &names, config.runtime.threads)?;
        let (stacks, keys) = budgets.accounts().split_at(1);
        Ok(Self {
            stacks: Arc::clone(&stacks[0]),
            keys: keys.to_vec(),
            budgets: Arc::new(budgets),
        })
    }

    /// The users by their keys.
    ///
    /// # Errors
    ///
    /// The hash that two keys of the configuration share.
    pub(crate) fn key_ring(&self, config: &GatewayConfig) -> Result<KeyRing<User>, KeyHash> {
        let keys = config.api_keys.iter().zip(&self.keys);
        let ring = KeyRing::new(keys.map(|(key, account)| {
            let user = User::new(Arc::clone(account), key.max_concurrent);
            (key.hash, user)
        }))?;
        Ok(match config.api_keys.first() {
            Some(key) if config.own_use => ring.open_to_all(key.hash),
            _ => ring,
        })
    }

    /// The store, to wait for what must not be forgotten.
    pub(crate) fn budgets(&self) -> &Arc<BudgetStore> {
        &self.budgets
    }

    /// What is put into stacks, of what may be.
    pub(crate) fn stacks(&self) -> &Arc<Account> {
        &self.stacks
    }

    /// How the keys' accounts stand, in the configuration's order.
    pub(crate) fn of_keys(&self) -> Vec<Standing> {
        let standing = |account: &Arc<Account>| {
            let mut standing = account.standing();
            if let Some(name) = standing.name.strip_prefix(KEY_PREFIX) {
                standing.name = name.to_owned();
            }
            standing
        };
        self.keys.iter().map(standing).collect()
    }
}
