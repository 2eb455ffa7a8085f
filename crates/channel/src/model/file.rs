//! A sealed file, read as if it were clear: one chunk of it is in memory at a time.

use super::{FRAME_BYTES, frames_of};
use crate::{
    fault::Fault,
    frame::{FRAME_HEAD, FrameHead, FrameOpener, Kind, TAG},
    limits::MODEL_CHUNK_BYTES,
};
use std::{
    fmt,
    io::{self, Read, Seek, SeekFrom},
};
use zeroize::Zeroizing;

/// Reads the clear bytes of a sealed file. What is read was found unchanged and in its place; anything else is an error.
pub struct SealedFile<R> {
    sealed: R,
    opener: FrameOpener,
    /// Of the clear file.
    size: u64,
    /// Where in the clear file the next byte is read.
    at: u64,
    /// The chunk that is held.
    held: Option<u64>,
    clear: Zeroizing<Vec<u8>>,
}

impl<R: Read + Seek> SealedFile<R> {
    pub(super) fn new(sealed: R, opener: FrameOpener, size: u64) -> Self {
        Self {
            sealed,
            opener,
            size,
            at: 0,
            held: None,
            clear: Zeroizing::new(Vec::new()),
        }
    }

    /// Decrypts the chunk in this place.
    fn hold(&mut self, index: u64) -> io::Result<()> {
        if self.held == Some(index) {
            return Ok(());
        }
        self.held = None;
        let start = index * MODEL_CHUNK_BYTES as u64;
        let text = (self.size - start).min(MODEL_CHUNK_BYTES as u64) as usize;
        let head = FrameHead {
            length: text + TAG,
            // a file has at most a million frames
            index: index as u32,
            kind: match index + 1 == frames_of(self.size) {
                true => Kind::Last,
                false => Kind::More,
            },
        };
        let forged = |fault: Fault| io::Error::new(io::ErrorKind::InvalidData, fault);
        self.sealed.seek(SeekFrom::Start(index * FRAME_BYTES))?;
        let mut said = [0; FRAME_HEAD];
        self.sealed.read_exact(&mut said)?;
        // what stands there decides nothing: it is what it must be
        if said != head.to_bytes() {
            return Err(forged(Fault::FrameForged));
        }
        self.clear.resize(text + TAG, 0);
        self.sealed.read_exact(&mut self.clear)?;
        let opened = self.opener.open(head, &mut self.clear).map(|_| ());
        if let Err(fault) = opened {
            self.clear.fill(0);
            return Err(forged(fault));
        }
        self.clear.truncate(text);
        self.held = Some(index);
        Ok(())
    }
}

impl<R: Read + Seek> Read for SealedFile<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        if self.at >= self.size {
            // an empty file is one frame, which is looked at all the same
            if self.size == 0 {
                self.hold(0)?;
            }
            return Ok(0);
        }
        let chunk = MODEL_CHUNK_BYTES as u64;
        self.hold(self.at / chunk)?;
        let rest = self.clear.get((self.at % chunk) as usize..);
        let rest = rest.unwrap_or_default();
        let count = rest.len().min(out.len());
        out[..count].copy_from_slice(&rest[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl<R> Seek for SealedFile<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let (base, by) = match to {
            SeekFrom::Start(at) => (at, 0),
            SeekFrom::End(by) => (self.size, by),
            SeekFrom::Current(by) => (self.at, by),
        };
        let at = base.checked_add_signed(by);
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}

impl<R> fmt::Debug for SealedFile<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SealedFile")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
