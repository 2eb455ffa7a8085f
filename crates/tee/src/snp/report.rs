//! The report's layout. Numbers are little-endian.
//!
//! ```text
//! 000 version u32 | 004 guest svn u32 | 008 policy u64 | 010 family id 16 | 020 image id 16
//! 030 vmpl u32 | 034 signature algorithm u32 = 1 | 038 current tcb 8 | 040 platform info u64
//! 048 key flags u32 | 04c zero u32 | 050 report data 64 | 090 measurement 48 | 0c0 host data 32
//! 0e0 id key digest 48 | 110 author key digest 48 | 140 report id 32 | 160 migration agent's 32
//! 180 reported tcb 8 | 188 family, model, stepping (from version 3) | 1a0 chip id 64
//! 1e0 committed tcb 8 | 1e8 current version 3, 0 | 1ec committed version 3, 0 | 1f0 launch tcb 8
//! 1f8, 200 mitigation vectors u64 (version 5) | 2a0 r 72, 2e8 s 72 | 330 zero to 4a0
//! ```

use super::SnpFault;
use crate::{fault::Result, octets::Octets};

/// Bytes of a report.
pub const REPORT_BYTES: usize = 0x4a0;

pub(super) const CURRENT_TCB: usize = 0x38;
pub(super) const REPORTED_TCB: usize = 0x180;
pub(super) const COMMITTED_TCB: usize = 0x1e0;
pub(super) const LAUNCH_TCB: usize = 0x1f0;

/// What the signature is over.
const SIGNED: usize = 0x2a0;
const R: usize = 0x2a0;
const S: usize = 0x2e8;
/// A number of the signature has 72 bytes, of which a P-384 number uses 48.
const NUMBER: usize = 72;
const USED: usize = 48;
const AFTER_SIGNATURE: usize = 0x330;
/// The one signature algorithm: ECDSA P-384 with SHA-384.
const ECDSA_P384: u32 = 1;

/// A report of the right length.
#[derive(Clone, Copy)]
pub(super) struct Report<'a>(&'a [u8; REPORT_BYTES]);

impl<'a> Report<'a> {
    /// A report whose layout is a known one and whose reserved bytes are zero. The masks for chip
    /// and author keys stand in the flags.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self> {
        let report = Self(bytes.try_into().map_err(|_| SnpFault::Length)?);
        let (after_tcb, after_all) = match report.number(0) {
            2 => (0x188, 0x1f8),
            3 | 4 => (0x18b, 0x1f8),
            5 => (0x18b, 0x208),
            _ => return Err(SnpFault::Version.into()),
        };
        let reserved = [
            (0x4c, 0x50),
            (after_tcb, 0x1a0),
            (0x1eb, 0x1ec),
            (0x1ef, 0x1f0),
            (after_all, SIGNED),
            (AFTER_SIGNATURE, REPORT_BYTES),
        ];
        if !reserved.iter().all(|(from, to)| report.is_zero(*from, *to)) {
            return Err(SnpFault::Reserved.into());
        }
        let wide = report.is_zero(R + USED, R + NUMBER) && report.is_zero(S + USED, S + NUMBER);
        if !wide || report.number(0x34) != ECDSA_P384 {
            return Err(SnpFault::SignatureForm.into());
        }
        Ok(report)
    }

    fn is_zero(&self, from: usize, to: usize) -> bool {
        self.0[from..to].iter().all(|byte| *byte == 0)
    }

    /// The u32 at `offset`.
    pub(super) fn number(&self, offset: usize) -> u32 {
        u32::from_le_bytes(self.octets(offset).0)
    }

    /// The u64 at `offset`.
    pub(super) fn long(&self, offset: usize) -> u64 {
        u64::from_le_bytes(self.octets(offset).0)
    }

    /// `N` bytes at `offset`; the offsets of this module are within a report.
    pub(super) fn octets<const N: usize>(&self, offset: usize) -> Octets<N> {
        Octets::at(self.0, offset).expect("a field lies within the report")
    }

    /// What is signed.
    pub(super) fn signed(&self) -> &'a [u8] {
        &self.0[..SIGNED]
    }

    /// `r ‖ s`, big-endian, 96 bytes.
    pub(super) fn signature(&self) -> [u8; 2 * USED] {
        let mut signature = [0; 2 * USED];
        for i in 0..USED {
            signature[i] = self.0[R + USED - 1 - i];
            signature[USED + i] = self.0[S + USED - 1 - i];
        }
        signature
    }
}
