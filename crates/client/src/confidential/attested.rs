//! Nodes whose evidence was checked, until it ends.

use super::AttestationFault;
use crate::ClientError;
use atoma_channel::{Padding, VerifiedKeyset};
use atoma_tee::{Policy, Verdict};
use atoma_types::{DurationMs, NodeId, PublicKey, TimestampMs};
use parking_lot::Mutex;
use std::{collections::HashMap, sync::Arc};

/// Keys that end so soon aren't sealed to any more.
const MARGIN: DurationMs = DurationMs(5_000);

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
    pub(crate) keyset: VerifiedKeyset,
    pub(crate) receipt_key: PublicKey,
}

/// What was checked, until it ends.
#[derive(Debug, Default)]
pub(crate) struct AttestedNodes(Mutex<HashMap<NodeId, Arc<Attested>>>);

impl AttestedNodes {
    pub(super) fn good_at(&self, node: NodeId, now: TimestampMs) -> Option<Arc<Attested>> {
        let mut nodes = self.0.lock();
        let soon = now.saturating_add(MARGIN);
        nodes.retain(|_, known| soon < known.keyset.valid_until());
        nodes.get(&node).cloned()
    }

    pub(super) fn keep(&self, attested: &Arc<Attested>) {
        let node = attested.verdict.node;
        self.0.lock().insert(node, Arc::clone(attested));
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
