//! One X.509 certificate, read from DER, and whether another has signed it.

use super::{
    Algorithm, CertificateFault,
    algorithm::{Key, KeyKind},
};
use crate::{
    crypto::{Scheme, signed},
    der::{self, Reader, tag},
    fault::Result,
    limits::MAX_EXTENSIONS,
};

/// A certificate, read in full; its slices are those of the input.
#[derive(Clone, Debug)]
pub(crate) struct Certificate<'a> {
    /// The whole certificate.
    pub(crate) raw: &'a [u8],
    /// What is signed.
    signed: &'a [u8],
    algorithm: Algorithm,
    signature: &'a [u8],
    /// The body of the serial number.
    pub(crate) serial: &'a [u8],
    /// The issuer's name, tag and length included.
    pub(crate) issuer: &'a [u8],
    /// Its own name, tag and length included.
    pub(crate) subject: &'a [u8],
    /// Seconds since 1970.
    pub(crate) not_before: i64,
    /// Seconds since 1970.
    pub(crate) not_after: i64,
    key: Key<'a>,
    constraints: Constraints,
    /// (body of the OID, value)
    extensions: Vec<(&'a [u8], &'a [u8])>,
}

/// What a certificate may be used for.
#[derive(Clone, Copy, Debug, Default)]
struct Constraints {
    authority: bool,
    path_length: Option<u8>,
    usage: Option<u8>,
}

const BASIC_CONSTRAINTS: &[u8] = &[0x55, 0x1d, 0x13];
const KEY_USAGE: &[u8] = &[0x55, 0x1d, 0x0f];
const PURPOSES: &[u8] = &[0x55, 0x1d, 0x25];
/// Bits of key usage, first byte.
const DIGITAL_SIGNATURE: u8 = 0x80;
const SIGNS_CERTIFICATES: u8 = 0x04;
const SIGNS_LISTS: u8 = 0x02;
/// `[0] { INTEGER 2 }`
const VERSION_3: &[u8] = &[2, 1, 2];

impl<'a> Certificate<'a> {
    /// Reads `raw`, which must hold one certificate and nothing else.
    pub(crate) fn read(raw: &'a [u8]) -> Result<Self> {
        let mut outer = Reader::within(raw)?;
        let body = outer.expect(tag::SEQUENCE)?;
        let outer_algorithm = outer.expect(tag::SEQUENCE)?;
        let signature = outer.last(tag::BITS)?.bits()?;
        let mut fields = Reader::new(body.body);
        if fields.expect(tag::context(0))?.body != VERSION_3 {
            return Err(CertificateFault::Version.into());
        }
        let serial = fields.expect(tag::INTEGER)?.body;
        // the copy outside isn't signed
        let inner_algorithm = fields.expect(tag::SEQUENCE)?;
        if inner_algorithm.raw != outer_algorithm.raw {
            return Err(CertificateFault::Algorithm.into());
        }
        let algorithm = Algorithm::read(inner_algorithm)?;
        let issuer = fields.expect(tag::SEQUENCE)?.raw;
        let mut validity = fields.sequence()?;
        let not_before = validity.next()?.time()?;
        let not_after = validity.next()?.time()?;
        validity.end()?;
        let subject = fields.expect(tag::SEQUENCE)?.raw;
        let key = Key::read(fields.expect(tag::SEQUENCE)?)?;
        let list = fields.last(tag::context(3))?;
        let (extensions, constraints) = read_extensions(Reader::within(list.body)?)?;
        Ok(Self {
            raw,
            signed: body.raw,
            algorithm,
            signature,
            serial,
            issuer,
            subject,
            not_before,
            not_after,
            key,
            constraints,
            extensions,
        })
    }

