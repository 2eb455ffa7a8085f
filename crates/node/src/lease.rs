//! All leases of this node in memory: the serving path asks nothing else.

use crate::{
    account::{
        Account, Claim, CommitError, Denied, Link, Order, Phase, Reservation, Summary, Terms,
    },
    evidence::Bodies,
    journal::{Ack, Change, Journal, LeaseRecord, ReceiptRecord},
};
use atoma_types::{
    Address, ComputeUnits, DurationMs, Price, StackId, TaskId, TimestampMs,
    keys::BadSignature,
    message::{Draft, Receipt, Signed},
    verifier::Verifier,
};
use parking_lot::{Mutex, RwLock};
use std::{collections::HashMap, sync::Arc};

/// Locks are split this many ways, by the last byte of the id (ids are hashes).
const SHARDS: usize = 64;

/// A lease. Its lock is held for additions, hashes and a message to the journal, never across an
/// await.
#[derive(Debug)]
pub(crate) struct Lease {
    pub stack: StackId,
    pub task: TaskId,
    pub owner: Address,
    /// The stack's request key, its curve point decoded.
    pub verifier: Verifier,
    pub price: Price,
    pub settle_grace: DurationMs,
    account: Mutex<Account>,
}

/// The leases by stack.
#[derive(Debug)]
pub(crate) struct LeaseBook {
    shards: [RwLock<HashMap<StackId, Arc<Lease>>>; SHARDS],
    creating: Mutex<()>,
}

// === impl Lease ===

impl Lease {
    /// A lease that nothing was served on yet.
    pub(crate) fn new(record: &LeaseRecord, now: TimestampMs) -> Result<Self, BadSignature> {
        let terms = Terms {
            units: record.units,
            expires_at: record.expires_at,
            closing: record.closing,
        };
        let mut account = Account::new(terms, now);
        account.advance(record.phase);
        Self::with(record, account)
    }

    /// A lease with its books.
    pub(crate) fn with(record: &LeaseRecord, account: Account) -> Result<Self, BadSignature> {
        Ok(Self {
            stack: record.stack,
            task: record.task,
            owner: record.owner,
            verifier: record.request_key.verifier()?,
            price: record.price,
            settle_grace: record.settle_grace,
            account: Mutex::new(account),
        })
    }

    pub(crate) fn reserve(
        &self,
        order: &Order,
        least: ComputeUnits,
        wanted: ComputeUnits,
        now: TimestampMs,
    ) -> Result<Reservation, Denied> {
        self.account.lock().reserve(order, least, wanted, now)
    }

    pub(crate) fn grow(&self, reservation: &mut Reservation, by: ComputeUnits) -> ComputeUnits {
        self.account.lock().grow(reservation, by)
    }

    pub(crate) fn release(&self, reservation: Reservation) {
        self.account.lock().release(reservation);
    }

    /// Commits and hands the receipt to the journal, under one lock: the journal must see the
    /// receipts of a lease in the order of their chain.
    #[expect(clippy::too_many_arguments, reason = "each is another thing")]
    pub(crate) fn commit(
        self: &Arc<Self>,
        reservation: Reservation,
        order: &Order,
        units: ComputeUnits,
        now: TimestampMs,
        journal: &Journal,
        bodies: Option<Bodies>,
        receipt: impl FnOnce(Link) -> Draft<Receipt>,
    ) -> Result<Ack<Arc<Signed<Receipt>>>, CommitError> {
        let mut account = self.account.lock();
        let committed = account.commit(reservation, units, now, receipt)?;
        let record = ReceiptRecord {
            lease: self.clone(),
            order: order.clone(),
            lane: committed.lane,
            lane_committed: committed.lane_committed,
            voucher: committed.voucher,
            bodies,
        };
        Ok(journal.receipt(committed.receipt, record))
    }

    /// The next receipt in the chain is signed and durable.
    pub(crate) fn signed(&self, order: &Order, receipt: Arc<Signed<Receipt>>) {
        self.account.lock().signed(order, receipt);
    }

    /// Commits nothing more, and says what the node claims once all of it is signed and durable;
    /// `None` if the journal has failed.
    pub(crate) async fn final_claim(&self, journal: &Journal) -> Option<Claim> {
        self.books(Account::freeze);
        // the journal answers in turn: the receipts come before this
        journal.change(Vec::new()).durable().await.ok()?;
        self.books(|account| account.claim())
    }

    /// Runs `work` on the books; it must be short.
    pub(crate) fn books<T>(&self, work: impl FnOnce(&mut Account) -> T) -> T {
        work(&mut self.account.lock())
    }

    /// The sums without the lanes.
    pub(crate) fn brief(&self) -> Summary {
        self.account.lock().brief()
    }

    /// Changes the books and sends the journal what it keeps of them, together with `more`, under
    /// one lock: the journal's rows are written in the order of the changes.
    pub(crate) fn save(
        &self,
        journal: &Journal,
        mut more: Vec<Change>,
        change: impl FnOnce(&mut Account),
    ) -> Ack {
        let mut account = self.account.lock();
        change(&mut account);
        more.push(Change::Lease(self.record(&account)));
        journal.change(more)
    }

    fn record(&self, account: &Account) -> LeaseRecord {
        let Summary { terms, phase, .. } = account.brief();
        LeaseRecord {
            stack: self.stack,
            task: self.task,
            owner: self.owner,
            request_key: self.verifier.public_key(),
            units: terms.units,
            price: self.price,
            expires_at: terms.expires_at,
            settle_grace: self.settle_grace,
            closing: terms.closing,
            phase,
        }
    }
}

// === impl LeaseBook ===

impl LeaseBook {
    pub(crate) fn new() -> Self {
        Self {
            shards: std::array::from_fn(|_| RwLock::default()),
            creating: Mutex::default(),
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
            .or_insert_with(|| Arc::new(lease))
            .clone()
    }

    /// Forgets a closed lease.
    pub(crate) fn remove(&self, stack: StackId) {
        self.shard(stack).write().remove(&stack);
    }

    /// All leases.
    pub(crate) fn all(&self) -> Vec<Arc<Lease>> {
        let shards = self.shards.iter();
        shards
            .flat_map(|shard| shard.read().values().cloned().collect::<Vec<_>>())
            .collect()
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
