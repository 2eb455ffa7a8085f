//! A stack in use: what the ledger says about it, and for each node the lanes and the chain of
//! receipts.

use crate::{
    Client, ClientError, NodeInfo,
    kept_chain::{claimed_to, restore},
    lane::{Cover, Lane, LaneError},
    records::lease_question,
    stack_state::{LeaseAccount, MAX_LATE, StackState},
    store::{KeptLane, LaneKey},
};
use atoma_evidence::chain::{Chain, MAX_LINKS};
use atoma_ledger::ReadError;
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, Price, PublicKey, RequestId, StackId, TimestampMs,
    chain::{Stack, Task},
    message::{Receipt, Signed},
};
use futures::future::BoxFuture;
use http::StatusCode;
use parking_lot::{Mutex, RwLock};
use serde::Deserialize;
use std::{fmt, sync::Arc};
use tokio::sync::Semaphore;

/// Receipts before the last that are read again at start for the history of those to come: a second's work. Further ones of a
/// lease that has more since its last claim are read in the background.
const MAX_HASHES: usize = 1 << 16;

/// A handle on a stack. Clones share its accounts.
#[derive(Clone)]
pub struct StackHandle {
    pub(crate) client: Client,
    pub(crate) state: Arc<StackState>,
}

/// A lease as the node has it.
#[derive(Debug, Deserialize)]
pub(crate) struct LeaseStatus {
    /// The requests that run, if the node says it.
    pub(crate) running: Option<Vec<RequestId>>,
    pub(crate) lanes: Vec<LaneStatus>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct LaneStatus {
    pub(crate) lane: u16,
}

impl Client {
    /// The stacks of this wallet that are remembered and not closed yet, in the order in which they came.
    ///
    /// # Errors
    ///
    /// If the ledger can't be asked, or the client's files can't be used.
    pub fn stacks(&self) -> BoxFuture<'_, Result<Vec<StackHandle>, ClientError>> {
        Box::pin(self.open_stacks())
    }

