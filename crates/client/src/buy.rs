//! Buying: stacks, more units for them, more time, and the way back for what isn't granted.

use crate::{Client, ClientError, StackHandle, fair_price};
use atoma_ledger::{ExecuteError, Executed, required_escrow, top_up_payment};
use atoma_types::{
    Address, ComputeUnits, DurationMs, MicroUsdc, Price, StackId, TaskId,
    chain::{Call, Clock, Event, Payment, Random, calls},
};
use futures::future::BoxFuture;

/// A stack to be bought: prepaid units of one task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuyRequest {
    /// The task (a model under its rules) that the units are for.
    pub task: TaskId,
    /// How many units to buy.
    pub units: ComputeUnits,
    /// No node may cost more; the difference to its price comes back. Absent, it is the [fair price](crate::fair_price) of
    /// the task when it is bought.
    pub max_price: Option<Price>,
    /// How many nodes are drawn that may serve it, at most 16; 0 for any.
    pub nodes: u8,
    /// How long requests may be made on it.
    pub lifetime: DurationMs,
}

impl Client {
    /// Buys a stack. The escrow comes out of the wallet's USDC; an abort (nobody eligible, say)
    /// costs nothing.
    ///
    /// # Errors
    ///
    /// If the ledger can't be reached, aborts, or the escrow is out of bounds; or no price is named and no node sells the task
    /// now.
    pub fn buy(&self, request: BuyRequest) -> BoxFuture<'_, Result<StackHandle, ClientError>> {
        Box::pin(self.acquire(request))
    }

    /// The highest price that is signed for a task where none is named: that of [`fair_price`] by its offers now.
    ///
    /// # Errors
    ///
    /// If the ledger can't be asked, or no node sells the task now.
    pub fn fair_price(&self, task: TaskId) -> BoxFuture<'_, Result<Price, ClientError>> {
        Box::pin(self.price_of(task))
    }

    async fn price_of(&self, task: TaskId) -> Result<Price, ClientError> {
        let offers = self.offers(task).await?;
        fair_price::of(&offers).ok_or(ClientError::NotOnSale { task })
    }

    async fn acquire(&self, request: BuyRequest) -> Result<StackHandle, ClientError> {
        let max_price = match request.max_price {
            Some(price) => price,
            None => self.price_of(request.task).await?,
        };
        let escrow = required_escrow(request.units, max_price);
        let call = calls::AcquireStack {
            db: self.ledger().deployment().db.into(),
            task: request.task.into(),
            payment: Payment(escrow.ok_or(ClientError::Overflow)?),
            total_units: request.units,
            max_price,
            nodes: request.nodes,
            request_key: self.request_key(),
            lifetime_ms: request.lifetime,
            random: Random,
            clock: Clock,
        };
        let executed = self.ledger().execute(self.key(), vec![call.into()]).await?;
        self.open_as(acquired(&executed)?, true).await
    }
}

fn acquired(executed: &Executed) -> Result<StackId, ClientError> {
    let found = executed.events.iter().find_map(|event| match event {
        Event::StackAcquired(acquired) => Some(acquired.stack),
        _ => None,
    });
    found.ok_or(ClientError::MissingEvent("StackAcquired"))
}

impl StackHandle {
    /// Adds units, at the stack's highest price. They are nobody's until they are granted.
    ///
    /// # Errors
    ///
    /// If the ledger can't be reached or aborts (the stack has ended, or its task takes no more), or
    /// the payment is out of bounds.
    pub fn top_up(&self, units: ComputeUnits) -> BoxFuture<'_, Result<(), ClientError>> {
        Box::pin(self.add_units(units))
    }

    async fn add_units(&self, units: ComputeUnits) -> Result<(), ClientError> {
        // nothing is ordered before it is read
        let stack = self.read().await.map_err(ExecuteError::from)?;
        let payment = top_up_payment(&stack, units).ok_or(ClientError::Overflow)?;
        let call = calls::TopUp {
            stack: self.id().into(),
            task: stack.task.into(),
            payment: Payment(payment),
            units,
            clock: Clock,
        };
        self.execute(call.into()).await
    }

    /// Moves the stack's end so much later.
    ///
    /// # Errors
    ///
    /// If the ledger can't be reached or aborts.
    pub fn extend(&self, by: DurationMs) -> BoxFuture<'_, Result<(), ClientError>> {
        let call = calls::Extend {
            db: self.client.ledger().deployment().db.into(),
            stack: self.id().into(),
            by_ms: by,
            clock: Clock,
        };
        Box::pin(self.execute(call.into()))
    }

    /// Takes back the units that no node has; their part of the escrow becomes the owner's credit, and every
    /// grant given out before is void.
    ///
    /// # Errors
    ///
    /// If the ledger can't be reached or aborts.
    pub fn revoke_ungranted(&self) -> BoxFuture<'_, Result<(), ClientError>> {
        let call = calls::RevokeUngranted {
            stack: self.id().into(),
            clock: Clock,
        };
        Box::pin(self.execute(call.into()))
    }

    /// Names who else may demand records and challenge tickets; nobody, if absent.
    ///
    /// # Errors
    ///
    /// If the ledger can't be reached or aborts.
    pub fn set_watcher(&self, watcher: Option<Address>) -> BoxFuture<'_, Result<(), ClientError>> {
        let stack = self.id().into();
        Box::pin(self.execute(calls::SetWatcher { stack, watcher }.into()))
    }

    /// Pays the owner's whole credit out to the wallet; what it was, nothing if there is none.
    ///
    /// # Errors
    ///
    /// If the ledger can't be reached or aborts.
    pub fn withdraw(&self) -> BoxFuture<'_, Result<MicroUsdc, ClientError>> {
        self.withdraw_to(self.client.address())
    }

    /// The same to another address, as for an owner whose own is frozen.
    ///
    /// # Errors
    ///
    /// If the ledger can't be reached or aborts.
    pub fn withdraw_to(&self, to: Address) -> BoxFuture<'_, Result<MicroUsdc, ClientError>> {
        Box::pin(async move {
            let free = self.read().await?.free;
            if free > MicroUsdc::ZERO {
                let call = calls::WithdrawFree {
                    stack: self.id().into(),
                    to,
                };
                self.execute(call.into()).await?;
            }
            Ok(free)
        })
    }

    pub(crate) async fn execute(&self, call: Call) -> Result<(), ClientError> {
        let (ledger, key) = (self.client.ledger(), self.client.key());
        ledger.execute(key, vec![call]).await?;
        self.read().await?;
        Ok(())
    }
}
