//! A device's report: SPDM 1.1, GET_MEASUREMENTS and its answer, both under the signature.
//!
//! ```text
//!   0  11 e0 01 ff | nonce 32 | slot 00                          the request, 37 bytes
//!  37  11 60 param1 param2 | blocks u8 | record length u24 le    the answer
//!  45  blocks: index u8 from 1 | 01 | size u16 le | type u8 | size u16 le | value
//!   r  the device's own nonce 32 | length of fields u16 le
//!      fields: type u16 le | size u16 le | data; none twice
//! -96  r ‖ s, big-endian: ECDSA P-384 with SHA-384 over all before
//! ```

use super::DeviceFault;
use crate::{fault::Result, octets::Octets};
use std::collections::BTreeMap;

/// Types of the fields that are read.
pub(super) mod field {
    /// Text, of a GPU.
    pub(crate) const DRIVER: u16 = 3;
    /// Eight bytes of a GPU, text of a switch.
    pub(crate) const FIRMWARE_VERSION: u16 = 6;
    /// Whether a video decoder measures itself: aa, or 55 where it is fused off.
    pub(crate) const DECODER: u16 = 11;
    /// SHA-384 of the firmware that answers; old firmware leaves it out.
    pub(crate) const FIRMWARE_ID: u16 = 20;
    /// aa: in protected-PCIe mode.
    pub(crate) const PROTECTED_PCIE: u16 = 21;
    /// Of a GPU: the switch at each of its links. Of a switch: itself.
    pub(crate) const SWITCH_IDS: u16 = 22;
    /// Of a switch: its eight GPUs, and what leads where.
    pub(crate) const GPU_IDS: u16 = 26;
}

const REQUEST: [u8; 4] = [0x11, 0xe0, 0x01, 0xff];
const ANSWER: [u8; 2] = [0x11, 0x60];
const SIGNATURE: usize = 96;
/// Measurements as DMTF has them.
const DMTF: u8 = 1;

/// A report, its parts told apart; slices of the input.
#[derive(Clone, Debug)]
pub(super) struct Report<'a> {
    pub(super) nonce: Octets<32>,
    /// By index, from 1.
    pub(super) blocks: BTreeMap<u8, &'a [u8]>,
    fields: BTreeMap<u16, &'a [u8]>,
    pub(super) signed: &'a [u8],
    pub(super) signature: &'a [u8],
}

/// Cuts what it reads from the front.
struct Cut<'a>(&'a [u8]);

impl<'a> Cut<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (head, rest) = self
            .0
            .split_at_checked(count)
            .ok_or(DeviceFault::Truncated)?;
        self.0 = rest;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8> {
        Ok(self.take(1)?[0])
    }

    fn short(&mut self) -> Result<u16> {
        let bytes = self.take(2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }
}

impl<'a> Report<'a> {
    /// Reads a report, to its last byte.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self> {
        let before = bytes.len().checked_sub(SIGNATURE);
        let (signed, signature) = bytes.split_at(before.ok_or(DeviceFault::Truncated)?);
        let mut rest = Cut(signed);
        if rest.take(4)? != REQUEST {
            return Err(DeviceFault::Request.into());
        }
        let nonce = Octets::at(rest.take(32)?, 0).ok_or(DeviceFault::Truncated)?;
        if rest.byte()? != 0 {
            return Err(DeviceFault::Request.into());
        }
        if rest.take(2)? != ANSWER {
            return Err(DeviceFault::Response.into());
        }
        let [_, _, count, l0, l1, l2] = *rest.take(6)? else {
            return Err(DeviceFault::Truncated.into());
        };
        let length = u32::from_le_bytes([l0, l1, l2, 0]) as usize;
        let blocks = read_blocks(rest.take(length)?, count)?;
        rest.take(32)?;
        if usize::from(rest.short()?) != rest.0.len() {
            return Err(DeviceFault::Trailing.into());
        }
        Ok(Self {
            nonce,
            blocks,
            fields: read_fields(rest)?,
            signed,
            signature,
        })
    }

    /// A field's bytes.
    pub(super) fn field(&self, kind: u16) -> Option<&'a [u8]> {
        self.fields.get(&kind).copied()
    }

    /// A field of text, with zeros behind it or not.
    pub(super) fn text(&self, kind: u16) -> Result<&'a str> {
        let raw = self.field(kind).ok_or(DeviceFault::FieldMissing)?;
        let end = raw.iter().position(|byte| *byte == 0).unwrap_or(raw.len());
        let (text, zeros) = raw.split_at(end);
        let plain = text.iter().all(u8::is_ascii_graphic) && zeros.iter().all(|byte| *byte == 0);
        match std::str::from_utf8(text) {
            Ok(text) if plain && !text.is_empty() => Ok(text),
            _ => Err(DeviceFault::Field.into()),
        }
    }
}

fn read_blocks(record: &[u8], count: u8) -> Result<BTreeMap<u8, &[u8]>> {
    let mut rest = Cut(record);
    let mut blocks = BTreeMap::new();
    for index in 1..=count {
        let head = [rest.byte()?, rest.byte()?];
        let size = usize::from(rest.short()?);
        let mut body = Cut(rest.take(size)?);
        body.byte()?;
        let length = usize::from(body.short()?);
        if head != [index, DMTF] || body.0.len() != length {
            return Err(DeviceFault::Block.into());
        }
        blocks.insert(index, body.0);
    }
    if !rest.0.is_empty() {
        return Err(DeviceFault::Trailing.into());
    }
    Ok(blocks)
}

fn read_fields(mut rest: Cut<'_>) -> Result<BTreeMap<u16, &[u8]>> {
    let mut fields = BTreeMap::new();
    while !rest.0.is_empty() {
        let kind = rest.short()?;
        let size = usize::from(rest.short()?);
        if fields.insert(kind, rest.take(size)?).is_some() {
            return Err(DeviceFault::Repeated.into());
        }
    }
    Ok(fields)
}
