//! What accounts have spent, kept across restarts.
//!
//! Sums that have changed gather for a moment and are stored together: however many requests settle,
//! there are at most twenty commits a second. A crash forgets what was settled since the last of them,
//! some tens of milliseconds' worth, in favour of the key's holder; what the gateway itself pays is on
//! the ledger and in its receipts. [`BudgetStore::flush`] waits until a sum is stored, for what must
//! not be forgotten. A commit that fails (a full disk) is tried again, with the sums of then.

use super::{
    account::{Account, Wake},
    amount::Amount,
    stack_charges::{StackCharges, stack_charges_table},
};
use atoma_runtime::Threads;
use atoma_store::{
    Durability, FolderLock, Gather, Kind, OnFailure, OpenError, Policy, Reply, Store, Unmarked,
    Upgrade, Writer, WriterThread,
};
use atoma_types::{MicroUsdc, StackId};
use rusqlite::{Connection, OptionalExtension, Transaction};
use std::{
    collections::BTreeSet,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
    vec::Drain,
};

/// The budgets' file.
const KIND: Kind = Kind {
    name: "the gateway's budgets",
    file: "budget.sqlite",
    former_file: Some("budget.db"),
    mark: Kind::mark(*b"atBu"),
    version: 3,
    tables: concat!(
        "
            CREATE TABLE spent (
                account TEXT PRIMARY KEY,
                -- millionths of a micro-USDC
                amount INTEGER NOT NULL CHECK (amount >= 0)
            ) STRICT, WITHOUT ROWID;
        ",
        stack_charges_table!()
    ),
    upgrades: &[
        Upgrade {
            from: 1,
            sql: "CREATE TABLE booked (
                    stack  BLOB PRIMARY KEY,
                    amount INTEGER NOT NULL CHECK (amount >= 0)
                ) STRICT, WITHOUT ROWID;",
        },
        Upgrade {
            from: 2,
            sql: "ALTER TABLE booked RENAME TO stack_charges;",
        },
    ],
    unmarked: &[Unmarked {
        user_version: 0,
        table: "spent",
        version: 1,
    }],
    durability: Durability::Full,
};

/// How sums become commits, of which each takes some tenths of a millisecond: at most twenty a second
/// are near 1 % of a core. (At 10 ms they took 3 % of the gateway's time under load.)
const POLICY: Policy = Policy {
    max_batch: 4_096,
    // an account rings once until it is stored, and whoever flushes waits for it
    capacity: usize::MAX,
    gather: Gather::Lazily {
        pause: Duration::from_millis(50),
    },
    // a disk doesn't get emptier by being asked often
    on_failure: OnFailure::Retry {
        pause: Duration::from_secs(1),
    },
};

const READ: &str = "SELECT amount FROM spent WHERE account = ?1";
const WRITE: &str = "INSERT INTO spent (account, amount) VALUES (?1, ?2)
    ON CONFLICT (account) DO UPDATE SET amount = excluded.amount";

/// The budgets can't be opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BudgetError {
    /// The file can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The file can't be read.
    #[error("cannot read what was spent")]
    Read(#[from] rusqlite::Error),
}

/// The accounts and their store. Dropped, it stores what is left.
#[derive(Debug)]
pub(crate) struct BudgetStore {
    accounts: Vec<Arc<Account>>,
    charges: Arc<StackCharges>,
    store: Store<SpentWriter>,
    thread: Option<WriterThread>,
    /// One gateway per folder: two would each let a key spend its whole limit.
    _lock: FolderLock,
}

impl BudgetStore {
    /// Opens the store in a folder and these accounts (name and limit), with what each has spent
    /// before.
    pub(crate) fn open(
        folder: &Path,
        accounts: &[(String, Amount)],
        threads: Threads,
    ) -> Result<Self, BudgetError> {
        let lock = FolderLock::take(folder)?;
        let db = KIND.open(&KIND.in_folder(folder)?)?;
        let bell = Arc::new(Bell::default());
        let accounts = accounts
            .iter()
            .map(|(name, limit)| {
                let spent = spent(&db, name)?;
                let wake = Arc::clone(&bell) as Arc<dyn Wake>;
                Ok(Arc::new(Account::new(name.clone(), *limit, spent, wake)))
            })
            .collect::<rusqlite::Result<Vec<_>>>()?;
        let charges = Arc::new(StackCharges::read(&db)?);
        let writer = SpentWriter {
            accounts: accounts.clone(),
            changed: BTreeSet::new(),
            charges: Arc::clone(&charges),
            stacks: BTreeSet::new(),
        };
        let (store, thread) = Store::start(KIND.name, db, writer, POLICY, threads)?;
        // an account can't have been used before
        let _ = bell.0.set(store.clone());
        Ok(Self {
            accounts,
            charges,
            store,
            thread: Some(thread),
            _lock: lock,
        })
    }

