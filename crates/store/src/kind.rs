//! What a file is, and how it is opened: marks, versions and settings in one place.
//!
//! A file of ours is marked with its kind (`application_id`) and the version of its tables
//! (`user_version`). One without either and without tables is new and gets both; one of an older
//! version is brought up to date in one transaction, or, where nothing does that and it is
//! [`Durability::Rebuildable`], emptied; anything else is refused as it is.

use crate::{
    OpenError, Place, Readers,
    connection::{configure, open_to_read},
    private::{close_to_others, create_database, create_folder, rename_database},
};
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior};
use std::path::Path;

/// A kind of store.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// What errors and logs call it: "the node's journal".
    pub name: &'static str,
    /// Its file in a data folder.
    pub file: &'static str,
    /// The name that the file had in earlier versions: it is renamed.
    pub former_file: Option<&'static str>,
    /// The mark of its files: four letters, by [`Kind::mark`].
    pub mark: i32,
    /// Rises with every change of the tables.
    pub version: i32,
    /// Makes the tables of that version in an empty file.
    pub tables: &'static str,
    /// How tables of earlier versions become those of the next.
    pub upgrades: &'static [Upgrade],
    /// Files from before there were marks.
    pub unmarked: &'static [Unmarked],
    /// What a commit waits for.
    pub durability: Durability,
}

/// Brings tables one version further.
#[derive(Clone, Copy, Debug)]
pub struct Upgrade {
    /// From this version to the one after it.
    pub from: i32,
    /// The SQL statements that bring a file of the version before to this one.
    pub sql: &'static str,
}

/// How a file from before there were marks is known.
#[derive(Clone, Copy, Debug)]
pub struct Unmarked {
    /// The `user_version` that it has.
    pub user_version: i32,
    /// A table that it has.
    pub table: &'static str,
    /// The version of its tables.
    pub version: i32,
}

/// What a commit waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// Until it is on the disk: it survives a power cut.
    Full,
    /// Until the system has it: a power cut may take the last commits, and leaves the file whole.
    /// For what can be read again elsewhere: tables of a version from which no upgrade leads on are
    /// made anew.
    Rebuildable,
}

impl Kind {
    /// The mark of four letters.
    #[must_use]
    pub const fn mark(letters: [u8; 4]) -> i32 {
        i32::from_be_bytes(letters)
    }

    /// The place of its file in a folder. A file with the former name is renamed: nobody else may
    /// have it open.
    ///
    /// # Errors
    /// If the file can't be renamed.
    pub fn in_folder(&self, folder: &Path) -> Result<Place, OpenError> {
        let path = folder.join(self.file);
        if let Some(former) = self.former_file.map(|file| folder.join(file))
            && former.exists()
            && !path.exists()
        {
            rename_database(&former, &path)?;
        }
        Ok(Place::File(path))
    }

    /// Opens the connection that writes; makes the file, its folders and tables where they are not
    /// there.
    ///
    /// # Errors
    /// If the file is of another kind or version, or can't be used.
    pub fn open(&self, place: &Place) -> Result<Connection, OpenError> {
        self.open_with(place, Rows::Keep)
    }

    /// The same, with the tables made anew, whatever their version: for what is to be read again
    /// elsewhere.
    ///
    /// # Errors
    /// If the file is of another kind, or can't be used.
    pub fn open_emptied(&self, place: &Place) -> Result<Connection, OpenError> {
        self.open_with(place, Rows::Drop)
    }

    fn open_with(&self, place: &Place, rows: Rows) -> Result<Connection, OpenError> {
        let mut db = self.connect(place, rows)?;
        match self.found(&db, place, rows)? {
            Found::Version(version) if version == self.version && rows == Rows::Keep => {}
            _ => self.prepare(&mut db, place, rows)?,
        }
        Ok(db)
    }

    /// Marks the file as one of this kind and version.
    fn set_marks(&self, db: &Connection) -> rusqlite::Result<()> {
        db.pragma_update(None, "application_id", self.mark)?;
        db.pragma_update(None, "user_version", self.version)
    }

    /// Whether there is a file of this kind and version to be read. Makes and changes nothing.
    ///
    /// # Errors
    /// If the file is of another kind or version, or can't be read.
    pub fn check(&self, place: &Place) -> Result<bool, OpenError> {
        self.open_to_read(place).map(|db| db.is_some())
    }

    /// Opens one connection that only reads, if there is a file of this kind and version. Makes and
    /// changes nothing.
    ///
    /// # Errors
    /// If the file is of another kind or version, or can't be read.
    pub fn open_to_read(&self, place: &Place) -> Result<Option<Connection>, OpenError> {
        let Place::File(path) = place else {
            return Ok(None);
        };
        if !path.exists() {
            return Ok(None);
        }
        let db = open_to_read(place).map_err(|source| self.failed(place, source))?;
        match self.found(&db, place, Rows::Keep)? {
            Found::Nothing => Ok(None),
            Found::Version(version) if version == self.version => Ok(Some(db)),
            Found::Version(found) | Found::Unmarked(found) => Err(OpenError::TooOld {
                path: path.clone(),
                found,
                known: self.version,
            }),
        }
    }

    /// Connections that only read, opened as they are needed and kept.
    #[must_use]
    pub fn readers(&self, place: &Place) -> Readers {
        Readers::new(place.clone())
    }

