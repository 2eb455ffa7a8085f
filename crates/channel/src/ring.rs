//! A node's sealing secrets, old and new.
//!
//! ```text
//! keyset 1   not_before ─────────────────── not_after ─ ─ ─ ─┐ opens what was sealed before its end
//! keyset 2             not_before ───────────────── not_after ─ ─ ─ ─┐
//!                      └─ KEY_OVERLAP ────┘          └ lifetime, skew ┘ then wiped
//! ```
//!
//! A secret lives as long as its keyset, and then as long as a request that was sealed in the last moment, so that
//! nothing which a client was right to send is refused. Then it is wiped: what was sealed to it can be opened by nobody any
//! more.

use crate::{
    fault::{Fault, Result},
    limits::{KEY_OVERLAP, MAX_KEYSETS, MAX_SKEW},
    request::{self, Opening, SealedRequest},
    secret::SealingSecret,
};
use atoma_tee::{Keyset, octets::Digest};
use atoma_types::{NetworkId, NodeId, TimestampMs, message::MAX_REQUEST_LIFETIME};

/// The secrets that one node holds. A pure state machine: whoever owns it tells it the time.
#[derive(Debug)]
pub struct KeyRing {
    network: NetworkId,
    node: NodeId,
    held: Vec<Held>,
}

/// The secrets of one keyset.
#[derive(Debug)]
struct Held {
    digest: Digest,
    not_before: TimestampMs,
    not_after: TimestampMs,
    /// The private keys, each with the id of its public one.
    secrets: Vec<(u32, SealingSecret)>,
}

impl KeyRing {
    /// A node's empty ring.
    #[must_use]
    pub fn new(network: NetworkId, node: NodeId) -> Self {
        Self {
            network,
            node,
            held: Vec::new(),
        }
    }

    /// Adds the secrets of a keyset, in the order of its sealing keys.
    ///
    /// # Errors
    /// If the keyset is another node's, a secret isn't that of its key, or too many keysets are held
    /// ([`retire`](Self::retire) those whose time is over first).
    pub fn add(&mut self, keyset: &Keyset, secrets: Vec<SealingSecret>) -> Result<()> {
        if keyset.network != self.network {
            return Err(Fault::Network);
        }
        if keyset.node != self.node {
            return Err(Fault::Recipient);
        }
        let keys = &keyset.sealing_keys;
        let fits = keyset.keys_fit() && keys.len() == secrets.len();
        let own = keys.iter().zip(&secrets);
        if !fits
            || !own
                .into_iter()
                .all(|(key, own)| own.public_key() == *key.key)
        {
            return Err(Fault::KeyMismatch);
        }
        if self.held.len() >= MAX_KEYSETS {
            return Err(Fault::RingFull);
        }
        self.held.push(Held {
            digest: keyset.digest(),
            not_before: keyset.not_before,
            not_after: keyset.not_after,
            secrets: keys.iter().map(|key| key.id).zip(secrets).collect(),
        });
        Ok(())
    }

    /// Wipes the secrets that nothing valid can be sealed to any more.
    pub fn retire(&mut self, now: TimestampMs) {
        self.held.retain(|held| now <= held.end());
    }

    /// When the next keyset should be there, so that clients always have one that counts; none while there is no keyset
    /// at all.
    #[must_use]
    pub fn next_due(&self) -> Option<TimestampMs> {
        let last = self.held.iter().map(|held| held.not_after).max()?;
        Some(TimestampMs(last.0.saturating_sub(KEY_OVERLAP.0)))
    }

    /// Opens a request that is sealed to this node. Whether it was seen before is for a
    /// [`ReplayGuard`](crate::ReplayGuard).
    ///
    /// # Errors
    /// If it is for others, its key isn't held or didn't count when it was sealed, or any byte of it was changed.
    pub fn open(&self, request: &SealedRequest<'_>, now: TimestampMs) -> Result<Opening> {
        let head = request.head();
        if head.network != self.network {
            return Err(Fault::Network);
        }
        let place = head.place_of(self.node).ok_or(Fault::Recipient)?;
        let recipient = &head.recipients[place];
        let held = self
            .held
            .iter()
            .find(|held| held.digest == recipient.keyset);
        let held = held.ok_or(Fault::KeyUnknown)?;
        let mut secrets = held.secrets.iter();
        let (_, secret) = secrets
            .find(|(id, _)| *id == recipient.key_id)
            .ok_or(Fault::KeyUnknown)?;
        if head.issued_at < held.not_before {
            return Err(Fault::KeyEarly);
        }
        if head.issued_at >= held.not_after || now > held.end() {
            return Err(Fault::KeyEnded);
        }
        request::open(request, place, secret)
    }
}

impl Held {
    /// The last moment at which something that was sealed in time may come.
    fn end(&self) -> TimestampMs {
        let last = self.not_after.saturating_add(MAX_REQUEST_LIFETIME);
        last.saturating_add(MAX_SKEW)
    }
}
