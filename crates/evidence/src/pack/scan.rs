//! What a crash left of a pack that wasn't closed.

use super::{
    MAX_RECORDS,
    catalog::Entry,
    header::HEADER_BYTES,
    record::{MAX_RECORD, MIN_RECORD, Record},
};
use atoma_runtime::files;
use bytes::Bytes;
use std::{
    ffi::OsString,
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

/// Bytes before a content and behind it.
const LENGTH: usize = 4;
const LEAF: usize = 32;

/// What was cut off a file that a crash left unfinished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// How many bytes of the file are good records.
    pub bytes: u64,
    /// Where they are kept aside: a damaged disk looks the same as an unfinished write, and nobody
    /// but a person can tell.
    pub kept_in: PathBuf,
}

/// The whole records from the header on, up to where they end or something else begins.
pub(super) fn whole_records(file: &File, length: u64) -> io::Result<Vec<Entry>> {
    let mut reader = BufReader::new(file);
    let mut at = HEADER_BYTES as u64;
    reader.seek(SeekFrom::Start(at))?;
    let mut entries = Vec::new();
    while entries.len() < MAX_RECORDS {
        let Some(bytes) = next(&mut reader, length - at)? else {
            break;
        };
        let Ok((record, leaf)) = Record::from_bytes(&bytes) else {
            break;
        };
        entries.push(Entry {
            request_id: record.request_id(),
            leaf,
            offset: at,
            // at most MAX_RECORD
            length: bytes.len() as u32,
        });
        at += bytes.len() as u64;
    }
    Ok(entries)
}

/// The bytes of what may be a record; `None` if what is left can't be one.
fn next(reader: &mut impl Read, left: u64) -> io::Result<Option<Bytes>> {
    if left < MIN_RECORD as u64 {
        return Ok(None);
    }
    let mut content = [0; LENGTH];
    reader.read_exact(&mut content)?;
    let length = (u32::from_le_bytes(content) as usize).saturating_add(LENGTH + LEAF);
    if length > MAX_RECORD || length as u64 > left {
        return Ok(None);
    }
    let mut bytes = vec![0; length];
    bytes[..LENGTH].copy_from_slice(&content);
    reader.read_exact(&mut bytes[LENGTH..])?;
    Ok(Some(bytes.into()))
}

/// Copies everything from `at` on to a file beside, durably.
pub(super) fn keep_aside(mut file: &File, path: &Path, at: u64) -> io::Result<Dropped> {
    let mut name: OsString = path.as_os_str().to_owned();
    name.push(format!(".{at}.dropped"));
    let kept_in = PathBuf::from(name);
    let mut options = files::private_file();
    options.write(true).create(true).truncate(true);
    let mut copy = options.open(&kept_in)?;
    file.seek(SeekFrom::Start(at))?;
    let bytes = io::copy(&mut file, &mut copy)?;
    copy.sync_all()?;
    files::sync_name(&kept_in)?;
    Ok(Dropped { bytes, kept_in })
}
