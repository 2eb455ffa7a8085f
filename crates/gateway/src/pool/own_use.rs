//! Stacks from elsewhere: those that the client remembers from before a restart, and, where one user's own stacks pay,
//! those that are bought by hand meanwhile, whose units go before any new ones are paid.

use super::{
    LeaseError,
    purchasing::Purchasing,
    refill::Promises,
    stack_pool::StackPool,
    views::{has_for, lives},
};
use crate::catalog::Seller;
use atoma_client::{ClientError, StackHandle};
use atoma_types::{ComputeUnits, Price, StackId};

/// What a node's next answer takes of a user whose own stacks pay. The less the better: a stack on which the node has
/// room, then one that has units for it, then money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Takes {
    /// It has room on a stack.
    Nothing,
    /// A stack has units that nobody has yet.
    Grant,
    /// A stack must be topped up or bought, at this price.
    Payment(Price),
}

impl StackPool {
    /// What an answer of so many units by this seller would take, as last read. Where load is spread over nodes for
    /// many users, that is no matter: leases are refilled ahead.
    pub(super) fn takes(&self, seller: &Seller, units: ComputeUnits) -> Takes {
        if self.grants_ahead() || self.with_room(seller.node, units).is_some() {
            return Takes::Nothing;
        }
        let now = self.runtime().now();
        let stacks = self.stacks.lock();
        let mut living = stacks.iter().filter(|stack| lives(stack, now));
        match living.any(|stack| has_for(&stack.view(), stack.room(seller.node), seller, units)) {
            true => Takes::Grant,
            false => Takes::Payment(seller.price),
        }
    }

    /// Whether nodes get their next units before their leases are dry. Where one user's own stacks pay, nothing is paid
    /// ahead.
    pub(super) fn grants_ahead(&self) -> bool {
        self.context.exclusive
    }

    /// Whether a stack was paid from the budget: one that was bought by hand isn't closed by the gateway.
    pub(super) fn is_ours(&self, id: StackId) -> bool {
        self.context.exclusive || self.context.budgets.has(id)
    }

    /// Takes over what was bought by hand meanwhile, unless a purchase is under way: that one has done so.
    pub(super) async fn look_again(&self) {
        if let Ok(mut purchases) = self.purchases.try_lock()
            && let Err(error) = self.adopt(&mut purchases).await
        {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "cannot read which stacks there are");
        }
    }

    /// After a restart: takes over the stacks that the client remembers, those that were bought by hand as
    /// well. Where the user's own stacks pay, more may have been bought since.
    pub(super) async fn adopt(&self, purchases: &mut Purchasing) -> Result<(), LeaseError> {
        let client = &self.context.client;
        if !purchases.adopted {
            for stack in client.stacks().await? {
                purchases.seen.insert(stack.id());
                self.take_over(stack, &mut purchases.promises);
            }
            purchases.adopted = true;
            return Ok(());
        }
        if self.grants_ahead() {
            return Ok(());
        }
        for id in client.remembered_stacks()? {
            if purchases.seen.contains(&id) {
                continue;
            }
            match client.open(id).await {
                Ok(stack) => self.take_over(stack, &mut purchases.promises),
                // another wallet's, which may use the same folder
                Err(ClientError::NotOurs { .. }) => {}
                Err(error) => return Err(error.into()),
            }
            purchases.seen.insert(id);
        }
        Ok(())
    }

    /// Takes over a stack that was not bought here, if it is one of this task and there is anything left of it.
    fn take_over(&self, stack: StackHandle, promises: &mut Promises) {
        let view = stack.view();
        if view.task != self.task || stack.is_closed() {
            return;
        }
        let granted = view.leases.iter().map(|lease| (lease.node, lease.units));
        promises.adopt(stack.id(), granted);
        if lives(&stack, self.runtime().now()) {
            self.stacks.lock().push(stack);
        } else {
            self.retired.lock().push(stack);
        }
    }
}
