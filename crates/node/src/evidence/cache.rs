//! What was read lately for proofs, and how many are worked on at once.

use atoma_evidence::pack::Catalog;
use atoma_types::{StackId, history::ReceiptTree};
use parking_lot::Mutex;
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::Semaphore;

/// Directories of packs and trees of leases kept at hand: those who check look at neighbours. A
/// full one of either has some 20 MB.
const CACHED: usize = 4;
/// Proofs worked on at once; each may read a whole lease.
const AT_ONCE: usize = 2;

/// What was read lately.
#[derive(Debug)]
pub(super) struct Caches {
    pub(super) catalogs: Cache<i64, Catalog>,
    pub(super) trees: Cache<(StackId, u64), ReceiptTree>,
    pub(super) places: Semaphore,
}

#[derive(Debug)]
pub(super) struct Cache<K, V>(Mutex<VecDeque<(K, Arc<V>)>>);

impl Default for Caches {
    fn default() -> Self {
        Self {
            catalogs: Cache(Mutex::default()),
            trees: Cache(Mutex::default()),
            places: Semaphore::new(AT_ONCE),
        }
    }
}

impl<K: Copy + PartialEq, V> Cache<K, V> {
    pub(super) fn get(&self, key: K) -> Option<Arc<V>> {
        let entries = self.0.lock();
        let entry = entries.iter().find(|(k, _)| *k == key)?;
        Some(entry.1.clone())
    }

    pub(super) fn put(&self, key: K, value: V) -> Arc<V> {
        let value = Arc::new(value);
        let mut entries = self.0.lock();
        entries.retain(|(k, _)| *k != key);
        if entries.len() >= CACHED {
            entries.pop_front();
        }
        entries.push_back((key, value.clone()));
        value
    }
}
