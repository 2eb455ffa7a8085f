//! Stored answers about certificates (OCSP), checked for the time at which evidence is judged. They
//! are asked for without a nonce: their age is what counts.
//!
//! ```text
//! SEQ { ENUM 0, [0] SEQ { OID basic, OCTETS { SEQ { data SEQ, algorithm, BITS, [0] SEQ OF certificate } } } }
//! data   [0] version?, responder, producedAt, SEQ OF answer, [1] extensions?
//! answer id SEQ, status, thisUpdate, [0] nextUpdate?, [1] extensions?
//! id     hash, OCTETS issuer's name hashed, OCTETS issuer's key hashed, INTEGER serial
//! status [0] good | [1] { time, [0] reason? } revoked | [2] unknown
//! ```

use super::{Algorithm, Certificate, Chain};
pub use crate::fault::AnswerFault;
use crate::{
    crypto::{Hash, hash},
    der::{self, Element, Reader, tag},
    fault::Result,
};

const BASIC: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 0x30, 1, 1];
const SHA1: &[u8] = &[0x2b, 0x0e, 3, 2, 0x1a];
const SHA256: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
const SHA384: &[u8] = &[0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 2];
/// The one purpose OCSP signing, 1.3.6.1.5.5.7.3.9.
const PURPOSE: &[u8] = &[0x30, 10, 6, 8, 0x2b, 6, 1, 5, 5, 7, 3, 9];
/// Where a certificate says who answers about it, 1.3.6.1.5.5.7.1.1.
pub(super) const ANSWERED: &[u8] = &[0x2b, 6, 1, 5, 5, 7, 1, 1];
/// How old an answer may be that doesn't say when the next one comes: two weeks.
const MAX_AGE: i64 = 14 * 24 * 3_600;
const CERTIFICATE_HOLD: &[u8] = &[6];

/// Checks stored answers about the certificates of a chain at `at`, seconds since 1970. Gives when the
/// first of them ends, and whether every certificate that is answered about has one.
///
/// # Errors
/// The first answer that doesn't hold, or says that a certificate doesn't.
pub(crate) fn check_answers<'a>(
    answers: impl IntoIterator<Item = &'a [u8]>,
    chain: &Chain<'_>,
    at: i64,
) -> Result<(i64, bool)> {
    let certificates = chain.certificates();
    let mut answered = vec![false; certificates.len()];
    let mut ends = i64::MAX;
    for answer in answers {
        let signed = Signed::read(answer, certificates, at)?;
        for one in signed.answers()? {
            let found = one.find(certificates).ok_or(AnswerFault::Unrelated)?;
            one.is_good()?;
            ends = ends.min(one.valid_until(at)?);
            answered[found] = true;
        }
    }
    let last = certificates.len() - 1;
    let complete = certificates[..last]
        .iter()
        .zip(answered)
        .all(|(one, answered)| answered || one.extension(ANSWERED).is_none());
    Ok((ends, complete))
}

/// An answer whose signature holds.
struct Signed<'a>(Element<'a>);

