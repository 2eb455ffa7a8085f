//! Buying: stacks, more units for them, more time, and the way back for what isn't granted.

use crate::{Client, ClientError, StackHandle};
use atoma_ledger::{Executed, required_escrow, top_up_payment};
use atoma_types::{
    ComputeUnits, DurationMs, Price, StackId, TaskId,
    chain::{Clock, Event, Payment, Random, Selection, calls},
};

/// What to buy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BuyRequest {
    /// For which task.
    pub task: TaskId,
    /// How many units.
    pub units: ComputeUnits,
    /// No node may cost more; the difference to its price comes back.
    pub max_price: Price,
    /// Who may serve.
    pub selection: Selection,
    /// How long it lives.
    pub lifetime: DurationMs,
}

impl Client {
    /// Buys a stack. The escrow comes out of the wallet's USDC; an abort (nobody eligible, say)
    /// costs nothing.
    pub async fn buy(&self, order: BuyRequest) -> Result<StackHandle, ClientError> {
        let task = self.ledger().task(order.task).await?;
        let db = self.ledger().db().await?;
        let escrow = required_escrow(&task, &db, order.units, order.max_price);
        let (selection, nodes) = order.selection.into();
        let call = calls::AcquireStack {
            db: db.id.into(),
            task: order.task.into(),
            payment: Payment(escrow.ok_or(ClientError::Overflow)?),
            total_units: order.units,
            max_price: order.max_price,
            selection,
            nodes,
            request_key: self.request_key(),
            lifetime_ms: order.lifetime,
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
    /// Adds units, at the stack's highest price. Those of a `Single` stack go to its node.
    pub async fn top_up(&self, units: ComputeUnits) -> Result<(), ClientError> {
        let stack = self.refresh().await?;
        let payment = top_up_payment(&stack, units).ok_or(ClientError::Overflow)?;
        let call = calls::TopUp {
            stack: self.id().into(),
            task: stack.task.into(),
            payment: Payment(payment),
            units,
            clock: Clock,
        };
        self.execute(call).await
    }

    /// Lets it live longer.
    pub async fn extend(&self, by: DurationMs) -> Result<(), ClientError> {
        let call = calls::Extend {
            db: self.client.ledger().deployment().db.into(),
            stack: self.id().into(),
            by_ms: by,
            clock: Clock,
        };
        self.execute(call).await
    }

    /// Takes back the units that no node has.
    pub async fn revoke_ungranted(&self) -> Result<(), ClientError> {
        let stack = self.id().into();
        self.execute(calls::RevokeUngranted { stack }).await
    }

    pub(crate) async fn execute(
        &self,
        call: impl Into<atoma_types::chain::Call>,
    ) -> Result<(), ClientError> {
        let calls = vec![call.into()];
        self.client
            .ledger()
            .execute(self.client.key(), calls)
            .await?;
        self.refresh().await.map(|_| ())
    }
}
