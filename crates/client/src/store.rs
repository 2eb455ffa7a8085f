//! The client's memory over restarts: receipts, bounds of signed ceilings, stacks. One SQLite file
//! in the data folder, one writer thread that commits many entries at once; without a folder the
//! same in memory.
//!
//! A lane's bound is durable before any ceiling above the former one is sent, so that after a
//! crash no node can speak of more than was signed. It moves in steps, so that few requests wait
//! for the disk: see [`Lane::step`](crate::lane::Lane::step).
//!
//! Receipts are kept as bytes, not text: with their keys, four of them fill a page then, while as
//! base64 each would be too long for a table without row ids and get an overflow page of its own.
//! Request ids begin with the time, so that their index grows at its end.

use crate::ClientError;
use atoma_types::{ComputeUnits, NodeId, RequestId, StackId, TimestampMs, hash::Hash32};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use parking_lot::Mutex;
use rusqlite::{
    Connection, OpenFlags, OptionalExtension, params,
    types::{Type, ValueRef},
};
use std::{collections::HashMap, fmt, fs::File, path::Path, sync::Arc, time::Duration};
use tokio::{
    runtime::Runtime,
    sync::{mpsc, oneshot},
};

/// Entries on their way to the disk. A full queue makes those who must not lose anything wait.
const QUEUE: usize = 8_192;
/// Receipts in one commit for which nobody waits.
const BATCH: usize = 512;
/// Receipts are gathered this long: nobody waits for them, they come with every request, and a
/// commit costs far more than a row in it. What a crash takes the node still has.
const GATHER: Duration = Duration::from_millis(50);
/// How long a reader waits for a writer's lock.
const BUSY: Duration = Duration::from_secs(5);

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS receipts (
        stack BLOB NOT NULL, node BLOB NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL,
        request BLOB NOT NULL, lane INTEGER NOT NULL, units INTEGER NOT NULL,
        received_ms INTEGER NOT NULL, header BLOB NOT NULL, receipt BLOB NOT NULL, fault TEXT,
        PRIMARY KEY (stack, node, seq, hash)
    ) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS receipts_by_request ON receipts (request);
    CREATE TABLE IF NOT EXISTS lanes (
        stack BLOB NOT NULL, node BLOB NOT NULL, lane INTEGER NOT NULL, bound INTEGER NOT NULL,
        PRIMARY KEY (stack, node, lane)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS stacks (stack BLOB PRIMARY KEY) WITHOUT ROWID;
";

/// A lane of a lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct LaneKey {
    pub(crate) stack: StackId,
    pub(crate) node: NodeId,
    pub(crate) lane: u16,
}

/// A receipt as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) key: LaneKey,
    pub(crate) seq: u64,
    pub(crate) hash: Hash32,
    pub(crate) request: RequestId,
    pub(crate) units: ComputeUnits,
    pub(crate) received: TimestampMs,
    /// The header's bytes and its signature.
    pub(crate) header: Vec<u8>,
    /// The receipt's bytes and its signature.
    pub(crate) receipt: Vec<u8>,
    /// What is wrong with it, where it was kept as evidence.
    pub(crate) fault: Option<String>,
}

/// What a lane was before the restart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct KeptLane {
    pub(crate) lane: u16,
    /// Units of its good receipts.
    pub(crate) settled: ComputeUnits,
    /// No signed ceiling exceeds it.
    pub(crate) bound: ComputeUnits,
}

/// What is written at once, because somebody waits for it.
enum Command {
    Bound(LaneKey, u64, oneshot::Sender<bool>),
    Stack(StackId, oneshot::Sender<bool>),
    Forget(StackId),
    Flush(oneshot::Sender<bool>),
}

enum Entry {
    Receipt(Box<Row>),
    Command(Command),
}

/// The store. Dropping the last handle writes what is queued.
pub(crate) struct Store {
    receipts: mpsc::Sender<Box<Row>>,
    commands: mpsc::Sender<Command>,
    reader: Mutex<Connection>,
    bounds: Mutex<HashMap<LaneKey, u64>>,
    /// Held as long as the store is: one program per folder.
    _lock: Option<File>,
}

