//! Addresses that may neither get nor spend test dollars, as the real ones' issuer can have it. Only in memory: a
//! restart thaws all.

use atoma_types::Address;
use parking_lot::RwLock;
use std::{collections::BTreeSet, sync::Arc};

/// Who is frozen now.
#[derive(Debug, Default)]
pub(crate) struct Frozen(RwLock<Arc<BTreeSet<Address>>>);

impl Frozen {
    /// As it is at this moment.
    pub(crate) fn now(&self) -> Arc<BTreeSet<Address>> {
        Arc::clone(&self.0.read())
    }

    /// Freezes an address, or thaws it.
    pub(crate) fn set(&self, address: Address, frozen: bool) {
        let mut all = self.0.write();
        let all = Arc::make_mut(&mut all);
        if frozen {
            all.insert(address);
        } else {
            all.remove(&address);
        }
    }
}
