//! Nodes whose evidence was checked, until it ends.

use super::AttestationFault;
use crate::ClientError;
use atoma_channel::{Padding, VerifiedKeyset};
use atoma_tee::{
    Keyset, Policy, Verdict,
    octets::{Digest, Octets},
};
use atoma_types::{DurationMs, NodeId, PublicKey, TaskId, TimestampMs, hash::Hash32};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};

/// Keys that end so soon aren't sealed to any more.
const MARGIN: DurationMs = DurationMs(5_000);
/// So long a task's word on a release is believed before its object is read again: a request doesn't wait for the ledger,
/// and what was withdrawn is sealed to no longer than this, as long as the ledger can be read.
const RELEASED_FOR: DurationMs = DurationMs(60_000);

/// That all requests are sealed, and to whom.
#[derive(Clone, Debug)]
pub struct Confidential {
    /// Which evidence is good enough.
    pub policy: Arc<Policy>,
    /// How answers are padded.
    pub padding: Padding,
}

/// A node whose evidence the policy accepts.
#[derive(Clone, Debug)]
pub struct Attested {
    /// What was checked, and what that is worth.
    pub verdict: Verdict,
    /// What people call the release that it runs.
    pub release: String,
    /// What the ledger's lists of releases call it.
    pub(super) release_id: Hash32,
    /// The root over the models that it may serve; zero for any.
    pub(super) models: Digest,
    pub(crate) keyset: VerifiedKeyset,
    pub(crate) receipt_key: PublicKey,
}

/// What was checked, until it ends: of each node its evidence, which is the same whatever it is asked, and the tasks
/// whose owners have released what it runs, which each says for itself.
#[derive(Debug, Default)]
pub(crate) struct AttestedNodes(Mutex<HashMap<NodeId, Known>>);

/// What a task has said of a node's evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// It has said nothing of it yet.
    None,
    /// That it is of a release of its own, a while ago.
    Old,
    /// The same, just now.
    Fresh,
}

#[derive(Debug)]
struct Known {
    attested: Arc<Attested>,
    /// The tasks for which it may run what it runs, and when their objects said so.
    released: HashMap<TaskId, TimestampMs>,
}

impl AttestedNodes {
    /// A node's evidence, whatever task it is asked for.
    pub(super) fn good_at(&self, node: NodeId, now: TimestampMs) -> Option<Arc<Attested>> {
        let mut nodes = self.0.lock();
        let soon = now.saturating_add(MARGIN);
        nodes.retain(|_, known| soon < known.attested.keyset.valid_until());
        nodes.get(&node).map(|known| Arc::clone(&known.attested))
    }

    /// Keeps a node's evidence in place of what was known of it; no task has said anything of it yet.
    pub(super) fn keep(&self, attested: &Arc<Attested>) {
        let known = Known {
            attested: Arc::clone(attested),
            released: HashMap::new(),
        };
        self.0.lock().insert(attested.verdict.node, known);
    }

    /// What a task has said of this very evidence.
    pub(super) fn word(&self, attested: &Arc<Attested>, task: TaskId, now: TimestampMs) -> Word {
        let nodes = self.0.lock();
        let known = nodes.get(&attested.verdict.node);
        let said = known
            .filter(|known| Arc::ptr_eq(&known.attested, attested))
            .and_then(|known| known.released.get(&task));
        match said {
            None => Word::None,
            Some(said) if now < said.saturating_add(RELEASED_FOR) => Word::Fresh,
            Some(_) => Word::Old,
        }
    }

    /// A task's object, read at `now`, says that this evidence is of a release of its own, or asks for none.
    pub(super) fn released(&self, attested: &Arc<Attested>, task: TaskId, now: TimestampMs) {
        let mut nodes = self.0.lock();
        if let Some(known) = nodes.get_mut(&attested.verdict.node)
            && Arc::ptr_eq(&known.attested, attested)
        {
            known.released.insert(task, now);
        }
    }

    /// A task's object says that it isn't.
    pub(super) fn withdrawn(&self, node: NodeId, task: TaskId) {
        if let Some(known) = self.0.lock().get_mut(&node) {
            known.released.remove(&task);
        }
    }

