//! The stacks of one task: bought, topped up, granted and closed within the gateway's budget. What
//! is done for a node and in which order, [`Refill`] decides.

use super::{
    LeaseError, PoolContext,
    affordable::affordable,
    error::paid_nothing,
    knock::knock,
    looks::{Pace, Turn},
    purchasing::Purchasing,
    refill::{Command, Event, NodesLease, Payment, PlannedGrant, Reading, Refill},
    views::{costs, is_over, lives, may_serve, room},
};
use crate::{budget::Amount, catalog::Offer, metrics::Reading as Why, purchase::Purchase};
use atoma_client::{BuyRequest, ClientError, CloseUntil, StackHandle};
use atoma_ledger::{required_escrow, top_up_payment};
use atoma_runtime::Runtime;
use atoma_types::{ComputeUnits, MicroUsdc, NodeId, StackId, TaskId, chain::Stack};
use parking_lot::Mutex;
use std::time::Duration;

/// The budget is short, and stacks are read for what has come back: at most this often. What comes back
/// comes when a node settles, hours apart; a hundred stacks are then read at fifty a second, however
/// many requests ask.
const RECLAIM_PAUSE: Duration = Duration::from_secs(2);
/// A stack's credit is withdrawn once it is so much: ten times the gas.
const LEAST_WITHDRAWAL: MicroUsdc = MicroUsdc(100_000);
/// Nodes settle a closed stack at once; those that don't are looked at again.
const CLOSE_PATIENCE: Duration = Duration::from_secs(60);
/// A node says that a stack is over, and it is looked at: at most this often for each node and stack. In
/// between its word is held against what that look has seen.
const LOOK_PAUSE: Duration = Duration::from_secs(1);

#[derive(Debug)]
pub(super) struct StackPool {
    pub(super) task: TaskId,
    pub(super) context: PoolContext,
    /// Stacks in use, the newest last.
    pub(super) stacks: Mutex<Vec<StackHandle>>,
    /// Stacks that wait to be closed.
    pub(super) retired: Mutex<Vec<StackHandle>>,
    /// When all were read because the budget was short.
    reclaims: Mutex<Pace<()>>,
    /// When a node's word about a stack was last held against the ledger.
    looks: Mutex<Pace<(StackId, NodeId)>>,
    /// One purchase at a time; with it, what is promised to nodes.
    pub(super) purchases: tokio::sync::Mutex<Purchasing>,
}

impl StackPool {
    pub(super) fn new(task: TaskId, context: PoolContext) -> Self {
        Self {
            task,
            context,
            stacks: Mutex::default(),
            retired: Mutex::default(),
            reclaims: Mutex::new(Pace::new(RECLAIM_PAUSE)),
            looks: Mutex::new(Pace::new(LOOK_PAUSE)),
            purchases: tokio::sync::Mutex::default(),
        }
    }

    /// What the pool's client runs on.
    pub(super) fn runtime(&self) -> &Runtime {
        self.context.client.runtime()
    }

    /// Whether anything is signed for the node.
    pub(super) fn trusts(&self, node: NodeId) -> bool {
        self.context.client.distrusted(node).is_none()
    }

    /// A stack on which the node has room. The hot path: no await, no ledger.
    pub(super) fn with_room(&self, node: NodeId, units: ComputeUnits) -> Option<StackHandle> {
        let until = self.runtime().now();
        let stacks = self.stacks.lock();
        let found = stacks
            .iter()
            .find(|stack| lives(stack, until) && room(stack, node) >= units);
        found.cloned()
    }

    /// A stack of ours on which nothing is signed for the node any more.
    pub(super) fn unsigned(&self, node: NodeId) -> Option<StackHandle> {
        let stacks = self.stacks.lock();
        let mut unsigned = stacks.iter().filter(|stack| !stack.signs_for(node));
        unsigned.find(|stack| self.is_ours(stack.id())).cloned()
    }

    /// The most room that the node has on one stack.
    pub(super) fn room(&self, node: NodeId) -> ComputeUnits {
        let stacks = self.stacks.lock();
        let rooms = stacks.iter().map(|stack| room(stack, node));
        rooms.max().unwrap_or_default()
    }

    /// Takes a stack out of use.
    pub(super) fn retire(&self, id: StackId) {
        let mut stacks = self.stacks.lock();
        if let Some(place) = stacks.iter().position(|stack| stack.id() == id) {
            self.retired.lock().push(stacks.remove(place));
        }
    }

