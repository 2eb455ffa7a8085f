//! Watching on and on: each event about a watched stack has it looked at, and so has each deadline.

use super::{
    check::{AnswerCheck, Checks},
    decide::{MAX_FEES, WatchPolicy},
    looked::Looked,
    watcher::Watcher,
};
use crate::{Client, ClientError, lane::Lane};
use atoma_ledger::{EventStream, LedgerEvent};
use atoma_types::{
    ComputeUnits, MicroUsdc, StackId, TimestampMs,
    chain::{Stack, Ticket},
};
use futures::{StreamExt, future::BoxFuture};
use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep, sleep_until};

/// A stack with open tickets is looked at again after so long, whatever happens: others bring examinations about.
const LOOK_AGAIN: Duration = Duration::from_secs(600);
/// After the ledger couldn't be asked.
const RETRY: Duration = Duration::from_secs(5);
/// The ledger's clock may be so much behind a deadline that has just passed.
const AFTER_DEADLINE: Duration = Duration::from_millis(500);
/// No stack waits longer for nothing.
const NEVER: Duration = Duration::from_secs(24 * 3_600);

/// Which stacks are watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Watched {
    /// Those that the client remembers, new ones included.
    Remembered,
    /// These, whether the client remembers them or not.
    These(Vec<StackId>),
}

/// What is watched, and what may be done about it beside demands.
#[derive(Clone)]
pub struct WatchPlan {
    /// The stacks whose tickets are looked at.
    pub stacks: Watched,
    /// Bonds of challenges that may stand or be lost at once, of all stacks of the data folder; with none, nothing is
    /// challenged.
    pub max_bonds: MicroUsdc,
    /// Who looks at answers beside the client, which knows their bytes alone.
    pub check: Option<Arc<dyn AnswerCheck>>,
}

impl From<Watched> for WatchPlan {
    /// A plan that demands records and challenges nothing.
    fn from(stacks: Watched) -> Self {
        Self {
            stacks,
            max_bonds: MicroUsdc::ZERO,
            check: None,
        }
    }
}

impl Client {
    /// Watches settlements for ever, with this client's key and receipts: holds what nodes claim against what they
    /// gave, demands what isn't explained, challenges what is wrong where it may, and has convicted who can be. Each
    /// look is told. Ends when it is dropped.
    pub fn watch<'a>(
        &'a self,
        plan: impl Into<WatchPlan>,
        tell: impl FnMut(&Stack, &Looked) + Send + 'a,
    ) -> BoxFuture<'a, ()> {
        Box::pin(Run::new(self, plan.into(), Box::new(tell)).forever())
    }

    /// Looks once at each of the stacks, and does what is to be done now.
    ///
    /// # Errors
    ///
    /// If the ledger can't be asked, or the receipts can't be read.
    pub fn watch_once<'a>(
        &'a self,
        plan: impl Into<WatchPlan>,
        tell: impl FnMut(&Stack, &Looked) + Send + 'a,
    ) -> BoxFuture<'a, Result<(), ClientError>> {
        let plan = plan.into();
        Box::pin(async move {
            let mut run = Run::new(self, plan, Box::new(tell));
            for stack in run.all()? {
                run.look(stack).await?;
            }
            Ok(())
        })
    }

    /// How a stack is watched with the receipts that are here.
    fn watch_policy(
        &self,
        stack: &Stack,
        max_bonds: MicroUsdc,
    ) -> Result<WatchPolicy, ClientError> {
        let window = self.inner.config.window;
        // what was signed ahead, and as much again that a restart forgets
        let mut lost = window.saturating_add(window);
        let known = self.inner.stacks.lock().get(&stack.id).cloned();
        if let Some(state) = known {
            let accounts = state.accounts.lock();
            let lanes = accounts.values().flat_map(|account| account.lanes.values());
            let open = lanes.map(Lane::unconfirmed);
            lost = open.fold(lost, ComputeUnits::saturating_add);
        }
        Ok(WatchPolicy {
            lost,
            complete: self.receipts().has_any(stack.id)?,
            max_fees: MAX_FEES,
            max_bonds,
        })
    }
}

/// Who is told of each look.
type Tell<'a> = Box<dyn FnMut(&Stack, &Looked) + Send + 'a>;

struct Run<'a> {
    client: &'a Client,
    watcher: Watcher,
    plan: WatchPlan,
    checks: Checks,
    tell: Tell<'a>,
    /// When each stack is looked at next.
    looks: BTreeMap<StackId, Instant>,
    /// When all are looked at next, where events can't be followed.
    unheard: Instant,
}

impl<'a> Run<'a> {
    fn new(client: &'a Client, plan: WatchPlan, tell: Tell<'a>) -> Self {
        let ledger = client.ledger().clone();
        Self {
            watcher: Watcher::new(ledger, client.inner.key.clone(), client.receipts())
                .asking(client.clone()),
            client,
            plan,
            checks: Checks::default(),
            tell,
            looks: BTreeMap::new(),
            unheard: Instant::now(),
        }
    }

    fn all(&self) -> Result<Vec<StackId>, ClientError> {
        self.plan.stacks.all(self.client)
    }

