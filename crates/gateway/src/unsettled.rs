//! The money of a request that a node has, until it is clear what the request costs.

use crate::{
    budget::{Amount, Hold},
    metrics::Metrics,
};
use atoma_client::{ReceiptWait, VerifiedReceipt};
use atoma_types::Price;
use futures::FutureExt;
use std::sync::Arc;
use tokio::runtime::Handle;
use tracing::Instrument;

/// Dropped, because the user has left or another node is tried, it waits for the receipt: whoever caused
/// work pays for it, and not the gateway. How many wait is bounded for each account by what it may hold at
/// once (`MAX_HOLDS`).
pub(crate) struct Unsettled {
    hold: Option<Hold>,
    receipt: Option<ReceiptWait>,
    price: Price,
    metrics: Arc<Metrics>,
}

impl Unsettled {
    /// Of a try at a node that is paid this price.
    pub(crate) fn new(
        hold: Option<Hold>,
        receipt: ReceiptWait,
        price: Price,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            hold,
            receipt: Some(receipt),
            price,
            metrics,
        }
    }

    /// Settles by the receipt that came with the answer.
    pub(crate) fn settle(mut self, receipt: &VerifiedReceipt) {
        self.receipt = None;
        if let Some(hold) = self.hold.take() {
            pay(hold, self.price, receipt, &self.metrics);
        }
    }

    /// Settles by the receipt, whenever that comes.
    pub(crate) fn settle_later(self) {
        drop(self);
    }

    /// The try has brought no answer. Gives the hold back where there will be no receipt, because nothing was
    /// sent or the node refused; elsewhere the node may have computed, and its receipt is waited for.
    pub(crate) fn failed(mut self) -> Option<Hold> {
        match self.receipt.as_mut()?.now_or_never()? {
            None => {
                self.receipt = None;
                self.hold.take()
            }
            Some(receipt) => {
                self.settle(&receipt);
                None
            }
        }
    }
}

impl Drop for Unsettled {
    fn drop(&mut self) {
        let (Some(hold), Some(receipt)) = (self.hold.take(), self.receipt.take()) else {
            return;
        };
        let (price, metrics) = (self.price, Arc::clone(&self.metrics));
        let settling = async move {
            // no valid receipt, no charge
            if let Some(receipt) = receipt.await {
                pay(hold, price, &receipt, &metrics);
            }
        };
        // without a runtime the gateway is gone, too
        if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(settling.in_current_span());
        }
    }
}

fn pay(hold: Hold, price: Price, receipt: &VerifiedReceipt, metrics: &Metrics) {
    metrics.units.inc_by(receipt.units.0);
    hold.settle(Amount::cost(price, receipt.units));
}
