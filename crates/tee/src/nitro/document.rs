//! From a document's bytes to an enclave.

use super::{
    NitroFault,
    cbor::{Reader, Value, bytes_head},
};
use crate::{
    bounded::Bytes,
    crypto::Scheme,
    fault::Result,
    limits::{MAX_CHAIN, MAX_DOCUMENT_BYTES},
    octets::{Measurement, Octets},
    x509::{Chain, Links, Pin},
};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a Nitro enclave shows.
///
/// # BCS
/// ```text
/// document  ULEB128 length, COSE_Sign1 in CBOR without its tag
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NitroEvidence {
    /// The document, as the hypervisor gave it.
    pub document: Bytes<MAX_DOCUMENT_BYTES>,
}

/// An enclave whose document holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NitroGuest {
    /// The enclave on its machine.
    pub module: String,
    /// When the document was made, in milliseconds since 1970.
    pub timestamp_ms: u64,
    /// Platform configuration registers by number: 0 the image, 1 kernel and boot, 2 the application.
    pub registers: BTreeMap<u8, Measurement>,
    /// A key that the enclave named.
    pub public_key: Option<Vec<u8>>,
    /// What the enclave had put in: the statement.
    pub user_data: Option<Vec<u8>>,
    /// What it was asked with: the digest of its freshness.
    pub nonce: Option<Vec<u8>>,
    /// When the first certificate expires, in seconds since 1970.
    pub not_after: i64,
}

impl NitroGuest {
    /// Whether its image isn't measured, as in debug mode.
    #[must_use]
    pub fn debug(&self) -> bool {
        self.registers.get(&0).is_none_or(Octets::is_zero)
    }

    /// Statement and freshness, as other platforms have them in one field; none if either is
    /// missing or of another length.
    #[must_use]
    pub fn report_data(&self) -> Option<Octets<64>> {
        let both = [self.user_data.as_deref()?, self.nonce.as_deref()?];
        if both.iter().any(|half| half.len() != 32) {
            return None;
        }
        Octets::at(&both.concat(), 0)
    }
}

/// `{1: -35}`: ECDSA with SHA-384.
const PROTECTED: &[u8] = &[0xa1, 1, 0x38, 34];
/// An array of four: "Signature1", the protected header, nothing beside, then the payload.
const TO_BE_SIGNED: &[u8] = b"\x84\x6aSignature1\x44\xa1\x01\x38\x22\x40";
/// Registers of an enclave.
const MAX_REGISTERS: u64 = 32;

impl NitroEvidence {
    /// Checks a document at `at`, seconds since 1970.
    ///
    /// # Errors
    /// The first thing that doesn't hold.
    pub fn verify(&self, root: Pin, at: i64) -> Result<NitroGuest> {
        let mut outer = Reader::new(&self.document);
        let four = [
            outer.next()?,
            outer.next()?,
            outer.next()?,
            outer.next()?,
            outer.next()?,
        ];
        outer.end()?;
        let [
            Value::Array(4),
            Value::Bytes(PROTECTED),
            Value::Map(0),
            Value::Bytes(payload),
            Value::Bytes(signature),
        ] = four
        else {
            return Err(NitroFault::Shape.into());
        };
        let fields = Fields::read(payload)?;
        let leaf = fields.certificate.ok_or(NitroFault::Field)?;
        let above = fields.bundle.iter().rev().copied();
        let chain = std::iter::once(leaf).chain(above);
        let chain = Chain::check(chain, root, &mut Links::default(), at)?;
        let signed = [TO_BE_SIGNED, &bytes_head(payload.len()), payload].concat();
        let holds = chain.leaf().may_sign_reports()
            && chain
                .leaf()
                .has_signed_report(Scheme::P384Fixed, &signed, signature);
        if !holds {
            return Err(NitroFault::Signature.into());
        }
        let timestamp_ms = fields.timestamp.ok_or(NitroFault::Field)?;
        if i64::try_from(timestamp_ms / 1_000).unwrap_or(i64::MAX) > at {
            return Err(NitroFault::Time.into());
        }
        Ok(NitroGuest {
            module: fields.module.ok_or(NitroFault::Field)?.to_owned(),
            timestamp_ms,
            registers: fields.registers,
            public_key: fields.public_key.map(<[u8]>::to_vec),
            user_data: fields.user_data.map(<[u8]>::to_vec),
            nonce: fields.nonce.map(<[u8]>::to_vec),
            not_after: chain.not_after(),
        })
    }
}

