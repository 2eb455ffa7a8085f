//! Nitro documents under a root of our own.

use super::{AT, Authority, CertificateOf, Kind, SigningKey};
use crate::{nitro::NitroEvidence, octets::Octets, x509::Pin};

/// A hypervisor that signs documents.
#[derive(Debug)]
pub struct NitroMaker {
    root: Authority,
    region: Authority,
    enclave: Authority,
}

/// What a document says.
#[derive(Clone, Debug)]
pub struct NitroClaims {
    /// When it was made, in milliseconds since 1970.
    pub timestamp_ms: u64,
    /// The registers 0, 1 and 2.
    pub registers: [[u8; 48]; 3],
    /// A key that the enclave names.
    pub public_key: Vec<u8>,
    /// The map of fields is left open, as newer hypervisors write it.
    pub open_map: bool,
    /// Statement and freshness.
    pub report_data: Octets<64>,
}

impl Default for NitroClaims {
    fn default() -> Self {
        Self {
            timestamp_ms: AT as u64 * 1_000 - 60_000,
            registers: [[0x70; 48], [0x71; 48], [0x72; 48]],
            public_key: super::keyset().receipt_key.0.to_vec(),
            open_map: false,
            report_data: Octets([0; 64]),
        }
    }
}

fn head(major: u8, len: usize) -> Vec<u8> {
    match len {
        0..24 => vec![major << 5 | len as u8],
        24..0x100 => vec![major << 5 | 24, len as u8],
        _ => vec![major << 5 | 25, (len >> 8) as u8, len as u8],
    }
}

fn bytes(value: &[u8]) -> Vec<u8> {
    [&head(2, value.len()), value].concat()
}

fn text(value: &str) -> Vec<u8> {
    [&head(3, value.len()), value.as_bytes()].concat()
}

impl NitroMaker {
    /// A new hypervisor; its enclave's certificate lives three hours.
    #[must_use]
    pub fn new() -> Self {
        let named = |name| CertificateOf {
            name,
            ..CertificateOf::default()
        };
        let root = Authority::root(SigningKey::p384(), &named("aws.nitro-enclaves"));
        let region = root.issue(SigningKey::p384(), &named("region"));
        let enclave = region.issue(
            SigningKey::p384(),
            &CertificateOf {
                name: "enclave",
                kind: Kind::Leaf,
                from: AT - 3_600,
                until: AT + 7_200,
                ..CertificateOf::default()
            },
        );
        Self {
            root,
            region,
            enclave,
        }
    }

    /// The pin of its root.
    #[must_use]
    pub fn pin(&self) -> Pin {
        self.root.pin()
    }

    /// A signed document.
    #[must_use]
    pub fn evidence(&self, claims: &NitroClaims) -> NitroEvidence {
        let payload = self.payload(claims);
        let protected = bytes(&[0xa1, 1, 0x38, 34]);
        let to_sign = [
            vec![0x84],
            text("Signature1"),
            protected.clone(),
            bytes(&[]),
            bytes(&payload),
        ]
        .concat();
        let signature = self.enclave.key.sign(&to_sign);
        let document = [
            vec![0x84],
            protected,
            vec![0xa0],
            bytes(&payload),
            bytes(&signature),
        ]
        .concat();
        NitroEvidence {
            document: document.try_into().expect("a short document"),
        }
    }

    fn payload(&self, claims: &NitroClaims) -> Vec<u8> {
        let registers = claims.registers.iter().enumerate();
        let registers: Vec<u8> = registers
            .flat_map(|(i, value)| [vec![i as u8], bytes(value)].concat())
            .collect();
        let (statement, freshness) = claims.report_data.0.split_at(32);
        let time = [&[0x1b][..], &claims.timestamp_ms.to_be_bytes()].concat();
        let bundle = [
            bytes(&self.root.certificate),
            bytes(&self.region.certificate),
        ]
        .concat();
        [
            vec![if claims.open_map { 0xbf } else { 0xa9 }],
            [text("module_id"), text("i-0-enc1")].concat(),
            [text("digest"), text("SHA384")].concat(),
            [text("timestamp"), time].concat(),
            [text("pcrs"), vec![0xa3], registers].concat(),
            [text("certificate"), bytes(&self.enclave.certificate)].concat(),
            [text("cabundle"), vec![0x82], bundle].concat(),
            [text("public_key"), bytes(&claims.public_key)].concat(),
            [text("user_data"), bytes(statement)].concat(),
            [text("nonce"), bytes(freshness)].concat(),
            if claims.open_map {
                vec![0xff]
            } else {
                Vec::new()
            },
        ]
        .concat()
    }
}

impl Default for NitroMaker {
    fn default() -> Self {
        Self::new()
    }
}
