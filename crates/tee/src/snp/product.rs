//! Generations of processors and the versions of their firmware.

use crate::x509::Pin;
use serde::{Deserialize, Serialize};
use std::fmt;

/// A generation of AMD's server processors. Its root says which it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SnpProduct {
    /// EPYC 7003. Its keys can be extracted by software, so no policy can allow it.
    Milan,
    /// EPYC 9004, the fourth generation.
    Genoa,
    /// EPYC 9005, the fifth generation.
    Turin,
}

impl SnpProduct {
    /// Bytes of a chip's id that count; the others are zero.
    pub(crate) fn chip_bytes(self) -> usize {
        match self {
            Self::Milan | Self::Genoa => 64,
            Self::Turin => 8,
        }
    }
}

impl fmt::Display for SnpProduct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Milan => "Milan",
            Self::Genoa => "Genoa",
            Self::Turin => "Turin",
        })
    }
}

/// The root of one generation (ARK).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnpRoot {
    /// What chips it vouches for.
    pub product: SnpProduct,
    /// The root's certificate.
    pub pin: Pin,
}

/// Security versions of a platform's firmware; each counts up when a weakness is mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SnpTcb {
    /// Of the firmware's first stage; Turin alone has it.
    pub fmc: u8,
    /// Of the boot loader.
    pub boot: u8,
    /// Of the security processor's operating system.
    pub tee: u8,
    /// Of the SNP firmware.
    pub snp: u8,
    /// Of the processor's microcode.
    pub microcode: u8,
}

impl SnpTcb {
    /// Reads the eight bytes of a report.
    pub(super) fn read(product: SnpProduct, bytes: [u8; 8]) -> Self {
        match product {
            SnpProduct::Milan | SnpProduct::Genoa => Self {
                fmc: 0,
                boot: bytes[0],
                tee: bytes[1],
                snp: bytes[6],
                microcode: bytes[7],
            },
            SnpProduct::Turin => Self {
                fmc: bytes[0],
                boot: bytes[1],
                tee: bytes[2],
                snp: bytes[3],
                microcode: bytes[7],
            },
        }
    }

    /// Whether no version is below that of `floor`.
    #[must_use]
    pub fn at_least(&self, floor: &Self) -> bool {
        self.fmc >= floor.fmc
            && self.boot >= floor.boot
            && self.tee >= floor.tee
            && self.snp >= floor.snp
            && self.microcode >= floor.microcode
    }
}

impl fmt::Display for SnpTcb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            fmc,
            boot,
            tee,
            snp,
            microcode,
        } = self;
        write!(
            f,
            "boot {boot}, tee {tee}, snp {snp}, microcode {microcode}"
        )?;
        if *fmc > 0 {
            write!(f, ", fmc {fmc}")?;
        }
        Ok(())
    }
}
