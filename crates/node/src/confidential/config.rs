//! `[confidential]` in the node's configuration.

use super::{
    attester::Attester, error::GuestError, guest_kind::GuestKind, software::SoftwareAttester,
};
use atoma_channel::limits::KEY_OVERLAP;
use atoma_tee::octets::{Digest, Measurement};
use atoma_types::DurationMs;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};

/// A keyset lasts at most so long: a key that leaks opens no more than this much of the past.
const MAX_LIFETIME: DurationMs = DurationMs(24 * 3_600_000);

/// Running as a guest that nobody can look into: with it, the node takes sealed requests and confidential tasks.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfidentialConfig {
    /// What gives evidence: `software`, which acts as hardware, for development.
    pub kind: GuestKind,
    /// Whether software that acts as hardware is allowed. It protects against nobody, so it has to be said.
    #[serde(default)]
    pub allow_software: bool,
    /// The release that this node runs, as the task's owner has announced it, in hex.
    pub release: Digest,
    /// What the software says that it started with, in hex.
    #[serde(default)]
    pub measurement: Measurement,
    /// How long a keyset lasts. The next one is there four minutes before its end.
    #[serde(default = "lifetime")]
    pub keyset_lifetime_ms: DurationMs,
    /// How often to look whether the next keyset is due, and whose secrets are to be wiped; 15000 at most.
    #[serde(default = "tick")]
    pub tick_ms: u64,
}

/// A secret outlives its time by no more than this.
const MAX_TICK_MS: u64 = 15_000;
const MIN_TICK_MS: u64 = 20;

fn tick() -> u64 {
    MAX_TICK_MS
}

/// As long as a sealing key counts.
fn lifetime() -> DurationMs {
    DurationMs(3_600_000)
}

impl ConfidentialConfig {
    /// Software that acts as hardware, allowed by name.
    #[must_use]
    pub fn software(release: Digest, measurement: Measurement) -> Self {
        Self {
            kind: GuestKind::Software,
            allow_software: true,
            release,
            measurement,
            keyset_lifetime_ms: lifetime(),
            tick_ms: tick(),
        }
    }

    /// How often keysets are looked after, within bounds.
    pub(super) fn tick(&self) -> Duration {
        Duration::from_millis(self.tick_ms.clamp(MIN_TICK_MS, MAX_TICK_MS))
    }

    /// What asks the hardware.
    pub(super) fn attester(&self) -> Result<Arc<dyn Attester>, GuestError> {
        let lifetime = self.keyset_lifetime_ms;
        // with less, the next keyset would be due before this one counts
        let least = DurationMs(2 * KEY_OVERLAP.0);
        if lifetime < least || lifetime > MAX_LIFETIME {
            return Err(GuestError::Lifetime {
                least,
                most: MAX_LIFETIME,
            });
        }
        match self.kind {
            GuestKind::Software if !self.allow_software => Err(GuestError::SoftwareNotAllowed),
            GuestKind::Software => Ok(Arc::new(SoftwareAttester {
                measurement: self.measurement,
            })),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_tee::octets::Octets;

    #[test]
    fn a_keyset_lasts_as_long_as_a_sealing_key_counts() {
        assert_eq!(lifetime(), atoma_channel::limits::KEY_LIFETIME);
    }

    #[test]
    fn software_that_acts_as_hardware_has_to_be_allowed() {
        let mut config = ConfidentialConfig::software(Octets([1; 32]), Octets([2; 48]));
        assert!(config.attester().is_ok());
        config.allow_software = false;
        let refused = config.attester().unwrap_err();
        assert!(matches!(refused, GuestError::SoftwareNotAllowed));
    }

    #[test]
    fn a_keyset_lasts_longer_than_the_overlap_and_not_for_ever() {
        let mut config = ConfidentialConfig::software(Octets([1; 32]), Octets([2; 48]));
        for wrong in [0, KEY_OVERLAP.0, MAX_LIFETIME.0 + 1] {
            config.keyset_lifetime_ms = DurationMs(wrong);
            assert!(matches!(
                config.attester(),
                Err(GuestError::Lifetime { .. })
            ));
        }
    }
}
