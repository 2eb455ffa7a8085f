//! AMD SEV-SNP evidence under roots of our own.

use super::{Authority, CertificateOf, Kind, SigningKey, der};
use crate::{
    bundle::{Bundle, PlatformEvidence},
    octets::{Measurement, Octets},
    roots::Roots,
    snp::{REPORT_BYTES, SnpEvidence, SnpProduct, SnpRoot, SnpTcb},
};

/// A maker of processors with one chip.
#[derive(Debug)]
pub struct SnpMaker {
    /// The generation of its processors.
    pub product: SnpProduct,
    /// The root (ARK).
    pub root: Authority,
    /// The intermediate (ASK).
    pub intermediate: Authority,
    /// The chip's key (VCEK).
    pub chip: Authority,
    /// The chip's id.
    pub chip_id: Octets<64>,
}

/// What a report claims.
#[derive(Clone, Debug)]
pub struct SnpClaims {
    /// Version of the report's layout.
    pub version: u32,
    /// The guest's policy.
    pub policy: u64,
    /// How the platform is set up.
    pub platform: u64,
    /// The privilege level of who asks; 0 is the highest.
    pub vmpl: u32,
    /// The flags with the signing key.
    pub key_flags: u32,
    /// The versions of its firmware.
    pub tcb: SnpTcb,
    /// What the guest started with.
    pub measurement: Measurement,
    /// What the host gave it.
    pub host_data: Octets<32>,
    /// What the guest had put in.
    pub report_data: Octets<64>,
}

impl Default for SnpClaims {
    fn default() -> Self {
        Self {
            version: 5,
            policy: 0x3_0000,
            platform: 0x21,
            vmpl: 0,
            key_flags: 0,
            tcb: SnpMaker::TCB,
            measurement: Octets([7; 48]),
            host_data: Octets([0; 32]),
            report_data: Octets([0; 64]),
        }
    }
}

/// Before now, and after, in seconds since 1970.
const LIST_FROM: i64 = 1_790_000_000;
const LIST_UNTIL: i64 = 1_800_000_000;

impl SnpMaker {
    /// The firmware of the chip.
    pub const TCB: SnpTcb = SnpTcb {
        fmc: 0,
        boot: 10,
        tee: 0,
        snp: 23,
        microcode: 0x90,
    };

    /// A new maker with new keys: of P-384, which are made at once.
    #[must_use]
    pub fn new(product: SnpProduct) -> Self {
        Self::with_keys(product, SigningKey::p384)
    }

    /// A maker whose authorities have RSA keys, as AMD's do.
    #[must_use]
    pub fn with_rsa(product: SnpProduct) -> Self {
        Self::with_keys(product, SigningKey::rsa)
    }

    fn with_keys(product: SnpProduct, key: fn() -> SigningKey) -> Self {
        let root = Authority::root(
            key(),
            &CertificateOf {
                name: "ARK-Test",
                ..CertificateOf::default()
            },
        );
        let intermediate = root.issue(
            key(),
            &CertificateOf {
                name: "SEV-Test",
                serial: &[2, 0, 2],
                kind: Kind::Authority(Some(0)),
                ..CertificateOf::default()
            },
        );
        let mut chip_id = [0; 64];
        chip_id[..8].fill(0xc1);
        if product != SnpProduct::Turin {
            chip_id[8..].fill(0xc2);
        }
        let chip_id = Octets(chip_id);
        let chip = Self::certify(&intermediate, product, &chip_id, Self::TCB);
        Self {
            product,
            root,
            intermediate,
            chip,
            chip_id,
        }
    }

