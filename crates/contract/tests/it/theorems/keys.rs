//! Keys that change, and receipts that are signed twice.

use super::play::Play;
use crate::world::*;
use atoma_types::{NodeId, StackId, chain::calls, hash::Hash32};

/// A node's second response key is that of the party with a number so much higher.
const OTHER_KEY: u8 = 100;

impl Play {
    /// Whose key a lease's receipts are signed with: a node may have changed its own since.
    pub(super) fn signer(&self, stack: StackId, node: NodeId) -> u8 {
        let operator = self.operator(node);
        let expected = self.w.lease_of(stack, node).key;
        let mut keys = [operator, operator + OTHER_KEY].into_iter();
        let signer = keys.find(|&party| key(party).public_key() == expected);
        signer.expect("a node has one of two keys")
    }

    /// A node takes its other response key, with leases open and requests on their way.
    pub(super) fn change_key(&mut self, node: NodeId, operator: u8) {
        let other = operator + OTHER_KEY;
        let has_other = self.w.node(node).response_key == key(other).public_key();
        let party = if has_other { operator } else { other };
        let call = calls::SetNodeKeys {
            node: node.into(),
            response_key: key(party).public_key(),
            sealing_key: None,
        };
        if self.try_call(operator, call) {
            self.seen.keys += 1;
        }
    }

    /// Two receipts for the last request of a lease, signed by its node if that lies; by somebody else if it is honest.
    pub(super) fn equivocate(&mut self) {
        let served: Vec<_> = self.accounts.keys().copied().collect();
        let Some(lease) = self.one(&served) else {
            return;
        };
        let (stack, node) = lease;
        let honest = self.players.iter().any(|p| p.node == node && p.honest);
        let chain = &self.accounts[&lease].running;
        let Some((_, receipt)) = &chain.last else {
            return;
        };
        let mut other = receipt.message().clone();
        other.response_hash = Hash32([3; 32]);
        let signer = if honest { STRANGER } else { chain.operator };
        let other = signed(other, signer);
        let other = (other.bytes().to_vec(), other.signature().to_bytes());
        let first = chain.last_receipt();
        let call = self.w.equivocation_call(stack, node, first, other);
        let convicted = self.try_call(STRANGER, call);
        assert!(!convicted || !honest, "an honest node signs once");
        self.seen.equivocations += u64::from(convicted);
    }
}
