//! What a quote says of a guest, once it is known to be true.
//!
//! ```text
//! 000 tee tcb svn 16 | 010 mrseam 48 | 040 signer of seam 48 | 070 seam attributes 8
//! 078 attributes 8 | 080 xfam 8 | 088 mrtd 48 | 0b8 config id 48 | 0e8 owner 48 | 118 owner config 48
//! 148 rtmr0 to rtmr3, 48 each | 208 report data 64 | 248 more from version 1.5 on
//! ```

use super::TdxFault;
use crate::{
    fault::Result,
    octets::{Measurement, Octets},
};
use std::fmt;

/// A guest whose quote holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TdxGuest {
    /// What Intel says of the platform's state: `UpToDate`, `OutOfDate`, …
    pub status: String,
    /// Intel's advisories that the platform hasn't mended.
    pub advisories: Vec<String>,
    /// Number of Intel's evaluation, by which the state was judged.
    pub evaluation: u32,
    /// The platform, by Intel's name of it (PPID).
    pub platform: Vec<u8>,
    /// How the platform is set up.
    pub set_up: SetUp,
    /// The guest's attributes.
    pub attributes: u64,
    /// What the guest began with: its virtual firmware.
    pub mrtd: Measurement,
    /// Registers: set-up and tables, kernel, its arguments and initial disk, run time.
    pub registers: [Measurement; 4],
    /// What the host gave the guest at its start (MRCONFIGID).
    pub config_id: Measurement,
    /// What the guest had put into its quote.
    pub report_data: Octets<64>,
    /// The payload of the event `compose-hash`, if the log has one.
    pub compose: Option<Vec<u8>>,
    /// When the first of certificates, lists and statements ends, in seconds since 1970.
    pub not_after: i64,
}

/// How a platform is set up, by the certificate of its key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetUp {
    /// Packages may be added to it after its keys were made.
    pub dynamic_platform: bool,
    /// Intel's service keeps its root keys.
    pub cached_keys: bool,
    /// Two threads share a core.
    pub smt: bool,
}

impl fmt::Display for SetUp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [
            (self.dynamic_platform, "dynamic platform"),
            (self.cached_keys, "cached keys"),
            (self.smt, "two threads on a core"),
        ];
        let names: Vec<&str> = names
            .into_iter()
            .filter_map(|(is, name)| is.then_some(name))
            .collect();
        match names.is_empty() {
            true => f.write_str("plain"),
            false => f.write_str(&names.join(", ")),
        }
    }
}

/// The host may look into the guest, or measure its speed from within: bits 0 to 7.
const UNTRUSTED: u64 = 0xff;
const MIGRATABLE: u64 = 1 << 29;

/// A guest notices when the host takes memory away from it.
const NOTICES_LOST_MEMORY: u64 = 1 << 28;

/// The measured parts of a report.
pub(super) struct Parts {
    pub(super) attributes: u64,
    pub(super) mrtd: Measurement,
    pub(super) registers: [Measurement; 4],
    pub(super) config_id: Measurement,
    pub(super) report_data: Octets<64>,
}

impl Parts {
    /// Nobody may look into the guest or move it.
    pub(super) fn check_attributes(&self) -> Result<()> {
        let attributes = self.attributes;
        let bad = attributes & (UNTRUSTED | MIGRATABLE) != 0;
        if bad || attributes & NOTICES_LOST_MEMORY == 0 {
            return Err(TdxFault::Attributes.into());
        }
        Ok(())
    }

    /// Reads a report; `None` if it is too short.
    pub(super) fn read(report: &[u8]) -> Option<Self> {
        let register = |n: usize| Octets::at(report, 0x148 + 48 * n);
        Some(Self {
            attributes: u64::from_le_bytes(Octets::at(report, 0x78)?.0),
            mrtd: Octets::at(report, 0x88)?,
            registers: [register(0)?, register(1)?, register(2)?, register(3)?],
            config_id: Octets::at(report, 0xb8)?,
            report_data: Octets::at(report, 0x208)?,
        })
    }
}
