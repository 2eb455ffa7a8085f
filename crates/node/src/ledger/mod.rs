//! The node's dealings with the ledger, all off the serving path: following events, reading a cold
//! stack once, taking grants there, settling and claiming, registering.

mod adopt;
mod cold;
mod follow;
mod grant;
mod register;
mod settle;

pub(crate) use cold::ColdReads;
pub(crate) use follow::{follow, resume};
pub use register::RegisterError;
pub(crate) use register::{Registration, register};
pub(crate) use settle::settle;

use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

/// The connection and the wallet.
pub(crate) struct LedgerSide {
    pub ledger: Ledger,
    /// Owns the node: signs its transactions.
    pub key: Arc<SigningKey>,
    pub cold: ColdReads,
    reachable: AtomicBool,
}

impl LedgerSide {
    pub(crate) fn new(ledger: Ledger, key: Arc<SigningKey>) -> Self {
        let reachable = AtomicBool::new(true);
        Self {
            ledger,
            key,
            cold: ColdReads::default(),
            reachable,
        }
    }

    /// Whether the ledger answered when last asked.
    pub(crate) fn is_following(&self) -> bool {
        self.reachable.load(Ordering::Relaxed)
    }

    fn note_reachable(&self, reachable: bool) {
        if self.reachable.swap(reachable, Ordering::Relaxed) != reachable {
            tracing::warn!(reachable, "the ledger's reachability changed");
        }
    }
}

impl fmt::Debug for LedgerSide {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LedgerSide")
            .field("owner", &self.key.public_key())
            .finish_non_exhaustive()
    }
}
