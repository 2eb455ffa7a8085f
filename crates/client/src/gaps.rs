//! Filling gaps in a lease's chain. A history that can't be computed may be of other records than those that were
//! given, so nothing more is signed where a gap stays:
//!
//! ```text
//! a number is lacking ── PATIENCE ──> still? ──> the store: other programs of the data folder
//!                                                  └──> its node: the records of the lease
//!                                                         └──> the ledger: what is claimed can't be claimed again
//!                                                                └──> still lacking: nothing is signed until it is there
//! ```
//!
//! Concurrent requests end in any order and slow readers take theirs late, so a gap is nothing yet: one that is as old as
//! [`PATIENCE`] costs its node one question. A number that is lacking after it was asked for is asked for again, ever less
//! often. There is one look-out for a lease at a time, and it lives no longer than the client.

use crate::{
    Client, ClientError, NodeInfo, StackHandle,
    account::ClientInner,
    kept_chain::claimed_to,
    records::{CHECKED_AT_ONCE, MAX_ASKED, MAX_ASKING, Record, RecordSource},
    stack_state::{LeaseAccount, StackState},
    store::LaneKey,
};
use atoma_evidence::{
    chain::{Joined, Lacking},
    receipt::ReceiptError,
};
use atoma_types::{
    ComputeUnits, NodeId, RequestId, StackId,
    chain::Lease,
    message::{Receipt, Signed},
};
use futures::future::BoxFuture;
use std::{
    sync::{Arc, Weak},
    time::Duration,
};
use tokio::time::{sleep, timeout};

/// So long a number may be lacking before its node is asked: other requests' answers come meanwhile, and what other programs
/// have is on the disk.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest pause before a node that didn't show a number is asked again: one that was away for a moment is soon used again.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The pause after a node has shown a record that isn't good: it wasn't away, and a page of up to 2 MiB costs it nothing.
const JUNK_PAUSE: Duration = Duration::from_secs(600);
/// Receipts that are read from the store at once: some milliseconds.
const READ_AT_ONCE: usize = 256;

