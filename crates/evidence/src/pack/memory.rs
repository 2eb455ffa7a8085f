//! A pack made at once, without a file: what a user stores before asking.

use super::{
    MAX_PACK, MAX_RECORDS,
    catalog::{Catalog, Entry, bytes_around},
    error::PackError,
    header::Header,
    record::Record,
};
use bytes::Bytes;

/// The blob of a pack of these records.
///
/// # Errors
/// If they are too many or too long for one.
pub fn pack_records(header: Header, records: &[Record]) -> Result<Bytes, PackError> {
    header.check()?;
    let length = records
        .iter()
        .map(|record| record.length() as u64)
        .sum::<u64>();
    if records.len() > MAX_RECORDS || length + bytes_around(records.len()) > MAX_PACK {
        return Err(PackError::Full);
    }
    let mut blob = header.to_bytes().to_vec();
    let mut entries = Vec::with_capacity(records.len());
    for record in records {
        let offset = blob.len() as u64;
        let leaf = record.put(&mut blob)?;
        entries.push(Entry {
            request_id: record.request_id(),
            leaf,
            offset,
            // what a record has was seen to be within the limits
            length: record.length() as u32,
        });
    }
    blob.extend_from_slice(&Catalog::new(header, entries).tail());
    Ok(blob.into())
}