    /// The value of an extension, by the body of its OID.
    pub(crate) fn extension(&self, oid: &[u8]) -> Option<&'a [u8]> {
        let found = self.extensions.iter().find(|(known, _)| *known == oid);
        found.map(|(_, value)| *value)
    }

    /// Whether this certificate's key signed `child`.
    pub(super) fn has_signed(&self, child: &Certificate<'_>) -> bool {
        child
            .algorithm
            .verify(self.key, child.signed, child.signature)
    }

    /// Whether this certificate's key signed `message` by `algorithm`.
    pub(super) fn has_signed_bytes(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        algorithm.verify(self.key, message, signature)
    }

    /// Whether this certificate's key signed `message`, in a report's own form.
    pub(crate) fn has_signed_report(
        &self,
        scheme: Scheme,
        message: &[u8],
        signature: &[u8],
    ) -> bool {
        let fits = match scheme {
            Scheme::P256 => KeyKind::P256,
            Scheme::P384 | Scheme::P384Fixed => KeyKind::P384,
            Scheme::RsaPss => KeyKind::Rsa,
        };
        self.key.kind == fits && signed(scheme, self.key.bytes, message, signature)
    }

    /// The bytes of its key: a point, or an RSAPublicKey.
    pub(crate) fn key_bytes(&self) -> &'a [u8] {
        self.key.bytes
    }

    /// Whether it may sign certificates with `below` authorities between it and the leaf.
    pub(super) fn may_sign_certificates(&self, below: usize) -> bool {
        let long_enough = self
            .constraints
            .path_length
            .is_none_or(|most| usize::from(most) >= below);
        self.is_authority() && long_enough
    }

    /// Whether it may sign certificates at all.
    pub(super) fn is_authority(&self) -> bool {
        self.constraints.authority
            && self.purposes().is_none()
            && self.usage_has(SIGNS_CERTIFICATES)
    }

    /// The purposes that it is for alone.
    pub(super) fn purposes(&self) -> Option<&'a [u8]> {
        self.extension(PURPOSES)
    }

    /// Whether it may sign revocation lists.
    pub(super) fn may_sign_lists(&self) -> bool {
        self.usage_has(SIGNS_LISTS)
    }

    /// Whether it may sign what isn't a certificate.
    pub(crate) fn may_sign_reports(&self) -> bool {
        !self.constraints.authority
            && self.purposes().is_none()
            && self.usage_has(DIGITAL_SIGNATURE)
    }

    /// A usage that isn't stated is any, as for AMD's chips.
    fn usage_has(&self, bit: u8) -> bool {
        self.constraints.usage.is_none_or(|usage| usage & bit != 0)
    }

    /// Valid at `at`, seconds since 1970.
    pub(crate) fn valid_at(&self, at: i64) -> Result<()> {
        if at < self.not_before {
            return Err(CertificateFault::NotYetValid.into());
        }
        if at > self.not_after {
            return Err(CertificateFault::Expired.into());
        }
        Ok(())
    }
}

type Extensions<'a> = Vec<(&'a [u8], &'a [u8])>;

fn read_extensions(mut list: Reader<'_>) -> Result<(Extensions<'_>, Constraints)> {
    let mut extensions = Extensions::new();
    let mut constraints = Constraints::default();
    while !list.is_empty() {
        let mut fields = list.sequence()?;
        let oid = fields.expect(tag::OID)?.body;
        let critical = match fields.optional(tag::BOOLEAN)? {
            None => false,
            Some(flag) => boolean(flag.body)?,
        };
        let value = fields.last(tag::OCTETS)?.body;
        let repeated = extensions.iter().any(|(known, _)| *known == oid);
        if repeated || extensions.len() == MAX_EXTENSIONS {
            return Err(CertificateFault::Extension.into());
        }
        match oid {
            BASIC_CONSTRAINTS => read_basic_constraints(value, &mut constraints)?,
            KEY_USAGE => {
                let [_unused_bits, usage, ..] = *der::only(value, tag::BITS)?.body else {
                    return Err(CertificateFault::Extension.into());
                };
                constraints.usage = Some(usage);
            }
            // who has purposes is for them alone: see the uses of `purposes`
            PURPOSES => {}
            _ if critical => return Err(CertificateFault::Extension.into()),
            _ => {}
        }
        extensions.push((oid, value));
    }
    Ok((extensions, constraints))
}

fn read_basic_constraints(value: &[u8], constraints: &mut Constraints) -> Result<()> {
    let mut fields = Reader::within(value)?;
    if let Some(flag) = fields.optional(tag::BOOLEAN)? {
        constraints.authority = boolean(flag.body)?;
    }
    if let Some(length) = fields.optional(tag::INTEGER)? {
        let [length @ 0..0x80] = *length.body else {
            return Err(CertificateFault::Extension.into());
        };
        constraints.path_length = Some(length);
    }
    fields.end()
}

/// A BOOLEAN. DER leaves `false` out where it is the default; AMD and Intel don't always.
fn boolean(body: &[u8]) -> Result<bool> {
    match body {
        [0xff] => Ok(true),
        [0] => Ok(false),
        _ => Err(CertificateFault::Extension.into()),
    }
}