    fn connect(&self, place: &Place, rows: Rows) -> Result<Connection, OpenError> {
        let connect = || {
            let flags = OpenFlags::default() | OpenFlags::SQLITE_OPEN_URI;
            let db = Connection::open_with_flags(place.name(), flags)?;
            configure(&db)?;
            // what isn't ours stays untouched: reading the marks writes nothing
            db.query_row("PRAGMA schema_version", [], |row| row.get::<_, i64>(0))?;
            Ok(db)
        };
        if let Place::File(path) = place {
            create_folder(path.parent().unwrap_or(Path::new("")))?;
            create_database(path)?;
        }
        let db = connect().map_err(|source| self.failed(place, source))?;
        self.found(&db, place, rows)?;
        if let Place::File(path) = place {
            close_to_others(path)?;
        }
        let synchronous = match self.durability {
            Durability::Full => "FULL",
            Durability::Rebuildable => "NORMAL",
        };
        let settings = format!("PRAGMA journal_mode = WAL; PRAGMA synchronous = {synchronous};");
        db.execute_batch(&settings)
            .map_err(|source| self.failed(place, source))?;
        Ok(db)
    }

    /// What is in the file, if it may be opened.
    fn found(&self, db: &Connection, place: &Place, rows: Rows) -> Result<Found, OpenError> {
        let path = || place.path().to_owned();
        let marks = Marks::read(db).map_err(|source| self.failed(place, source))?;
        let unmarked = self.unmarked.iter().find(|unmarked| {
            marks.kind == 0
                && marks.version == unmarked.user_version
                && has_table(db, unmarked.table).unwrap_or(false)
        });
        let found = match unmarked {
            Some(unmarked) => Found::Unmarked(unmarked.version),
            None if marks.is_empty() => Found::Nothing,
            None if marks.kind == self.mark => Found::Version(marks.version),
            None => {
                return Err(OpenError::Foreign {
                    path: path(),
                    kind: self.name,
                });
            }
        };
        match found {
            Found::Version(found) if found > self.version && rows == Rows::Keep => {
                Err(OpenError::Newer {
                    path: path(),
                    found,
                    known: self.version,
                })
            }
            found => Ok(found),
        }
    }

    /// Makes the tables, or brings them up to date, wholly or not at all.
    fn prepare(&self, db: &mut Connection, place: &Place, rows: Rows) -> Result<(), OpenError> {
        let failed = |source| self.failed(place, source);
        let transaction = db
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        // another process may have done it meanwhile
        match self.found(&transaction, place, rows)? {
            Found::Version(version) if version == self.version && rows == Rows::Keep => {
                return Ok(());
            }
            Found::Nothing => transaction.execute_batch(self.tables).map_err(failed)?,
            Found::Version(found) | Found::Unmarked(found) => {
                let steps = match rows {
                    Rows::Keep => self.steps(found),
                    Rows::Drop => None,
                };
                match steps {
                    Some(steps) => {
                        let mut steps = steps.into_iter();
                        steps.try_for_each(|sql| transaction.execute_batch(sql))
                    }
                    None if rows == Rows::Drop || self.durability == Durability::Rebuildable => {
                        drop_tables(&transaction)
                            .and_then(|()| transaction.execute_batch(self.tables))
                    }
                    None => {
                        return Err(OpenError::TooOld {
                            path: place.path().to_owned(),
                            found,
                            known: self.version,
                        });
                    }
                }
                .map_err(failed)?;
            }
        }
        self.set_marks(&transaction).map_err(failed)?;
        transaction.commit().map_err(failed)
    }

    /// What brings tables of a version up to date, if anything does.
    fn steps(&self, version: i32) -> Option<Vec<&'static str>> {
        let step = |from| self.upgrades.iter().find(|step| step.from == from);
        (version..self.version)
            .map(|from| step(from).map(|step| step.sql))
            .collect()
    }

    fn failed(&self, place: &Place, source: rusqlite::Error) -> OpenError {
        let path = place.path().to_owned();
        if source.sqlite_error_code() == Some(ErrorCode::NotADatabase) {
            return OpenError::Foreign {
                path,
                kind: self.name,
            };
        }
        OpenError::Sqlite { path, source }
    }
}

/// What becomes of rows that are there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rows {
    Keep,
    Drop,
}

/// What a file that may be opened holds.
enum Found {
    Nothing,
    Version(i32),
    Unmarked(i32),
}

struct Marks {
    kind: i32,
    version: i32,
    tables: i64,
}

impl Marks {
    fn read(db: &Connection) -> rusqlite::Result<Self> {
        let number = |sql: &str| db.query_row(sql, [], |row| row.get(0));
        Ok(Self {
            kind: number("PRAGMA application_id")?,
            version: number("PRAGMA user_version")?,
            tables: db.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))?,
        })
    }

    fn is_empty(&self) -> bool {
        self.kind == 0 && self.version == 0 && self.tables == 0
    }
}

fn drop_tables(db: &Connection) -> rusqlite::Result<()> {
    let names = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let mut names = db.prepare(names)?;
    let names = names.query_map([], |row| row.get::<_, String>(0))?;
    for name in names.collect::<rusqlite::Result<Vec<_>>>()? {
        db.execute_batch(&format!("DROP TABLE \"{name}\""))?;
    }
    Ok(())
}

fn has_table(db: &Connection, table: &str) -> rusqlite::Result<bool> {
    let named = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    let found = db.query_row(named, [table], |_| Ok(())).optional()?;
    Ok(found.is_some())
}

#[cfg(test)]
#[path = "kind_test.rs"]
mod tests;
