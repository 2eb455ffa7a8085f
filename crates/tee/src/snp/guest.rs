//! What a report says of a guest, once it is known to be true.

use super::{SnpFault, SnpProduct, SnpTcb};
use crate::{
    fault::Result,
    octets::{Measurement, Octets},
};

/// A guest whose report holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnpGuest {
    /// The processor's generation, by its root.
    pub product: SnpProduct,
    /// The firmware's versions as AMD has certified them for the signing key.
    pub certified: SnpTcb,
    /// The versions below which the firmware can't go back.
    pub committed: SnpTcb,
    /// The versions when the guest started.
    pub launched: SnpTcb,
    /// The digest of what the guest started with.
    pub measurement: Measurement,
    /// What the guest had put into its report.
    pub report_data: Octets<64>,
    /// What the host gave the guest at its start.
    pub host_data: Octets<32>,
    /// The id of the chip that signed; fewer bytes count in later generations.
    pub chip: Octets<64>,
    /// The privilege level that asked for the report; 0 is the highest.
    pub vmpl: u32,
    /// What the guest's owner allows the host.
    pub policy: GuestPolicy,
    /// How the platform is set up.
    pub platform: PlatformInfo,
    /// Whether AMD's revocation list came with it and doesn't name the chain.
    pub revocation_checked: bool,
    /// When the first certificate expires, in seconds since 1970.
    pub not_after: i64,
}

/// What the guest's owner allows (the report's policy).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GuestPolicy {
    /// The host may read and write the guest.
    pub debug: bool,
    /// A migration agent may move it.
    pub migration: bool,
    /// It may run where two threads share a core.
    pub smt: bool,
}

/// How the platform is set up (the report's platform info).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PlatformInfo {
    /// Two threads share a core.
    pub smt: bool,
    /// The firmware has checked that no memory is reached by two addresses.
    pub alias_check: bool,
}

const SMT_ALLOWED: u64 = 1 << 16;
const ALWAYS_SET: u64 = 1 << 17;
const MIGRATION: u64 = 1 << 18;
const DEBUG: u64 = 1 << 19;
/// From this bit on a policy is reserved.
const RESERVED_FROM: u32 = 26;

impl GuestPolicy {
    pub(super) fn read(bits: u64) -> Result<Self> {
        if bits & ALWAYS_SET == 0 || bits >> RESERVED_FROM != 0 {
            return Err(SnpFault::GuestPolicy.into());
        }
        Ok(Self {
            debug: bits & DEBUG != 0,
            migration: bits & MIGRATION != 0,
            smt: bits & SMT_ALLOWED != 0,
        })
    }
}

impl PlatformInfo {
    pub(super) fn read(bits: u64) -> Self {
        Self {
            smt: bits & 1 != 0,
            alias_check: bits & 1 << 5 != 0,
        }
    }
}