impl Store {
    /// Opens the folder's store, or one in memory.
    pub(crate) fn open(folder: Option<&Path>) -> Result<Arc<Self>, ClientError> {
        let file_error = |e: std::io::Error| ClientError::Store(e.to_string());
        let (name, lock) = match folder {
            Some(folder) => {
                std::fs::create_dir_all(folder).map_err(file_error)?;
                let lock = File::create(folder.join("lock")).map_err(file_error)?;
                lock.try_lock().map_err(|_| ClientError::InUse {
                    folder: folder.to_owned(),
                })?;
                let path = folder.join("client.db");
                (path.to_string_lossy().into_owned(), Some(lock))
            }
            // a name of its own: connections of one process share memory databases by name
            None => (
                format!(
                    "file:atoma-client-{}?mode=memory&cache=shared",
                    RequestId::random()
                ),
                None,
            ),
        };
        let writer = connect(&name)?;
        writer.execute_batch(SCHEMA)?;
        let reader = connect(&name)?;
        let (receipts, kept) = mpsc::channel(QUEUE);
        let (commands, asked) = mpsc::channel(QUEUE);
        // for the writer's thread alone, which waits on time and on entries
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .map_err(file_error)?;
        std::thread::Builder::new()
            .name("atoma-client-store".to_owned())
            .spawn(move || write(&runtime, writer, kept, asked))
            .map_err(file_error)?;
        Ok(Arc::new(Self {
            receipts,
            commands,
            reader: Mutex::new(reader),
            bounds: Mutex::default(),
            _lock: lock,
        }))
    }

    /// Keeps a receipt; never waits, never forgets.
    pub(crate) fn keep(&self, row: Row) {
        match self.receipts.try_send(Box::new(row)) {
            Ok(()) => {}
            Err(mpsc::error::TrySendError::Full(row)) => {
                let queue = self.receipts.clone();
                match tokio::runtime::Handle::try_current() {
                    Ok(runtime) => {
                        runtime.spawn(async move { queue.send(row).await.is_ok() });
                    }
                    Err(_) => tracing::error!("a receipt was lost: the store is too slow"),
                }
            }
            Err(mpsc::error::TrySendError::Closed(_)) => {
                tracing::error!("a receipt was lost: the store has failed");
            }
        }
    }

    /// Makes sure that a ceiling is within the lane's durable bound before it is sent.
    pub(crate) async fn cover(
        &self,
        key: LaneKey,
        ceiling: ComputeUnits,
        step: ComputeUnits,
    ) -> Result<(), ClientError> {
        if self
            .bounds
            .lock()
            .get(&key)
            .is_some_and(|bound| ceiling.0 <= *bound)
        {
            return Ok(());
        }
        let bound = ceiling.saturating_add(step).0;
        self.durable(|done| Command::Bound(key, bound, done))
            .await?;
        let mut bounds = self.bounds.lock();
        let known = bounds.entry(key).or_insert(bound);
        *known = bound.max(*known);
        Ok(())
    }

    /// Remembers a stack.
    pub(crate) async fn add_stack(&self, stack: StackId) -> Result<(), ClientError> {
        self.durable(|done| Command::Stack(stack, done)).await
    }

    /// Forgets a stack that is closed. Its receipts stay.
    pub(crate) async fn forget_stack(&self, stack: StackId) {
        self.bounds.lock().retain(|key, _| key.stack != stack);
        let forgotten = self.commands.send(Command::Forget(stack)).await;
        if forgotten.is_err() {
            tracing::error!("the store has failed");
        }
    }

    /// Waits until everything queued so far is durable.
    pub(crate) async fn flush(&self) -> Result<(), ClientError> {
        self.durable(Command::Flush).await
    }

    async fn durable(
        &self,
        command: impl FnOnce(oneshot::Sender<bool>) -> Command,
    ) -> Result<(), ClientError> {
        let failed = || ClientError::Store("the store has failed".to_owned());
        let (done, written) = oneshot::channel();
        self.commands
            .send(command(done))
            .await
            .map_err(|_| failed())?;
        match written.await {
            Ok(true) => Ok(()),
            Ok(false) | Err(_) => Err(failed()),
        }
    }

    /// The stacks that are remembered.
    pub(crate) fn stacks(&self) -> Result<Vec<StackId>, ClientError> {
        let reader = self.reader.lock();
        let mut statement = reader.prepare_cached("SELECT stack FROM stacks")?;
        let rows = statement.query_map([], |row| row.get::<_, [u8; 32]>(0))?;
        let ids = rows.collect::<Result<Vec<_>, _>>()?;
        Ok(ids
            .into_iter()
            .map(|id| StackId(atoma_types::Address::new(id)))
            .collect())
    }

