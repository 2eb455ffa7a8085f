//! Is the journal the one that this node last wrote? A journal that was deleted, put back from a copy, or
//! copied has forgotten receipts that were signed, and a node that went on from it would sign others in their
//! places.
//!
//! Three things know each other: the journal has an id and the number of its own file (an inode: a copy has
//! another); a file beside it, the mark, has the id and how many receipts the journal had at least. The mark
//! is written after each commit, without waiting for the disk: after a loss of power it may be behind, never
//! ahead.
//!
//! | found | means |
//! |---|---|
//! | neither journal nor mark | a new node |
//! | the journal has no id, and there is no mark | it is from before there were marks |
//! | a mark, and the journal has no id or another, or fewer receipts | deleted, or put back |
//! | no mark, or the journal's file has another number | copied; or moved, if the operator says so |
//!
//! A snapshot takes back all three, and isn't seen.

use super::error::JournalError;
use atoma_runtime::{Random, files};
use atoma_store::OpenError;
use rusqlite::{Connection, params};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::Path,
};

/// The mark's file.
const FILE: &str = "journal.mark";
/// The file by which an operator says that a folder was moved on purpose.
const MOVED: &str = "moved";
/// Names in the journal's table of small texts.
const JOURNAL: &str = "journal";
/// Stacks from before this time may have been served by a journal that is gone.
pub(crate) const DOUBT: &str = "doubt";
/// Until the ledger has said what time it is.
pub(crate) const DOUBT_BEGINS: &str = "begins";

/// Why the journal isn't the one that the node last wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Doubt {
    #[error("it is gone, and the node has served before")]
    Gone,
    #[error("it was put back from an older copy, or from another node's folder")]
    PutBack,
    #[error("it is a copy, or was moved")]
    Copied,
}

/// What the journal says of itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Itself {
    id: u128,
    inode: u64,
}

/// What the mark says of the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Marked {
    id: u128,
    receipts: i64,
}

/// The mark, open to be written.
#[derive(Debug)]
pub(super) struct Mark {
    id: u128,
    file: File,
}

/// What is in a folder.
#[derive(Clone, Copy, Debug)]
struct Found {
    itself: Option<Itself>,
    marked: Option<Marked>,
    /// The journal knows which node it is.
    has_node: bool,
    inode: u64,
    receipts: i64,
    /// The operator says that the folder was moved.
    moved: bool,
}

impl Found {
    fn judge(&self) -> Option<Doubt> {
        match (self.itself, self.marked) {
            (None, None) => None,
            (None, Some(_)) if self.has_node => Some(Doubt::PutBack),
            (None, Some(_)) => Some(Doubt::Gone),
            (Some(itself), Some(marked)) if marked.id != itself.id => Some(Doubt::PutBack),
            (Some(_), Some(marked)) if marked.receipts > self.receipts => Some(Doubt::PutBack),
            (Some(itself), Some(_)) if itself.inode == self.inode => None,
            (Some(_), _) => (!self.moved).then_some(Doubt::Copied),
        }
    }
}

