//! Acknowledged means written; a failed commit closes the store; in line does the same.

use super::*;
use crate::{Durability, Kind, Place};

const KIND: Kind = Kind {
    name: "the list of numbers",
    file: "numbers.sqlite",
    former_file: None,
    mark: Kind::mark(*b"atNu"),
    version: 1,
    tables: "CREATE TABLE numbers (number INTEGER NOT NULL CHECK (number < 1000)) STRICT;",
    upgrades: &[],
    unmarked: &[],
    durability: Durability::Full,
};

const POLICY: Policy = Policy {
    max_batch: 10,
    capacity: 1_000,
    gather: Gather::Nothing,
    on_failure: OnFailure::Close,
};

struct Numbers {
    batches: Vec<usize>,
    failures: usize,
}

enum Op {
    Add(i64),
    /// Answers with the sizes of all batches up to here, and how often one failed.
    Flush(Reply<(Vec<usize>, usize)>),
}

impl Writer for Numbers {
    type Op = Op;
    type Error = rusqlite::Error;

    fn write(&mut self, to: &Transaction<'_>, batch: &mut [Op]) -> rusqlite::Result<()> {
        // counted as failed until it is committed
        self.failures += 1;
        for op in &*batch {
            if let Op::Add(number) = op {
                to.execute("INSERT INTO numbers VALUES (?1)", [number])?;
            }
        }
        self.failures -= 1;
        self.batches.push(batch.len());
        Ok(())
    }

    fn committed(&mut self, batch: Drain<'_, Op>) {
        for op in batch {
            if let Op::Flush(reply) = op {
                reply.send((self.batches.clone(), self.failures));
            }
        }
    }
}

struct Trial {
    store: Store<Numbers>,
    thread: WriterThread,
    place: Place,
    folder: tempfile::TempDir,
}

fn start(policy: Policy, threads: Threads) -> Trial {
    let folder = tempfile::tempdir().unwrap();
    let place = KIND.in_folder(folder.path()).unwrap();
    let db = KIND.open(&place).unwrap();
    let writer = Numbers {
        batches: Vec::new(),
        failures: 0,
    };
    let (store, thread) = Store::start(KIND.name, db, writer, policy, threads).unwrap();
    Trial {
        store,
        thread,
        place,
        folder,
    }
}

impl Trial {
    fn flush(&self) -> Result<(Vec<usize>, usize), WriteError> {
        let (reply, ack) = self.store.ack();
        let _ = self.store.send(Op::Flush(reply));
        ack.wait()
    }

    fn sum(&self) -> i64 {
        sum(&self.place)
    }
}

fn sum(place: &Place) -> i64 {
    let sum = "SELECT COALESCE(SUM(number), 0) FROM numbers";
    let readers = KIND.readers(place);
    readers
        .ask(|db| db.query_row(sum, [], |row| row.get(0)))
        .unwrap_or_else(|error: rusqlite::Error| panic!("{error}"))
}

#[test]
fn acknowledged_means_written_on_a_thread_and_in_line() {
    for threads in [Threads::Real, Threads::InLine] {
        let trial = start(POLICY, threads);
        for number in 0..100 {
            trial.store.send(Op::Add(number)).unwrap();
        }
        let (batches, _) = trial.flush().unwrap();
        assert_eq!(trial.sum(), 4950);
        assert_eq!(batches.iter().sum::<usize>(), 101);
        assert!(batches.iter().all(|size| *size <= 10), "{batches:?}");
        trial.store.close();
        assert!(!trial.store.is_healthy());
        assert!(matches!(trial.flush(), Err(WriteError::Closed { .. })));
        trial.thread.join();
    }
}

#[test]
fn in_line_nothing_happens_before_somebody_waits_and_then_all_at_once() {
    let trial = start(POLICY, Threads::InLine);
    for number in 0..9 {
        trial.store.send(Op::Add(number)).unwrap();
    }
    assert_eq!(trial.sum(), 0);
    assert_eq!(trial.flush().unwrap().0, [10]);
    assert_eq!(trial.sum(), 36);
    // the last handle writes what is left
    trial.store.send(Op::Add(100)).unwrap();
    let Trial {
        store,
        place,
        folder,
        ..
    } = trial;
    drop(store);
    let db = KIND.open(&place).unwrap();
    let count = "SELECT COUNT(*) FROM numbers";
    let count: i64 = db.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 10);
    drop(folder);
}

