//! The requests that were opened, on the disk. Their keys are in the guest's memory alone, so after a restart nothing old
//! can be opened in any case; this holds where a secret is given to several replicas, or outlives a process.

use atoma_channel::{Seen, SeenStore};
use atoma_runtime::Threads;
use atoma_store::{
    Durability, Gather, Kind, OnFailure, OpenError, Policy, Reply, Store, WriteError, Writer,
};
use atoma_types::TimestampMs;
use rusqlite::{Transaction, params};
use std::{path::Path, time::Duration, vec::Drain};

const KIND: Kind = Kind {
    name: "the file of sealed requests",
    file: "sealed.sqlite",
    former_file: None,
    mark: Kind::mark(*b"atSe"),
    version: 1,
    tables: "
        CREATE TABLE seen (
            id         BLOB PRIMARY KEY,
            expires_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX seen_by_end ON seen (expires_at);
    ",
    upgrades: &[],
    unmarked: &[],
    durability: Durability::Full,
};
const POLICY: Policy = Policy {
    max_batch: 512,
    // each belongs to a request that has a place
    capacity: usize::MAX,
    // before each answer's first word stands one commit: shared under load, not waited for otherwise
    gather: Gather::Siblings {
        least: 4,
        pause: Duration::from_millis(1),
    },
    // who can't tell whether a request is new opens none
    on_failure: OnFailure::Close,
};

/// The file; clones share it.
#[derive(Clone, Debug)]
pub(crate) struct SeenFile(Store<SeenWriter>);

pub(crate) enum Op {
    Claim {
        seen: Seen,
        /// Whether the row is new, once it is written.
        new: bool,
        done: Option<Reply<bool>>,
    },
    Forget {
        ended_before: TimestampMs,
        done: Option<Reply<bool>>,
    },
}

pub(crate) struct SeenWriter;

impl SeenFile {
    /// Opens the file in a node's data directory.
    pub(crate) fn open(folder: &Path, threads: Threads) -> Result<Self, OpenError> {
        let db = KIND.open(&KIND.in_folder(folder)?)?;
        // its thread ends with the last handle
        let (store, _) = Store::start(KIND.name, db, SeenWriter, POLICY, threads)?;
        Ok(Self(store))
    }

    async fn done(&self, op: impl FnOnce(Reply<bool>) -> Op) -> Result<bool, WriteError> {
        let (done, ack) = self.0.ack();
        // a closed store drops the reply, and the ack then says so
        let _ = self.0.send(op(done));
        ack.durable().await
    }
}

impl SeenStore for SeenFile {
    type Error = WriteError;

    async fn claim(&self, seen: Seen) -> Result<bool, WriteError> {
        let op = |done| Op::Claim {
            seen,
            new: false,
            done: Some(done),
        };
        self.done(op).await
    }

    async fn forget(&self, ended_before: TimestampMs) -> Result<(), WriteError> {
        let op = |done| Op::Forget {
            ended_before,
            done: Some(done),
        };
        self.done(op).await.map(|_| ())
    }
}

impl Writer for SeenWriter {
    type Op = Op;
    type Error = rusqlite::Error;

    fn write(
        &mut self,
        transaction: &Transaction<'_>,
        batch: &mut [Op],
    ) -> Result<(), rusqlite::Error> {
        let mut claim = transaction.prepare_cached("INSERT OR IGNORE INTO seen VALUES (?1, ?2)")?;
        let mut forget = transaction.prepare_cached("DELETE FROM seen WHERE expires_at < ?1")?;
        for op in batch {
            match op {
                Op::Claim { seen, new, .. } => {
                    let row = params![seen.id.as_bytes(), time(seen.expires_at)];
                    *new = claim.execute(row)? == 1;
                }
                Op::Forget { ended_before, .. } => {
                    forget.execute([time(*ended_before)])?;
                }
            }
        }
        Ok(())
    }

    fn committed(&mut self, batch: Drain<'_, Op>) {
        for op in batch {
            let (done, new) = match op {
                Op::Claim { new, done, .. } => (done, new),
                Op::Forget { done, .. } => (done, true),
            };
            if let Some(done) = done {
                done.send(new);
            }
        }
    }
}

/// SQLite's numbers have a sign.
fn time(at: TimestampMs) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_channel::SealId;
    use atoma_types::hash::Hash32;

    fn seen(number: u8) -> Seen {
        Seen {
            id: SealId(Hash32([number; 32])),
            issued_at: TimestampMs(1_000),
            expires_at: TimestampMs(61_000),
        }
    }

    #[tokio::test]
    async fn a_request_is_new_once_here_at_another_replica_and_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let open = || SeenFile::open(folder.path(), Threads::Real).unwrap();
        let (here, there) = (open(), open());
        assert!(here.claim(seen(1)).await.unwrap());
        assert!(!here.claim(seen(1)).await.unwrap());
        assert!(!there.claim(seen(1)).await.unwrap());
        assert!(there.claim(seen(2)).await.unwrap());
        drop((here, there));
        let again = open();
        assert!(!again.claim(seen(1)).await.unwrap());
        assert!(!again.claim(seen(2)).await.unwrap());
        // only what has long expired is forgotten
        again.forget(TimestampMs(61_000)).await.unwrap();
        assert!(!again.claim(seen(1)).await.unwrap());
        again.forget(TimestampMs(61_001)).await.unwrap();
        assert!(again.claim(seen(1)).await.unwrap());
    }
}
