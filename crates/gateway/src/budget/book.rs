//! What accounts have spent, kept across restarts.
//!
//! One thread owns the database. It wakes when an account has changed, stores the sums of all that
//! have in one transaction, and then rests a moment: however many requests settle, there are at
//! most twenty commits a second. A crash forgets what was settled since the last of them, some tens
//! of milliseconds' worth, in favour of the key's holder; what the gateway itself pays is on the
//! ledger and in its receipts. [`Book::flush`] waits until a sum is stored, for what must not be
//! forgotten.

use super::{
    account::{Account, Wake},
    amount::Amount,
};
use parking_lot::{Condvar, Mutex};
use rusqlite::Connection;
use std::{
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};
use tokio::sync::oneshot;

/// Between two commits, of which each takes some tenths of a millisecond: near 1 % of a core. (At
/// 10 ms they took 3 % of the gateway's time under load.)
const COMMIT_INTERVAL: Duration = Duration::from_millis(50);
/// After a failed commit (a full disk): don't spin.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

const SCHEMA: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS spent (
        account TEXT PRIMARY KEY,
        -- millionths of a micro-USDC
        amount INTEGER NOT NULL CHECK (amount >= 0)
    ) STRICT, WITHOUT ROWID;
";
const READ: &str = "SELECT amount FROM spent WHERE account = ?1";
const WRITE: &str = "INSERT INTO spent (account, amount) VALUES (?1, ?2)
    ON CONFLICT (account) DO UPDATE SET amount = excluded.amount";

