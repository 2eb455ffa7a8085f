//! What must hold after every transaction, whatever anyone called. Tests check it after each random
//! call; localnet may as a debug check.

use crate::{
    Changes, Object, State,
    limits::{
        MAX_DISPUTES, MAX_EPOCHS_AHEAD, MAX_LEASES, MAX_REPUTATION, MAX_SHARES, MAX_SUBSCRIPTIONS,
    },
    treasury,
};
use atoma_types::{
    MicroUsdc, NodeId, TaskId,
    chain::{
        AtomaDb, Blob, Dispute, Lease, LeaseState, Node, NodeStatus, Selection, Stack,
        Subscription, SubscriptionState, Table, Task, Ticket, WalrusSystem,
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// A rule that doesn't hold, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{object}: {broken}")]
pub struct Violation {
    object: String,
    broken: &'static str,
}

/// Money that went in and came out over many transactions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// The sum of all payments so far, in micro-USDC.
    pub paid_in: u128,
    /// The sum of all payouts so far, in micro-USDC.
    pub paid_out: u128,
}

impl Flow {
    /// Adds what a transaction moved.
    pub fn record(&mut self, changes: &Changes) {
        self.paid_in += u128::from(changes.paid_in.0);
        let out = changes.payouts.iter().map(|payout| payout.amount.0);
        self.paid_out += out.map(u128::from).sum::<u128>();
    }

    /// Conservation: what went in and hasn't come out is held, to the micro.
    ///
    /// # Errors
    /// The first rule that does not hold.
    pub fn check(&self, state: &State) -> Result<(), Violation> {
        let sums = self.paid_out.checked_add(held(state));
        must(
            sums == Some(self.paid_in),
            &"money",
            "payments equal payouts and balances",
        )
    }
}

/// All money that the package holds.
#[must_use]
pub fn held(state: &State) -> u128 {
    let balances = state.iter().map(|(object, _)| match object {
        Object::Db(db) => db.communal_treasury,
        Object::Node(node) => node.collateral,
        Object::Task(task) => task.fees,
        Object::Stack(stack) => stack.escrow,
        Object::AdminCap(_)
        | Object::Entry(_)
        | Object::Blob(_)
        | Object::WalrusSystem(_)
        | Object::WalrusCap(_) => MicroUsdc::ZERO,
    });
    let stakes = state.iter().filter_map(|(object, _)| match object {
        Object::Stack(stack) => Some(stack),
        _ => None,
    });
    let stakes = stakes.flat_map(disputes).map(|dispute| dispute.bond);
    balances
        .chain(stakes)
        .map(|balance| u128::from(balance.0))
        .sum()
}

fn disputes(stack: &Stack) -> impl Iterator<Item = &Dispute> {
    stack.leases.iter().flat_map(|lease| match &lease.state {
        LeaseState::Settling(ticket) => ticket.disputes.as_slice(),
        LeaseState::Open | LeaseState::Closed { .. } => &[],
    })
}

/// Checks every object and how they fit together.
///
/// # Errors
/// The first rule that does not hold.
pub fn check(state: &State) -> Result<(), Violation> {
    let index = Index::new(state);
    for stack in &index.stacks {
        check_stack(stack)?;
        index.check_leases(stack)?;
    }
    for task in index.tasks.values() {
        check_task(task)?;
        for subscription in &task.subscriptions {
            index.check_subscription(task, subscription)?;
        }
    }
    for node in index.nodes.values() {
        index.check_node(node)?;
    }
    for blob in &index.blobs {
        must(
            index.walrus.is_some_and(|system| fits(blob, system)),
            &blob.id,
            "a blob's epochs follow each other",
        )?;
    }
    for db in &index.dbs {
        check_book(db)?;
        index.check_tables(db)?;
    }
    Ok(())
}

fn must(holds: bool, object: &dyn std::fmt::Debug, broken: &'static str) -> Result<(), Violation> {
    if holds {
        return Ok(());
    }
    Err(Violation {
        object: format!("{object:?}"),
        broken,
    })
}

fn is_closed(state: &LeaseState) -> bool {
    matches!(state, LeaseState::Closed { .. })
}

/// A stack by itself.
fn check_stack(stack: &Stack) -> Result<(), Violation> {
    let id = &stack.id;
    let granted: u128 = stack.leases.iter().map(|l| u128::from(l.units.0)).sum();
    let closed: u128 = stack
        .leases
        .iter()
        .filter(|lease| is_closed(&lease.state))
        .map(|lease| u128::from(lease.units.0))
        .sum();
    let total = u128::from(stack.total_units.0);
    must(granted <= total, id, "leases never exceed the stack")?;
    must(
        closed == u128::from(stack.closed_units.0),
        id,
        "closed units are those of closed leases",
    )?;
    let open = stack.total_units.checked_sub(stack.closed_units);
    let needed = open.and_then(|open| stack.max_price.escrow(open, stack.surcharge_permille));
    must(
        needed == Some(stack.escrow),
        id,
        "the escrow is what the open units need",
    )?;
    must(
        stack.closed == (open.is_some_and(|open| open.0 == 0)),
        id,
        "a stack is closed exactly when nothing is open",
    )?;
    must(stack.leases.len() <= MAX_LEASES, id, "leases are few")?;
    let nodes: BTreeSet<_> = stack.leases.iter().map(|lease| lease.node).collect();
    must(
        nodes.len() == stack.leases.len(),
        id,
        "a node has one lease",
    )?;
    let candidates: BTreeSet<_> = stack.candidates.iter().copied().collect();
    let drawn = match stack.selection {
        Selection::Single => 1,
        Selection::Limited { nodes } => usize::from(nodes),
        Selection::Any => 0,
    };
    must(
        candidates.len() == drawn && stack.candidates.len() == drawn,
        id,
        "candidates are distinct and as many as asked",
    )?;
    must(
        drawn == 0 || nodes.is_subset(&candidates),
        id,
        "only candidates hold leases",
    )?;
    must(
        stack.selection != Selection::Single || granted == total,
        id,
        "a single stack's node has all units",
    )?;
    stack
        .leases
        .iter()
        .try_for_each(|lease| check_lease(stack, lease))
}

/// A lease within its stack.
fn check_lease(stack: &Stack, lease: &Lease) -> Result<(), Violation> {
    let id = &stack.id;
    must(lease.units.0 > 0, id, "a lease has units")?;
    must(
        lease.price <= stack.max_price,
        id,
        "no lease costs more than the stack's price",
    )?;
    let claimed = match &lease.state {
        LeaseState::Open => 0,
        LeaseState::Settling(ticket) => {
            check_disputes(stack, ticket)?;
            ticket.claimed_units.0
        }
        LeaseState::Closed { paid_units, paid } => {
            let cost = lease.price.cost(*paid_units);
            must(Some(*paid) <= cost, id, "a lease is paid at its price")?;
            paid_units.0
        }
    };
    must(claimed <= lease.units.0, id, "a claim is within its lease")?;
    must(
        !lease.convicted || is_closed(&lease.state),
        id,
        "nobody goes on with a lease that they were convicted on",
    )
}

/// The open disputes of a ticket.
fn check_disputes(stack: &Stack, ticket: &Ticket) -> Result<(), Violation> {
    let seqs: BTreeSet<_> = ticket.disputes.iter().map(|d| d.seq).collect();
    let (few, all) = (ticket.disputes.len() <= MAX_DISPUTES, 1..=ticket.count);
    must(few, &stack.id, "open disputes are few")?;
    must(
        seqs.len() == ticket.disputes.len() && seqs.iter().all(|seq| all.contains(seq)),
        &stack.id,
        "each dispute is about another settled record",
    )
}

/// A task by itself.
fn check_task(task: &Task) -> Result<(), Violation> {
    let nodes: BTreeSet<_> = task.subscriptions.iter().map(|s| s.node).collect();
    must(
        nodes.len() == task.subscriptions.len(),
        &task.id,
        "a node subscribes once",
    )?;
    must(
        nodes.len() <= MAX_SUBSCRIPTIONS,
        &task.id,
        "subscriptions are bounded",
    )
}

/// A blob is registered, then certified before its storage ends, and kept no longer than may be.
fn fits(blob: &Blob, system: &WalrusSystem) -> bool {
    let storage = &blob.storage;
    let certified = blob.certified_epoch;
    storage.start_epoch == blob.registered_epoch
        && blob.registered_epoch <= system.epoch
        && certified.is_none_or(|epoch| (blob.registered_epoch..storage.end_epoch).contains(&epoch))
        && certified.is_none_or(|epoch| epoch <= system.epoch)
        && storage.end_epoch > storage.start_epoch
        && storage.end_epoch.saturating_sub(system.epoch) <= MAX_EPOCHS_AHEAD
}

/// The treasury can pay all that is reported.
fn check_book(db: &AtomaDb) -> Result<(), Violation> {
    let book = &db.book;
    let unpaid: u128 = book.shares.iter().map(|s| u128::from(s.units.0)).sum();
    must(
        unpaid <= u128::from(book.units.0),
        &db.id,
        "unpaid shares are within the reported units",
    )?;
    must(
        book.shares.len() <= MAX_SHARES,
        &db.id,
        "shares are bounded",
    )?;
    let nodes: BTreeSet<_> = book.shares.iter().map(|share| share.node.0).collect();
    must(
        nodes.len() == book.shares.len(),
        &db.id,
        "a node reports once",
    )?;
    let Some(pool) = book.pool else {
        return Ok(());
    };
    let owed = book.shares.iter().try_fold(0, |sum: u128, share| {
        let part = treasury::part(pool, share.units, book.units)?;
        Some(sum + u128::from(part.0))
    });
    must(
        owed.is_some_and(|owed| owed <= u128::from(db.communal_treasury.0)),
        &db.id,
        "the treasury holds what it owes",
    )
}

/// The state by kind.
struct Index<'a> {
    dbs: Vec<&'a AtomaDb>,
    nodes: BTreeMap<NodeId, &'a Node>,
    tasks: BTreeMap<TaskId, &'a Task>,
    stacks: Vec<&'a Stack>,
    blobs: Vec<&'a Blob>,
    walrus: Option<&'a WalrusSystem>,
    /// Open and settling leases by task and node: how many, and their units.
    live: BTreeMap<(TaskId, NodeId), (u64, u128)>,
    /// Entries by table.
    entries: BTreeMap<atoma_types::ObjectId, u64>,
}