impl StackHandle {
    /// Looks for receipts of a node's lease that never came: in the data folder, then at the node. Gives the first number
    /// that was lacking if it still is; nothing more is signed for the node on this stack before it is there.
    ///
    /// # Errors
    ///
    /// If the node isn't known, or the client's files can't be read.
    pub fn fill_gaps(&self, node: NodeId) -> BoxFuture<'_, Result<Option<u64>, ClientError>> {
        Box::pin(async move {
            let info = self.client.find_node(node).await?;
            self.prepare(&info).await?;
            Ok(self.fill(&info).await?.lacks)
        })
    }

    /// The receipt of a request as its lease's records have it: one that is kept, or that the node shows behind all that it has
    /// shown. A number that nobody lacks yet is asked for by nobody else.
    pub(crate) async fn shown_in_records(
        &self,
        info: &Arc<NodeInfo>,
        id: RequestId,
    ) -> Option<String> {
        let source = RecordSource::of(&self.client, &self.view(), info)?;
        if let Some(kept) = self.kept_receipt(source.lease(), id).await {
            return Some(kept.to_text());
        }
        let last = self.with_account(info.id, |account| account.chain.last_seq())?;
        let page = timeout(MAX_ASKING, source.after(last)).await.ok()?.ok()?;
        self.join_page(&source, &page).await;
        let kept = self.kept_receipt(source.lease(), id).await?;
        Some(kept.to_text())
    }

    /// The good receipt of a request that is kept, whichever program had it, and in whichever way it came.
    pub(crate) async fn kept_receipt(
        &self,
        lease: (StackId, NodeId),
        id: RequestId,
    ) -> Option<Signed<Receipt>> {
        // what has come is on the disk before it is looked at
        self.client.receipts().flush().await.ok()?;
        let kept = self.client.inner.store.kept().find(lease, id);
        let good = kept.ok().flatten().filter(|row| row.fault.is_none())?;
        Signed::from_bytes(good.receipt).ok()
    }

    /// Remembers that the node has refused a request.
    pub(crate) fn remember_refused(&self, key: LaneKey, id: RequestId) {
        self.with_account(key.node, |account| account.never_came.refuse(id));
        self.client.inner.store.keep_refused(key.stack, id);
    }

    /// Remembers that an answer never came, or not to its end.
    pub(crate) fn remember_lost(&self, key: LaneKey, id: RequestId) {
        self.with_account(key.node, |account| account.never_came.lose(id));
        self.client.inner.store.keep_lost((key.stack, key.node), id);
    }

    /// Remembers that nobody waits for a request any more of which it isn't clear what it costs, and the most that it can.
    pub(crate) fn remember_unclear(&self, key: LaneKey, id: RequestId, most: ComputeUnits) {
        let lease = (key.stack, key.node);
        self.client.inner.store.keep_unclear(lease, id, most);
    }

    /// There is a good receipt for a request: if its answer never came, that counts.
    pub(crate) fn is_charged(&self, node: NodeId, id: RequestId, units: ComputeUnits) {
        self.with_account(node, |account| {
            account.never_came.charge(id, units);
            account.settled();
        });
    }

    /// What a node charges on this stack for answers that never came, or not to their end, as far as it is known.
    #[must_use]
    pub fn charged_unanswered(&self, node: NodeId) -> ComputeUnits {
        let units = self.with_account(node, |account| account.never_came.units());
        units.unwrap_or_default()
    }

    /// A receipt has joined the chain: looks after what is lacking since, if nobody does.
    pub(crate) fn watch_gaps(&self, node: &Arc<NodeInfo>) {
        self.look_out(node, PATIENCE);
    }

    /// The same without patience: what is lacking is so since the last program.
    pub(crate) fn watch_old_gaps(&self, node: &Arc<NodeInfo>) {
        self.look_out(node, Duration::ZERO);
    }

    fn look_out(&self, node: &Arc<NodeInfo>, first: Duration) {
        let begins = self.with_account(node.id, |account| {
            let begins = !account.looking && account.chain.lacks().is_some();
            account.looking |= begins;
            begins
        });
        if begins != Some(true) {
            return;
        }
        let look_out = LookOut {
            client: Arc::downgrade(&self.client.inner),
            state: Arc::clone(&self.state),
            node: Arc::clone(node),
        };
        match tokio::runtime::Handle::try_current() {
            Ok(runtime) => {
                runtime.spawn(look_out.follow(first));
            }
            Err(_) => {
                self.with_account(node.id, |account| account.looking = false);
            }
        }
    }

    pub(crate) fn with_account<T>(
        &self,
        node: NodeId,
        change: impl FnOnce(&mut LeaseAccount) -> T,
    ) -> Option<T> {
        self.state.accounts.lock().get_mut(&node).map(change)
    }

    fn lacks(&self, node: NodeId) -> Option<u64> {
        self.with_account(node, |account| account.chain.lacks())?
    }

    async fn fill(&self, info: &Arc<NodeInfo>) -> Result<Filled, ClientError> {
        let Some(source) = RecordSource::of(&self.client, &self.view(), info) else {
            return Ok(Filled::default());
        };
        // what has come is on the disk before it is looked at
        self.client.receipts().flush().await?;
        self.take_kept(&source).await?;
        let Some(mut asked) = self.lacks(info.id) else {
            return Ok(Filled::default());
        };
        // one that takes too long hasn't shown it
        let shown = timeout(MAX_ASKING, self.ask_node(&source, &mut asked)).await;
        let mut junk = matches!(shown, Ok(Ok(Shown::Junk)));
        if let Ok(Err(error)) = &shown {
            junk = matches!(error, ClientError::Malformed { .. });
            let error = error as &dyn std::error::Error;
            tracing::debug!(error, node = %info.id, "records cannot be had");
        }
        // those who look at the disk find what has come
        self.client.receipts().flush().await?;
        self.leave_claimed(info.id).await;
        // what is lacking by now besides wasn't asked for. A node that can't be reached is no exception: it could be away just
        // when it is asked
        let lacks = self.with_account(info.id, |account| {
            let lacks = account.chain.lacks_still(asked).then_some(asked);
            account.unshown = lacks.or(account.unshown());
            lacks
        });
        let lacks = lacks.flatten();
        Ok(Filled { lacks, junk })
    }

    /// What is claimed by now is of no interest. A ledger that can't be asked has it looked at again.
    async fn leave_claimed(&self, node: NodeId) {
        if self.lacks(node).is_none() || self.read().await.is_err() {
            return;
        }
        let claimed = {
            let view = self.state.view.read();
            let claimed = |lease: &Lease| (claimed_to(lease), lease.claimed_units());
            view.lease(node).map(claimed)
        };
        if let Some((seq, units)) = claimed {
            self.with_account(node, |account| account.chain.claimed(seq, units));
        }
    }

    fn lacking(&self, source: &RecordSource) -> Option<Lacking> {
        let (_, node) = source.lease();
        let lacking = self.with_account(node, |account| account.chain.lacking())?;
        match lacking {
            Ok(lacking) => lacking,
            Err(error) => {
                self.keep_as_false(source, &error);
                self.with_account(node, |account| account.chain.lacking().ok().flatten())?
            }
        }
    }

    /// Takes what is kept, by whichever program.
    async fn take_kept(&self, source: &RecordSource) -> Result<(), ClientError> {
        let kept = Arc::clone(self.client.inner.store.kept());
        let mut before = None;
        loop {
            let Some(wanted) = self
                .lacking(source)
                .filter(|wanted| before != Some(*wanted))
            else {
                return Ok(());
            };
            before = Some(wanted);
            let between = (wanted.after, wanted.before);
            for row in kept.rows(source.lease(), between, READ_AT_ONCE)? {
                let (faulty, refused) = (
                    row.fault.is_some(),
                    kept.is_refused(row.key.stack, row.request)?,
                );
                let Some(record) = Record::of(row) else {
                    continue;
                };
                if refused && !faulty {
                    // another program took it for good
                    let _ = source.verify(&record);
                }
                // a bad answer may have a good record
                if refused || faulty && source.judge(&record).is_err() {
                    continue;
                }
                // what a lane began with counts those that are good
                let joined =
                    self.with_account(source.lease().1, |account| join(account, &record, !faulty));
                if let Some((_, Err(error))) = joined {
                    self.keep_as_false(source, &error);
                }
            }
            tokio::task::yield_now().await;
        }
    }

    /// Asks the node, page after page as long as something comes of it, up to the first record that isn't good. `lacks` becomes
    /// the first number that was lacking when it was asked last.
    async fn ask_node(&self, source: &RecordSource, lacks: &mut u64) -> Result<Shown, ClientError> {
        let (mut asked, mut before) = (0, None);
        while asked < MAX_ASKED {
            let Some(wanted) = self
                .lacking(source)
                .filter(|wanted| before != Some(*wanted))
            else {
                break;
            };
            before = Some(wanted);
            *lacks = self.lacks(source.lease().1).unwrap_or(*lacks);
            let page = source.after(wanted.after).await?;
            // what has come meanwhile is on the disk before these are held against it
            self.client.receipts().flush().await?;
            if self.join_page(source, &page).await == Shown::Junk {
                // that came in the place of what is lacking since
                *lacks = self.lacks(source.lease().1).unwrap_or(*lacks);
                return Ok(Shown::Junk);
            }
            asked += page.len();
        }
        Ok(Shown::Good)
    }

    /// Takes the records of a page into the account up to the first that isn't good: what its node shows behind that is of no
    /// use, however much it is.
    async fn join_page(&self, source: &RecordSource, page: &[Record]) -> Shown {
        for (place, record) in page.iter().enumerate() {
            if self.join(source, record) == Shown::Junk {
                return Shown::Junk;
            }
            if place % CHECKED_AT_ONCE == 0 {
                tokio::task::yield_now().await;
            }
        }
        Shown::Good
    }

    /// Takes a record that the node shows into the account. One for a request whose answer was lost settles it.
    fn join(&self, source: &RecordSource, record: &Record) -> Shown {
        let (_, node) = source.lease();
        let known = self.with_account(node, |account| account.chain.has(&record.receipt));
        if known != Some(false) {
            return Shown::Good;
        }
        let Ok(is_kept) = source.verify(record) else {
            return Shown::Junk;
        };
        let joined = self.with_account(node, |account| join(account, record, is_kept));
        let Some((fits, joined)) = joined else {
            return Shown::Good;
        };
        match joined {
            Ok(_) => {}
            Err(error) if fits => self.keep_as_false(source, &error),
            Err(error) => {
                source.keep(record, Some(&error));
                return Shown::Junk;
            }
        }
        source.keep(record, None);
        Shown::Good
    }

    /// A kept receipt named another history than there is, as has turned out: it isn't good any more.
    fn keep_as_false(&self, source: &RecordSource, error: &ReceiptError) {
        let (stack, node) = source.lease();
        tracing::warn!(%stack, %node, error = error as &dyn std::error::Error,
            "a receipt does not fit those before it");
        let ReceiptError::History { seq } = *error else {
            return;
        };
        let at = (seq.saturating_sub(1), seq.saturating_add(1));
        let kept = self.client.inner.store.kept();
        let rows = kept.rows((stack, node), at, READ_AT_ONCE);
        for record in rows.into_iter().flatten().filter_map(Record::of) {
            source.keep(&record, Some(error));
        }
    }
}