    /// The lanes of a lease as they were before the restart.
    pub(crate) fn lanes(&self, stack: StackId, node: NodeId) -> Result<Vec<KeptLane>, ClientError> {
        let reader = self.reader.lock();
        let mut statement = reader.prepare_cached(
            "SELECT lane, bound, (SELECT COALESCE(SUM(units), 0) FROM receipts AS r
                 WHERE r.stack = l.stack AND r.node = l.node AND r.lane = l.lane AND fault IS NULL)
             FROM lanes AS l WHERE stack = ?1 AND node = ?2",
        )?;
        let id = params![stack.0.as_bytes(), node.0.as_bytes()];
        let rows = statement.query_map(id, |row| {
            Ok(KeptLane {
                lane: row.get(0)?,
                bound: ComputeUnits(from_sql(row.get(1)?)),
                settled: ComputeUnits(from_sql(row.get(2)?)),
            })
        })?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The latest receipts of a lease, in order of their places.
    pub(crate) fn chain(
        &self,
        stack: StackId,
        node: NodeId,
        most: usize,
    ) -> Result<Vec<Vec<u8>>, ClientError> {
        let reader = self.reader.lock();
        let mut statement = reader.prepare_cached(
            "SELECT receipt FROM receipts WHERE stack = ?1 AND node = ?2 AND fault IS NULL
             ORDER BY seq DESC LIMIT ?3",
        )?;
        let rows = statement.query_map(
            params![stack.0.as_bytes(), node.0.as_bytes(), to_sql(most as u64)],
            |row| signed_bytes(row, 0),
        )?;
        let mut receipts = rows.collect::<Result<Vec<_>, _>>()?;
        receipts.reverse();
        Ok(receipts)
    }

    /// The receipts of a lease at the places from `first` to `last`; of what was kept with a fault
    /// only what claims the place `of`, which may be a second receipt for it.
    pub(crate) fn around(
        &self,
        (stack, node): (StackId, NodeId),
        (first, of, last): (u64, u64, u64),
    ) -> Result<Vec<Vec<u8>>, ClientError> {
        let reader = self.reader.lock();
        let mut statement = reader.prepare_cached(
            "SELECT receipt FROM receipts WHERE stack = ?1 AND node = ?2
             AND seq BETWEEN ?3 AND ?4 AND (fault IS NULL OR seq = ?5) ORDER BY seq",
        )?;
        let lease = (stack.0.as_bytes(), node.0.as_bytes());
        let rows = statement.query_map(
            params![lease.0, lease.1, to_sql(first), to_sql(last), to_sql(of)],
            |row| signed_bytes(row, 0),
        )?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Receipts, of one stack or all, latest first.
    pub(crate) fn list(
        &self,
        stack: Option<StackId>,
        most: usize,
    ) -> Result<Vec<Row>, ClientError> {
        let reader = self.reader.lock();
        let mut statement = reader.prepare_cached(&format!(
            "{ROW} WHERE ?1 IS NULL OR stack = ?1 ORDER BY received_ms DESC, seq DESC LIMIT ?2"
        ))?;
        let stack = stack.map(|stack| stack.0.as_bytes().to_vec());
        let rows = statement.query_map(params![stack, to_sql(most as u64)], read_row)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The receipt of one request.
    pub(crate) fn find(&self, request: RequestId) -> Result<Option<Row>, ClientError> {
        let reader = self.reader.lock();
        let mut statement = reader.prepare_cached(&format!("{ROW} WHERE request = ?1"))?;
        Ok(statement.query_row([request.0], read_row).optional()?)
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Store")
    }
}

const ROW: &str = "SELECT stack, node, lane, seq, hash, request, units, received_ms, header,
                   receipt, fault FROM receipts";

fn read_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let address = atoma_types::Address::new;
    Ok(Row {
        key: LaneKey {
            stack: StackId(address(row.get(0)?)),
            node: NodeId(address(row.get(1)?)),
            lane: row.get(2)?,
        },
        seq: from_sql(row.get(3)?),
        hash: Hash32(row.get(4)?),
        request: RequestId(row.get(5)?),
        units: ComputeUnits(from_sql(row.get(6)?)),
        received: TimestampMs(from_sql(row.get(7)?)),
        header: signed_bytes(row, 8)?,
        receipt: signed_bytes(row, 9)?,
        fault: row.get(10)?,
    })
}

/// A signed message; files of earlier versions hold it in its text form.
fn signed_bytes(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<Vec<u8>> {
    match row.get_ref(column)? {
        ValueRef::Text(text) => BASE64_STANDARD.decode(text).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(column, Type::Text, Box::new(error))
        }),
        value => Ok(value.as_blob()?.to_vec()),
    }
}

