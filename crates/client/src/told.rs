//! Who is told the receipt of a request.

use crate::VerifiedReceipt;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Where a receipt is told.
pub(crate) type ReceiptWatcher = oneshot::Sender<Arc<VerifiedReceipt>>;

/// Those who wait for a receipt. Once it is dropped they learn that there is none.
pub(crate) struct Told {
    done: Option<ReceiptWatcher>,
    watcher: Option<ReceiptWatcher>,
}

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

    /// It is here.
    pub(crate) fn tell(&mut self, verified: VerifiedReceipt) -> Arc<VerifiedReceipt> {
        let verified = Arc::new(verified);
        // who doesn't wait for it has dropped its end
        for told in [self.done.take(), self.watcher.take()]
            .into_iter()
            .flatten()
        {
            let _ = told.send(Arc::clone(&verified));
        }
        verified
    }
}