/// What came of looking for what was lacking.
#[derive(Default)]
struct Filled {
    /// The first number that was lacking, if it still is.
    lacks: Option<u64>,
    /// The node showed what isn't good.
    junk: bool,
}

/// What a node shows when it is asked for records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// All of it is good, or known.
    Good,
    /// Something isn't good.
    Junk,
}

/// Adds a record to the chain, and says whether it fits and is new: then it accounts for its request.
fn join(
    account: &mut LeaseAccount,
    record: &Record,
    is_kept: bool,
) -> (bool, Result<Joined, ReceiptError>) {
    let joined = account.chain.add(&record.receipt);
    let fits = match &joined {
        Ok(joined) => *joined == Joined::New,
        // it may show that a later one is false, and fit itself
        Err(ReceiptError::History { seq }) => *seq != record.receipt.message().seq,
        Err(_) => false,
    };
    if fits {
        account_for(account, record, is_kept);
    }
    (fits, joined)
}

/// A record accounts for its request: one that is open here, or of before a restart. What a lane began with counts those
/// that were kept as good.
fn account_for(account: &mut LeaseAccount, record: &Record, is_kept: bool) {
    let receipt = record.receipt.message();
    let (id, units) = (receipt.request_id, receipt.units);
    let lane = account.lanes.get_mut(&record.header.message().lane);
    let settled = lane.map(|lane| (lane.settle(id, units).is_ok(), lane));
    match settled {
        // its answer may still be on its way
        Some((true, _)) => account.never_came.charge_running(id, units),
        Some((false, lane)) => {
            if !is_kept {
                lane.explain(units, record.header.message().max_units);
            }
            account.never_came.charge(id, units);
        }
        None => account.never_came.charge(id, units),
    }
    account.settled();
}

