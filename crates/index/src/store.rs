//! The file that rows are in: SQLite, one writer. Events and the place that they lead to are written
//! in one transaction, so after a crash an event is in it wholly or not at all, and is resumed there.

use super::{
    apply::{Outcome, Place, Rows, apply},
    column::{Key, Table},
    error::IndexError,
    rows::{
        ConvictionRow, DayRow, DisputeRow, EventRow, LeaseRow, NodeRow, NodeStanding, OfferRow,
        ParamRow, PriceRow, ProgressRow, SettlementRow, StackRow, StackTerms, StaleRow, TaskRow,
        TaskTerms, TreasuryRow, TreasuryStanding,
    },
};
use atoma_ledger::{Checkpoint, Cursor, LedgerEvent};
use atoma_store::{Durability, FileLock, Kind, Place as FilePlace, Unmarked};
use atoma_types::{ObjectId, TimestampMs, chain::Deployment};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params_from_iter, types::Value};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// What the tables are. A file of an earlier version is filled again from the ledger, a later one is
/// refused. It rises with every change of a table, and with every event that begins to be understood.
const VERSION: i32 = 4;

/// The index's file. What a power failure takes is read from the ledger again, place and all.
pub(crate) static KIND: LazyLock<Kind> = LazyLock::new(|| Kind {
    name: "an index of a network",
    file: "index.sqlite",
    former_file: None,
    mark: Kind::mark(*b"atIx"),
    version: VERSION,
    tables: &TABLES,
    upgrades: &[],
    unmarked: &[Unmarked {
        user_version: 1,
        table: "progress",
        version: 1,
    }],
    durability: Durability::Rebuildable,
});

static TABLES: LazyLock<String> =
    LazyLock::new(|| tables().into_iter().map(|(_, create)| create).collect());

/// Every table: its name and what creates it.
fn tables() -> Vec<(&'static str, &'static str)> {
    fn of<T: Table>() -> (&'static str, &'static str) {
        (T::NAME, T::sql().create.as_str())
    }
    vec![
        of::<ProgressRow>(),
        of::<EventRow>(),
        of::<NodeRow>(),
        of::<NodeStanding>(),
        of::<TaskRow>(),
        of::<TaskTerms>(),
        of::<OfferRow>(),
        of::<PriceRow>(),
        of::<StackRow>(),
        of::<StackTerms>(),
        of::<LeaseRow>(),
        of::<SettlementRow>(),
        of::<DisputeRow>(),
        of::<ConvictionRow>(),
        of::<TreasuryRow>(),
        of::<TreasuryStanding>(),
        of::<DayRow>(),
        of::<ParamRow>(),
        of::<StaleRow>(),
    ]
}

/// What to do with a file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Go on from it.
    Keep,
    /// Empty it: the history is read again.
    Rebuild,
}

/// Events that are applied together, and the place that they lead to.
#[derive(Debug)]
pub(crate) struct Batch {
    /// Each with the time of its checkpoint.
    pub(crate) events: Vec<(LedgerEvent, TimestampMs)>,
    pub(crate) cursor: Cursor,
    /// Everything up to the end of this checkpoint is in it then.
    pub(crate) covered: Option<u64>,
    /// The last checkpoint that is known after them.
    pub(crate) checkpoint: Option<Checkpoint>,
}

/// Writes the file. There is one for a file, held by a lock.
pub(crate) struct Store {
    connection: Connection,
    path: PathBuf,
    /// The package's database on the ledger.
    db: ObjectId,
    _lock: FileLock,
}

impl Store {
    /// Opens the file for a deployment, or makes it. `since` is the ledger's oldest checkpoint, where
    /// a new history begins.
    pub(crate) fn open(
        path: &Path,
        deployment: &Deployment,
        since: u64,
        existing: Existing,
    ) -> Result<Self, IndexError> {
        let lock = FileLock::take(path)?;
        let place = FilePlace::File(path.to_owned());
        let connection = match existing {
            Existing::Keep => KIND.open(&place)?,
            Existing::Rebuild => KIND.open_emptied(&place)?,
        };
        let mut store = Self {
            connection,
            path: path.to_owned(),
            db: deployment.db,
            _lock: lock,
        };
        store.begin(deployment, since)?;
        Ok(store)
    }

    /// Begins the history in a new file; checks that one that is there is of this deployment.
    fn begin(&mut self, deployment: &Deployment, since: u64) -> Result<(), IndexError> {
        let transaction = self.connection.transaction()?;
        let mut rows = InTransaction(&transaction);
        match rows.get(ProgressRow::at(0))? {
            Some(progress) => check_identity(&self.path, &progress, deployment)?,
            None => rows.put(&ProgressRow {
                id: 0,
                network: deployment.network,
                package: deployment.original_package,
                cursor: None,
                covered: None,
                checkpoint: None,
                checkpoint_digest: None,
                checkpoint_ms: TimestampMs(0),
                since,
                events: 0,
                gaps: 0,
            })?,
        }
        Ok(transaction.commit()?)
    }

    /// How far it is.
    pub(crate) fn progress(&mut self) -> Result<ProgressRow, IndexError> {
        let transaction = self.connection.transaction()?;
        progress(&InTransaction(&transaction))
    }

