//! Which images may run, and what each measures.

use super::{NitroMeasurements, PolicyFault, TdxMeasurements};
use crate::octets::{Digest, Measurement};
use atoma_types::TimestampMs;
use serde::Deserialize;
use std::collections::BTreeSet;

/// A release that a policy accepts. Its measurements count for this release alone: a guest that
/// says it is of one release and measures as another is refused.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Release {
    /// What the ledger's list of releases calls it.
    pub id: Digest,
    /// What people call it.
    pub name: String,
    /// Accepted from then on.
    pub from_ms: Option<TimestampMs>,
    /// Not accepted any more from then on.
    pub until_ms: Option<TimestampMs>,
    /// Launch digests of SEV-SNP guests.
    #[serde(default)]
    pub snp: BTreeSet<Measurement>,
    /// Registers of TDX guests.
    #[serde(default)]
    pub tdx: Vec<TdxMeasurements>,
    /// Registers of Nitro enclaves.
    #[serde(default)]
    pub nitro: Vec<NitroMeasurements>,
    /// What software that acts as hardware says it started with.
    #[serde(default)]
    pub software: BTreeSet<Measurement>,
}

impl Release {
    /// The release `id` among `releases`, if it is accepted at `at`.
    pub(crate) fn find(
        releases: &[Self],
        id: Digest,
        at: TimestampMs,
    ) -> Result<&Self, PolicyFault> {
        let found = releases.iter().find(|release| release.id == id);
        let release = found.ok_or(PolicyFault::Release)?;
        let begun = release.from_ms.is_none_or(|from| from <= at);
        let over = release.until_ms.is_some_and(|until| until <= at);
        if !begun || over {
            return Err(PolicyFault::ReleaseTime);
        }
        Ok(release)
    }
}
