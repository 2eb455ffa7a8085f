//! Nodes with which a stack was ended, because too much was charged for answers that never came. Pure.
//!
//! Each stack lets a node lose four answers, the window or an eighth of what it served. So a new stack is a new four, and
//! a node gets one an hour at most: meanwhile others are asked.

use atoma_types::NodeId;
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;

/// So long a node isn't asked.
const PARTED: Duration = Duration::from_secs(3_600);

/// Nodes that aren't asked, and until when.
#[derive(Debug, Default)]
pub(super) struct Parted(HashMap<NodeId, Instant>);

impl Parted {
    /// A node isn't asked for a while.
    pub(super) fn part(&mut self, node: NodeId, now: Instant) {
        self.0.retain(|_, until| *until > now);
        self.0.insert(node, now + PARTED);
    }

    /// Whether it isn't asked now.
    pub(super) fn is_out(&self, node: NodeId, now: Instant) -> bool {
        self.0.get(&node).is_some_and(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::Address;

    #[test]
    fn a_node_is_left_out_for_an_hour() {
        let (mut parted, begun) = (Parted::default(), Instant::now());
        let [one, other] = [1, 2].map(|n| NodeId(Address::new([n; 32])));
        parted.part(one, begun);
        let last = begun + PARTED - Duration::from_secs(1);
        assert!(parted.is_out(one, last) && !parted.is_out(other, last));
        assert!(!parted.is_out(one, begun + PARTED));
        parted.part(other, begun + PARTED);
        assert_eq!(parted.0.len(), 1, "nobody is kept for ever");
    }
}
