//! The makers' roots, pinned by the SHA-256 of their certificates. Evidence carries the certificates
//! themselves.

use crate::{
    octets::Octets,
    snp::{SnpProduct, SnpRoot},
    x509::Pin,
};

/// Whose word counts. Anything but [`Roots::pinned`] is for tests and development.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roots {
    /// AMD's roots (ARK), one for each generation of processors.
    pub snp: Vec<SnpRoot>,
    /// Intel's root of platforms.
    pub intel: Pin,
    /// AWS's root of Nitro enclaves.
    pub nitro: Pin,
    /// NVIDIA's root of devices.
    pub nvidia_devices: Pin,
    /// NVIDIA's root of manifests.
    pub nvidia_manifests: Pin,
}

/// AMD's ARK-Milan. It is known so that its evidence is refused for what it is.
const ARK_MILAN: &str = "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd";
/// AMD's ARK-Genoa: the root of EPYC 9004.
const ARK_GENOA: &str = "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1";
/// AMD's ARK-Turin: the root of EPYC 9005.
const ARK_TURIN: &str = "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a";
/// Intel SGX Root CA, for TDX, too.
const INTEL: &str = "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3";
/// AWS Nitro Enclaves Root G1.
const NITRO: &str = "641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b";
/// NVIDIA Device Identity CA: GPUs and switches, Hopper and Blackwell.
const NVIDIA_DEVICES: &str = "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48";
/// NVIDIA CoRIM signing Root CA.
const NVIDIA_MANIFESTS: &str = "12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1";

impl Roots {
    /// The makers' own roots.
    #[must_use]
    pub fn pinned() -> Self {
        let snp = |product, pin| SnpRoot {
            product,
            pin: self::pin(pin),
        };
        Self {
            snp: vec![
                snp(SnpProduct::Milan, ARK_MILAN),
                snp(SnpProduct::Genoa, ARK_GENOA),
                snp(SnpProduct::Turin, ARK_TURIN),
            ],
            intel: pin(INTEL),
            nitro: pin(NITRO),
            nvidia_devices: pin(NVIDIA_DEVICES),
            nvidia_manifests: pin(NVIDIA_MANIFESTS),
        }
    }
}

/// A constant of this module.
fn pin(text: &str) -> Pin {
    Pin(text
        .parse::<Octets<32>>()
        .expect("a constant of 64 hex digits"))
}