impl Mark {
    /// Looks at what is there, and makes journal and mark know each other from now on. A doubt is durable
    /// in the journal before the mark forgets it.
    pub(super) fn open(
        folder: &Path,
        journal: &Path,
        db: &Connection,
        meta: &BTreeMap<String, String>,
        has_node: bool,
        random: &dyn Random,
    ) -> Result<(Self, Option<Doubt>), JournalError> {
        let read = |source| JournalError::Read {
            path: journal.to_owned(),
            source,
        };
        let path = folder.join(FILE);
        let at = |path: &Path| {
            let path = path.to_owned();
            move |source| OpenError::Io { path, source }
        };
        let inode = fs::metadata(journal).map_err(at(journal))?.ino();
        let count = "SELECT coalesce(max(id), 0) FROM receipts";
        let receipts = db.query_row(count, [], |row| row.get(0)).map_err(read)?;
        let found = Found {
            itself: meta.get(JOURNAL).and_then(|text| Itself::read(text)),
            marked: Marked::of(&path).map_err(at(&path))?,
            has_node,
            inode,
            receipts,
            moved: folder.join(MOVED).exists(),
        };
        let doubt = found.judge();
        let itself = Itself {
            id: found
                .itself
                .map_or_else(|| u128::from_le_bytes(random.bytes()), |known| known.id),
            inode,
        };
        let set = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)";
        if doubt.is_some() {
            db.execute(set, params![DOUBT, DOUBT_BEGINS])
                .map_err(read)?;
        }
        if found.itself != Some(itself) {
            db.execute(set, params![JOURNAL, itself.write()])
                .map_err(read)?;
        }
        let mut options = files::private_file();
        let file = options.create(true).truncate(false).write(true);
        let mark = Self {
            id: itself.id,
            file: file.open(&path).map_err(at(&path))?,
        };
        mark.write(receipts).map_err(at(&path))?;
        mark.file.sync_all().map_err(at(&path))?;
        files::sync_name(&path).map_err(at(&path))?;
        match fs::remove_file(folder.join(MOVED)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(at(&folder.join(MOVED))(error).into())
            }
            _ => Ok((mark, doubt)),
        }
    }

    /// The journal has this many receipts.
    pub(super) fn write(&self, receipts: i64) -> io::Result<()> {
        let text = format!("{:032x} {receipts:019}\n", self.id);
        self.file.write_all_at(text.as_bytes(), 0)
    }
}

impl Marked {
    /// What a mark says; nothing if there is none, or a kill has left it empty.
    fn of(path: &Path) -> io::Result<Option<Self>> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            read => read?,
        };
        let read = || {
            let (id, receipts) = text.trim().split_once(' ')?;
            Some(Self {
                id: u128::from_str_radix(id, 16).ok()?,
                receipts: receipts.parse().ok()?,
            })
        };
        Ok(read())
    }
}

impl Itself {
    fn read(text: &str) -> Option<Self> {
        let (id, inode) = text.split_once(' ')?;
        Some(Self {
            id: u128::from_str_radix(id, 16).ok()?,
            inode: inode.parse().ok()?,
        })
    }

    fn write(self) -> String {
        format!("{:032x} {}", self.id, self.inode)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: Found = Found {
        itself: Some(Itself { id: 7, inode: 70 }),
        marked: Some(Marked { id: 7, receipts: 5 }),
        has_node: true,
        inode: 70,
        receipts: 5,
        moved: false,
    };

    #[test]
    fn what_is_found_means_what_the_table_says() {
        let marked = |id, receipts| Some(Marked { id, receipts });
        assert_eq!(FOUND.judge(), None);
        let behind = Found {
            marked: marked(7, 4),
            ..FOUND
        };
        assert_eq!(behind.judge(), None, "after a loss of power");
        let new = Found {
            itself: None,
            marked: None,
            has_node: false,
            ..FOUND
        };
        assert_eq!(new.judge(), None);
        let old = Found {
            itself: None,
            marked: None,
            ..FOUND
        };
        assert_eq!(old.judge(), None, "from before there were marks");
        let gone = Found {
            itself: None,
            has_node: false,
            ..FOUND
        };
        assert_eq!(gone.judge(), Some(Doubt::Gone));
        for put_back in [
            Found {
                itself: None,
                ..FOUND
            },
            Found {
                marked: marked(8, 5),
                ..FOUND
            },
            Found {
                marked: marked(7, 6),
                ..FOUND
            },
            Found {
                marked: marked(7, 6),
                moved: true,
                ..FOUND
            },
        ] {
            assert_eq!(put_back.judge(), Some(Doubt::PutBack), "{put_back:?}");
        }
        for copied in [
            Found { inode: 71, ..FOUND },
            Found {
                marked: None,
                ..FOUND
            },
        ] {
            assert_eq!(copied.judge(), Some(Doubt::Copied), "{copied:?}");
            let moved = Found {
                moved: true,
                ..copied
            };
            assert_eq!(moved.judge(), None);
        }
    }
}
