//! A closed pack: a file, or bytes.

use super::{catalog::Catalog, error::PackError, footer::Footer, header::Header, record::Record};
use bytes::Bytes;
use parking_lot::Mutex;
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom},
    ops::Range,
    path::Path,
};

/// A closed pack. Files are read piece by piece, and block while they are.
#[derive(Debug)]
pub struct Pack {
    catalog: Catalog,
    source: Source,
}

#[derive(Debug)]
enum Source {
    File(Mutex<File>),
    Bytes(Bytes),
}

impl Source {
    fn length(&self) -> io::Result<u64> {
        match self {
            Self::File(file) => Ok(file.lock().metadata()?.len()),
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
        }
    }

    /// Reserves no more than the pack's length.
    fn read(&self, range: &Range<u64>) -> io::Result<Bytes> {
        match self {
            Self::File(file) => {
                let mut file = file.lock();
                file.seek(SeekFrom::Start(range.start))?;
                // ranges are within the pack, which is within its limit
                let mut bytes = vec![0; (range.end - range.start) as usize];
                file.read_exact(&mut bytes)?;
                Ok(bytes.into())
            }
            Self::Bytes(bytes) => {
                let (start, end) = (range.start as usize, range.end as usize);
                if end > bytes.len() {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(bytes.slice(start..end))
            }
        }
    }
}

impl Pack {
    /// Opens a file. Its directory is checked now, records are when they are read.
    ///
    /// # Errors
    /// If it can't be read, isn't a pack or isn't closed.
    pub fn open(path: &Path) -> Result<Self, PackError> {
        Self::from_source(Source::File(Mutex::new(File::open(path)?)))
    }

    /// Takes a blob's bytes. Its directory is checked now, records are when they are read.
    ///
    /// # Errors
    /// If they aren't a pack.
    pub fn from_bytes(bytes: impl Into<Bytes>) -> Result<Self, PackError> {
        Self::from_source(Source::Bytes(bytes.into()))
    }

    fn from_source(source: Source) -> Result<Self, PackError> {
        let length = source.length()?;
        let footer = Footer::from_bytes(&source.read(&Footer::range(length)?)?, length)?;
        let header = source.read(&Header::RANGE)?;
        let index = source.read(&footer.index_range())?;
        let catalog = Catalog::from_parts(&header, &index, &footer)?;
        Ok(Self { catalog, source })
    }

    /// The pack's header and the place of each record in it.
    #[must_use]
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// The bytes of the record at a place, checked: what goes with a path.
    ///
    /// # Errors
    /// If there's none, or it can't be read or isn't the one of the index.
    pub fn record_bytes(&self, place: usize) -> Result<Bytes, PackError> {
        let bytes = self.source.read(&self.catalog.entry(place)?.range())?;
        self.catalog.check(place, &bytes)?;
        Ok(bytes)
    }

    /// The record at a place.
    ///
    /// # Errors
    /// As [`Self::record_bytes`].
    pub fn record(&self, place: usize) -> Result<Record, PackError> {
        let bytes = self.source.read(&self.catalog.entry(place)?.range())?;
        self.catalog.check(place, &bytes)
    }

    /// All records in order.
    ///
    /// # Errors
    /// Each as [`Self::record`].
    pub fn records(&self) -> impl Iterator<Item = Result<Record, PackError>> {
        (0..self.catalog.entries().len()).map(|place| self.record(place))
    }

    /// Checks all records, and that open bodies decompress. After this every byte of the pack has
    /// been looked at.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn verify(&self) -> Result<(), PackError> {
        for record in self.records() {
            let record = record?;
            record.request_body().plain()?;
            record.answer_body().plain()?;
        }
        Ok(())
    }

    /// All its bytes: the blob.
    ///
    /// # Errors
    /// If the file can't be read.
    pub fn to_blob(&self) -> Result<Bytes, PackError> {
        Ok(self.source.read(&(0..self.catalog.length()))?)
    }
}
