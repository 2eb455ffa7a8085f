//! The money of a request that a node has, until it is clear what the request costs.

use crate::{
    budget::{Amount, Hold},
    metrics::Metrics,
};
use atoma_client::{Ended, Owed, ReceiptWait, VerifiedReceipt};
use atoma_types::{ComputeUnits, MicroUsdc, Price};
use futures::FutureExt;
use std::sync::Arc;
use tokio::runtime::Handle;
use tracing::Instrument;

/// What of a lease may be signed for requests that came to nothing without anybody owing it: a cent, some ten times the gas of
/// having it back. A gateway for one's own stacks keeps nothing from itself.
const FREE: MicroUsdc = MicroUsdc(10_000);

/// Dropped, because the user has left or another node is tried, it waits for the receipt: whoever caused
/// work pays for it, and not the gateway. How many wait is bounded for each account by what it may hold at
/// once (`MAX_HOLDS`).
pub(crate) struct Unsettled {
    hold: Option<Hold>,
    receipt: Option<ReceiptWait>,
    price: Price,
    /// Units of the lease that nobody owes.
    free: ComputeUnits,
    metrics: Arc<Metrics>,
}

impl Unsettled {
    /// Of a try at a node that is paid this price; whether the stacks are those of whoever asks.
    pub(crate) fn new(
        hold: Option<Hold>,
        receipt: ReceiptWait,
        (price, own_use): (Price, bool),
        metrics: Arc<Metrics>,
    ) -> Self {
        let free = match own_use {
            true => ComputeUnits(u64::MAX),
            false => price.affords(FREE),
        };
        Self {
            hold,
            receipt: Some(receipt),
            price,
            free,
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
    /// sent or the node refused; elsewhere the node may have computed, and its receipt is waited for. What the node
    /// can claim though it has refused is owed until it can't any more.
    pub(crate) fn failed(mut self) -> Option<Hold> {
        let ended = self.receipt.as_mut()?.ended().now_or_never()?;
        self.receipt = None;
        match ended {
            Ended::Nothing => self.hold.take(),
            Ended::Refused(voucher) => match voucher.owed(self.free) {
                None => self.hold.take(),
                Some(owed) => {
                    if let Some(hold) = self.hold.take() {
                        tell_later(charge(hold, self.price, owed));
                    }
                    None
                }
            },
            Ended::Receipt(receipt) => {
                self.settle(&receipt);
                None
            }
        }
    }
}

impl Drop for Unsettled {
    fn drop(&mut self) {
        let (Some(hold), Some(mut receipt)) = (self.hold.take(), self.receipt.take()) else {
            return;
        };
        let (price, free) = (self.price, self.free);
        let metrics = Arc::clone(&self.metrics);
        tell_later(async move {
            match receipt.ended().await {
                Ended::Receipt(receipt) => pay(hold, price, &receipt, &metrics),
                // no valid receipt, no charge but for what is paid all the same
                Ended::Refused(voucher) => {
                    if let Some(owed) = voucher.owed(free) {
                        charge(hold, price, owed).await;
                    }
                }
                Ended::Nothing => {}
            }
        });
    }
}

/// Waits beside whatever else is done. Without a runtime the gateway is gone, too.
fn tell_later(waits: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = Handle::try_current() {
        runtime.spawn(waits.in_current_span());
    }
}

/// Pays what the node was paid for nothing, once that is clear.
async fn charge(hold: Hold, price: Price, owed: Owed) {
    let units = owed.await;
    if units > ComputeUnits::ZERO {
        tracing::warn!(%units, "a node was paid for what it had refused");
    }
    hold.settle(Amount::cost(price, units));
}

fn pay(hold: Hold, price: Price, receipt: &VerifiedReceipt, metrics: &Metrics) {
    metrics.units.inc_by(receipt.units.0);
    hold.settle(Amount::cost(price, receipt.units));
}