    /// The node doesn't hold those keys any more.
    pub(crate) fn forget(&self, node: NodeId) {
        self.0.lock().remove(&node);
    }
}

impl Attested {
    /// Until when its evidence and keys hold.
    #[must_use]
    pub fn valid_until(&self) -> TimestampMs {
        self.keyset.valid_until()
    }
}

impl Attested {
    /// Whether what it runs may serve a model, by its own statement: any model, or this one alone. A root over several says
    /// of none that it is among them.
    pub(super) fn check_model(&self, model: Hash32) -> Result<(), ClientError> {
        let any = Octets([0; 32]);
        if self.models == any || self.models == Keyset::root_of(&[model].into()) {
            return Ok(());
        }
        Err(ClientError::Attestation {
            node: self.verdict.node,
            reason: AttestationFault::Models,
        })
    }

    /// Whether receipts by this key are the guest's own.
    pub(crate) fn check_receipt_key(&self, key: PublicKey) -> Result<(), ClientError> {
        if self.receipt_key == key {
            return Ok(());
        }
        Err(ClientError::Attestation {
            node: self.verdict.node,
            reason: AttestationFault::ReceiptKey,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_channel::testing::{NOW, TestNode};
    use atoma_types::Address;

    fn attested(node: &TestNode) -> Arc<Attested> {
        Arc::new(Attested {
            verdict: node.verdict(),
            release: String::new(),
            release_id: Hash32(node.keyset.release.0),
            models: node.keyset.models,
            keyset: node.verified(),
            receipt_key: node.keyset.receipt_key,
        })
    }

    #[test]
    fn what_one_task_says_of_a_node_counts_for_no_other_task_and_no_other_evidence() {
        let [one, other] = [1, 2].map(|byte| TaskId(Address::new([byte; 32])));
        let (nodes, node) = (AttestedNodes::default(), TestNode::new(7));
        let first = attested(&node);
        nodes.keep(&first);
        nodes.released(&first, one, NOW);
        assert_eq!(nodes.word(&first, one, NOW), Word::Fresh);
        assert_eq!(nodes.word(&first, other, NOW), Word::None);

        // the node shows new evidence: whoever was about to speak of the old one is too late
        let second = attested(&node);
        nodes.keep(&second);
        nodes.released(&first, other, NOW);
        for task in [one, other] {
            assert_eq!(nodes.word(&second, task, NOW), Word::None);
            assert_eq!(nodes.word(&first, task, NOW), Word::None);
        }
        assert!(Arc::ptr_eq(
            &nodes.good_at(node.keyset.node, NOW).unwrap(),
            &second
        ));
    }

    #[test]
    fn keys_for_some_models_are_for_no_other_one() {
        let models = [Hash32([1; 32]), Hash32([2; 32])];
        let for_models = |keyset_models| {
            let mut attested = Arc::unwrap_or_clone(attested(&TestNode::new(7)));
            attested.models = keyset_models;
            models.map(|model| attested.check_model(model).is_ok())
        };
        assert_eq!(for_models(Octets([0; 32])), [true, true]);
        assert_eq!(
            for_models(Keyset::root_of(&[models[0]].into())),
            [true, false]
        );
        // nobody can tell which they are
        assert_eq!(for_models(Keyset::root_of(&models.into())), [false, false]);
        assert_eq!(for_models(Octets([1; 32])), [false, false]);
    }

    #[test]
    fn a_tasks_word_grows_old_and_can_be_taken_back_while_the_evidence_holds() {
        let task = TaskId(Address::new([1; 32]));
        let (nodes, node) = (AttestedNodes::default(), TestNode::new(7));
        let evidence = attested(&node);
        nodes.keep(&evidence);
        nodes.released(&evidence, task, NOW);
        let later = NOW.saturating_add(RELEASED_FOR);
        assert_eq!(nodes.word(&evidence, task, later), Word::Old);
        nodes.withdrawn(node.keyset.node, task);
        assert_eq!(nodes.word(&evidence, task, NOW), Word::None);
        assert!(nodes.good_at(node.keyset.node, later).is_some());
        let end = evidence.valid_until();
        assert!(nodes.good_at(node.keyset.node, end).is_none());
        assert_eq!(nodes.word(&evidence, task, NOW), Word::None);
    }
}
