//! Lists of revoked certificates.

use super::{Algorithm, Certificate, CertificateFault};
use crate::{
    der::{Reader, tag},
    fault::Result,
    limits::MAX_REVOKED,
};

/// A revocation list that its issuer has signed.
///
/// ```text
/// SEQUENCE { body SEQUENCE, algorithm, signature BIT STRING }
/// body: INTEGER 1, algorithm, issuer, thisUpdate, nextUpdate,
///       SEQUENCE OF { serial, time, extensions? }?, [0] extensions
/// ```
#[derive(Clone, Debug)]
pub(crate) struct RevocationList<'a> {
    issuer: &'a [u8],
    /// Seconds since 1970.
    pub(crate) this_update: i64,
    /// Seconds since 1970.
    pub(crate) next_update: i64,
    serials: Vec<&'a [u8]>,
}

/// The number that stands for version 2.
const VERSION_2: &[u8] = &[1];

impl<'a> RevocationList<'a> {
    /// Reads a list and checks that `issuer` signed it.
    pub(crate) fn check(raw: &'a [u8], issuer: &Certificate<'_>) -> Result<Self> {
        let mut outer = Reader::within(raw)?;
        let body = outer.expect(tag::SEQUENCE)?;
        let outer_algorithm = outer.expect(tag::SEQUENCE)?;
        let signature = outer.last(tag::BITS)?.bits()?;
        let mut fields = Reader::new(body.body);
        if fields.expect(tag::INTEGER)?.body != VERSION_2 {
            return Err(CertificateFault::RevocationList.into());
        }
        let algorithm = fields.expect(tag::SEQUENCE)?;
        if algorithm.raw != outer_algorithm.raw {
            return Err(CertificateFault::Algorithm.into());
        }
        let algorithm = Algorithm::read(algorithm)?;
        let name = fields.expect(tag::SEQUENCE)?.raw;
        let this_update = fields.next()?.time()?;
        let next_update = fields.next()?.time()?;
        let mut serials = Vec::new();
        if let Some(list) = fields.optional(tag::SEQUENCE)? {
            let mut list = Reader::new(list.body);
            while !list.is_empty() {
                if serials.len() == MAX_REVOKED {
                    return Err(CertificateFault::RevocationList.into());
                }
                let mut entry = list.sequence()?;
                serials.push(entry.expect(tag::INTEGER)?.body);
                entry.next()?.time()?;
                entry.optional(tag::SEQUENCE)?;
                entry.end()?;
            }
        }
        fields.optional(tag::context(0))?;
        fields.end()?;
        if name != issuer.subject || !issuer.may_sign_lists() {
            return Err(CertificateFault::Issuer.into());
        }
        if !issuer.has_signed_bytes(algorithm, body.raw, signature) {
            return Err(CertificateFault::RevocationSignature.into());
        }
        Ok(Self {
            issuer: name,
            this_update,
            next_update,
            serials,
        })
    }

    /// The list is of the time `at`, in seconds since 1970.
    pub(crate) fn valid_at(&self, at: i64) -> Result<()> {
        if at < self.this_update || at > self.next_update {
            return Err(CertificateFault::RevocationTime.into());
        }
        Ok(())
    }

    /// `certificate` isn't on the list, which is its issuer's.
    pub(crate) fn allows(&self, certificate: &Certificate<'_>) -> Result<()> {
        if certificate.issuer != self.issuer {
            return Err(CertificateFault::Issuer.into());
        }
        if self.serials.contains(&certificate.serial) {
            return Err(CertificateFault::Revoked.into());
        }
        Ok(())
    }
}