    /// The accounts, in the order they were given.
    pub(crate) fn accounts(&self) -> &[Arc<Account>] {
        &self.accounts
    }

    /// A stack was charged to the account of stacks.
    pub(crate) fn charge(&self, stack: StackId, amount: MicroUsdc) {
        self.charges.add(stack, amount);
        self.changed();
    }

    /// Gives back to `account` what a stack was charged beyond what it costs by the ledger's word.
    /// `bought` is what it was charged where nothing is known of it, if it was charged at all.
    pub(crate) fn correct(
        &self,
        account: &Account,
        stack: StackId,
        costs: MicroUsdc,
        bought: Option<MicroUsdc>,
    ) -> MicroUsdc {
        // first what was given back, then the giving: a crash in between makes the budget smaller
        let back = self.charges.correct(stack, costs, bought);
        if back > MicroUsdc::ZERO {
            account.credit(Amount::from(back));
        }
        self.changed();
        back
    }

    /// Whether a stack was charged, and isn't forgotten.
    pub(crate) fn has(&self, stack: StackId) -> bool {
        self.charges.has(stack)
    }

    /// A stack is closed: what it cost is spent for good.
    pub(crate) fn forget(&self, stack: StackId) {
        self.charges.forget(stack);
        self.changed();
    }

    fn changed(&self) {
        // once the store is closed nothing changes any more
        let _ = self.store.send_lazily(Op::Changed);
    }

    /// Waits until everything spent so far is stored; false if the store has failed for good.
    pub(crate) async fn flush(&self) -> bool {
        let (reply, ack) = self.store.ack();
        // the ack says what became of it
        let _ = self.store.send(Op::Flush(reply));
        ack.durable().await.is_ok()
    }
}

impl Drop for BudgetStore {
    fn drop(&mut self) {
        self.store.close();
        if let Some(thread) = self.thread.take() {
            thread.join();
        }
    }
}

/// What an account's spending was when the gateway stopped.
fn spent(db: &Connection, account: &str) -> rusqlite::Result<Amount> {
    let amount = db.query_row(READ, [account], |row| row.get::<_, i64>(0));
    // the table keeps out what is below zero
    Ok(amount
        .optional()?
        .map_or_else(Amount::default, |amount| Amount(amount.unsigned_abs())))
}

/// Rung by an account whose spending has changed.
#[derive(Debug, Default)]
struct Bell(OnceLock<Store<SpentWriter>>);

impl Wake for Bell {
    fn wake(&self) {
        if let Some(store) = self.0.get() {
            // once the store is closed nothing is spent any more
            let _ = store.send_lazily(Op::Changed);
        }
    }
}

enum Op {
    /// Some account's spending has changed.
    Changed,
    /// Somebody waits until all that has changed is stored.
    Flush(Reply),
}

struct SpentWriter {
    accounts: Vec<Arc<Account>>,
    /// The accounts whose sums are to be stored: those of a commit that failed stay here.
    changed: BTreeSet<usize>,
    charges: Arc<StackCharges>,
    /// The stacks whose charges are to be stored, likewise.
    stacks: BTreeSet<StackId>,
}

impl Writer for SpentWriter {
    type Op = Op;
    type Error = rusqlite::Error;

    fn write(&mut self, to: &Transaction<'_>, _: &mut [Op]) -> rusqlite::Result<()> {
        let accounts = self.accounts.iter().enumerate();
        let unsaved = accounts.filter(|(_, account)| account.take_unsaved());
        self.changed.extend(unsaved.map(|(index, _)| index));
        let mut statement = to.prepare_cached(WRITE)?;
        for index in &self.changed {
            let account = &self.accounts[*index];
            // no account exceeds `Amount::MAX`, which is the largest signed number
            let amount = i64::try_from(account.standing().spent.0).unwrap_or(i64::MAX);
            statement.execute((account.name(), amount))?;
        }
        self.stacks.append(&mut self.charges.take_unsaved());
        for stack in &self.stacks {
            self.charges.write(to, *stack)?;
        }
        Ok(())
    }