impl<'a> Signed<'a> {
    fn read(raw: &'a [u8], chain: &[Certificate<'_>], at: i64) -> Result<Self> {
        let mut outer = Reader::within(raw)?;
        if outer.expect(tag::ENUMERATED)?.body != [0] {
            return Err(AnswerFault::Form.into());
        }
        let bytes = outer.last(tag::context(0))?.body;
        let mut bytes = Reader::within(bytes)?;
        if bytes.expect(tag::OID)?.body != BASIC {
            return Err(AnswerFault::Form.into());
        }
        let mut basic = Reader::within(bytes.last(tag::OCTETS)?.body)?;
        let data = basic.expect(tag::SEQUENCE)?;
        let algorithm = Algorithm::read(basic.expect(tag::SEQUENCE)?)?;
        let signature = basic.expect(tag::BITS)?.bits()?;
        let delegate = match basic.optional(tag::context(0))? {
            None => None,
            Some(list) => {
                let list = der::only(list.body, tag::SEQUENCE)?;
                Some(Certificate::read(der::only(list.body, tag::SEQUENCE)?.raw)?)
            }
        };
        basic.end()?;
        let signs = |one: &Certificate<'_>| one.has_signed_bytes(algorithm, data.raw, signature);
        let holds = match &delegate {
            Some(delegate) => {
                let purpose = delegate.purposes() == Some(PURPOSE);
                let mut above = chain.iter().skip(1);
                let vouched = above.any(|one| {
                    one.subject == delegate.issuer && one.is_authority() && one.has_signed(delegate)
                });
                if !purpose || !vouched {
                    return Err(AnswerFault::Responder.into());
                }
                delegate.valid_at(at)?;
                signs(delegate)
            }
            None => chain
                .iter()
                .skip(1)
                .any(|one| one.is_authority() && signs(one)),
        };
        if !holds {
            return Err(AnswerFault::Signature.into());
        }
        Ok(Self(data))
    }

    fn answers(&self) -> Result<Vec<Answer<'a>>> {
        let mut data = Reader::new(self.0.body);
        data.optional(tag::context(0))?;
        data.next()?;
        data.expect(tag::GENERALIZED_TIME)?.time()?;
        let mut list = data.sequence()?;
        data.optional(tag::context(1))?;
        data.end()?;
        let mut answers = Vec::new();
        while !list.is_empty() {
            answers.push(Answer::read(list.sequence()?)?);
        }
        Ok(answers)
    }
}

/// What is answered about one certificate.
struct Answer<'a> {
    hash: Hash,
    issuer_name: &'a [u8],
    issuer_key: &'a [u8],
    serial: &'a [u8],
    status: Element<'a>,
    this_update: i64,
    next_update: Option<i64>,
}

impl<'a> Answer<'a> {
    fn read(mut fields: Reader<'a>) -> Result<Self> {
        let mut id = fields.sequence()?;
        let hash = match id.sequence()?.expect(tag::OID)?.body {
            SHA1 => Hash::Sha1,
            SHA256 => Hash::Sha256,
            SHA384 => Hash::Sha384,
            _ => return Err(AnswerFault::Form.into()),
        };
        let issuer_name = id.expect(tag::OCTETS)?.body;
        let issuer_key = id.expect(tag::OCTETS)?.body;
        let serial = id.last(tag::INTEGER)?.body;
        let status = fields.next()?;
        let this_update = fields.expect(tag::GENERALIZED_TIME)?.time()?;
        let next_update = match fields.optional(tag::context(0))? {
            None => None,
            Some(time) => Some(der::only(time.body, tag::GENERALIZED_TIME)?.time()?),
        };
        fields.optional(tag::context(1))?;
        fields.end()?;
        Ok(Self {
            hash,
            issuer_name,
            issuer_key,
            serial,
            status,
            this_update,
            next_update,
        })
    }

    /// The place in the chain of the certificate that this is about.
    fn find(&self, chain: &[Certificate<'_>]) -> Option<usize> {
        chain.windows(2).position(|pair| {
            let (child, parent) = (&pair[0], &pair[1]);
            child.serial == self.serial
                && hash(self.hash, parent.subject) == self.issuer_name
                && hash(self.hash, parent.key_bytes()) == self.issuer_key
        })
    }

    fn valid_until(&self, at: i64) -> Result<i64> {
        let end = self.next_update.unwrap_or(self.this_update + MAX_AGE);
        if at < self.this_update || at > end {
            return Err(AnswerFault::Time.into());
        }
        Ok(end)
    }

    fn is_good(&self) -> Result<()> {
        let fault = match (self.status.tag, self.status.body) {
            (0x80, []) => return Ok(()),
            (0xa1, body) => {
                let mut body = Reader::new(body);
                body.expect(tag::GENERALIZED_TIME)?.time()?;
                let reason = match body.optional(tag::context(0))? {
                    None => &[],
                    Some(reason) => der::only(reason.body, tag::ENUMERATED)?.body,
                };
                body.end()?;
                match reason {
                    CERTIFICATE_HOLD => AnswerFault::OnHold,
                    _ => AnswerFault::Revoked,
                }
            }
            (0x82, []) => AnswerFault::Unknown,
            _ => AnswerFault::Form,
        };
        Err(fault.into())
    }
}