    /// Applies events in one transaction. Those that are in it already change nothing.
    pub(crate) fn commit(&mut self, batch: &Batch) -> Result<ProgressRow, IndexError> {
        let transaction = self.connection.transaction()?;
        let mut rows = InTransaction(&transaction);
        let mut progress = progress(&rows)?;
        for (event, at) in &batch.events {
            if is_applied(&transaction, event)? {
                continue;
            }
            progress.events += 1;
            let place = Place {
                number: progress.events,
                transaction: event.transaction,
                index: event.index,
                checkpoint: event.checkpoint,
                at: *at,
            };
            if apply(&mut rows, self.db, &place, &event.event)? == Outcome::Gap {
                progress.gaps += 1;
            }
        }
        progress.cursor = Some(batch.cursor.as_bytes().to_vec());
        progress.covered = progress.covered.max(batch.covered);
        if let Some(checkpoint) = batch.checkpoint
            && progress
                .checkpoint
                .is_none_or(|known| known <= checkpoint.number)
        {
            progress.checkpoint = Some(checkpoint.number);
            progress.checkpoint_digest = Some(checkpoint.digest.into_inner());
            progress.checkpoint_ms = checkpoint.time;
        }
        rows.put(&progress)?;
        transaction.commit()?;
        Ok(progress)
    }

    /// Objects that are to be read.
    pub(crate) fn stale(&self, most: usize) -> Result<Vec<StaleRow>, IndexError> {
        let sql = format!("{} LIMIT {most}", StaleRow::sql().list);
        let mut statement = self.connection.prepare_cached(&sql)?;
        let rows = statement.query_and_then([], read)?;
        rows.collect()
    }

    /// Writes what objects tell, and that they are no longer to be read.
    pub(crate) fn refresh(
        &mut self,
        read: &[StaleRow],
        write: impl FnOnce(&mut InTransaction<'_>) -> Result<(), IndexError>,
    ) -> Result<(), IndexError> {
        let transaction = self.connection.transaction()?;
        let mut rows = InTransaction(&transaction);
        write(&mut rows)?;
        for stale in read {
            rows.remove(stale.key())?;
        }
        Ok(transaction.commit()?)
    }
}

#[cfg(test)]
impl Store {
    /// Every row of every table, by table and key.
    pub(crate) fn dump(
        &self,
    ) -> Result<std::collections::BTreeMap<(&'static str, String), Vec<Value>>, IndexError> {
        let mut all = std::collections::BTreeMap::new();
        for (table, _) in tables() {
            let mut columns = self
                .connection
                .prepare(&format!("SELECT pk FROM pragma_table_info('{table}')"))?;
            let keys: Vec<bool> = columns
                .query_map([], |row| Ok(row.get::<_, i64>(0)? > 0))?
                .collect::<Result<_, _>>()?;
            let mut rows = self.connection.prepare(&format!("SELECT * FROM {table}"))?;
            let mut rows = rows.query([])?;
            while let Some(row) = rows.next()? {
                let values = (0..keys.len())
                    .map(|column| row.get::<_, Value>(column))
                    .collect::<Result<Vec<_>, _>>()?;
                let key = values.iter().zip(&keys).filter(|(_, is_key)| **is_key);
                let key: Vec<&Value> = key.map(|(value, _)| value).collect();
                all.insert((table, format!("{key:?}")), values);
            }
        }
        Ok(all)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

fn progress(rows: &impl Rows) -> Result<ProgressRow, IndexError> {
    rows.get(ProgressRow::at(0))?
        .ok_or(IndexError::Damaged(ProgressRow::NAME))
}

/// Whether a file is about this deployment.
pub(crate) fn check_identity(
    path: &Path,
    progress: &ProgressRow,
    deployment: &Deployment,
) -> Result<(), IndexError> {
    if progress.network != deployment.network {
        return Err(IndexError::OtherNetwork {
            path: path.to_owned(),
            indexed: progress.network,
            found: deployment.network,
        });
    }
    if progress.package != deployment.original_package {
        return Err(IndexError::OtherPackage {
            path: path.to_owned(),
            indexed: progress.package,
            found: deployment.original_package,
        });
    }
    Ok(())
}

fn is_applied(transaction: &Transaction<'_>, event: &LedgerEvent) -> Result<bool, IndexError> {
    let sql = "SELECT 1 FROM events WHERE digest = ?1 AND place = ?2";
    let mut statement = transaction.prepare_cached(sql)?;
    Ok(statement.exists((event.transaction.into_inner(), event.index))?)
}

/// Rows within a transaction.
pub(crate) struct InTransaction<'a>(&'a Transaction<'a>);

impl Rows for InTransaction<'_> {
    fn get<T: Table>(&self, key: Key<T>) -> Result<Option<T>, IndexError> {
        get(self.0, key)
    }

    fn put<T: Table>(&mut self, row: &T) -> Result<(), IndexError> {
        let mut statement = self.0.prepare_cached(&T::sql().put)?;
        statement.execute(params_from_iter(row.values()))?;
        Ok(())
    }

    fn remove<T: Table>(&mut self, key: Key<T>) -> Result<(), IndexError> {
        let mut statement = self.0.prepare_cached(&T::sql().remove)?;
        statement.execute(params_from_iter(key.0))?;
        Ok(())
    }
}

/// A row by its key.
pub(crate) fn get<T: Table>(connection: &Connection, key: Key<T>) -> Result<Option<T>, IndexError> {
    let mut statement = connection.prepare_cached(&T::sql().get)?;
    let found = statement
        .query_row(params_from_iter(key.0), |row| Ok(read(row)))
        .optional()?;
    found.transpose()
}

/// A row of a statement whose columns are the table's.
pub(crate) fn read<T: Table>(row: &Row<'_>) -> Result<T, IndexError> {
    let columns = row.as_ref().column_count();
    let values = (0..columns)
        .map(|column| row.get(column))
        .collect::<Result<Vec<Value>, _>>()?;
    T::from_values(values).ok_or(IndexError::Damaged(T::NAME))
}
