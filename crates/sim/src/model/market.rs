//! Tasks, offers and purchases.

use super::{
    Done, Ledger, Micro, Ms, NodeIx, Party, Stack, StackIx, Subscription, Task, TaskIx, attester,
    cost, ensure,
};
use atoma_contract::{
    draw,
    limits::{MAX_SUBSCRIPTIONS, MIN_POOL_FEES},
};
use atoma_types::chain::AbortCode;

/// What a buyer asks for, as [`Ledger::acquire`] takes it.
#[derive(Clone, Copy, Debug)]
pub struct Purchase {
    /// Who pays and then owns the stack.
    pub owner: Party,
    /// The task that the units are of.
    pub task: TaskIx,
    /// How many compute units are bought.
    pub units: u64,
    /// The highest price.
    pub max_price: u64,
    /// How many nodes are drawn; 0 for any.
    pub draw: usize,
    /// How long it lives.
    pub lifetime: Ms,
}

impl Ledger {
    /// Creates a task.
    pub fn create_task(&mut self, sampled: bool) -> TaskIx {
        self.tasks.push(Task {
            sampled,
            ..Task::default()
        });
        self.tasks.len() - 1
    }

    /// Adds to the pool that pays for examinations.
    pub fn fund(&mut self, task: TaskIx, amount: Micro) {
        self.tasks[task].dues += amount;
    }

    /// Subscribes a node.
    ///
    /// # Errors
    /// If it isn't active, or the task is full.
    pub fn subscribe(&mut self, now: Ms, task: TaskIx, node: NodeIx, price: u64) -> Done {
        ensure(self.nodes[node].active(now), AbortCode::NodeNotActive)?;
        let owner = self.nodes[node].owner;
        let task_ = &mut self.tasks[task];
        if let Some(subscription) = task_.entry(node) {
            subscription.price = price;
        } else {
            ensure(
                task_.subscriptions.len() < MAX_SUBSCRIPTIONS,
                AbortCode::SubscriptionsFull,
            )?;
            task_.subscriptions.push(Subscription {
                node,
                owner,
                price,
                matured: 0,
                reputation: 0,
                active: true,
                claimed: 0,
                attester: None,
            });
        }
        self.sync(now, task, node);
        Ok(())
    }

    /// Copies a node's standing into a task.
    pub fn sync(&mut self, now: Ms, task: TaskIx, node: NodeIx) {
        let live = self.nodes[node];
        if let Some(subscription) = self.tasks[task].entry(node) {
            subscription.matured = live.matured(now);
            subscription.reputation = live.reputation;
            subscription.active = live.active(now);
        }
    }

    /// Buys a stack; the owner pays [`cost`] of its units at the highest price.
    ///
    /// # Errors
    /// If nobody is there to serve or to examine.
    pub fn acquire(&mut self, now: Ms, buy: Purchase, seed: &[u8; 32]) -> Done<StackIx> {
        let escrow = cost(buy.units, buy.max_price);
        ensure(buy.units > 0, AbortCode::UnitsInvalid)?;
        ensure(escrow > 0, AbortCode::EscrowZero)?;
        let task = &self.tasks[buy.task];
        if task.sampled {
            self.ensure_examined(now, task, buy.owner)?;
        }
        let weights: Vec<u128> = task
            .subscriptions
            .iter()
            .map(|subscription| {
                let fits = subscription.active && subscription.price <= buy.max_price;
                u128::from(fits) * self.weight(subscription)
            })
            .collect();
        let someone = task
            .subscriptions
            .iter()
            .any(|subscription| subscription.active && subscription.price <= buy.max_price);
        ensure(someone, AbortCode::NobodyEligible)?;
        let places = draw::draw(seed, weights, buy.draw).ok_or(AbortCode::TooFewEligible)?;
        let candidates = places
            .into_iter()
            .map(|place| task.subscriptions[place].node)
            .collect();
        self.stacks.push(Stack {
            owner: buy.owner,
            task: buy.task,
            max_price: buy.max_price,
            ungranted: buy.units,
            candidates,
            escrow,
            bought: now,
            expires: now.saturating_add(buy.lifetime),
            ..Stack::default()
        });
        Ok(self.stacks.len() - 1)
    }

    /// What is sold as examined is examined.
    fn ensure_examined(&self, now: Ms, task: &Task, buyer: Party) -> Done {
        let params = &self.rules.params;
        let there = task
            .subscriptions
            .iter()
            .filter(|subscription| attests(subscription, now, params.examiner_fine, &[buyer]))
            .count() as u64;
        let pool = params.attest_fee.saturating_mul(MIN_POOL_FEES);
        ensure(
            there >= params.min_attesters && task.dues >= pool,
            AbortCode::NoExaminers,
        )
    }

    /// A node's weight in a draw of who serves.
    fn weight(&self, subscription: &Subscription) -> u128 {
        let weaker = &self.rules.weaker;
        if weaker.weight_by_head {
            return u128::from(subscription.reputation);
        }
        if weaker.weight_by_word {
            return u128::from(subscription.claimed) * u128::from(subscription.reputation);
        }
        subscription.weight()
    }
}

impl Task {
    pub(super) fn entry(&mut self, node: NodeIx) -> Option<&mut Subscription> {
        self.subscriptions
            .iter_mut()
            .find(|subscription| subscription.node == node)
    }
}

/// Whether a node can be drawn to examine for a stack that was bought at such a time, with this fine, for other owners than these.
pub(super) fn attests(subscription: &Subscription, bought: Ms, fine: Micro, but: &[Party]) -> bool {
    let able = subscription
        .attester
        .is_some_and(|promise| promise.since <= bought && attester::is_able(&promise, fine));
    able && subscription.active
        && subscription.matured > 0
        && subscription.reputation > 0
        && !but.contains(&subscription.owner)
}