    /// A certificate for a chip at these versions of its firmware.
    #[must_use]
    pub fn certify(
        intermediate: &Authority,
        product: SnpProduct,
        chip: &Octets<64>,
        tcb: SnpTcb,
    ) -> Authority {
        let base = [0x2b, 6, 1, 4, 1, 0x9c, 0x78, 1];
        let version = |n: u8, value: u8| ([&base[..], &[3, n]].concat(), der::integer(&[value]));
        let mut extensions = vec![
            version(1, tcb.boot),
            version(2, tcb.tee),
            version(3, tcb.snp),
            version(8, tcb.microcode),
        ];
        let chip_bytes = match product {
            SnpProduct::Turin => {
                extensions.push(version(9, tcb.fmc));
                8
            }
            SnpProduct::Milan | SnpProduct::Genoa => 64,
        };
        extensions.push(([&base[..], &[4]].concat(), chip.0[..chip_bytes].to_vec()));
        intermediate.issue(
            SigningKey::p384(),
            &CertificateOf {
                name: "SEV-VCEK",
                serial: &[0],
                kind: Kind::Bare,
                extensions,
                ..CertificateOf::default()
            },
        )
    }

    /// The roots under which its evidence holds.
    #[must_use]
    pub fn roots(&self) -> Roots {
        Roots {
            snp: vec![SnpRoot {
                product: self.product,
                pin: self.root.pin(),
            }],
            ..super::no_roots()
        }
    }

    /// Evidence with a signed report.
    #[must_use]
    pub fn evidence(&self, claims: &SnpClaims) -> SnpEvidence {
        let report = self.sign(&self.write(claims));
        let bytes = |der: &[u8]| der.to_vec().try_into().expect("a short certificate");
        let list = self.root.revoke(&[], LIST_FROM, LIST_UNTIL);
        SnpEvidence {
            report: report.try_into().expect("a report"),
            chip: bytes(&self.chip.certificate),
            intermediate: bytes(&self.intermediate.certificate),
            root: bytes(&self.root.certificate),
            revocations: Some(list.try_into().expect("a short list")),
        }
    }

    /// A bundle over the sample keyset, without devices.
    #[must_use]
    pub fn bundle(&self, claims: &SnpClaims) -> Bundle {
        super::bundle(Vec::new(), Vec::new(), |report_data| {
            let claims = SnpClaims {
                report_data,
                ..claims.clone()
            };
            PlatformEvidence::Snp(self.evidence(&claims))
        })
    }

    /// A report that isn't signed yet.
    #[must_use]
    pub fn write(&self, claims: &SnpClaims) -> Vec<u8> {
        let mut report = vec![0; REPORT_BYTES];
        let mut put = |at: usize, bytes: &[u8]| report[at..at + bytes.len()].copy_from_slice(bytes);
        put(0x00, &claims.version.to_le_bytes());
        put(0x08, &claims.policy.to_le_bytes());
        put(0x30, &claims.vmpl.to_le_bytes());
        put(0x34, &1u32.to_le_bytes());
        put(0x40, &claims.platform.to_le_bytes());
        put(0x48, &claims.key_flags.to_le_bytes());
        put(0x50, &claims.report_data.0);
        put(0x90, &claims.measurement.0);
        put(0xc0, &claims.host_data.0);
        put(0x1a0, &self.chip_id.0);
        let tcb = claims.tcb;
        let versions = match self.product {
            SnpProduct::Turin => [tcb.fmc, tcb.boot, tcb.tee, tcb.snp, 0, 0, 0, tcb.microcode],
            _ => [tcb.boot, tcb.tee, 0, 0, 0, 0, tcb.snp, tcb.microcode],
        };
        for at in [0x38, 0x180, 0x1e0, 0x1f0] {
            put(at, &versions);
        }
        report
    }

    /// `report` with a signature in its place.
    #[must_use]
    pub fn sign(&self, report: &[u8]) -> Vec<u8> {
        let mut signed = report.to_vec();
        let signature = self.chip.key.sign(&report[..0x2a0]);
        for i in 0..48 {
            signed[0x2a0 + i] = signature[47 - i];
            signed[0x2e8 + i] = signature[95 - i];
        }
        signed
    }
}
