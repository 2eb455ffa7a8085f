//! All leases of this node in memory: the serving path asks nothing else.

use crate::{
    account::{IdRoom, Phase},
    journal::RestoredLease,
    lease::Lease,
};
use atoma_runtime::WithCauses;
use atoma_types::{
    StackId, TimestampMs,
    message::{Receipt, Signed},
};
use parking_lot::{Mutex, RwLock};
use std::{collections::HashMap, sync::Arc};

/// Locks are split this many ways, by the last byte of the id (ids are hashes).
const SHARDS: usize = 64;

/// The leases by stack.
#[derive(Debug)]
pub(crate) struct Leases {
    shards: [RwLock<HashMap<StackId, Arc<Lease>>>; SHARDS],
    creating: Mutex<()>,
    /// What all of them remember of requests.
    ids: IdRoom,
}

impl Leases {
    pub(crate) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            creating: Mutex::default(),
            ids: IdRoom::default(),
        }
    }

    fn shard(&self, stack: StackId) -> &RwLock<HashMap<StackId, Arc<Lease>>> {
        let last = stack.0.as_bytes().last().copied().unwrap_or(0);
        &self.shards[usize::from(last) % SHARDS]
    }

    pub(crate) fn get(&self, stack: StackId) -> Option<Arc<Lease>> {
        self.shard(stack).read().get(&stack).cloned()
    }

    /// The lease that is there, or a new one if `create` makes it. One at a time: an event and a
    /// request may bring the same lease at once, and who comes second must not take the first one's
    /// row in the journal for that of a lease that is closed.
    pub(crate) fn get_or_create(
        &self,
        stack: StackId,
        create: impl FnOnce() -> Option<Lease>,
    ) -> Option<Arc<Lease>> {
        let _one = self.creating.lock();
        if let Some(lease) = self.get(stack) {
            return Some(lease);
        }
        Some(self.insert(create()?))
    }

    /// Adds a lease unless it is there already, and returns the one that is there.
    pub(crate) fn insert(&self, lease: Lease) -> Arc<Lease> {
        let mut shard = self.shard(lease.stack).write();
        shard
            .entry(lease.stack)
            .or_insert_with(|| {
                lease.with_account(|account| account.share_ids(self.ids.clone()));
                Arc::new(lease)
            })
            .clone()
    }

    /// A receipt is signed and durable: its lease counts it. One whose lease has been closed
    /// meanwhile has nothing left to count for.
    pub(crate) fn signed(&self, receipt: Arc<Signed<Receipt>>) {
        if let Some(lease) = self.get(receipt.message().stack) {
            lease.signed(receipt);
        }
    }

    /// Forgets a closed lease.
    pub(crate) fn remove(&self, stack: StackId) {
        self.shard(stack).write().remove(&stack);
    }

    /// Forgets the ids of requests that have expired, on every lease: who asks no more keeps no memory.
    pub(crate) fn forget_expired(&self, now: TimestampMs) {
        for lease in self.all() {
            lease.with_account(|account| account.forget_expired(now));
        }
    }

    /// Ids of requests that are remembered on all.
    pub(crate) fn ids(&self) -> usize {
        self.ids.taken()
    }

    /// All leases, by stack.
    #[expect(clippy::disallowed_methods, reason = "sorted below")]
    pub(crate) fn all(&self) -> Vec<Arc<Lease>> {
        let shards = self.shards.iter();
        let mut all: Vec<Arc<Lease>> = shards
            .flat_map(|shard| shard.read().values().cloned().collect::<Vec<_>>())
            .collect();
        all.sort_unstable_by_key(|lease| lease.stack);
        all
    }

    /// Puts a lease back, with what it must know of the requests that have a receipt: none of them is
    /// served twice.
    pub(crate) fn restore(&self, restored: RestoredLease, now: TimestampMs) {
        let RestoredLease {
            record,
            mut account,
            served,
        } = restored;
        for (id, expires_at) in served {
            account.restore_seen(id, expires_at, now);
        }
        account.touch(now);
        match Lease::with(&record, account) {
            Ok(lease) => {
                self.insert(lease);
            }
            // it was valid when it was recorded
            Err(error) => {
                tracing::error!(error = %WithCauses(&error), stack = %record.stack, "cannot restore a lease");
            }
        }
    }

    /// How many leases still take requests, and the units reserved on all.
    pub(crate) fn load(&self) -> (usize, u64) {
        self.all()
            .iter()
            .map(|lease| lease.brief())
            .fold((0, 0), |(open, reserved), lease| {
                let is_open = usize::from(lease.phase == Phase::Open);
                (open + is_open, lease.reserved.0.saturating_add(reserved))
            })
    }
}
