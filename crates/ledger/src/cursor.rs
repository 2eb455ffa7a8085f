//! Where a follower of events stands, and how it remembers it over restarts.

use crate::LedgerError;
use atoma_keys::write_private;
use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::{
    fmt, io,
    path::{Path, PathBuf},
    str::FromStr,
};

/// Cursors are a few dozen bytes; anything longer isn't one.
const MAX_CURSOR_BYTES: usize = 1024;

/// A place in the ledger's order of events, opaque. Text: hex.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Cursor(pub(crate) Bytes);

impl Cursor {
    /// The bytes, as the ledger gave them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// A cursor that was kept as bytes.
    ///
    /// # Errors
    /// If they are longer than any cursor.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ParseCursorError> {
        if bytes.len() > MAX_CURSOR_BYTES {
            return Err(ParseCursorError);
        }
        Ok(Self(Bytes::copy_from_slice(bytes)))
    }
}

/// The text isn't a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: it must be hex of at most {MAX_CURSOR_BYTES} bytes")]
pub struct ParseCursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cursor({self})")
    }
}

impl FromStr for Cursor {
    type Err = ParseCursorError;
    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        if text.len() > 2 * MAX_CURSOR_BYTES {
            return Err(ParseCursorError);
        }
        hex::decode(text)
            .map(|bytes| Self(bytes.into()))
            .map_err(|_| ParseCursorError)
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// A cursor in a file of its own, replaced whole: after a crash it is the old one or the new one.
/// Programs with a database keep the cursor there, beside what they made of the events.
#[derive(Debug)]
pub struct CursorFile {
    path: PathBuf,
}

impl CursorFile {
    /// The file at `path`, whether it exists or not.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// The cursor in it; none if there is no file yet.
    ///
    /// # Errors
    /// If the file can't be read, or holds something else.
    pub fn load(&self) -> Result<Option<Cursor>, LedgerError> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => text
                .trim()
                .parse()
                .map(Some)
                .map_err(|e| self.error(io::Error::new(io::ErrorKind::InvalidData, e))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(self.error(e)),
        }
    }

    /// Replaces it durably. Call it after the events up to the cursor have been dealt with.
    ///
    /// # Errors
    /// If the file can't be written; it then holds the old cursor, or, after a crash, either.
    pub fn store(&self, cursor: &Cursor) -> Result<(), LedgerError> {
        let temporary = self.path.with_extension("new");
        write_private(&temporary, cursor.to_string().as_bytes())
            .and_then(|()| std::fs::rename(&temporary, &self.path))
            .and_then(|()| sync_folder(&self.path))
            .map_err(|e| self.error(e))
    }

    fn error(&self, source: io::Error) -> LedgerError {
        LedgerError::CursorFile {
            path: self.path.clone(),
            source,
        }
    }
}

/// A rename is durable once its folder is.
fn sync_folder(file: &Path) -> io::Result<()> {
    match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => std::fs::File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_its_texts_and_its_file() {
        let cursor = Cursor(Bytes::from_static(&[0, 1, 0xfe]));
        assert_eq!(cursor.to_string(), "0001fe");
        assert_eq!("0001fe".parse().as_ref(), Ok(&cursor));
        assert!("0001f".parse::<Cursor>().is_err());
        assert!("00".repeat(1025).parse::<Cursor>().is_err());
        let json = serde_json::to_string(&cursor).unwrap();
        assert_eq!(serde_json::from_str::<Cursor>(&json).unwrap(), cursor);

        let folder = tempfile::tempdir().unwrap();
        let file = CursorFile::new(folder.path().join("cursor"));
        assert_eq!(file.load().unwrap(), None);
        file.store(&cursor).unwrap();
        file.store(&cursor).unwrap();
        assert_eq!(file.load().unwrap(), Some(cursor));
        std::fs::write(folder.path().join("cursor"), "no").unwrap();
        assert!(file.load().is_err());
    }
}