    async fn open_stacks(&self) -> Result<Vec<StackHandle>, ClientError> {
        let mut open = Vec::new();
        for id in self.inner.store.kept().stacks()? {
            match self.open_as(id, false).await {
                Ok(handle) if handle.is_closed() => self.forget(id),
                Ok(handle) => open.push(handle),
                // another wallet's, which may use the same folder
                Err(ClientError::NotOurs { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(open)
    }

    /// The stacks that were bought or opened on this network and have not been seen closed, of any wallet, in the
    /// order in which they came. Another program that uses the same folder may have added some.
    ///
    /// # Errors
    ///
    /// If the client's files can't be read.
    pub fn remembered_stacks(&self) -> Result<Vec<StackId>, ClientError> {
        Ok(self.inner.store.kept().stacks()?)
    }

    /// The stacks that were bought or opened on this network and have been seen closed, of any wallet, in
    /// the order in which they came.
    ///
    /// # Errors
    ///
    /// If the client's files can't be read.
    pub fn closed_stacks(&self) -> Result<Vec<StackId>, ClientError> {
        Ok(self.inner.store.kept().closed_stacks()?)
    }

    /// Opens a stack of this wallet.
    ///
    /// # Errors
    ///
    /// If the ledger can't be asked or knows no such stack, the stack's requests are signed by
    /// another key than this wallet's, or the client's files can't be written.
    pub fn open(&self, id: StackId) -> BoxFuture<'_, Result<StackHandle, ClientError>> {
        Box::pin(self.open_as(id, false))
    }

    pub(crate) async fn open_as(
        &self,
        id: StackId,
        fresh: bool,
    ) -> Result<StackHandle, ClientError> {
        let known = self.inner.stacks.lock().get(&id).cloned();
        if let Some(state) = known {
            let handle = StackHandle {
                client: self.clone(),
                state,
            };
            handle.read().await?;
            return Ok(handle);
        }
        let stack = self.ledger().stack(id).await?;
        if stack.request_key != self.request_key() {
            return Err(ClientError::NotOurs { stack: id });
        }
        let task = self.ledger().task(stack.task).await?;
        self.inner.store.add_stack(id).await?;
        let mut stacks = self.inner.stacks.lock();
        let state = stacks.entry(id).or_insert_with(|| {
            Arc::new(StackState {
                id,
                task: Arc::new(task),
                view: RwLock::new(stack),
                accounts: Mutex::default(),
                fresh,
                late: Arc::new(Semaphore::new(MAX_LATE)),
            })
        });
        Ok(StackHandle {
            client: self.clone(),
            state: Arc::clone(state),
        })
    }
}

impl StackHandle {
    /// The stack's object on the ledger.
    #[must_use]
    pub fn id(&self) -> StackId {
        self.state.id
    }

    /// Its task, as when it was opened.
    #[must_use]
    pub fn task(&self) -> Arc<Task> {
        Arc::clone(&self.state.task)
    }

    /// The client it belongs to.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The stack, as last read.
    #[must_use]
    pub fn view(&self) -> Stack {
        self.state.view.read().clone()
    }

    /// Reads the stack from the ledger again.
    ///
    /// # Errors
    ///
    /// If the ledger can't be asked.
    pub fn refresh(&self) -> BoxFuture<'_, Result<Stack, ClientError>> {
        Box::pin(async move { Ok(self.read().await?) })
    }

    pub(crate) async fn read(&self) -> Result<Stack, ReadError> {
        let stack = self.client.ledger().stack(self.id()).await?;
        *self.state.view.write() = stack.clone();
        self.charge_owed();
        Ok(stack)
    }

    /// When it ends, as last read.
    #[must_use]
    pub fn expires_at(&self) -> TimestampMs {
        self.state.view.read().expires_at_ms
    }

    /// Units that the escrow is for, as last read: ungranted ones and those of open leases.
    #[must_use]
    pub fn live_units(&self) -> ComputeUnits {
        self.state.view.read().live_units()
    }

    /// Units that no node has, as last read.
    #[must_use]
    pub fn ungranted_units(&self) -> ComputeUnits {
        self.state.view.read().ungranted
    }

    /// Whether nothing more comes of it and the owner has its money, as last read.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let view = self.state.view.read();
        is_empty(&view) && view.free == MicroUsdc::ZERO
    }

    /// The nodes that have an open lease, as last read.
    #[must_use]
    pub fn nodes(&self) -> Vec<NodeId> {
        let view = self.state.view.read();
        view.open_leases().map(|lease| lease.node).collect()
    }

    /// The nodes that were drawn, as last read; if there are any, only they may take leases.
    #[must_use]
    pub fn candidates(&self) -> Vec<NodeId> {
        self.state.view.read().candidates.clone()
    }

    /// The key by which a node's receipts on this stack are checked, as last read: the lease's own, and of a
    /// node without a lease its present one.
    pub(crate) fn response_key(&self, node: &NodeInfo) -> PublicKey {
        let view = self.state.view.read();
        view.lease(node.id)
            .map_or(node.response_key, |lease| lease.key)
    }

    /// The price of a node's lease, open or not, as last read.
    #[must_use]
    pub fn price(&self, node: NodeId) -> Option<Price> {
        self.state.view.read().lease(node).map(|lease| lease.price)
    }

    /// Units of a node's open lease, as last read.
    #[must_use]
    pub fn leased(&self, node: NodeId) -> ComputeUnits {
        let view = self.state.view.read();
        let lease = view.lease(node).filter(|lease| !lease.closed);
        lease.map_or(ComputeUnits::ZERO, |lease| lease.units)
    }

    /// What is left of a node's lease when everything open costs its most.
    #[must_use]
    pub fn room(&self, node: NodeId) -> ComputeUnits {
        let leased = self.leased(node);
        let accounts = self.state.accounts.lock();
        let used = accounts
            .get(&node)
            .map_or(ComputeUnits::ZERO, LeaseAccount::used);
        leased.saturating_sub(used)
    }

    /// Whether requests are signed for a node on this stack: none are once too much is charged for answers that never
    /// came. What was kept of it before a restart is known from the first request on.
    #[must_use]
    pub fn signs_for(&self, node: NodeId) -> bool {
        let window = self.client.inner.config.window;
        let accounts = self.state.accounts.lock();
        let account = accounts.get(&node);
        account.is_none_or(|account| account.check_never_came(node, window).is_ok())
    }

    /// Loads what was kept of a node's lease before a restart, once. A stack that was used without
    /// leaving anything here gets a lane that the node doesn't know yet: nothing that the node
    /// says about the others can be checked.
    pub(crate) async fn prepare(&self, node: &Arc<NodeInfo>) -> Result<(), ClientError> {
        if self.state.accounts.lock().contains_key(&node.id) {
            return Ok(());
        }
        let store = &self.client.inner.store;
        let window = self.client.inner.config.window;
        let mut lanes = store.lanes(self.id(), node.id)?;
        let own_lane = match lanes.first() {
            Some(lane) => lane.lane,
            None => {
                let used = if self.state.fresh {
                    Vec::new()
                } else {
                    self.used_lanes(node).await
                };
                let lane = store.claim_own(self.id(), node.id, used).await?;
                lanes.push(lane);
                lane.lane
            }
        };
        let mut account = LeaseAccount {
            own_lane,
            never_came: store.kept().never_came(self.id(), node.id)?,
            ..LeaseAccount::default()
        };
        for kept in lanes {
            account.lanes.insert(kept.lane, restored(kept, window));
        }
        self.restore_chain(node.id, &mut account.chain)?;
        let lacks = account.chain.lacks().is_some();
        self.state.accounts.lock().entry(node.id).or_insert(account);
        if lacks {
            self.watch_old_gaps(node);
        }
        Ok(())
    }

    /// Puts the last receipts that were kept of a lease back, and what earlier ones there are in the last one's history.
    fn restore_chain(&self, node: NodeId, chain: &mut Chain) -> Result<(), ClientError> {
        let kept = self.client.inner.store.kept();
        if let Some(lease) = self.state.view.read().lease(node) {
            chain.claimed(claimed_to(lease), lease.claimed_units());
        }
        let mut receipts: Vec<Signed<Receipt>> = Vec::new();
        for bytes in kept.chain(self.id(), node, MAX_LINKS)? {
            let receipt = Signed::from_bytes(bytes);
            receipts.push(receipt.map_err(|e| ClientError::Damaged(e.into()))?);
        }
        if let (Some(first), Some(last)) = (receipts.first(), receipts.last()) {
            let (base, first) = (last.message().base, first.message().seq);
            if base.saturating_add(1) < first {
                let lease = (self.id(), node);
                chain.know(base, kept.hashes(lease, (base, first), MAX_HASHES)?);
            }
        }
        restore(chain, receipts)?;
        chain.kept(kept.charged(self.id(), node)?);
        Ok(())
    }

    /// The lanes that the node has seen. A node that can't be asked or knows nothing of the lease yet
    /// has seen none.
    async fn used_lanes(&self, node: &NodeInfo) -> Vec<u16> {
        match self.lease_status(node).await {
            Ok(status) => status.lanes.into_iter().map(|lane| lane.lane).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// Takes a lane that a request names, unless it is this program's already.
    pub(crate) async fn take_lane(&self, key: LaneKey) -> Result<(), ClientError> {
        let has = |account: &LeaseAccount| account.lanes.contains_key(&key.lane);
        if self.state.accounts.lock().get(&key.node).is_some_and(has) {
            return Ok(());
        }
        let kept = self.client.inner.store.claim_named(key).await?;
        let window = self.client.inner.config.window;
        let mut accounts = self.state.accounts.lock();
        let lanes = &mut accounts.entry(key.node).or_default().lanes;
        lanes
            .entry(key.lane)
            .or_insert_with(|| restored(kept, window));
        Ok(())
    }

    pub(crate) async fn lease_status(&self, node: &NodeInfo) -> Result<LeaseStatus, ClientError> {
        let question = lease_question(&self.client, self.id(), node, "")?;
        self.client.inner.http.ask(node, question).await
    }

    /// Whether the node isn't at a request: if it has no receipt for it either, it hasn't served it.
    pub(crate) async fn is_over(&self, node: &NodeInfo, id: RequestId) -> bool {
        match self.lease_status(node).await {
            // one that doesn't say it may be at it
            Ok(status) => status.running.is_some_and(|running| !running.contains(&id)),
            Err(ClientError::Refused { status, .. }) => status == StatusCode::NOT_FOUND,
            Err(_) => false,
        }
    }

    /// Opens a request in a lane, if the lease has room for it, and says which ceiling to sign, with what must be on the disk
    /// before that is sent.
    pub(crate) fn reserve(
        &self,
        key: LaneKey,
        (id, earned): (RequestId, bool),
        max: ComputeUnits,
        demanded: Option<ComputeUnits>,
    ) -> Result<Cover, ClientError> {
        self.client.check_trust(key.node)?;
        let leased = self.leased(key.node);
        let window = self.client.inner.config.window;
        let mut accounts = self.state.accounts.lock();
        let account = accounts.entry(key.node).or_default();
        if let Some(seq) = account.unshown() {
            let node = key.node;
            return Err(ClientError::Unshown { node, seq });
        }
        account.check_never_came(key.node, window)?;
        // here and not before: nothing else can be signed until this is
        if earned && !account.is_earned(key.lane, (max, demanded), window) {
            let node = key.node;
            return Err(ClientError::NotEarned { node, wanted: max });
        }
        let room = leased.saturating_sub(account.used());
        if max > room {
            return Err(ClientError::NoRoom { room, wanted: max });
        }
        let lane = account
            .lanes
            .entry(key.lane)
            .or_insert_with(|| Lane::new(window));
        lane.sign(id, max, demanded)?;
        Ok(lane.cover())
    }

    /// Changes a lane's account.
    pub(crate) fn with_lane<T>(
        &self,
        key: LaneKey,
        change: impl FnOnce(&mut Lane, &mut Chain) -> T,
    ) -> Result<T, LaneError> {
        let mut accounts = self.state.accounts.lock();
        let account = accounts.get_mut(&key.node).ok_or(LaneError::NotOpen)?;
        let lane = account.lanes.get_mut(&key.lane).ok_or(LaneError::NotOpen)?;
        Ok(change(lane, &mut account.chain))
    }

    /// The lane of requests that name none.
    pub(crate) fn own_lane(&self, node: NodeId) -> u16 {
        self.state
            .accounts
            .lock()
            .get(&node)
            .map_or(0, |account| account.own_lane)
    }
}

/// A lane as an earlier program has left it.
fn restored(kept: KeptLane, window: ComputeUnits) -> Lane {
    Lane::restore(kept.settled, kept.bound, window)
        .excusing(kept.excused)
        .granting(kept.granted)
}

/// Whether no node has units, and none can get any.
pub(crate) fn is_empty(stack: &Stack) -> bool {
    stack.live_units() == ComputeUnits::ZERO
}

impl fmt::Debug for StackHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackHandle")
            .field("id", &self.state.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_may_leave_out_what_runs() {
        let status: LeaseStatus = serde_json::from_str(r#"{"lanes":[{"lane":3}]}"#).unwrap();
        assert_eq!((status.running, status.lanes[0].lane), (None, 3));
    }
}
