//! Whoever signs certificates and revocation lists.

use super::{SigningKey, der};
use crate::{crypto::sha256, x509::Pin};

/// A key with its certificate.
#[derive(Debug)]
pub struct Authority {
    /// The key that it signs with.
    pub key: SigningKey,
    /// The name in DER.
    pub name: Vec<u8>,
    /// The certificate in DER.
    pub certificate: Vec<u8>,
    /// The body of its serial number.
    pub serial: Vec<u8>,
}

/// What a certificate says.
#[derive(Clone, Debug)]
pub struct CertificateOf<'a> {
    /// The common name.
    pub name: &'a str,
    /// The serial number, big-endian.
    pub serial: &'a [u8],
    /// Seconds since 1970.
    pub from: i64,
    /// Seconds since 1970.
    pub until: i64,
    /// What it is for.
    pub kind: Kind,
    /// Further extensions, none critical: (body of the OID, value).
    pub extensions: Vec<(Vec<u8>, Vec<u8>)>,
}

/// What a certificate is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An authority; with this many others below it at most.
    Authority(Option<u8>),
    /// One that signs reports, and says so.
    Leaf,
    /// One that says nothing of its use, as those of AMD's chips.
    Bare,
}

/// The first byte of key usage.
#[derive(Clone, Copy, Debug)]
pub struct Usage(pub u8);

impl Usage {
    /// Signs certificates and lists.
    pub const AUTHORITY: Self = Self(0x06);
    /// Signs reports and statements, and no certificates.
    pub const LEAF: Self = Self(0x80);

    fn extension(self) -> Vec<u8> {
        let unused = self.0.trailing_zeros() as u8;
        critical(&[0x55, 0x1d, 0x0f], &der::element(3, &[unused, self.0]))
    }
}

/// What a test's certificates say if they say nothing else: valid from 2020 to 2040.
impl Default for CertificateOf<'_> {
    fn default() -> Self {
        Self {
            name: "test",
            serial: &[1],
            from: 1_577_836_800,
            until: 2_208_988_800,
            kind: Kind::Authority(None),
            extensions: Vec::new(),
        }
    }
}

fn critical(oid: &[u8], value: &[u8]) -> Vec<u8> {
    der::sequence(&[&der::oid(oid), &[1, 1, 0xff], &der::octets(value)])
}

fn name_of(common_name: &str) -> Vec<u8> {
    let value = der::element(0x0c, common_name.as_bytes());
    der::sequence(&[&der::set(&[&der::sequence(&[
        &der::oid(&[0x55, 4, 3]),
        &value,
    ])])])
}

impl Authority {
    /// A root: signed by itself.
    #[must_use]
    pub fn root(key: SigningKey, spec: &CertificateOf<'_>) -> Self {
        let name = name_of(spec.name);
        let certificate = write(spec, &key, &name, &key);
        Self {
            key,
            certificate,
            serial: der::integer(spec.serial)[2..].to_vec(),
            name,
        }
    }

    /// One whose certificate this one signs.
    #[must_use]
    pub fn issue(&self, key: SigningKey, spec: &CertificateOf<'_>) -> Self {
        let certificate = write(spec, &key, &self.name, &self.key);
        Self {
            key,
            certificate,
            serial: der::integer(spec.serial)[2..].to_vec(),
            name: name_of(spec.name),
        }
    }

    /// The pin of its certificate.
    #[must_use]
    pub fn pin(&self) -> Pin {
        Pin(sha256(&self.certificate))
    }

    /// A revocation list of its own, valid from `from` until `until`, with these serial numbers.
    #[must_use]
    pub fn revoke(&self, serials: &[&[u8]], from: i64, until: i64) -> Vec<u8> {
        let algorithm = self.key.algorithm();
        let entries: Vec<Vec<u8>> = serials
            .iter()
            .map(|serial| der::sequence(&[&der::element(2, serial), &der::time(from)]))
            .collect();
        let entries = match entries.is_empty() {
            true => Vec::new(),
            false => der::element(0x30, &entries.concat()),
        };
        // 2.5.29.20, which every list has
        let number = der::oid(&[0x55, 0x1d, 0x14]);
        let number = der::sequence(&[&number, &der::octets(&der::integer(&[1]))]);
        let body = der::sequence(&[
            &der::integer(&[1]),
            &algorithm,
            &self.name,
            &der::time(from),
            &der::time(until),
            &entries,
            &der::element(0xa0, &der::sequence(&[&number])),
        ]);
        let signature = der::bits(&self.key.sign_certificate(&body));
        der::sequence(&[&body, &algorithm, &signature])
    }
}

fn write(
    spec: &CertificateOf<'_>,
    key: &SigningKey,
    issuer: &[u8],
    signer: &SigningKey,
) -> Vec<u8> {
    let algorithm = signer.algorithm();
    let mut extensions = match spec.kind {
        Kind::Authority(below) => {
            let below = below.map_or_else(Vec::new, |n| der::integer(&[n]));
            let constraints = der::sequence(&[&[1, 1, 0xff], &below]);
            vec![
                critical(&[0x55, 0x1d, 0x13], &constraints),
                Usage::AUTHORITY.extension(),
            ]
        }
        Kind::Leaf => vec![Usage::LEAF.extension()],
        Kind::Bare => Vec::new(),
    };
    extensions.extend(
        spec.extensions
            .iter()
            .map(|(oid, value)| der::sequence(&[&der::oid(oid), &der::octets(value)])),
    );
    let body = der::sequence(&[
        &der::element(0xa0, &der::integer(&[2])),
        &der::integer(spec.serial),
        &algorithm,
        issuer,
        &der::sequence(&[&der::time(spec.from), &der::time(spec.until)]),
        &name_of(spec.name),
        &key.info(),
        &der::element(0xa3, &der::element(0x30, &extensions.concat())),
    ]);
    let signature = der::bits(&signer.sign_certificate(&body));
    der::sequence(&[&body, &algorithm, &signature])
}