impl<'a> Index<'a> {
    fn new(state: &'a State) -> Self {
        let mut index = Self {
            dbs: Vec::new(),
            nodes: BTreeMap::new(),
            tasks: BTreeMap::new(),
            stacks: Vec::new(),
            blobs: Vec::new(),
            walrus: None,
            live: BTreeMap::new(),
            entries: BTreeMap::new(),
        };
        for (object, _) in state.iter() {
            match object {
                Object::Db(db) => index.dbs.push(db),
                Object::Node(node) => {
                    index.nodes.insert(node.id, node);
                }
                Object::Task(task) => {
                    index.tasks.insert(task.id, task);
                }
                Object::Stack(stack) => index.stacks.push(stack),
                Object::Entry(entry) => *index.entries.entry(entry.parent).or_default() += 1,
                Object::Blob(blob) => index.blobs.push(blob),
                Object::WalrusSystem(system) => index.walrus = Some(system),
                Object::AdminCap(_) | Object::WalrusCap(_) => {}
            }
        }
        for stack in &index.stacks {
            for lease in stack.leases.iter().filter(|l| !is_closed(&l.state)) {
                let live = index.live.entry((stack.task, lease.node)).or_default();
                live.0 += 1;
                live.1 += u128::from(lease.units.0);
            }
        }
        index
    }