/// A payload by itself.
#[cfg(feature = "fuzzing")]
pub(super) fn read_payload(bytes: &[u8]) {
    if let Ok(fields) = Fields::read(bytes) {
        assert!(fields.registers.len() as u64 <= MAX_REGISTERS);
    }
}

/// The fields of the payload.
#[derive(Default)]
struct Fields<'a> {
    module: Option<&'a str>,
    timestamp: Option<u64>,
    registers: BTreeMap<u8, Measurement>,
    certificate: Option<&'a [u8]>,
    bundle: Vec<&'a [u8]>,
    public_key: Option<&'a [u8]>,
    user_data: Option<&'a [u8]>,
    nonce: Option<&'a [u8]>,
}

impl<'a> Fields<'a> {
    /// Every field once, none unknown.
    fn read(payload: &'a [u8]) -> Result<Self> {
        let mut reader = Reader::new(payload);
        let count = match reader.next()? {
            Value::Map(count) => Some(count),
            Value::OpenMap => None,
            _ => return Err(NitroFault::Shape.into()),
        };
        let mut fields = Self::default();
        let mut seen = Vec::new();
        while count.is_none_or(|count| (seen.len() as u64) < count) {
            let name = match reader.next()? {
                Value::Text(name) if !seen.contains(&name) => name,
                Value::End if count.is_none() => break,
                _ => return Err(NitroFault::Field.into()),
            };
            seen.push(name);
            fields.take(name, &mut reader)?;
        }
        reader.end()?;
        Ok(fields)
    }

    fn take(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<()> {
        match (name, reader.next()?) {
            ("module_id", Value::Text(module)) => self.module = Some(module),
            ("digest", Value::Text("SHA384")) => {}
            ("digest", _) => return Err(NitroFault::Digest.into()),
            ("timestamp", Value::Number(timestamp)) => self.timestamp = Some(timestamp),
            ("pcrs", Value::Map(count @ 1..=MAX_REGISTERS)) => {
                for _ in 0..count {
                    self.take_register(reader)?;
                }
            }
            ("certificate", Value::Bytes(der)) => self.certificate = Some(der),
            ("cabundle", Value::Array(count)) if count < MAX_CHAIN as u64 => {
                for _ in 0..count {
                    let Value::Bytes(der) = reader.next()? else {
                        return Err(NitroFault::Field.into());
                    };
                    self.bundle.push(der);
                }
            }
            ("public_key", value) => self.public_key = optional(value)?,
            ("user_data", value) => self.user_data = optional(value)?,
            ("nonce", value) => self.nonce = optional(value)?,
            _ => return Err(NitroFault::Field.into()),
        }
        Ok(())
    }

    fn take_register(&mut self, reader: &mut Reader<'_>) -> Result<()> {
        let (Value::Number(n), Value::Bytes(value)) = (reader.next()?, reader.next()?) else {
            return Err(NitroFault::Field.into());
        };
        let n = u8::try_from(n).map_err(|_| NitroFault::Field)?;
        let value: [u8; 48] = value.try_into().map_err(|_| NitroFault::Field)?;
        if self.registers.insert(n, Octets(value)).is_some() {
            return Err(NitroFault::Field.into());
        }
        Ok(())
    }
}

fn optional(value: Value<'_>) -> Result<Option<&[u8]>> {
    match value {
        Value::Bytes(bytes) => Ok(Some(bytes)),
        Value::Null => Ok(None),
        _ => Err(NitroFault::Field.into()),
    }
}