    async fn forever(mut self) {
        loop {
            if let Err(error) = self.follow().await {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "settlements cannot be watched for a moment"
                );
                self.look_unheard().await;
            }
            sleep(RETRY).await;
        }
    }

    /// Where events don't come the stacks are looked at all the same, in their time: a window that passes unseen is paid.
    async fn look_unheard(&mut self) {
        let now = Instant::now();
        let due = if self.unheard <= now {
            self.unheard = now + LOOK_AGAIN;
            self.watcher.missed_events();
            self.all()
        } else {
            let due = self.looks.iter().filter(|(_, at)| **at <= now);
            Ok(due.map(|(stack, _)| *stack).collect())
        };
        for stack in due.unwrap_or_default() {
            if let Err(error) = self.look(stack).await {
                let error = &error as &dyn std::error::Error;
                tracing::warn!(error, %stack, "a stack cannot be looked at");
            }
        }
    }

    /// Looks at all, then at what happens, until the ledger can't be asked.
    async fn follow(&mut self) -> Result<(), ClientError> {
        // first the events, then the state: nothing falls between
        let mut events = self.client.ledger().subscribe().await?;
        self.watcher.missed_events();
        for stack in self.all()? {
            self.look(stack).await?;
        }
        loop {
            let next = self.looks.iter().min_by_key(|(_, at)| **at);
            let next = next.map(|(stack, at)| (*stack, *at));
            let until = next.map_or_else(|| Instant::now() + NEVER, |(_, at)| at);
            tokio::select! {
                biased;
                event = next_of(&mut events, self.client, &self.plan.stacks) => match event {
                    Some((stack, event)) => self.hear(stack, &event).await?,
                    None => return Ok(()),
                },
                () = sleep_until(until) => {
                    if let Some((stack, _)) = next {
                        self.look(stack).await?;
                    }
                }
            }
        }
    }

    async fn hear(&mut self, id: StackId, event: &LedgerEvent) -> Result<(), ClientError> {
        let stack = self.client.ledger().stack(id).await?;
        self.watcher.hear(&stack, event);
        self.look_at(&stack).await
    }

    async fn look(&mut self, id: StackId) -> Result<(), ClientError> {
        let stack = self.client.ledger().stack(id).await?;
        self.look_at(&stack).await
    }

    async fn look_at(&mut self, stack: &Stack) -> Result<(), ClientError> {
        // receipts that came with answers are on the disk before what they are about is settled
        self.client.receipts().flush().await?;
        let receipts = self.client.receipts();
        let more = match &self.plan.check {
            Some(check) => self.checks.run(&**check, stack, &receipts).await?,
            None => false,
        };
        let policy = self.client.watch_policy(stack, self.plan.max_bonds)?;
        let looked = self.watcher.look(stack, policy).await?;
        (self.tell)(stack, &looked);
        let mut tickets = stack.open_leases().flat_map(|lease| &lease.tickets);
        let wait = match more {
            true => Duration::ZERO,
            false => wait(&looked),
        };
        match tickets.next().map(|_: &Ticket| wait) {
            Some(wait) => self.looks.insert(stack.id, Instant::now() + wait),
            None => self.looks.remove(&stack.id),
        };
        Ok(())
    }
}

impl Watched {
    fn all(&self, client: &Client) -> Result<Vec<StackId>, ClientError> {
        match self {
            Self::Remembered => {
                let kept = client.inner.store.kept();
                let mut stacks = kept.stacks()?;
                // a stack may be closed before it is known how a challenge ended
                let open = kept.bonds()?.into_iter().filter(|bond| bond.back.is_none());
                for bond in open {
                    if !stacks.contains(&bond.stack) {
                        stacks.push(bond.stack);
                    }
                }
                Ok(stacks)
            }
            Self::These(stacks) => Ok(stacks.clone()),
        }
    }
}

/// The next event about a stack that is watched.
async fn next_of(
    events: &mut EventStream,
    client: &Client,
    watched: &Watched,
) -> Option<(StackId, LedgerEvent)> {
    // what can't be read now is found by the next look at all
    let is_watched = |stack: &StackId| watched.all(client).is_ok_and(|all| all.contains(stack));
    loop {
        match events.next().await? {
            Ok(event) => {
                let stack = Watcher::concerns(&event.event);
                if let Some(stack) = stack.filter(is_watched) {
                    return Some((stack, event));
                }
            }
            Err(error) => {
                let error = &error as &dyn std::error::Error;
                tracing::debug!(error, "an event could not be read");
            }
        }
    }
}

/// Until a stack with open tickets is looked at again.
fn wait(looked: &Looked) -> Duration {
    let until = |deadline: TimestampMs| {
        Duration::from_millis(deadline.0.saturating_sub(looked.now.0)) + AFTER_DEADLINE
    };
    looked.next.map_or(LOOK_AGAIN, until).min(LOOK_AGAIN)
}

impl fmt::Debug for WatchPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchPlan")
            .field("stacks", &self.stacks)
            .field("max_bonds", &self.max_bonds)
            .field("check", &self.check.is_some())
            .finish()
    }
}