fn connect(name: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::default() | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(name, flags)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

/// SQLite's integers are signed. Units and places never come near the difference.
fn to_sql(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn from_sql(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

/// The next entries: receipts that have gathered for a while, ended early by a command, which
/// comes after the receipts that were kept before it. Empty when there will be no more.
async fn gather(
    receipts: &mut mpsc::Receiver<Box<Row>>,
    commands: &mut mpsc::Receiver<Command>,
) -> Vec<Entry> {
    let mut batch = Vec::new();
    let command = tokio::select! {
        biased;
        command = commands.recv() => command,
        Some(first) = receipts.recv() => {
            batch.push(Entry::Receipt(first));
            tokio::select! {
                command = commands.recv() => command,
                () = tokio::time::sleep(GATHER) => None,
            }
        }
    };
    // whoever waits for a command waits for all that was kept before it
    let most = if command.is_some() { QUEUE } else { BATCH };
    while batch.len() < most
        && let Ok(next) = receipts.try_recv()
    {
        batch.push(Entry::Receipt(next));
    }
    batch.extend(command.map(Entry::Command));
    batch
}

/// The writer's thread: gathers entries, commits them at once, tells those who wait.
fn write(
    runtime: &Runtime,
    mut connection: Connection,
    mut receipts: mpsc::Receiver<Box<Row>>,
    mut commands: mpsc::Receiver<Command>,
) {
    loop {
        let batch = runtime.block_on(gather(&mut receipts, &mut commands));
        if batch.is_empty() {
            return;
        }
        let written = commit(&mut connection, &batch);
        if let Err(error) = &written {
            tracing::error!(%error, "the client's store cannot be written");
        }
        for entry in batch {
            if let Entry::Command(
                Command::Bound(_, _, done) | Command::Stack(_, done) | Command::Flush(done),
            ) = entry
            {
                // who no longer waits needs no answer
                let _ = done.send(written.is_ok());
            }
        }
    }
}

fn commit(connection: &mut Connection, batch: &[Entry]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    for entry in batch {
        match entry {
            Entry::Receipt(row) => insert(&transaction, row)?,
            Entry::Command(Command::Bound(key, bound, _)) => {
                transaction
                    .prepare_cached(
                        "INSERT INTO lanes VALUES (?1, ?2, ?3, ?4)
                         ON CONFLICT DO UPDATE SET bound = MAX(bound, excluded.bound)",
                    )?
                    .execute(params![
                        key.stack.0.as_bytes(),
                        key.node.0.as_bytes(),
                        key.lane,
                        to_sql(*bound)
                    ])?;
            }
            Entry::Command(Command::Stack(stack, _)) => {
                transaction
                    .prepare_cached("INSERT OR IGNORE INTO stacks VALUES (?1)")?
                    .execute([stack.0.as_bytes()])?;
            }
            Entry::Command(Command::Forget(stack)) => {
                for table in ["stacks", "lanes"] {
                    transaction
                        .prepare_cached(&format!("DELETE FROM {table} WHERE stack = ?1"))?
                        .execute([stack.0.as_bytes()])?;
                }
            }
            Entry::Command(Command::Flush(_)) => {}
        }
    }
    transaction.commit()
}

fn insert(connection: &Connection, row: &Row) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR IGNORE INTO receipts (stack, node, lane, seq, hash, request, units,
             received_ms, header, receipt, fault)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        )?
        .execute(params![
            row.key.stack.0.as_bytes(),
            row.key.node.0.as_bytes(),
            row.key.lane,
            to_sql(row.seq),
            row.hash.0,
            row.request.0,
            to_sql(row.units.0),
            to_sql(row.received.0),
            row.header,
            row.receipt,
            row.fault,
        ])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_types::Address;

    const KEY: LaneKey = LaneKey {
        stack: StackId(Address::new([1; 32])),
        node: NodeId(Address::new([2; 32])),
        lane: 3,
    };

    fn row(seq: u64, fault: Option<&str>) -> Row {
        Row {
            key: KEY,
            seq,
            hash: Hash32([u8::from(fault.is_some()); 32]),
            request: RequestId([u8::try_from(seq).unwrap(); 16]),
            units: ComputeUnits(10),
            received: TimestampMs(seq),
            header: b"header".to_vec(),
            receipt: format!("receipt {seq}").into_bytes(),
            fault: fault.map(str::to_owned),
        }
    }

    async fn story(store: &Store) {
        store.add_stack(KEY.stack).await.unwrap();
        store
            .cover(KEY, ComputeUnits(50), ComputeUnits(100))
            .await
            .unwrap();
        store
            .cover(KEY, ComputeUnits(150), ComputeUnits(100))
            .await
            .unwrap();
        for seq in [2, 1, 2] {
            store.keep(row(seq, None));
        }
        store.keep(row(2, Some("twice")));
        store.flush().await.unwrap();
    }

    fn check(store: &Store) {
        assert_eq!(store.stacks().unwrap(), [KEY.stack]);
        let lane = KeptLane {
            lane: 3,
            settled: ComputeUnits(20),
            bound: ComputeUnits(150),
        };
        assert_eq!(store.lanes(KEY.stack, KEY.node).unwrap(), [lane]);
        let chain = store.chain(KEY.stack, KEY.node, 9).unwrap();
        assert_eq!(chain, [b"receipt 1", b"receipt 2"]);
        let around = |of| store.around((KEY.stack, KEY.node), (1, of, 2)).unwrap();
        assert_eq!(around(1), [b"receipt 1", b"receipt 2"]);
        assert_eq!(around(2).len(), 3, "whatever claims the place itself");
        assert_eq!(
            store.list(None, 9).unwrap().len(),
            3,
            "both sides of a fraud are kept"
        );
        let other = StackId(Address::new([9; 32]));
        assert!(store.list(Some(other), 9).unwrap().is_empty());
        assert_eq!(store.find(RequestId([1; 16])).unwrap(), Some(row(1, None)));
    }

    #[tokio::test]
    async fn what_is_kept_survives_and_a_folder_has_one_owner() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Some(folder.path())).unwrap();
        story(&store).await;
        check(&store);
        assert!(matches!(
            Store::open(Some(folder.path())),
            Err(ClientError::InUse { .. })
        ));
        drop(store);
        let store = Store::open(Some(folder.path())).unwrap();
        check(&store);
        store.forget_stack(KEY.stack).await;
        store.flush().await.unwrap();
        assert!(store.stacks().unwrap().is_empty());
        assert_eq!(store.list(None, 9).unwrap().len(), 3);
    }

    #[tokio::test]
    async fn texts_of_earlier_versions_are_read() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Some(folder.path())).unwrap();
        store.keep(row(1, None));
        store.flush().await.unwrap();
        let file = Connection::open(folder.path().join("client.db")).unwrap();
        let as_text = ["header", "receipt"].map(|column| {
            let text = BASE64_STANDARD.encode(match column {
                "header" => row(1, None).header,
                _ => row(1, None).receipt,
            });
            file.execute(&format!("UPDATE receipts SET {column} = ?1"), [text])
        });
        assert_eq!(as_text, [Ok(1), Ok(1)]);
        assert_eq!(store.list(None, 9).unwrap(), [row(1, None)]);
        file.execute("UPDATE receipts SET receipt = 'no base64!'", [])
            .unwrap();
        assert!(store.list(None, 9).is_err());
    }

    /// The size of real rows, in the order in which requests make them.
    #[tokio::test]
    async fn a_receipt_takes_little_more_than_its_bytes() {
        const ROWS: u64 = 2_000;
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(Some(folder.path())).unwrap();
        let full = Row {
            header: vec![7; 292],
            receipt: vec![8; 411],
            ..row(1, None)
        };
        for seq in 1..=ROWS {
            let request = RequestId::random();
            store.keep(Row {
                seq,
                request,
                ..full.clone()
            });
        }
        store.flush().await.unwrap();
        let pages = |of: &str| -> u64 {
            let file = Connection::open(folder.path().join("client.db")).unwrap();
            let count = file.query_row(of, [], |row| row.get::<_, i64>(0)).unwrap();
            u64::try_from(count).unwrap()
        };
        assert_eq!(pages("SELECT COUNT(*) FROM receipts"), ROWS);
        let (pages, size) = (pages("PRAGMA page_count"), pages("PRAGMA page_size"));
        assert!(pages * size < ROWS * 1_400, "{} a row", pages * size / ROWS);
    }

    #[tokio::test]
    async fn memory_works_the_same() {
        let store = Store::open(None).unwrap();
        story(&store).await;
        check(&store);
    }
}