    /// Takes out of use what is about to end, and hands over what can be closed.
    pub(super) fn ended(&self) -> Vec<StackHandle> {
        let now = self.runtime().now();
        let ended: Vec<StackId> = {
            let stacks = self.stacks.lock();
            let ended = stacks.iter().filter(|stack| !lives(stack, now));
            ended.map(StackHandle::id).collect()
        };
        ended.into_iter().for_each(|id| self.retire(id));
        // requests admitted to a retired stack may still run; they end before it does, or with its leases
        let mut retired = self.retired.lock();
        let (over, waiting) = retired
            .drain(..)
            .partition(|stack| stack.expires_at() <= now || stack.nodes().is_empty());
        *retired = waiting;
        over
    }

    /// Brings the charges in step with the ledger: what has come back of stacks goes back into the budget.
    pub(super) async fn balance(&self) {
        self.read_all(Why::Tending).await;
    }

    async fn read_all(&self, why: Why) {
        let mut stacks = self.stacks.lock().clone();
        stacks.extend(self.retired.lock().iter().cloned());
        for stack in stacks {
            match self.read(&stack, why).await {
                Ok(view) => {
                    self.correct(&view);
                    // what is free pays for the next stacks
                    if view.free >= LEAST_WITHDRAWAL
                        && let Err(error) = stack.withdraw().await
                    {
                        let error = &error as &dyn std::error::Error;
                        tracing::debug!(error, stack = %stack.id(), "cannot withdraw");
                    }
                }
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::debug!(error, stack = %stack.id(), "cannot read a stack");
                }
            }
        }
    }

    async fn read(&self, stack: &StackHandle, why: Why) -> Result<Stack, ClientError> {
        self.context.metrics.stack_read(why);
        stack.refresh().await
    }

    fn correct(&self, view: &Stack) {
        let over = is_over(view);
        let bought = MicroUsdc(costs(view).0.saturating_add(view.free.0));
        let bought = Some(bought).filter(|_| self.context.exclusive && !over);
        let account = &self.context.account;
        let budgets = &self.context.budgets;
        budgets.correct(account, view.id, costs(view), bought);
        if over {
            budgets.forget(view.id);
        }
    }

    /// Takes back at once what stacks hold that no node has a lease on any more.
    async fn reclaim(&self) {
        let now = self.runtime().clock.instant();
        if !self.reclaims.lock().may_look((), now) {
            return;
        }
        self.read_all(Why::ShortBudget).await;
        let idle = |stack: &&StackHandle| self.is_idle(&stack.view());
        let idle: Vec<StackHandle> = self.stacks.lock().iter().filter(idle).cloned().collect();
        for stack in idle {
            self.retire(stack.id());
            self.end(&stack).await;
        }
    }

    /// Begins to close a stack that is out of use, whoever has a lease on it: they settle, and its money comes back.
    pub(super) async fn end(&self, stack: &StackHandle) {
        if let Err(error) = stack.begin_close().await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, stack = %stack.id(), "cannot begin to close a stack");
        } else if let Ok(view) = self.read(stack, Why::ShortBudget).await {
            self.correct(&view);
        }
    }

    /// Makes room for the node: on a stack it can use, topped up if need be, or on a new one.
    pub(super) async fn refill(
        &self,
        offer: &Offer,
        node: NodeId,
        units: ComputeUnits,
    ) -> Result<StackHandle, LeaseError> {
        let mut purchases = self.purchases.lock().await;
        self.adopt(&mut purchases).await?;
        if let Some(stack) = self.with_room(node, units) {
            return Ok(stack);
        }
        let mut stacks = self.stacks.lock().clone();
        // the nodes of the others were drawn when they were bought: nothing of them can be granted to this one
        let open = stacks.iter().filter(|stack| may_serve(&stack.view(), node));
        let ids: Vec<StackId> = open.map(StackHandle::id).collect();
        let thrifty = !self.grants_ahead();
        let mut refill = Refill::new(node, units, &offer.policy, thrifty, ids.into_iter());
        let mut command = refill.begin();
        let mut least = MicroUsdc(u64::MAX);
        loop {
            let event = match command {
                Command::Read(id) => {
                    let stack = found(&stacks, id);
                    self.read(stack, Why::Granting).await?;
                    Event::Read(self.reading(stack, offer, node))
                }
                Command::Retire(id) => {
                    self.retire(id);
                    Event::Retired
                }
                Command::Knock(payment) => {
                    let seller = offer.seller(node).ok_or(LeaseError::NotSelling)?;
                    knock(seller, self.context.reach).await?;
                    Event::Answered(payment)
                }
                Command::Pay(payment) => {
                    let known = (&mut stacks, &mut *purchases);
                    let paid = self.paid(payment, (offer, node, units), known).await;
                    match (paid, refill.instead_of(payment)) {
                        (Err(LeaseError::Budget { needed, .. }), Some(less)) => {
                            least = least.min(needed);
                            command = Command::Pay(less);
                            continue;
                        }
                        (Err(LeaseError::Budget { needed, left }), None) => {
                            let needed = least.min(needed);
                            return Err(LeaseError::Budget { needed, left });
                        }
                        (paid, _) => paid?,
                    }
                }
                Command::Grant(grant) => {
                    // others may buy and grant while this node takes its grant to the ledger
                    drop(purchases);
                    return granted(found(&stacks, grant.stack), node, grant, units).await;
                }
                Command::Use(stack) => return Ok(found(&stacks, stack).clone()),
            };
            command = refill.step(event, &mut purchases.promises);
        }
    }

    /// Pays for a node that lacks so many units. A new stack is known from then on.
    async fn paid(
        &self,
        payment: Payment,
        (offer, node, units): (&Offer, NodeId, ComputeUnits),
        (stacks, purchases): (&mut Vec<StackHandle>, &mut Purchasing),
    ) -> Result<Event, LeaseError> {
        match payment {
            Payment::Stack(wanted) => {
                let stack = self.buy(offer, node, [units, wanted]).await?;
                purchases.seen.insert(stack.id());
                let event = Event::Bought(self.reading(&stack, offer, node));
                stacks.push(stack);
                Ok(event)
            }
            Payment::TopUp(units, grant) => {
                self.top_up(found(stacks, grant.stack), units).await?;
                Ok(Event::ToppedUp(grant))
            }
        }
    }

    /// Buys a stack for a node: so many units, `least` at least. Where one user's own stacks pay and little is left, as
    /// many as that pays for, at the node's own price.
    async fn buy(
        &self,
        offer: &Offer,
        node: NodeId,
        [least, wanted]: [ComputeUnits; 2],
    ) -> Result<StackHandle, LeaseError> {
        let seller = offer.seller(node).ok_or(LeaseError::NotSelling)?;
        let (units, max_price) = match self.grants_ahead() {
            true => (wanted, offer.max_price),
            false => affordable(
                self.context.account.left(),
                [least, wanted],
                [seller.price, offer.max_price],
            ),
        };
        let escrow = required_escrow(units, max_price);
        let request = BuyRequest {
            task: self.task,
            units,
            max_price: Some(max_price),
            nodes: 0,
            lifetime: offer.policy.lifetime,
        };
        let escrow = escrow.ok_or(ClientError::Overflow)?;
        let stack = self.pay(escrow, self.context.client.buy(request)).await?;
        self.context.budgets.charge(stack.id(), escrow);
        self.context.metrics.bought(escrow);
        tracing::info!(stack = %stack.id(), model = offer.model, %units, %escrow, "bought a stack");
        self.context.tell(Purchase {
            stack: stack.id(),
            top_up: false,
            model: offer.model.clone(),
            units,
            paid: escrow,
            max_price,
        });
        self.stacks.lock().push(stack.clone());
        Ok(stack)
    }

    async fn top_up(&self, stack: &StackHandle, units: ComputeUnits) -> Result<(), LeaseError> {
        let payment = top_up_payment(&stack.view(), units).ok_or(ClientError::Overflow)?;
        self.pay(payment, stack.top_up(units)).await?;
        self.context.budgets.charge(stack.id(), payment);
        self.context.metrics.topped_up(payment);
        tracing::info!(stack = %stack.id(), %units, %payment, "topped up a stack");
        self.context.tell(Purchase {
            stack: stack.id(),
            top_up: true,
            model: stack.task().model_name.clone(),
            units,
            paid: payment,
            max_price: stack.view().max_price,
        });
        Ok(())
    }

    /// Pays within the budget. It is written down first: a crash in between leaves the budget
    /// smaller than it could be, never larger.
    async fn pay<T>(
        &self,
        amount: MicroUsdc,
        payment: impl Future<Output = Result<T, ClientError>>,
    ) -> Result<T, LeaseError> {
        let exact = Amount::from(amount);
        let account = &self.context.account;
        let hold = match account.reserve(exact) {
            Ok(hold) => hold,
            Err(_) => {
                // perhaps some has come back since
                self.reclaim().await;
                let hold = account.reserve(exact);
                hold.map_err(|_| LeaseError::Budget {
                    needed: amount,
                    left: account.left(),
                })?
            }
        };
        hold.settle(exact);
        self.context.budgets.flush().await;
        let paid = payment.await;
        if paid.as_ref().is_err_and(paid_nothing) {
            self.context.account.credit(exact);
        }
        Ok(paid?)
    }

    /// Ends a stack and takes back what is left of it.
    pub(super) async fn close(&self, stack: StackHandle) {
        let closed = stack.close_with(CloseUntil::Settled, CLOSE_PATIENCE, |_| {});
        match closed.await {
            Ok(closed) => {
                let view = self.read(&stack, Why::Closing).await;
                if let Ok(view) = &view {
                    self.correct(view);
                }
                // what waits for its window is looked at again
                if !view.is_ok_and(|view| is_over(&view)) {
                    self.put_back(stack.clone());
                }
                tracing::info!(stack = %stack.id(), withdrawn = %closed.withdrawn, "closed a stack");
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, stack = %stack.id(), "cannot close a stack yet");
                self.put_back(stack);
            }
        }
    }

    /// What the ledger last said about a stack, as far as it concerns this node.
    fn reading(&self, stack: &StackHandle, offer: &Offer, node: NodeId) -> Reading {
        let view = stack.view();
        let too_dear = offer.seller(node).is_some_and(|s| s.price > view.max_price);
        let ended = is_over(&view) || !lives(stack, self.runtime().now());
        Reading {
            stack: stack.id(),
            ended: ended || self.is_idle(&view),
            total_units: view.live_units(),
            lease: match view.lease(node) {
                // the ledger gives it none at its price
                None if too_dear => NodesLease::Final,
                None => NodesLease::None,
                // nothing more is signed for it there
                Some(_) if !stack.signs_for(node) => NodesLease::Final,
                Some(lease) if !lease.closed => NodesLease::Open(lease.units),
                Some(_) => NodesLease::Final,
            },
            room: room(stack, node),
        }
    }

    /// Whether every lease of a stack of ours is settled or closed: it holds money for nobody.
    fn is_idle(&self, view: &Stack) -> bool {
        self.is_ours(view.id) && !view.leases.is_empty() && view.open_leases().next().is_none()
    }

    /// What the ledger says of a stack and a node's lease in it, whatever the node says: now, or a moment ago
    /// if the node's word was looked into just then. Who comes while that look is under way waits for it: what
    /// was known before it would have the node called a liar.
    pub(super) async fn fate(&self, stack: &StackHandle, node: NodeId) -> Result<Fate, LeaseError> {
        let now = self.runtime().clock.instant();
        let turn = self.looks.lock().turn((stack.id(), node), now);
        let view = match turn {
            Turn::Look(mut seen) => {
                let view = self.read(stack, Why::NodesWord).await?;
                *seen = true;
                view
            }
            Turn::Share(seen) => {
                if !*seen.lock().await {
                    return Err(LeaseError::NotSeen);
                }
                stack.view()
            }
        };
        let open = view.lease(node).is_some_and(|lease| !lease.closed);
        Ok(if is_over(&view) || !lives(stack, self.runtime().now()) {
            Fate::Over
        } else if open {
            Fate::Open
        } else {
            Fate::Settled
        })
    }

    /// A stack that was not closed after all.
    pub(super) fn put_back(&self, stack: StackHandle) {
        self.retired.lock().push(stack);
    }

    /// Ends all stacks at once.
    pub(super) async fn close_all(&self) {
        if let Err(error) = self.adopt(&mut *self.purchases.lock().await).await {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(error, "cannot read which stacks there are");
        }
        let mut stacks = std::mem::take(&mut *self.stacks.lock());
        stacks.append(&mut self.retired.lock());
        futures::future::join_all(stacks.into_iter().map(|stack| self.close(stack))).await;
    }
}

/// What has become of a node's lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The node must serve on it.
    Open,
    /// The node has settled it, or has none; the stack goes on.
    Settled,
    /// The stack is closed, or about to expire.
    Over,
}

/// Grants what was planned, in steps, until the node has room for so many units.
async fn granted(
    stack: &StackHandle,
    node: NodeId,
    grant: PlannedGrant,
    units: ComputeUnits,
) -> Result<StackHandle, LeaseError> {
    let terms = stack.grant_in_steps(node, grant.more, units).await?;
    // its free collateral stands for no more; what another request took meanwhile is granted anew
    if terms.units < grant.total && stack.room(node) < units {
        return Err(LeaseError::TooLarge);
    }
    Ok(stack.clone())
}

/// The stack of a command.
///
/// # Panics
/// If it is none of these; a refill names only stacks that it was told of.
fn found(stacks: &[StackHandle], id: StackId) -> &StackHandle {
    let stack = stacks.iter().find(|stack| stack.id() == id);
    stack.expect("a refill names only stacks that it was told of")
}