    /// Every live lease has its subscription.
    fn check_leases(&self, stack: &Stack) -> Result<(), Violation> {
        let task = self.tasks.get(&stack.task);
        must(task.is_some(), &stack.id, "a stack has its task")?;
        for lease in stack.leases.iter().filter(|l| !is_closed(&l.state)) {
            must(
                task.is_some_and(|task| task.subscription(lease.node).is_some()),
                &stack.id,
                "a live lease has its subscription",
            )?;
            let node = self.nodes.get(&lease.node);
            must(
                node.is_some_and(|node| {
                    matches!(node.status, NodeStatus::Active | NodeStatus::Jailed { .. })
                }),
                &stack.id,
                "nobody leaves while a lease or a dispute is open",
            )?;
        }
        Ok(())
    }

    fn check_subscription(
        &self,
        task: &Task,
        subscription: &Subscription,
    ) -> Result<(), Violation> {
        let at = (task.id, subscription.node);
        let (count, units) = self.live.get(&at).copied().unwrap_or_default();
        must(
            count == subscription.open_leases,
            &at,
            "open leases are counted",
        )?;
        must(
            units == u128::from(subscription.leased.0),
            &at,
            "leased units are those of live leases",
        )?;
        must(
            subscription.state != SubscriptionState::Leaving || count > 0,
            &at,
            "who left without leases is gone",
        )?;
        must(
            self.nodes.contains_key(&subscription.node),
            &at,
            "a subscription has its node",
        )
    }

    fn check_node(&self, node: &Node) -> Result<(), Violation> {
        let subscribed = self
            .tasks
            .values()
            .filter(|task| task.subscription(node.id).is_some())
            .count() as u64;
        must(
            subscribed == node.subscriptions,
            &node.id,
            "subscriptions are counted",
        )?;
        must(
            node.reputation <= MAX_REPUTATION,
            &node.id,
            "reputation has a top",
        )?;
        let leaving = matches!(node.status, NodeStatus::Unbonding { .. } | NodeStatus::Left);
        must(
            !leaving || subscribed == 0,
            &node.id,
            "who leaves has no subscription",
        )?;
        must(
            node.status != NodeStatus::Left || node.collateral == MicroUsdc::ZERO,
            &node.id,
            "who left has no collateral",
        )
    }

    fn check_tables(&self, db: &AtomaDb) -> Result<(), Violation> {
        let live = self.tasks.values().filter(|task| !task.deprecated);
        let models: BTreeSet<_> = live.map(|task| &task.model_name).collect();
        let sized = |table: &Table, size: usize| {
            let entries = self.entries.get(&table.id).copied().unwrap_or_default();
            must(
                table.size == entries && entries == size as u64,
                &table.id,
                "a table holds what it should",
            )
        };
        sized(&db.nodes, self.nodes.len())?;
        sized(&db.tasks, self.tasks.len())?;
        sized(&db.models, models.len())
    }
}
