//! The frame of a quote, to its last byte. `dcap-qvl` leaves open what stands behind the signature
//! data, how the certificates' text is broken into lines and which root comes with them, so that one
//! quote would have many forms.
//!
//! ```text
//! header 48: version u16 | key type u16 = 2 | tee type u32 = 0x81 | ...
//! version 4: report 584        version 5: type u16 | size u32 | report
//! signature data: length u32 | signature 64 | key 64 | type u16 = 6 | length u32 |
//!   QE report 384 | signature 64 | length u16 | authentication data |
//!   type u16 = 5 | length u32 | certificates as PEM: leaf, authority, root | 00 or nothing
//! ```

use super::TdxFault;
use crate::{fault::Result, octets::Octets, x509::Pin};
use base64::{Engine, engine::general_purpose::STANDARD};

/// A quote whose frame is strict.
#[derive(Clone, Debug)]
pub(super) struct Frame<'a> {
    /// What the guest's report says.
    pub(super) report: &'a [u8],
    /// Leaf, authority, root, in DER.
    pub(super) certificates: Vec<Vec<u8>>,
}

/// Key type 2 and tee type 0x81.
const KIND: [u8; 6] = [2, 0, 0x81, 0, 0, 0];
/// The report of version 4, and the least that one of version 5 has.
pub(super) const REPORT: usize = 584;
/// QE report with certification data.
const OUTER: u16 = 6;
/// Certificates as PEM.
const INNER: u16 = 5;
const CERTIFICATES: usize = 3;

struct Cut<'a>(&'a [u8]);

impl<'a> Cut<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(TdxFault::Truncated)?;
        self.0 = rest;
        Ok(head)
    }

    fn short(&mut self) -> Result<u16> {
        let bytes = Octets::at(self.take(2)?, 0).ok_or(TdxFault::Truncated)?;
        Ok(u16::from_le_bytes(bytes.0))
    }

    fn long(&mut self) -> Result<usize> {
        let bytes = Octets::at(self.take(4)?, 0).ok_or(TdxFault::Truncated)?;
        Ok(u32::from_le_bytes(bytes.0) as usize)
    }
}

impl<'a> Frame<'a> {
    /// Takes a quote apart that has no byte too many; `root` is Intel's.
    pub(super) fn read(quote: &'a [u8], root: Pin) -> Result<Self> {
        let mut rest = Cut(quote);
        let header = rest.take(48)?;
        if header[2..8] != KIND {
            return Err(TdxFault::Kind.into());
        }
        let report = match [header[0], header[1]] {
            [4, 0] => rest.take(REPORT)?,
            [5, 0] => {
                rest.short()?;
                let size = rest.long()?;
                rest.take(size)?
            }
            _ => return Err(TdxFault::Version.into()),
        };
        if report.len() < REPORT {
            return Err(TdxFault::Truncated.into());
        }
        let size = rest.long()?;
        let mut data = Cut(rest.take(size)?);
        if !rest.0.is_empty() {
            return Err(TdxFault::Trailing.into());
        }
        data.take(64 + 64)?;
        if data.short()? != OUTER || data.long()? != data.0.len() {
            return Err(TdxFault::Certification.into());
        }
        data.take(384 + 64)?;
        let authentication = usize::from(data.short()?);
        data.take(authentication)?;
        if data.short()? != INNER || data.long()? != data.0.len() {
            return Err(TdxFault::Certification.into());
        }
        let certificates = read_pem(data.0)?;
        match certificates.last() {
            Some(last) if root.is(last) => {}
            _ => return Err(TdxFault::Root.into()),
        }
        Ok(Self {
            report,
            certificates,
        })
    }
}

/// Three certificates in the one form that PEM has for them here.
fn read_pem(text: &[u8]) -> Result<Vec<Vec<u8>>> {
    let text = text.strip_suffix(&[0]).unwrap_or(text);
    let text = std::str::from_utf8(text).map_err(|_| TdxFault::Certificates)?;
    let mut certificates = Vec::new();
    for part in text.split(BEGIN).skip(1) {
        let body = part.split(END).next().unwrap_or_default();
        let dense = body.replace('\n', "");
        let der = STANDARD.decode(dense).map_err(|_| TdxFault::Certificates)?;
        certificates.push(der);
    }
    let again: String = certificates.iter().map(|der| pem(der)).collect();
    if certificates.len() != CERTIFICATES || again != text {
        return Err(TdxFault::Certificates.into());
    }
    Ok(certificates)
}

const BEGIN: &str = "-----BEGIN CERTIFICATE-----\n";
const END: &str = "-----END CERTIFICATE-----\n";
const LINE: usize = 64;

/// A certificate as PEM: lines of 64 characters, each with a newline.
pub(crate) fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let mut out = BEGIN.to_owned();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at(rest.len().min(LINE));
        out.push_str(line);
        out.push('\n');
        rest = more;
    }
    out.push_str(END);
    out
}
