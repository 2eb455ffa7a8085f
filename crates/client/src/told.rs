//! Who is told what became of a request.

use crate::{StackHandle, VerifiedReceipt, account::ClientInner, stack_state::StackState};
use atoma_types::{ComputeUnits, NodeId};
use std::{
    fmt,
    pin::Pin,
    sync::{Arc, Weak},
    task::{Context, Poll},
};
use tokio::sync::oneshot;

/// What became of a request, for who pays for somebody else.
#[derive(Debug)]
pub enum Ended {
    /// Its receipt is here.
    Receipt(Arc<VerifiedReceipt>),
    /// There is none; but what was signed for it stays good.
    Refused(Voucher),
    /// Nothing was ever sent.
    Nothing,
}

/// What was signed for a request of which there is no receipt.
pub struct Voucher {
    client: Weak<ClientInner>,
    state: Arc<StackState>,
    node: NodeId,
    most: ComputeUnits,
}

/// Resolves to what is charged for a request of which there is no receipt, once that is clear.
#[derive(Debug)]
pub struct Owed(oneshot::Receiver<ComputeUnits>);

/// Where it is told.
pub(crate) type ReceiptWatcher = oneshot::Sender<Ended>;

/// Those who wait for a receipt. Once it is dropped they learn that there is none.
pub(crate) struct Told {
    done: Option<ReceiptWatcher>,
    watcher: Option<ReceiptWatcher>,
}

// === impl Told ===

impl Told {
    /// Who has the answer, and wants to know what it cost.
    pub(crate) fn by(done: ReceiptWatcher) -> Self {
        Self {
            done: Some(done),
            watcher: None,
        }
    }

    /// Who pays for it, or holds somebody's money for it; even if the answer is dropped before it begins.
    pub(crate) fn also_by(&mut self, watcher: Option<ReceiptWatcher>) {
        self.watcher = watcher;
    }

    /// Its node says that there is none. Whoever only wants to know is told so; who pays for somebody else waits on, for
    /// there may be one all the same.
    pub(crate) fn none_for_now(&mut self) {
        self.done = None;
    }

    /// There will be none.
    pub(crate) fn refused(self, voucher: Voucher) {
        if let Some(watcher) = self.watcher {
            // who doesn't wait for it has dropped its end
            let _ = watcher.send(Ended::Refused(voucher));
        }
    }

    /// It is here.
    pub(crate) fn tell(&mut self, verified: VerifiedReceipt) -> Arc<VerifiedReceipt> {
        let verified = Arc::new(verified);
        // who doesn't wait for it has dropped its end
        for told in [self.done.take(), self.watcher.take()]
            .into_iter()
            .flatten()
        {
            let _ = told.send(Ended::Receipt(Arc::clone(&verified)));
        }
        verified
    }
}

// === impl Voucher ===

impl Voucher {
    /// Of a node's lease on a stack, for a request that may cost so much.
    pub(crate) fn of(stack: &StackHandle, node: NodeId, most: ComputeUnits) -> Self {
        Self {
            client: Arc::downgrade(&stack.client.inner),
            state: Arc::clone(&stack.state),
            node,
            most,
        }
    }

    /// What of it may still be charged to whoever asked: nothing, unless more is signed for the node than it has receipts for, by
    /// more than `free` and an eighth of what its lease has earned, and others don't owe that already.
    #[must_use]
    pub fn owed(self, free: ComputeUnits) -> Option<Owed> {
        let client = crate::Client {
            inner: self.client.upgrade()?,
        };
        let stack = StackHandle {
            client,
            state: self.state,
        };
        stack.owes(self.node, self.most, free).map(Owed)
    }
}

impl fmt::Debug for Voucher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Voucher")
            .field("node", &self.node)
            .field("most", &self.most)
            .finish_non_exhaustive()
    }
}

// === impl Owed ===

impl Future for Owed {
    type Output = ComputeUnits;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<ComputeUnits> {
        // nobody knows of it any more
        Pin::new(&mut self.0)
            .poll(cx)
            .map(Result::unwrap_or_default)
    }
}
