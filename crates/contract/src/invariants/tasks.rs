//! A task and its subscriptions.

use super::{
    index::Index,
    violation::{Violation, must},
};
use crate::limits::{MAX_EVICTED, MAX_RELEASES, MAX_SUBSCRIPTIONS};
use atoma_types::chain::{Subscription, SubscriptionState, Task};
use std::collections::BTreeSet;

pub(super) fn check(index: &Index<'_>, task: &Task) -> Result<(), Violation> {
    let nodes: BTreeSet<_> = task.subscriptions.iter().map(|s| s.node).collect();
    must(
        nodes.len() == task.subscriptions.len(),
        &task.id,
        "a node subscribes once",
    )?;
    let evicted = |offer: &&Subscription| offer.state == SubscriptionState::Evicted;
    let evicted = task.subscriptions.iter().filter(evicted).count();
    let places = nodes.len().saturating_sub(evicted);
    must(
        places <= MAX_SUBSCRIPTIONS
            && evicted <= MAX_EVICTED
            && task.releases.len() <= MAX_RELEASES,
        &task.id,
        "lists are bounded",
    )?;
    for subscription in &task.subscriptions {
        let at = (task.id, subscription.node);
        let node = index.nodes.get(&subscription.node);
        must(
            node.is_some_and(|node| node.owner == subscription.owner),
            &at,
            "a subscription has its node, and its owner",
        )?;
        let duties = index.duties.get(&at).copied().unwrap_or_default();
        let booked = subscription.attester.map_or(0, |attester| attester.duties);
        must(duties == booked, &at, "duties are counted")?;
    }
    let on_duty = index.duties.keys().filter(|(of, _)| *of == task.id);
    must(
        on_duty
            .map(|(_, node)| *node)
            .all(|node| nodes.contains(&node)),
        &task.id,
        "who has a duty is subscribed",
    )
}
