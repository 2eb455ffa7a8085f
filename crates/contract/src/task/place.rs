//! Where a node stands in a task.

use atoma_types::{
    NodeId,
    chain::{Subscription, Task},
};

/// The subscription of a node, to be changed.
pub(crate) fn entry(task: &mut Task, node: NodeId) -> Option<&mut Subscription> {
    task.subscriptions
        .iter_mut()
        .find(|subscription| subscription.node == node)
}
