//! To whom a client seals: keys that its own policy has accepted.

use crate::{
    fault::{Fault, Result},
    hpke::{PublicKey, public_key},
};
use atoma_tee::{Keyset, Verdict, octets::Digest};
use atoma_types::{NetworkId, NodeId, TimestampMs};

/// A keyset that a policy has accepted, ready to be sealed to.
///
/// There is no other way to name a recipient: whoever has no verdict can't seal, and so can't fall back to a key that
/// nobody checked.
#[derive(Clone, Debug)]
pub struct VerifiedKeyset {
    pub(crate) network: NetworkId,
    pub(crate) node: NodeId,
    pub(crate) digest: Digest,
    pub(crate) key_id: u32,
    pub(crate) key: PublicKey,
    not_before: TimestampMs,
    valid_until: TimestampMs,
}

impl VerifiedKeyset {
    /// Takes a keyset by the verdict over the bundle that it came in.
    ///
    /// Of its sealing keys the one with the highest id is used: ids aren't used again, so that is the newest.
    ///
    /// # Errors
    /// [`Fault::KeysetRefused`] where the verdict isn't about this keyset or doesn't accept it, and
    /// [`Fault::SealingKey`] where there is no key that can be used.
    pub fn new(keyset: &Keyset, verdict: &Verdict) -> Result<Self> {
        let digest = keyset.digest();
        if !verdict.accepted() || verdict.keyset != digest || verdict.node != keyset.node {
            return Err(Fault::KeysetRefused);
        }
        if !keyset.keys_fit() {
            return Err(Fault::SealingKey);
        }
        let newest = keyset.sealing_keys.iter().max_by_key(|entry| entry.id);
        let newest = newest.ok_or(Fault::SealingKey)?;
        Ok(Self {
            network: keyset.network,
            node: keyset.node,
            digest,
            key_id: newest.id,
            key: public_key(&newest.key)?,
            not_before: keyset.not_before,
            valid_until: verdict.valid_until.min(keyset.not_after),
        })
    }

    /// The node whose keys they are.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// Until then they may be sealed to without asking anew: the keyset, and the evidence for it, hold.
    #[must_use]
    pub fn valid_until(&self) -> TimestampMs {
        self.valid_until
    }

    pub(crate) fn counts_at(&self, now: TimestampMs) -> Result<()> {
        if now < self.not_before {
            return Err(Fault::KeysetEarly);
        }
        if now >= self.valid_until {
            return Err(Fault::KeysetEnded);
        }
        Ok(())
    }
}