/// Looks after a lease's gaps.
struct LookOut {
    client: Weak<ClientInner>,
    state: Arc<StackState>,
    node: Arc<NodeInfo>,
}

impl LookOut {
    async fn follow(self, first: Duration) {
        let mut pause = first;
        while let Some(seq) = self.begin() {
            sleep(pause).await;
            let Some(inner) = self.client.upgrade() else {
                return;
            };
            let handle = StackHandle {
                client: Client { inner },
                state: Arc::clone(&self.state),
            };
            let lacks_still = |account: &mut LeaseAccount| account.chain.lacks_still(seq);
            if handle.with_account(self.node.id, lacks_still) != Some(true) {
                // what is lacking now is so since a while at most
                pause = PATIENCE;
                continue;
            }
            pause = match handle.fill(&self.node).await {
                Ok(Filled { lacks: None, .. }) => PATIENCE,
                Ok(Filled {
                    lacks: Some(lacks),
                    junk,
                }) => {
                    tracing::warn!(node = %self.node.id, stack = %self.state.id, seq = lacks,
                        "a receipt is lacking, and its node does not show it: nothing more is signed");
                    match junk {
                        true => JUNK_PAUSE,
                        false => (pause * 2).clamp(PATIENCE, LONGEST_PAUSE),
                    }
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::warn!(error, "receipts that are lacking cannot be looked for");
                    (pause * 2).clamp(PATIENCE, LONGEST_PAUSE)
                }
            };
        }
    }

    /// The first number that is lacking, if the lease is still of interest; else the look-out ends.
    fn begin(&self) -> Option<u64> {
        let open = {
            let view = self.state.view.read();
            view.lease(self.node.id).is_some_and(|lease| !lease.closed)
        };
        let mut accounts = self.state.accounts.lock();
        let account = accounts.get_mut(&self.node.id)?;
        let lacks = account.chain.lacks().filter(|_| open);
        account.looking = lacks.is_some();
        lacks
    }
}
