//! Nodes whose secrets are known, and what a client asks them.

use crate::{
    Fault, KeyRing, Opening, Padding, ReplayWindow, RequestTerms, SealedRequest, SealingSecret,
    VerifiedKeyset,
};
use atoma_tee::{
    Keyset, Tier, Verdict,
    keyset::{SealingKeyEntry, SealingSuite},
    octets::Octets,
};
use atoma_types::{
    Address, ComputeUnits, NetworkId, NodeId, PublicKey, TaskId, TimestampMs,
    message::{Domain, Endpoint},
};
use zeroize::Zeroizing;

/// The time of all samples: 18 November 2026.
pub const NOW: TimestampMs = TimestampMs(1_795_000_000_000);
/// The network of all samples.
pub const NETWORK: NetworkId = NetworkId([1; 32]);

/// A node with a keyset of one sealing key, whose secret follows from a number.
#[derive(Clone, Debug)]
pub struct TestNode {
    /// Its keys, good from ten minutes ago for an hour.
    pub keyset: Keyset,
    seed: [u8; 32],
}

impl TestNode {
    /// The node of this number.
    ///
    /// # Panics
    /// Never: its key has the right length.
    #[must_use]
    pub fn new(number: u8) -> Self {
        let seed = [number; 32];
        let entry = SealingKeyEntry {
            id: 1,
            suite: SealingSuite::XWingAes256Gcm,
            key: secret(&seed).public_key().try_into().expect("a short key"),
        };
        let keyset = Keyset {
            domain: Domain::default(),
            network: NETWORK,
            package: Address::new([2; 32]),
            node: NodeId(Address::new([number; 32])),
            release: Octets([0x0e; 32]),
            models: Octets([0; 32]),
            sealing_keys: vec![entry].try_into().expect("one key"),
            receipt_key: PublicKey([5; 32]),
            tls_key: None,
            not_before: TimestampMs(NOW.0 - 600_000),
            not_after: TimestampMs(NOW.0 + 3_000_000),
        };
        Self { keyset, seed }
    }

    /// Id of the node, as its keyset has it.
    #[must_use]
    pub fn id(&self) -> NodeId {
        self.keyset.node
    }

    /// The secrets of its keyset.
    #[must_use]
    pub fn secrets(&self) -> Vec<SealingSecret> {
        vec![secret(&self.seed)]
    }

    /// A ring that holds them.
    ///
    /// # Panics
    /// If the keyset was changed so that they don't fit.
    #[must_use]
    pub fn ring(&self) -> KeyRing {
        let mut ring = KeyRing::new(self.keyset.network, self.keyset.node);
        ring.add(&self.keyset, self.secrets()).expect("its secrets");
        ring
    }

    /// A verdict that accepts the keyset until its end.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Verdict {
            node: self.keyset.node,
            keyset: self.keyset.digest(),
            statement: Octets([0x57; 32]),
            at: NOW,
            valid_until: self.keyset.not_after,
            tier: Some(Tier::Software),
            checks: Vec::new(),
        }
    }

    /// The keyset, accepted.
    ///
    /// # Panics
    /// If the keyset has no key that can be used.
    #[must_use]
    pub fn verified(&self) -> VerifiedKeyset {
        VerifiedKeyset::new(&self.keyset, &self.verdict()).expect("it was accepted")
    }

    /// Reads and opens a request, as the node does before it looks whether the request is new.
    ///
    /// # Errors
    /// If it is refused.
    pub fn open(&self, sealed: &[u8]) -> Result<Opening, Fault> {
        self.ring().open(&SealedRequest::read(sealed)?, NOW)
    }
}

fn secret(seed: &[u8; 32]) -> SealingSecret {
    SealingSecret::from_seed(&Zeroizing::new(*seed)).expect("32 bytes are a secret")
}

/// What all samples ask for, in clear, for 60 seconds.
#[must_use]
pub fn terms() -> RequestTerms {
    RequestTerms {
        network: NETWORK,
        task: TaskId(Address::new([4; 32])),
        endpoint: Endpoint::ChatCompletions,
        max_units: ComputeUnits(1_000),
        issued_at: NOW,
        expires_at: TimestampMs(NOW.0 + 60_000),
        padding: Padding::Blocks,
    }
}

/// A replica's memory that was opened before the samples were sealed.
#[must_use]
pub fn window() -> ReplayWindow {
    ReplayWindow::new(TimestampMs(NOW.0 - 1))
}
