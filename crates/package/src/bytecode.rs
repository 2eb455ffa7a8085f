//! Putting addresses into compiled Move modules.
//!
//! A module names other packages in a table of addresses and keeps `address` constants in another; both
//! hold 32 plain bytes, so that a value is exchanged for another without anything else moving. Only
//! these two tables are looked into, by the offsets in the module's head.

use crate::error::PackageError;
use std::{collections::BTreeMap, ops::Range};

/// How every module begins.
const MAGIC: [u8; 4] = [0xa1, 0x1c, 0xeb, 0x0b];
/// Magic and version.
const HEAD: usize = 8;
/// Table kinds of the binary format.
const MODULE_HANDLES: u8 = 0x1;
const CONSTANTS: u8 = 0x6;
const IDENTIFIERS: u8 = 0x7;
const ADDRESSES: u8 = 0x8;
/// The type `address` in a constant's signature.
const ADDRESS_TYPE: [u8; 1] = [0x5];
const ADDRESS_BYTES: usize = 32;
/// Numbers have at most this many groups of seven bits.
const MAX_GROUPS: u32 = 9;

/// An address as bytes.
pub(crate) type Raw = [u8; ADDRESS_BYTES];

/// Exchanges addresses in one module; says which were there.
pub(crate) fn exchange(
    module: &mut [u8],
    addresses: &BTreeMap<Raw, Raw>,
    constants: &BTreeMap<Raw, Raw>,
) -> Result<Vec<Raw>, PackageError> {
    let tables = tables(module)?;
    let mut places = Vec::new();
    if let Some(table) = tables.get(&ADDRESSES) {
        let mut at = table.start;
        while at < table.end {
            places.push((at, addresses));
            at += ADDRESS_BYTES;
        }
        if at != table.end {
            return Err(PackageError::Malformed("the table of addresses"));
        }
    }
    if let Some(table) = tables.get(&CONSTANTS) {
        let mut reader = Reader::new(module, table.clone());
        while !reader.is_at_end() {
            let kind = reader.bytes_to_end_of_type()?;
            let value = reader.counted()?;
            if module[kind] == ADDRESS_TYPE && value.len() == ADDRESS_BYTES {
                places.push((value.start, constants));
            }
        }
    }
    let mut found = Vec::new();
    for (at, exchanged) in places {
        let slot = module
            .get_mut(at..at + ADDRESS_BYTES)
            .ok_or(PackageError::Malformed("an address"))?;
        let mut old = [0; ADDRESS_BYTES];
        old.copy_from_slice(slot);
        if let Some(new) = exchanged.get(&old) {
            slot.copy_from_slice(new);
            found.push(old);
        }
    }
    Ok(found)
}

/// A module's own name.
pub(crate) fn name(module: &[u8]) -> Result<String, PackageError> {
    let malformed = PackageError::Malformed("the module's name");
    let tables = tables(module)?;
    let (Some(handles), Some(identifiers)) =
        (tables.get(&MODULE_HANDLES), tables.get(&IDENTIFIERS))
    else {
        return Err(malformed);
    };
    // the own handle's place stands after all tables
    let after = tables.values().map(|table| table.end).max().unwrap_or(HEAD);
    let own = Reader::new(module, after..module.len()).number()?;
    let mut reader = Reader::new(module, handles.clone());
    for _ in 0..own {
        reader.number()?;
        reader.number()?;
    }
    reader.number()?;
    let place = reader.number()?;
    let mut reader = Reader::new(module, identifiers.clone());
    for _ in 0..place {
        reader.counted()?;
    }
    let name = reader.counted()?;
    String::from_utf8(module[name].to_vec()).map_err(|_| malformed)
}

/// Where each table of a module stands.
fn tables(module: &[u8]) -> Result<BTreeMap<u8, Range<usize>>, PackageError> {
    if module.get(..MAGIC.len()) != Some(&MAGIC) || module.len() < HEAD {
        return Err(PackageError::Malformed("the beginning of a module"));
    }
    let mut reader = Reader::new(module, HEAD..module.len());
    let count = reader.number()?;
    let mut found = Vec::new();
    for _ in 0..count {
        found.push((reader.byte()?, reader.number()?, reader.number()?));
    }
    let base = reader.at;
    let mut tables = BTreeMap::new();
    for (kind, offset, size) in found {
        let range = base
            .checked_add(offset)
            .and_then(|start| Some(start..start.checked_add(size)?))
            .filter(|range| range.end <= module.len())
            .ok_or(PackageError::Malformed("a table's place"))?;
        tables.insert(kind, range);
    }
    Ok(tables)
}

/// Reads numbers and byte strings out of a part of a module, never beyond it.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8], range: Range<usize>) -> Self {
        Self {
            bytes,
            at: range.start,
            end: range.end,
        }
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.end
    }

    fn byte(&mut self) -> Result<u8, PackageError> {
        if self.is_at_end() {
            return Err(PackageError::Malformed("a table's end"));
        }
        let byte = *self
            .bytes
            .get(self.at)
            .ok_or(PackageError::Malformed("a module's end"))?;
        self.at += 1;
        Ok(byte)
    }

    /// A number in groups of seven bits, lowest first.
    fn number(&mut self) -> Result<usize, PackageError> {
        let mut value = 0u64;
        for group in 0..MAX_GROUPS {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << (7 * group);
            if byte < 0x80 {
                return usize::try_from(value).map_err(|_| PackageError::Malformed("a number"));
            }
        }
        Err(PackageError::Malformed("a number"))
    }

    /// The place of a byte string with its length before it.
    fn counted(&mut self) -> Result<Range<usize>, PackageError> {
        let length = self.number()?;
        let end = self
            .at
            .checked_add(length)
            .filter(|end| *end <= self.end)
            .ok_or(PackageError::Malformed("a byte string"))?;
        let range = self.at..end;
        self.at = end;
        Ok(range)
    }

    /// A constant's type: any number of `vector<` and one plain type.
    fn bytes_to_end_of_type(&mut self) -> Result<Range<usize>, PackageError> {
        const VECTOR: u8 = 0xa;
        let start = self.at;
        while self.byte()? == VECTOR {}
        Ok(start..self.at)
    }
}
