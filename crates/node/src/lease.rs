//! One lease: what the ledger says about it, its account behind a lock, and its way to the journal.

use crate::{
    account::{
        Account, CommitError, Denied, Link, Position, Reservation, SignedRequest, Spent, Summary,
        Terms,
    },
    journal::{Ack, Change, Journal, Kept, LeaseRecord, ReceiptRecord},
};
use atoma_keys::Verifier;
use atoma_types::{
    Address, ComputeUnits, DurationMs, Price, StackId, TaskId, TimestampMs,
    chain::{Stack, Ticket},
    ed25519::BadSignature,
    message::{Draft, Receipt, Signed},
};
use parking_lot::Mutex;
use std::sync::Arc;

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
    /// The stack as it was last read.
    on_ledger: Mutex<Option<Arc<Stack>>>,
}

/// A grant of more units that is on its way to the ledger. It isn't any more once this is dropped.
#[derive(Debug)]
pub(crate) struct LeaseGrant(Arc<Lease>);

impl LeaseGrant {
    /// The ledger took it: the lease has so many units in all.
    pub(crate) fn taken(&self, units: ComputeUnits) {
        self.0.account.lock().granted(units);
    }
}

impl Drop for LeaseGrant {
    fn drop(&mut self) {
        self.0.account.lock().end_grant();
    }
}

impl Lease {
    /// A lease that nothing was served on yet.
    pub(crate) fn new(record: &LeaseRecord, now: TimestampMs) -> Result<Self, BadSignature> {
        let terms = Terms {
            units: record.units,
            expires_at: record.expires_at,
            closing: record.closing,
        };
        let mut account = Account::new(terms, now);
        account.restore_base(record.base);
        account.advance(record.phase);
        Self::with(record, account)
    }

    /// A lease with its account.
    pub(crate) fn with(record: &LeaseRecord, account: Account) -> Result<Self, BadSignature> {
        Ok(Self {
            stack: record.stack,
            task: record.task,
            owner: record.owner,
            verifier: Verifier::new(&record.request_key)?,
            price: record.price,
            settle_grace: record.settle_grace,
            account: Mutex::new(account),
            on_ledger: Mutex::default(),
        })
    }

    /// Whether its tickets may be examined: then each record must have its bodies. As long as its stack wasn't read, it
    /// is taken for one that is.
    pub(crate) fn is_examined(&self) -> bool {
        let read = self.on_ledger.lock();
        read.as_ref()
            .is_none_or(|stack| stack.terms.sampling.is_some())
    }

    /// Uses up the id of a request that has just come and is signed as it must be.
    pub(crate) fn admit(&self, request: &SignedRequest, now: TimestampMs) -> Result<(), Denied> {
        self.account.lock().admit(request, now)
    }

    /// Uses it up for one that is refused in any case.
    pub(crate) fn spend(&self, request: &SignedRequest, now: TimestampMs) -> Spent {
        self.account.lock().spend(request, now)
    }

    pub(crate) fn reserve(
        &self,
        request: &SignedRequest,
        least: ComputeUnits,
        wanted: ComputeUnits,
        now: TimestampMs,
    ) -> Result<Reservation, Denied> {
        self.account.lock().reserve(request, least, wanted, now)
    }

    pub(crate) fn grow(&self, reservation: &mut Reservation, by: ComputeUnits) -> ComputeUnits {
        self.account.lock().grow(reservation, by)
    }

    pub(crate) fn undo(&self, reservation: Reservation) {
        self.account.lock().undo(reservation);
    }

    pub(crate) fn release(&self, reservation: Reservation) {
        self.account.lock().release(reservation);
    }

    /// Commits and hands the receipt to the journal, under one lock: the journal must see the
    /// receipts of a lease in the order of their chain.
    #[expect(clippy::too_many_arguments, reason = "each is another thing")]
    pub(crate) fn commit(
        &self,
        reservation: Reservation,
        request: &SignedRequest,
        units: ComputeUnits,
        now: TimestampMs,
        journal: &Journal,
        kept: Kept,
        receipt: impl FnOnce(Link) -> Draft<Receipt>,
    ) -> Result<Ack<Arc<Signed<Receipt>>>, CommitError> {
        let mut account = self.account.lock();
        let committed = account.commit(reservation, units, now, receipt)?;
        let record = ReceiptRecord {
            stack: self.stack,
            request: request.clone(),
            lane: committed.lane,
            lane_committed: committed.lane_committed,
            voucher: committed.voucher,
            kept,
        };
        Ok(journal.receipt(committed.receipt, record))
    }

    /// The next receipt in the chain is signed and durable.
    pub(crate) fn signed(&self, receipt: Arc<Signed<Receipt>>) {
        self.account.lock().signed(receipt);
    }

    /// Waits until what was committed so far is signed and durable; false if the journal has failed.
    pub(crate) async fn all_signed(&self, journal: &Journal) -> bool {
        // the journal answers in turn: the receipts come before this
        journal.change(Vec::new()).durable().await.is_ok()
    }

    /// The stack as it was last read, if it was since the start.
    pub(crate) fn on_ledger(&self) -> Option<Arc<Stack>> {
        self.on_ledger.lock().clone()
    }

    /// Takes over the stack as it was read, and what of it is this lease.
    pub(crate) fn adopt(
        &self,
        journal: &Journal,
        stack: &Stack,
        record: &LeaseRecord,
        claimed: Position,
        tickets: &[Ticket],
    ) -> Ack {
        *self.on_ledger.lock() = Some(Arc::new(stack.clone()));
        let mut account = self.account.lock();
        account.update_terms(Terms {
            units: record.units,
            expires_at: record.expires_at,
            closing: record.closing,
        });
        account.advance(record.phase);
        let mut changes = Vec::new();
        if !account.note_claimed(claimed) {
            tracing::warn!(
                stack = %self.stack, seq = claimed.seq,
                "the ledger has claims that this journal doesn't know: the lease goes on from there"
            );
            account.rebase(claimed);
            changes.push(Change::Rebased(self.stack));
        }
        let settled = tickets.iter().map(|ticket| Change::Ticket {
            stack: self.stack,
            from_seq: ticket.from_seq,
            to_seq: ticket.to_seq,
        });
        changes.extend(settled);
        changes.push(Change::Lease(self.record(&account)));
        journal.change(changes)
    }

    /// Runs `work` on the account; it must be short.
    pub(crate) fn with_account<T>(&self, work: impl FnOnce(&mut Account) -> T) -> T {
        work(&mut self.account.lock())
    }

    /// Units that are neither used nor reserved.
    pub(crate) fn left(&self) -> ComputeUnits {
        self.account.lock().left()
    }

    /// A grant on its way to the ledger; `None` while units go back there.
    pub(crate) fn granting(self: &Arc<Self>, now: TimestampMs) -> Option<LeaseGrant> {
        let begun = self.account.lock().begin_grant(now);
        begun.then(|| LeaseGrant(Arc::clone(self)))
    }

    /// The sums without the lanes.
    pub(crate) fn brief(&self) -> Summary {
        self.account.lock().brief()
    }

    /// Changes the account and sends the journal what it keeps of it, together with `more`, under
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
            base: account.base(),
        }
    }
}