#[test]
fn a_failed_commit_closes_the_store_and_says_why() {
    for threads in [Threads::Real, Threads::InLine] {
        let trial = start(POLICY, threads);
        trial.store.send(Op::Add(5)).unwrap();
        trial.flush().unwrap();
        trial.store.send(Op::Add(7)).unwrap();
        trial.store.send(Op::Add(5_000)).unwrap();
        let error = trial.flush().unwrap_err();
        assert!(matches!(error, WriteError::Failed { .. }), "{error}");
        let cause = error.source().unwrap().to_string();
        assert!(cause.contains("CHECK"), "{cause}");
        assert!(!trial.store.is_healthy());
        assert!(matches!(
            trial.store.send(Op::Add(1)),
            Err(WriteError::Failed { .. })
        ));
        assert!([5, 12].contains(&trial.sum()), "batches are whole");
        trial.thread.join();
    }
}

#[test]
fn where_the_policy_says_so_a_batch_is_tried_again() {
    let policy = Policy {
        on_failure: OnFailure::Retry {
            pause: Duration::from_millis(1),
        },
        ..POLICY
    };
    let trial = start(policy, Threads::Real);
    // as a full disk: nothing can be written for a while
    let locker = Connection::open(trial.place.path()).unwrap();
    let limit =
        "CREATE TRIGGER full BEFORE INSERT ON numbers BEGIN SELECT RAISE(ABORT, 'full'); END";
    locker.execute(limit, []).unwrap();
    trial.store.send(Op::Add(5)).unwrap();
    let (reply, ack) = trial.store.ack();
    trial.store.send(Op::Flush(reply)).unwrap();
    locker.execute("DROP TRIGGER full", []).unwrap();
    ack.wait().unwrap();
    assert_eq!(trial.sum(), 5);
    // closed while nothing can be written, it ends all the same
    locker.execute(limit, []).unwrap();
    trial.store.send(Op::Add(6)).unwrap();
    let (thread, place) = (trial.thread, trial.place);
    trial.store.close();
    thread.join();
    assert_eq!(sum(&place), 5);
}

#[test]
fn lazy_operations_wait_for_company_and_end_with_the_first_awaited_one() {
    let policy = Policy {
        gather: Gather::Lazily {
            // for ever, as far as this test goes
            pause: Duration::from_secs(600),
        },
        ..POLICY
    };
    let trial = start(policy, Threads::Real);
    for number in 0..5 {
        trial.store.send_lazily(Op::Add(number)).unwrap();
    }
    assert_eq!(trial.sum(), 0);
    let (batches, _) = trial.flush().unwrap();
    assert_eq!((batches, trial.sum()), (vec![6], 10));
    // a full batch waits no longer, and closing ends the wait
    for number in 0..11 {
        trial.store.send_lazily(Op::Add(number)).unwrap();
    }
    trial.store.close();
    let Trial {
        thread,
        place,
        folder: _folder,
        ..
    } = trial;
    thread.join();
    let db = KIND.open(&place).unwrap();
    let count = "SELECT COUNT(*) FROM numbers";
    let count: i64 = db.query_row(count, [], |row| row.get(0)).unwrap();
    assert_eq!(count, 16);
}

#[test]
fn a_full_queue_refuses() {
    let policy = Policy {
        capacity: 2,
        ..POLICY
    };
    let trial = start(policy, Threads::InLine);
    trial.store.send(Op::Add(1)).unwrap();
    trial.store.send(Op::Add(2)).unwrap();
    assert!(matches!(
        trial.store.send(Op::Add(3)),
        Err(WriteError::Full { .. })
    ));
    let (reply, ack) = trial.store.ack::<(Vec<usize>, usize)>();
    drop(reply);
    ack.wait().unwrap_err();
    assert_eq!(trial.sum(), 3, "who waits does the work");
}
