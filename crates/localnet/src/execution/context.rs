//! What execution is told beside the transaction and the state.

use atoma_types::{Address, NetworkId, TimestampMs};
use std::{collections::BTreeSet, sync::Arc};
use sui_sdk_types::{Digest, Object};

/// What execution is told beside the transaction.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// The ledger's time.
    pub(crate) now: TimestampMs,
    /// The network id of the ledger that it is for.
    pub(crate) network: NetworkId,
    /// The same as a digest.
    pub(crate) chain: Digest,
    /// The beacon's word for this transaction.
    pub(crate) seed: [u8; 32],
    /// Who may neither get nor spend dollars.
    pub(crate) frozen: Arc<BTreeSet<Address>>,
    /// Off in simulations of transactions that have no sender yet.
    pub(crate) checks: bool,
    /// Whether the ledger gives it up for congestion.
    pub(crate) congested: bool,
    /// Pays in simulations that name no gas.
    pub(crate) mock_gas: Option<Arc<Object>>,
}
