//! How transactions are paid for: by whom, and at most how much.

use atoma_keys::SigningKey;
use std::{fmt, sync::Arc};

/// How a ledger's transactions are paid for. By default the sender pays, as much as a simulation
/// says and some headroom.
#[derive(Clone, Default)]
pub struct GasOptions {
    /// The most a transaction may take, in MIST. One that would need more is not submitted.
    pub budget: Option<u64>,
    /// Who pays instead of the sender: gas comes out of this key's coins, and it signs as well.
    pub sponsor: Option<Arc<SigningKey>>,
}

impl fmt::Debug for GasOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sponsor = self.sponsor.as_ref().map(|key| key.public_key().address());
        f.debug_struct("GasOptions")
            .field("budget", &self.budget)
            .field("sponsor", &sponsor)
            .finish()
    }
}
