//! A pack while it is filled: a file that only grows.
//!
//! A record is acknowledged once [`PackWriter::sync`] has returned after it was appended; from
//! then on no crash loses it. The file is read from its beginning when it is opened again: what
//! follows the last whole record is cut off, so a crash may come at any byte. After a write that
//! failed, the writer refuses: what the disk has then is only known by opening the file again.

use super::{
    MAX_PACK, MAX_RECORDS,
    catalog::{Catalog, Entry, bytes_around},
    error::PackError,
    header::{HEADER_BYTES, Header, MAGIC},
    reader::Pack,
    record::Record,
    scan::{Dropped, keep_aside, whole_records},
};
use atoma_runtime::files;
use std::{
    fs::File,
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

/// What is appended is written at the latest when so much of it waits.
const WAITING_BYTES: usize = 1 << 20;

/// Fills a pack. One at a time per file.
#[derive(Debug)]
pub struct PackWriter {
    path: PathBuf,
    file: File,
    header: Header,
    entries: Vec<Entry>,
    /// Where the next record will stand.
    end: u64,
    /// Appended and not written yet.
    waiting: Vec<u8>,
    /// How many records the disk has for certain.
    durable: usize,
    failed: bool,
    dropped: Option<Dropped>,
}

impl PackWriter {
    /// Begins a pack in a file that isn't there or was never begun. Best done when its first record
    /// comes: a pack's age counts from the header's time.
    ///
    /// # Errors
    /// If the file has something in it, or can't be written.
    pub fn create(path: &Path, header: Header) -> Result<Self, PackError> {
        header.check()?;
        let mut file = open_file(path, true)?;
        if !is_unborn(&mut file)? {
            return Err(PackError::Exists(path.to_owned()));
        }
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(&header.to_bytes())?;
        file.sync_all()?;
        files::sync_name(path)?;
        Ok(Self::new(path, file, header, Vec::new(), None))
    }

    /// Opens a pack again, after a crash or without one.
    ///
    /// # Errors
    /// [`PackError::Unborn`] if not even the header was written, [`PackError::Closed`] if all was;
    /// otherwise if the file isn't a pack or can't be used.
    pub fn open(path: &Path) -> Result<Self, PackError> {
        let mut file = open_file(path, false)?;
        if is_unborn(&mut file)? {
            return Err(PackError::Unborn(path.to_owned()));
        }
        let mut header = [0; HEADER_BYTES];
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut header)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => PackError::Format("it is too short"),
                _ => error.into(),
            })?;
        let header = Header::from_bytes(&header)?;
        let length = file.metadata()?.len();
        let entries = whole_records(&file, length)?;
        let mut writer = Self::new(path, file, header, entries, None);
        if length > writer.end {
            writer.cut(length)?;
        }
        // what was written by a process that died may not be on the disk yet
        writer.file.sync_all()?;
        writer.file.seek(SeekFrom::Start(writer.end))?;
        Ok(writer)
    }

    fn new(
        path: &Path,
        file: File,
        header: Header,
        entries: Vec<Entry>,
        dropped: Option<Dropped>,
    ) -> Self {
        let end = entries
            .last()
            .map_or(HEADER_BYTES as u64, |entry| entry.range().end);
        Self {
            path: path.to_owned(),
            file,
            header,
            durable: entries.len(),
            entries,
            end,
            waiting: Vec::new(),
            failed: false,
            dropped,
        }
    }

    /// Cuts off what isn't a record: the beginning of what closes a pack, or an unfinished write.
    fn cut(&mut self, length: u64) -> Result<(), PackError> {
        let closing = Catalog::new(self.header.clone(), self.entries.clone()).tail();
        let surplus = length - self.end;
        let mut begun = vec![0; closing.len().min(surplus as usize)];
        self.file.seek(SeekFrom::Start(self.end))?;
        self.file.read_exact(&mut begun)?;
        let is_closing = surplus == begun.len() as u64 && closing.starts_with(&begun);
        if is_closing && begun.len() == closing.len() {
            return Err(PackError::Closed(self.path.clone()));
        }
        if !is_closing {
            self.dropped = Some(keep_aside(&self.file, &self.path, self.end)?);
        }
        self.file.set_len(self.end)?;
        Ok(())
    }

    /// Appends a record and gives its number in the node's log. It isn't acknowledged before the
    /// next [`Self::sync`].
    ///
    /// # Errors
    /// [`PackError::Full`] if the pack is to be closed first; if a write failed, now or before.
    pub fn append(&mut self, record: &Record) -> Result<u64, PackError> {
        self.refuse_if_failed()?;
        let length = record.length() as u64;
        if self.entries.len() == MAX_RECORDS || self.length_with(length) > MAX_PACK {
            return Err(PackError::Full);
        }
        let leaf = record.put(&mut self.waiting)?;
        self.entries.push(Entry {
            request_id: record.request_id(),
            leaf,
            offset: self.end,
            // what a record has was seen to be within the limits
            length: length as u32,
        });
        self.end += length;
        let seq = self.header.first_seq + self.entries.len() as u64 - 1;
        if self.waiting.len() >= WAITING_BYTES {
            self.attempt(Self::write_waiting)?;
        }
        Ok(seq)
    }

    /// Waits until the disk has every record that was appended.
    ///
    /// # Errors
    /// If a write failed, now or before: then none of those since the last sync is acknowledged.
    pub fn sync(&mut self) -> Result<(), PackError> {
        self.refuse_if_failed()?;
        if self.durable == self.entries.len() {
            return Ok(());
        }
        self.attempt(|writer| {
            writer.write_waiting()?;
            writer.file.sync_data()
        })?;
        self.durable = self.entries.len();
        Ok(())
    }

    /// Syncs, adds what makes it a pack, and opens that.
    ///
    /// # Errors
    /// If a write failed, now or before. The file may be closed nevertheless, or opened and closed
    /// again.
    pub fn close(mut self) -> Result<Pack, PackError> {
        self.refuse_if_failed()?;
        let entries = std::mem::take(&mut self.entries);
        let tail = Catalog::new(self.header.clone(), entries).tail();
        self.attempt(|writer| {
            writer.write_waiting()?;
            writer.file.write_all(&tail)?;
            writer.file.sync_all()
        })?;
        Pack::open(&self.path)
    }

    fn write_waiting(&mut self) -> io::Result<()> {
        self.file.write_all(&self.waiting)?;
        self.waiting.clear();
        Ok(())
    }

    fn attempt(
        &mut self,
        write: impl FnOnce(&mut Self) -> io::Result<()>,
    ) -> Result<(), PackError> {
        write(self).map_err(|error| {
            self.failed = true;
            error.into()
        })
    }

    fn refuse_if_failed(&self) -> Result<(), PackError> {
        if self.failed {
            return Err(PackError::Failed(self.path.clone()));
        }
        Ok(())
    }

    fn length_with(&self, record: u64) -> u64 {
        let records = self.end - HEADER_BYTES as u64 + record;
        bytes_around(self.entries.len() + usize::from(record > 0)) + records
    }

    /// The pack's length if it were closed now.
    #[must_use]
    pub fn length(&self) -> u64 {
        self.length_with(0)
    }

    /// The pack's length if it were closed with one more record.
    #[must_use]
    pub fn length_with_record(&self, record: &Record) -> u64 {
        self.length_with(record.length() as u64)
    }

    /// Whose pack it is.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Its records in order.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many of them are acknowledged.
    #[must_use]
    pub fn durable(&self) -> usize {
        self.durable
    }

    /// What was cut off when the file was opened: something to tell the operator.
    #[must_use]
    pub fn dropped(&self) -> Option<&Dropped> {
        self.dropped.as_ref()
    }
}

/// For its one writer, and for nobody else to read.
fn open_file(path: &Path, create: bool) -> Result<File, PackError> {
    let mut options = files::private_file();
    options
        .read(true)
        .write(true)
        .create(create)
        .truncate(false);
    let file = options.open(path)?;
    file.try_lock()
        .map_err(|_| PackError::InUse(path.to_owned()))?;
    Ok(file)
}

/// Whether a crash came before the header was there: nothing, zeros, or the beginning of one.
fn is_unborn(file: &mut File) -> io::Result<bool> {
    let mut begun = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(HEADER_BYTES as u64 + 1).read_to_end(&mut begun)?;
    let zeros = begun.len() <= HEADER_BYTES && begun.iter().all(|byte| *byte == 0);
    let known = begun.len().min(MAGIC.len());
    Ok(zeros || (begun.len() < HEADER_BYTES && begun[..known] == MAGIC[..known]))
}
