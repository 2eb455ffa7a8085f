//! What a node keeps of a blob, in one file:
//!
//! ```text
//! "ATWALRS1" | metadata length u32 le | pairs u16 le
//!            | pairs * ( pair u16 le | primary length u32 le | secondary length u32 le )
//!            | metadata with its id, BCS | pairs * ( primary sliver, BCS | secondary sliver, BCS )
//! ```

use crate::{
    coding::{Axis, BlobMetadata, MAX_SHARDS, SliverPair, WireError},
    wire::Reader,
};
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
};

const MAGIC: &[u8; 8] = b"ATWALRS1";
/// Bytes before the table.
const HEAD: usize = 14;
/// Bytes of a row of the table.
const ROW: usize = 10;

/// A file's bytes.
pub(super) fn compose(metadata: &BlobMetadata, pairs: &[SliverPair]) -> Vec<u8> {
    let metadata = metadata.to_bcs();
    let mut out = MAGIC.to_vec();
    // lengths are far below 4 GiB: a sliver has at most 667 symbols of 64 KiB, and there are at
    // most 1000 pairs
    out.extend_from_slice(&(metadata.len() as u32).to_le_bytes());
    out.extend_from_slice(&(pairs.len() as u16).to_le_bytes());
    let slivers: Vec<[Vec<u8>; 2]> = pairs
        .iter()
        .map(|pair| [pair.primary.to_bcs(), pair.secondary.to_bcs()])
        .collect();
    for (pair, slivers) in pairs.iter().zip(&slivers) {
        out.extend_from_slice(&pair.primary.index.to_le_bytes());
        for sliver in slivers {
            out.extend_from_slice(&(sliver.len() as u32).to_le_bytes());
        }
    }
    out.extend_from_slice(&metadata);
    slivers
        .iter()
        .flatten()
        .for_each(|sliver| out.extend_from_slice(sliver));
    out
}

/// An open file with its table read.
#[derive(Debug)]
pub(super) struct NodeFile {
    file: File,
    metadata: Range<u64>,
    pairs: Vec<(u16, Range<u64>, Range<u64>)>,
}

impl NodeFile {
    /// Opens a file; `None` if there's none.
    pub(super) fn open(path: &Path) -> io::Result<Option<Self>> {
        let mut file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other?,
        };
        let length = file.metadata()?.len();
        let mut head = [0; HEAD];
        file.read_exact(&mut head)?;
        let count = usize::from(u16::from_le_bytes([head[12], head[13]]));
        if count > usize::from(MAX_SHARDS) {
            return Err(damaged(WireError::Length));
        }
        let mut table = vec![0; count * ROW];
        file.read_exact(&mut table)?;
        let (metadata, pairs) = ranges(&head, &table).map_err(damaged)?;
        let end = pairs.last().map_or(metadata.end, |(_, _, range)| range.end);
        if end != length {
            return Err(damaged(WireError::Inconsistent));
        }
        Ok(Some(Self {
            file,
            metadata,
            pairs,
        }))
    }

    pub(super) fn metadata(&mut self) -> io::Result<Vec<u8>> {
        self.read(self.metadata.clone())
    }

    /// A pair's sliver; `None` if the pair isn't in it.
    pub(super) fn sliver(&mut self, pair: u16, axis: Axis) -> io::Result<Option<Vec<u8>>> {
        let Some((_, primary, secondary)) = self.pairs.iter().find(|(other, ..)| *other == pair)
        else {
            return Ok(None);
        };
        let range = match axis {
            Axis::Primary => primary.clone(),
            Axis::Secondary => secondary.clone(),
        };
        self.read(range).map(Some)
    }

    /// The range is within the file, so what is allocated is, too.
    fn read(&mut self, range: Range<u64>) -> io::Result<Vec<u8>> {
        self.file.seek(SeekFrom::Start(range.start))?;
        let mut bytes = Vec::new();
        let count = range.end - range.start;
        (&mut self.file).take(count).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

type Ranges = (Range<u64>, Vec<(u16, Range<u64>, Range<u64>)>);

fn ranges(head: &[u8], table: &[u8]) -> Result<Ranges, WireError> {
    let mut reader = Reader::new(head);
    if reader.array::<8>()? != *MAGIC {
        return Err(WireError::Inconsistent);
    }
    let mut at = (HEAD + table.len()) as u64;
    let mut next = |length: u32| {
        let start = at;
        at += u64::from(length);
        start..at
    };
    let metadata = next(reader.u32()?);
    let pairs = table
        .chunks_exact(ROW)
        .map(|row| {
            let mut row = Reader::new(row);
            let pair = row.u16()?;
            Ok((pair, next(row.u32()?), next(row.u32()?)))
        })
        .collect::<Result<_, WireError>>()?;
    Ok((metadata, pairs))
}

fn damaged(error: WireError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}
