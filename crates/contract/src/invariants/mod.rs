//! What must hold after every transaction, whatever anyone called. Tests check it after each random
//! call; localnet may as a debug check.

mod money;
mod nodes;
mod stacks;
mod tasks;

pub use money::{Flow, held};

use crate::{Object, State, limits::MAX_EPOCHS_AHEAD};
use atoma_types::{
    MicroUsdc, NodeId, TaskId,
    chain::{AtomaDb, Blob, Node, Stack, Table, Task, WalrusSystem},
};
use std::collections::{BTreeMap, BTreeSet};

/// A rule that doesn't hold, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{object}: {broken}")]
pub struct Violation {
    object: String,
    broken: &'static str,
}

/// Checks every object and how they fit together.
///
/// # Errors
/// The first rule that does not hold.
pub fn check(state: &State) -> Result<(), Violation> {
    let index = Index::new(state);
    for stack in &index.stacks {
        stacks::check(stack)?;
        must(
            index.tasks.contains_key(&stack.task),
            &stack.id,
            "a stack has its task",
        )?;
    }
    for task in index.tasks.values() {
        tasks::check(&index, task)?;
    }
    for node in index.nodes.values() {
        nodes::check(&index, node)?;
    }
    for blob in &index.blobs {
        must(
            index.walrus.is_some_and(|system| fits(blob, system)),
            &blob.id,
            "a blob's epochs follow each other",
        )?;
    }
    for db in &index.dbs {
        check_book(&index, db)?;
        check_tables(&index, db)?;
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
fn check_book(index: &Index<'_>, db: &AtomaDb) -> Result<(), Violation> {
    let unpaid: u128 = index
        .nodes
        .values()
        .filter(|node| node.reported.epoch == db.book.epoch)
        .map(|node| u128::from(node.reported.fees.0))
        .sum();
    let all = u128::from(db.book.fees.0);
    must(unpaid <= all, &db.id, "reports are within their sum")?;
    let pool = db.book.pool.unwrap_or_default();
    let owed = u128::from(pool.0) * unpaid / all.max(1);
    must(
        owed <= u128::from(db.communal_treasury.0),
        &db.id,
        "the treasury holds what it owes",
    )
}

fn check_tables(index: &Index<'_>, db: &AtomaDb) -> Result<(), Violation> {
    let live = index.tasks.values().filter(|task| !task.deprecated);
    let models: BTreeSet<_> = live.map(|task| &task.model_name).collect();
    let sized = |table: &Table, size: usize| {
        let entries = index.entries.get(&table.id).copied().unwrap_or_default();
        must(
            table.size == entries && entries == size as u64,
            &table.id,
            "a table holds what it should",
        )
    };
    sized(&db.nodes, index.nodes.len())?;
    sized(&db.tasks, index.tasks.len())?;
    sized(&db.models, models.len())
}

/// The state by kind.
struct Index<'a> {
    dbs: Vec<&'a AtomaDb>,
    nodes: BTreeMap<NodeId, &'a Node>,
    tasks: BTreeMap<TaskId, &'a Task>,
    stacks: Vec<&'a Stack>,
    blobs: Vec<&'a Blob>,
    walrus: Option<&'a WalrusSystem>,
    /// What open leases have nodes at stake for.
    at_stake: BTreeMap<NodeId, u128>,
    /// Duties of attesters, by task and node.
    duties: BTreeMap<(TaskId, NodeId), u64>,
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
            at_stake: BTreeMap::new(),
            duties: BTreeMap::new(),
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
        for stack in index.stacks.clone() {
            index.count(stack);
        }
        index
    }

    fn count(&mut self, stack: &Stack) {
        for lease in stack.open_leases() {
            let unpaid = lease.unpaid().unwrap_or(MicroUsdc(u64::MAX));
            *self.at_stake.entry(lease.node).or_default() +=
                u128::from(unpaid.0) * u128::from(stack.terms.fine_multiple);
            for node in lease.tickets.iter().flat_map(stacks::on_duty) {
                *self.duties.entry((stack.task, node)).or_default() += 1;
            }
        }
    }
}
