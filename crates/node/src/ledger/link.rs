//! The connection to the ledger and the wallet that signs there.

use super::ear::Ear;
use atoma_keys::SigningKey;
use atoma_ledger::{ExecuteError, Executed, Ledger};
use atoma_types::{Address, chain::Call};
use parking_lot::Mutex;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

pub(crate) struct LedgerLink {
    pub ledger: Ledger,
    /// Owns the node: signs its transactions.
    key: Arc<SigningKey>,
    reachable: AtomicBool,
    /// Of all who follow the ledger's events here.
    ears: Mutex<Vec<Arc<Ear>>>,
}

impl LedgerLink {
    pub(crate) fn new(ledger: Ledger, key: Arc<SigningKey>) -> Self {
        let reachable = AtomicBool::new(true);
        Self {
            ledger,
            key,
            reachable,
            ears: Mutex::default(),
        }
    }

    /// For somebody who follows the ledger's events from now on.
    pub(crate) fn ear(&self) -> Arc<Ear> {
        let ear = Arc::new(Ear::new());
        self.ears.lock().push(ear.clone());
        ear
    }

    /// Whether the ledger's events have been missing for minutes: what happens there isn't heard.
    pub(crate) fn is_deaf(&self) -> bool {
        self.ears.lock().iter().any(|ear| ear.is_deaf())
    }

    /// Executes calls in one transaction of the node's owner.
    pub(crate) async fn execute(&self, calls: Vec<Call>) -> Result<Executed, ExecuteError> {
        self.ledger.execute(&self.key, calls).await
    }

    /// The address that owns the node and what it stores.
    pub(crate) fn owner(&self) -> Address {
        self.key.public_key().address()
    }

    /// Whether the ledger answered when last asked.
    pub(crate) fn is_reachable(&self) -> bool {
        self.reachable.load(Ordering::Relaxed)
    }

    pub(crate) fn note_reachable(&self, reachable: bool) {
        if self.reachable.swap(reachable, Ordering::Relaxed) != reachable {
            tracing::warn!(reachable, "the ledger's reachability changed");
        }
    }
}

impl fmt::Debug for LedgerLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerLink")
            .field("owner", &self.owner())
            .finish_non_exhaustive()
    }
}
