//! The client's memory over restarts: receipts, bounds of signed ceilings, stacks. One SQLite file
//! in the data folder, one writer thread that commits many entries at once; without a folder the
//! same in memory.
//!
//! A lane's bound is durable before any ceiling above the former one is sent, so that after a
//! crash no node can speak of more than was signed. It moves in steps, so that few requests wait
//! for the disk: see [`Lane::step`](crate::lane::Lane::step).

mod rows;
mod writer;

#[cfg(test)]
mod tests;

pub(crate) use self::rows::{KeptLane, LaneKey, Row};
use self::{
    rows::{ROW, SCHEMA, connect, from_sql, read_row, signed_bytes, to_sql},
    writer::{Command, write},
};
use crate::ClientError;
use atoma_types::{ComputeUnits, NodeId, RequestId, StackId};
use parking_lot::Mutex;
use rusqlite::{Connection, OptionalExtension, params};
use std::{collections::HashMap, fmt, fs::File, path::Path, sync::Arc};
use tokio::sync::{mpsc, oneshot};

/// Entries on their way to the disk. A full queue makes those who must not lose anything wait.
const QUEUE: usize = 8_192;

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
