//! A strict reader of the CBOR that Nitro documents are written in: shortest lengths,
//! nothing left over. Of what may be left open in CBOR, a map may be: newer hypervisors write one.

use super::NitroFault;
use crate::fault::Result;

/// One value of CBOR, as far as documents have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Text(&'a str),
    /// So many values follow.
    Array(u64),
    /// So many pairs of values follow.
    Map(u64),
    /// Pairs of values follow, up to the end.
    OpenMap,
    /// The end of what was left open.
    End,
    Null,
}

/// Reads values one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a>(&'a [u8]);

const NULL: u8 = 0xf6;
const OPEN_MAP: u8 = 0xbf;
const END: u8 = 0xff;

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    fn take(&mut self, count: u64) -> Result<&'a [u8]> {
        let count = usize::try_from(count).map_err(|_| NitroFault::Cbor)?;
        let (head, rest) = self.0.split_at_checked(count).ok_or(NitroFault::Cbor)?;
        self.0 = rest;
        Ok(head)
    }

    pub(super) fn next(&mut self) -> Result<Value<'a>> {
        let first = self.take(1)?[0];
        match first {
            NULL => return Ok(Value::Null),
            OPEN_MAP => return Ok(Value::OpenMap),
            END => return Ok(Value::End),
            _ => {}
        }
        let number = self.number(first & 0x1f)?;
        match first >> 5 {
            0 => Ok(Value::Number(number)),
            2 => Ok(Value::Bytes(self.take(number)?)),
            3 => {
                let text = std::str::from_utf8(self.take(number)?);
                text.map(Value::Text).map_err(|_| NitroFault::Cbor.into())
            }
            4 => Ok(Value::Array(number)),
            5 => Ok(Value::Map(number)),
            _ => Err(NitroFault::Cbor.into()),
        }
    }

    /// The number that `short` begins, in no more bytes than it needs.
    fn number(&mut self, short: u8) -> Result<u64> {
        let (size, least) = match short {
            0..24 => return Ok(u64::from(short)),
            24 => (1, 24),
            25 => (2, 1 << 8),
            26 => (4, 1 << 16),
            27 => (8, 1 << 32),
            _ => return Err(NitroFault::Cbor.into()),
        };
        let digits = self.take(size)?;
        let number = digits
            .iter()
            .fold(0, |number, byte| number << 8 | u64::from(*byte));
        if number < least {
            return Err(NitroFault::Cbor.into());
        }
        Ok(number)
    }

    /// Nothing is left.
    pub(super) fn end(&self) -> Result<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(NitroFault::Cbor.into())
        }
    }
}

/// The head of a byte string of this length.
pub(super) fn bytes_head(len: usize) -> Vec<u8> {
    match len {
        0..24 => vec![0x40 | len as u8],
        24..0x100 => vec![0x58, len as u8],
        0x100..0x1_0000 => vec![0x59, (len >> 8) as u8, len as u8],
        _ => [&[0x5a][..], &(len as u32).to_be_bytes()].concat(),
    }
}