/// The database can't be opened or read.
#[derive(Debug, thiserror::Error)]
#[error("the book of budgets cannot be used: {0}")]
pub struct BookError(#[from] rusqlite::Error);

/// The accounts and their store. Dropped, it stores what is left.
#[derive(Debug)]
pub(crate) struct Book {
    accounts: Vec<Arc<Account>>,
    bell: Arc<Bell>,
    writer: Option<JoinHandle<()>>,
}

/// What the writer waits for.
#[derive(Debug, Default)]
struct Bell {
    state: Mutex<BellState>,
    rung: Condvar,
}

#[derive(Debug, Default)]
struct BellState {
    ringing: bool,
    stop: bool,
    waiting: Vec<oneshot::Sender<()>>,
}

impl Wake for Bell {
    fn wake(&self) {
        self.state.lock().ringing = true;
        self.rung.notify_one();
    }
}

impl Book {
    /// Opens the store and these accounts (name and limit), with what each has spent before.
    pub(crate) fn open(path: &Path, accounts: &[(String, Amount)]) -> Result<Self, BookError> {
        let connection = Connection::open(path)?;
        connection.execute_batch(SCHEMA)?;
        let bell = Arc::new(Bell::default());
        let accounts = accounts
            .iter()
            .map(|(name, limit)| {
                let spent = match connection.query_row(READ, [name], |row| row.get::<_, i64>(0)) {
                    // the table keeps out what is below zero
                    Ok(amount) => Amount(amount.unsigned_abs()),
                    Err(rusqlite::Error::QueryReturnedNoRows) => Amount::default(),
                    Err(error) => return Err(error),
                };
                let wake = Arc::clone(&bell) as Arc<dyn Wake>;
                Ok(Arc::new(Account::new(name.clone(), *limit, spent, wake)))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let writer = Writer {
            connection,
            accounts: accounts.clone(),
            bell: Arc::clone(&bell),
        };
        let writer = thread::Builder::new()
            .name("atoma-budget".to_owned())
            .spawn(move || writer.run())
            .map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))?;
        Ok(Self {
            accounts,
            bell,
            writer: Some(writer),
        })
    }

    /// The accounts, in the order they were given.
    pub(crate) fn accounts(&self) -> &[Arc<Account>] {
        &self.accounts
    }

    /// Waits until everything spent so far is stored; false if the store has failed for good.
    pub(crate) async fn flush(&self) -> bool {
        let (stored, wait) = oneshot::channel();
        self.bell.state.lock().waiting.push(stored);
        self.bell.wake();
        wait.await.is_ok()
    }
}

impl Drop for Book {
    fn drop(&mut self) {
        self.bell.state.lock().stop = true;
        self.bell.wake();
        if let Some(writer) = self.writer.take() {
            // it doesn't panic; if it did, there is nothing left to store with
            let _ = writer.join();
        }
    }
}

struct Writer {
    connection: Connection,
    accounts: Vec<Arc<Account>>,
    bell: Arc<Bell>,
}

impl Writer {
    fn run(mut self) {
        loop {
            let (stop, waiting) = self.wait();
            match self.store() {
                // who waits is gone if this fails, and needs no answer
                Ok(()) => waiting.into_iter().for_each(|stored| {
                    let _ = stored.send(());
                }),
                Err(error) => {
                    tracing::error!(%error, "cannot store what was spent");
                    let mut state = self.bell.state.lock();
                    state.waiting.extend(waiting);
                    state.ringing = true;
                }
            }
            if stop {
                return;
            }
        }
    }

    /// Waits for the bell, and at least until the last commit is an interval ago.
    fn wait(&self) -> (bool, Vec<oneshot::Sender<()>>) {
        let mut state = self.bell.state.lock();
        while !state.ringing {
            self.bell.rung.wait(&mut state);
        }
        state.ringing = false;
        (state.stop, std::mem::take(&mut state.waiting))
    }

    fn store(&mut self) -> rusqlite::Result<()> {
        let begun = Instant::now();
        let changed: Vec<_> = self
            .accounts
            .iter()
            .filter_map(|account| Some((account, account.take_unsaved()?)))
            .collect();
        let result = write(&mut self.connection, &changed);
        if result.is_err() {
            changed.iter().for_each(|(account, _)| account.changed());
        }
        let interval = if result.is_ok() {
            COMMIT_INTERVAL
        } else {
            RETRY_INTERVAL
        };
        self.rest(begun + interval);
        result
    }

    /// Rests until then, unless someone waits for an answer or it is time to stop.
    fn rest(&self, until: Instant) {
        let mut state = self.bell.state.lock();
        while !state.stop && state.waiting.is_empty() {
            if self.bell.rung.wait_until(&mut state, until).timed_out() {
                return;
            }
        }
    }
}

fn write(connection: &mut Connection, sums: &[(&Arc<Account>, Amount)]) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    {
        let mut statement = transaction.prepare_cached(WRITE)?;
        for (account, amount) in sums {
            // no account exceeds `Amount::MAX`, which is the largest signed number
            let amount = i64::try_from(amount.0).unwrap_or(i64::MAX);
            statement.execute((account.name(), amount))?;
        }
    }
    transaction.commit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn spending_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("budget.db");
        let names = [("a".to_owned(), Amount(100)), ("b".to_owned(), Amount(100))];
        let book = Book::open(&path, &names).unwrap();
        book.accounts()[0]
            .reserve(Amount(70))
            .unwrap()
            .settle(Amount(60));
        assert!(book.flush().await);
        // another reader sees it while the book is open: it is on disk, not in memory
        let other = Book::open(&path, &names).unwrap();
        assert_eq!(other.accounts()[0].standing().spent, Amount(60));
        drop(other);
        book.accounts()[1]
            .reserve(Amount(5))
            .unwrap()
            .settle(Amount(5));
        drop(book);

        let book = Book::open(&path, &names).unwrap();
        assert!(book.accounts()[0].reserve(Amount(41)).is_none());
        assert!(book.accounts()[0].reserve(Amount(40)).is_some());
        assert_eq!(book.accounts()[1].standing().spent, Amount(5));
    }

    #[tokio::test]
    async fn many_settle_while_it_stores() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("budget.db");
        let names = [("a".to_owned(), Amount(1_000_000))];
        let book = Book::open(&path, &names).unwrap();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        book.accounts()[0]
                            .reserve(Amount(3))
                            .unwrap()
                            .settle(Amount(2));
                    }
                });
            }
        });
        drop(book);
        let book = Book::open(&path, &names).unwrap();
        assert_eq!(book.accounts()[0].standing().spent, Amount(8_000));
    }
}
