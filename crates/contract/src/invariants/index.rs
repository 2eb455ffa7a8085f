//! A state by kind, and what its stacks say of nodes.

use super::stacks;
use crate::{Object, State};
use atoma_types::{
    MicroUsdc, NodeId, TaskId,
    chain::{AtomaDb, Blob, Node, Stack, Task, WalrusSystem},
};
use std::collections::BTreeMap;

/// The state by kind.
pub(super) struct Index<'a> {
    pub(super) dbs: Vec<&'a AtomaDb>,
    pub(super) nodes: BTreeMap<NodeId, &'a Node>,
    pub(super) tasks: BTreeMap<TaskId, &'a Task>,
    pub(super) stacks: Vec<&'a Stack>,
    pub(super) blobs: Vec<&'a Blob>,
    pub(super) walrus: Option<&'a WalrusSystem>,
    /// What open leases have nodes at stake for.
    pub(super) at_stake: BTreeMap<NodeId, u128>,
    /// Duties of attesters, by task and node.
    pub(super) duties: BTreeMap<(TaskId, NodeId), u64>,
    /// Entries by table.
    pub(super) entries: BTreeMap<atoma_types::ObjectId, u64>,
}

impl<'a> Index<'a> {
    pub(super) fn new(state: &'a State) -> Self {
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