    fn committed(&mut self, batch: Drain<'_, Op>) {
        self.changed.clear();
        self.stacks.clear();
        for op in batch {
            if let Op::Flush(reply) = op {
                reply.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    fn open(folder: &tempfile::TempDir, names: &[(String, Amount)]) -> BudgetStore {
        BudgetStore::open(folder.path(), names, Threads::Real).unwrap()
    }

    #[tokio::test]
    async fn spending_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let names = [("a".to_owned(), Amount(100)), ("b".to_owned(), Amount(100))];
        let store = open(&folder, &names);
        store.accounts()[0]
            .reserve(Amount(70))
            .unwrap()
            .settle(Amount(60));
        assert!(store.flush().await);
        // another connection sees it while the store is open: it is on disk, not in memory
        let other = Connection::open(folder.path().join("budget.sqlite")).unwrap();
        assert_eq!(spent(&other, "a").unwrap(), Amount(60));
        let second = BudgetStore::open(folder.path(), &names, Threads::Real).unwrap_err();
        assert!(matches!(second, BudgetError::Open(OpenError::InUse { .. })));
        store.accounts()[1]
            .reserve(Amount(5))
            .unwrap()
            .settle(Amount(5));
        drop(store);

        let store = open(&folder, &names);
        assert!(store.accounts()[0].reserve(Amount(41)).is_err());
        assert!(store.accounts()[0].reserve(Amount(40)).is_ok());
        assert_eq!(store.accounts()[1].standing().spent, Amount(5));
    }

    #[tokio::test]
    async fn what_comes_back_of_a_stack_is_credited_once_even_across_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let names = [("stacks".to_owned(), Amount::from(MicroUsdc(100)))];
        let stack = StackId(atoma_types::Address::new([7; 32]));
        let buy = |store: &BudgetStore| {
            let amount = Amount::from(MicroUsdc(60));
            store.accounts()[0].reserve(amount).unwrap().settle(amount);
            store.charge(stack, MicroUsdc(60));
        };
        let correct = |store: &BudgetStore, costs| {
            let account = &store.accounts()[0];
            let back = store.correct(account, stack, MicroUsdc(costs), None);
            (back.0, account.standing().spent.whole().0)
        };
        let store = open(&folder, &names);
        buy(&store);
        assert_eq!(correct(&store, 60), (0, 60));
        assert_eq!(correct(&store, 50), (10, 50));
        drop(store);
        let store = open(&folder, &names);
        assert_eq!(correct(&store, 50), (0, 50), "not again");
        assert_eq!(correct(&store, 20), (30, 20));
        store.forget(stack);
        drop(store);
        let store = open(&folder, &names);
        assert_eq!(store.accounts()[0].standing().spent.whole(), MicroUsdc(20));
    }

    #[tokio::test]
    async fn charges_of_a_file_from_before_they_had_their_name_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let stack = StackId(atoma_types::Address::new([7; 32]));
        let file = Connection::open(folder.path().join("budget.sqlite")).unwrap();
        let [to_2, to_3] = KIND.upgrades else {
            panic!("a step for each version")
        };
        let first = KIND.tables.replace(stack_charges_table!(), "");
        file.execute_batch(&format!("{first}{}", to_2.sql)).unwrap();
        file.execute("INSERT INTO booked VALUES (?1, 60)", [stack.0.as_bytes()])
            .unwrap();
        file.pragma_update(None, "application_id", KIND.mark)
            .unwrap();
        file.pragma_update(None, "user_version", to_3.from).unwrap();
        drop(file);
        let names = [("stacks".to_owned(), Amount::from(MicroUsdc(100)))];
        let store = open(&folder, &names);
        assert!(store.has(stack));
        let back = store.correct(&store.accounts()[0], stack, MicroUsdc(50), None);
        assert_eq!(back, MicroUsdc(10));
    }

    #[tokio::test]
    async fn many_settle_while_it_stores() {
        let folder = tempfile::tempdir().unwrap();
        let names = [("a".to_owned(), Amount(1_000_000))];
        let store = open(&folder, &names);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..1_000 {
                        store.accounts()[0]
                            .reserve(Amount(3))
                            .unwrap()
                            .settle(Amount(2));
                    }
                });
            }
        });
        drop(store);
        let store = open(&folder, &names);
        assert_eq!(store.accounts()[0].standing().spent, Amount(8_000));
    }

    #[tokio::test]
    async fn what_could_not_be_stored_is_stored_when_it_can_be_again() {
        let folder = tempfile::tempdir().unwrap();
        let names = [("a".to_owned(), Amount(100))];
        let store = open(&folder, &names);
        let disk = Connection::open(folder.path().join("budget.sqlite")).unwrap();
        disk.execute_batch(
            "CREATE TRIGGER full BEFORE INSERT ON spent BEGIN SELECT RAISE(ABORT, 'full'); END",
        )
        .unwrap();
        store.accounts()[0]
            .reserve(Amount(9))
            .unwrap()
            .settle(Amount(9));
        let flushed = async { assert!(store.flush().await) };
        let emptied = async { disk.execute_batch("DROP TRIGGER full").unwrap() };
        tokio::join!(flushed, emptied);
        assert_eq!(spent(&disk, "a").unwrap(), Amount(9));
    }
}
