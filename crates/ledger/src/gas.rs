//! How transactions are paid for: by whom, and at most how much.

use crate::ExecuteError;
use atoma_keys::SigningKey;
use std::{fmt, sync::Arc};

/// What a unit of computation may cost where nobody allows more: far above any reference price that Sui has had (500 to
/// 1,000 MIST), so that an endpoint that lies has a wallet burn a bounded multiple of its gas.
pub const MOST_GAS_PRICE: u64 = 10_000;

/// How a ledger's transactions are paid for. By default the sender pays, as much as a simulation
/// says and some headroom.
#[derive(Clone, Default)]
pub struct GasOptions {
    /// The most a transaction may take, in MIST. One that would need more is not submitted.
    pub budget: Option<u64>,
    /// The most that a unit of computation may cost, in MIST; [`MOST_GAS_PRICE`] if absent. The ledger's endpoint names
    /// the price, and what is signed is paid, whatever others pay.
    pub price: Option<u64>,
    /// Who pays instead of the sender: gas comes out of this key's coins, and it signs as well.
    pub sponsor: Option<Arc<SigningKey>>,
}

impl GasOptions {
    /// Refuses a price that the endpoint names, if it is above what may be signed.
    pub(crate) fn check_price(&self, price: u64) -> Result<(), ExecuteError> {
        let most = self.price.unwrap_or(MOST_GAS_PRICE);
        if price > most {
            return Err(ExecuteError::GasPrice { price, most });
        }
        Ok(())
    }
}

impl fmt::Debug for GasOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sponsor = self.sponsor.as_ref().map(|key| key.public_key().address());
        f.debug_struct("GasOptions")
            .field("budget", &self.budget)
            .field("price", &self.price)
            .field("sponsor", &sponsor)
            .finish()
    }
}
