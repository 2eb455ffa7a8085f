//! What an attester must not forget: what it watches, what was shown to whom, what it found, and the salts of its
//! commitments. A file of its own, `attest.sqlite`, so that the serving path's journal has nothing to do with it.
//!
//! Whoever loses it loses little: open commitments can't be revealed, which costs a place and no fine.

use super::{
    duty::{Disclosure, Drawn, Duty, MOST_KEYS, Seat, TicketId},
    step::{Kept, Note, Sealed},
};
use atoma_ledger::{Cursor, Digest};
use atoma_runtime::Threads;
use atoma_store::{Durability, Kind, OpenError, SharedConnection, Stopped};
use atoma_types::{Address, NetworkId, NodeId, PublicKey, StackId, chain::Verdict, hash::Hash32};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use std::{path::Path, sync::Arc};

const KIND: Kind = Kind {
    name: "the attester's memory",
    file: "attest.sqlite",
    former_file: None,
    mark: Kind::mark(*b"atAt"),
    version: 2,
    tables: "
        CREATE TABLE meta (
            name  TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE watched (
            stack BLOB PRIMARY KEY
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE shown (
            stack      BLOB NOT NULL,
            holder     BLOB NOT NULL,
            to_seq     INTEGER NOT NULL,
            seat       INTEGER NOT NULL,  -- 0 examiner, 1 jury, 2 a challenge's jury
            digest     BLOB NOT NULL,     -- of the transaction
            record     BLOB NOT NULL,     -- as the ledger took it
            shown      BLOB NOT NULL,     -- to each of them: a length of 4 bytes and the bytes
            drawn      BLOB NOT NULL,     -- of each of them as many: its id, and its keys since the draw
            PRIMARY KEY (stack, holder, to_seq, seat)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE found (
            stack  BLOB NOT NULL,
            holder BLOB NOT NULL,
            to_seq INTEGER NOT NULL,
            seat   INTEGER NOT NULL,
            kind   INTEGER NOT NULL,
            digest BLOB NOT NULL,
            salt   BLOB NOT NULL,
            PRIMARY KEY (stack, holder, to_seq, seat)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE keys (
            node BLOB PRIMARY KEY,
            key  BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE drawn (
            stack  BLOB NOT NULL,
            holder BLOB NOT NULL,
            to_seq INTEGER NOT NULL,
            seat   INTEGER NOT NULL,
            drawn  BLOB NOT NULL,         -- as what is shown has it
            PRIMARY KEY (stack, holder, to_seq, seat)
        ) STRICT, WITHOUT ROWID;
    ",
    upgrades: &[],
    unmarked: &[],
    durability: Durability::Full,
};
const NETWORK: &str = "network";
const CURSOR: &str = "event_cursor";

/// The file can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttestStoreError {
    /// It can't be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It can't be read or written.
    #[error("cannot use the attester's memory")]
    Sqlite(#[from] rusqlite::Error),
    /// The node is stopping.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// It is of another network.
    #[error(
        "the attester's memory is of network {found}, the ledger is {expected}: give the node another data_dir"
    )]
    OtherNetwork {
        /// The network whose file it is.
        found: String,
        /// The network that the node runs on.
        expected: NetworkId,
    },
}

/// The attester's file.
#[derive(Clone, Debug)]
pub(crate) struct Memory(SharedConnection);

/// What it holds.
#[derive(Debug, Default)]
pub(crate) struct Remembered {
    pub kept: Kept,
    /// The last event that was dealt with.
    pub cursor: Option<Cursor>,
}

impl Memory {
    /// Opens the file in a node's data directory, for this network alone.
    pub(crate) fn open(
        folder: &Path,
        network: NetworkId,
        threads: Threads,
    ) -> Result<(Self, Remembered), AttestStoreError> {
        let mut db = KIND.open(&KIND.in_folder(folder)?)?;
        let named = meta(&db, NETWORK)?;
        match named {
            Some(found) if found != network.to_string() => {
                let expected = network;
                return Err(AttestStoreError::OtherNetwork { found, expected });
            }
            Some(_) => {}
            None => {
                let all = db.transaction()?;
                put_meta(&all, NETWORK, &network.to_string())?;
                all.commit()?;
            }
        }
        let remembered = remembered(&db)?;
        Ok((Self(SharedConnection::new(db, threads)), remembered))
    }

    /// Makes notes durable, and the place after the events that they are of.
    pub(crate) async fn keep(
        &self,
        notes: Arc<[Note]>,
        cursor: Option<Cursor>,
    ) -> Result<(), AttestStoreError> {
        let write = move |db: &mut Connection| {
            let all = db.transaction()?;
            for note in notes.iter() {
                put(&all, note)?;
            }
            if let Some(cursor) = cursor {
                put_meta(&all, CURSOR, &cursor.to_string())?;
            }
            Ok(all.commit()?)
        };
        self.0.run(write).await
    }
}

fn meta(db: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    let mut query = db.prepare("SELECT value FROM meta WHERE name = ?1")?;
    query.query_row([name], |row| row.get(0)).optional()
}

fn put_meta(db: &Transaction<'_>, name: &str, value: &str) -> rusqlite::Result<()> {
    let insert = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)";
    db.execute(insert, [name, value]).map(drop)
}

fn put(db: &Transaction<'_>, note: &Note) -> rusqlite::Result<()> {
    match note {
        Note::Watched(stack) => {
            db.execute(
                "INSERT OR IGNORE INTO watched VALUES (?1)",
                [stack.0.as_bytes()],
            )?;
        }
        Note::Shown(duty, disclosure) => {
            let (stack, holder, to_seq, seat) = columns(duty);
            let (digest, shown) = (disclosure.transaction.inner(), packed(&disclosure.shown));
            let drawn = packed_drawn(&disclosure.drawn);
            let insert = "INSERT OR REPLACE INTO shown VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
            let record = &disclosure.record;
            db.execute(
                insert,
                params![stack, holder, to_seq, seat, digest, record, shown, drawn],
            )?;
            let delete = "DELETE FROM drawn WHERE (stack, holder, to_seq, seat) = (?1, ?2, ?3, ?4)";
            db.execute(delete, params![stack, holder, to_seq, seat])?;
        }
        Note::Drawn(duty, drawn) => {
            let (stack, holder, to_seq, seat) = columns(duty);
            let insert = "INSERT OR REPLACE INTO drawn VALUES (?1, ?2, ?3, ?4, ?5)";
            let drawn = packed_drawn(drawn);
            db.execute(insert, params![stack, holder, to_seq, seat, drawn])?;
        }
        Note::Found(duty, Sealed { verdict, salt }) => {
            let (stack, holder, to_seq, seat) = columns(duty);
            let (kind, digest) = (verdict.kind, verdict.digest.0);
            // what was found first stands: a commitment may be of it
            let insert = "INSERT OR IGNORE INTO found VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
            db.execute(
                insert,
                params![stack, holder, to_seq, seat, kind, digest, salt.0],
            )?;
        }
        Note::Key(node, key) => {
            let insert = "INSERT OR REPLACE INTO keys VALUES (?1, ?2)";
            db.execute(insert, params![node.0.as_bytes(), key.0])?;
        }
        Note::Forgotten(stack) => {
            for table in ["watched", "drawn", "shown", "found"] {
                let delete = format!("DELETE FROM {table} WHERE stack = ?1");
                db.execute(&delete, [stack.0.as_bytes()])?;
            }
        }
    }
    Ok(())
}

fn columns(duty: &Duty) -> ([u8; 32], [u8; 32], i64, u8) {
    let ticket = duty.ticket;
    let seat = match duty.seat {
        Seat::Examiner => 0,
        Seat::Juror => 1,
        Seat::ChallengeJuror => 2,
    };
    (
        ticket.stack.0.into_inner(),
        ticket.holder.0.into_inner(),
        ticket.to_seq.cast_signed(),
        seat,
    )
}

fn duty(row: &Row<'_>) -> rusqlite::Result<Duty> {
    let to_seq: i64 = row.get(2)?;
    let seat: usize = row.get::<_, u8>(3)?.into();
    let seat = Seat::ALL.get(seat).copied();
    Ok(Duty {
        ticket: TicketId {
            stack: StackId(Address::new(row.get(0)?)),
            holder: NodeId(Address::new(row.get(1)?)),
            to_seq: to_seq.cast_unsigned(),
        },
        seat: seat.ok_or(rusqlite::Error::IntegralValueOutOfRange(3, 0))?,
    })
}

fn remembered(db: &Connection) -> Result<Remembered, AttestStoreError> {
    let cursor = meta(db, CURSOR)?.and_then(|cursor| cursor.parse().ok());
    let mut query = db.prepare("SELECT stack FROM watched ORDER BY stack")?;
    let watched = query.query_map([], |row| Ok(StackId(Address::new(row.get(0)?))))?;
    let watched = watched.collect::<Result<_, _>>()?;
    let mut query =
        db.prepare("SELECT stack, holder, to_seq, seat, digest, record, shown, drawn FROM shown")?;
    let shown = query.query_map([], |row| {
        let packed: Vec<u8> = row.get(6)?;
        let disclosure = Disclosure {
            transaction: Digest::new(row.get(4)?),
            record: row.get(5)?,
            shown: unpacked(&packed),
            drawn: unpacked_drawn(&row.get::<_, Vec<u8>>(7)?),
        };
        Ok((duty(row)?, disclosure))
    })?;
    let shown = shown.collect::<Result<_, _>>()?;
    let mut query =
        db.prepare("SELECT stack, holder, to_seq, seat, kind, digest, salt FROM found")?;
    let found = query.query_map([], |row| {
        let sealed = Sealed {
            verdict: Verdict {
                kind: row.get(4)?,
                digest: Hash32(row.get(5)?),
            },
            salt: Hash32(row.get(6)?),
        };
        Ok((duty(row)?, sealed))
    })?;
    let found = found.collect::<Result<_, _>>()?;
    let mut query = db.prepare("SELECT stack, holder, to_seq, seat, drawn FROM drawn")?;
    let drawn = query.query_map([], |row| {
        let packed: Vec<u8> = row.get(4)?;
        Ok((duty(row)?, unpacked_drawn(&packed)))
    })?;
    let drawn = drawn.collect::<Result<_, _>>()?;
    let mut query = db.prepare("SELECT node, key FROM keys ORDER BY node")?;
    let keys = query.query_map([], |row| {
        let node = NodeId(Address::new(row.get(0)?));
        Ok((node, PublicKey(row.get(1)?)))
    })?;
    let keys = keys.collect::<Result<_, _>>()?;
    Ok(Remembered {
        kept: Kept {
            watched,
            keys,
            drawn,
            shown,
            found,
        },
        cursor,
    })
}

/// A length of four bytes and the bytes, for each.
fn packed(all: &[Vec<u8>]) -> Vec<u8> {
    let each = all.iter().flat_map(|bytes| {
        // the ledger takes 256 bytes each
        let length = u32::try_from(bytes.len()).unwrap_or_default();
        [&length.to_le_bytes()[..], bytes].concat()
    });
    each.collect()
}

fn unpacked(mut packed: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    while let Some((length, rest)) = packed.split_first_chunk::<4>() {
        let length = u32::from_le_bytes(*length) as usize;
        let Some((bytes, rest)) = rest.split_at_checked(length) else {
            break;
        };
        all.push(bytes.to_vec());
        packed = rest;
    }
    all
}

fn packed_drawn(drawn: &Drawn) -> Vec<u8> {
    let each = drawn.iter().map(|(node, keys)| {
        let keys = keys.iter().map(|key| key.0);
        let parts = std::iter::once(node.0.into_inner()).chain(keys);
        parts.collect::<Vec<_>>().concat()
    });
    packed(&each.collect::<Vec<_>>())
}

fn unpacked_drawn(bytes: &[u8]) -> Drawn {
    let each = unpacked(bytes).into_iter();
    each.filter_map(|bytes| {
        let (parts, _) = bytes.as_chunks::<32>();
        let (node, keys) = parts.split_first()?;
        let keys = keys.iter().take(MOST_KEYS + 1).copied().map(PublicKey);
        Some((NodeId(Address::new(*node)), keys.collect()))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn duty(seat: Seat) -> Duty {
        Duty {
            ticket: TicketId {
                stack: StackId(Address::new([1; 32])),
                holder: NodeId(Address::new([2; 32])),
                to_seq: 3,
            },
            seat,
        }
    }

    fn sealed(kind: u8) -> Sealed {
        Sealed {
            verdict: Verdict {
                kind,
                digest: Hash32([4; 32]),
            },
            salt: Hash32([kind; 32]),
        }
    }

    #[tokio::test]
    async fn what_is_kept_comes_back_the_first_finding_stands_and_what_is_over_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let network = NetworkId([1; 32]);
        let open = || Memory::open(folder.path(), network, Threads::Real).unwrap();
        let (node, key) = (NodeId(Address::new([5; 32])), PublicKey([6; 32]));
        let disclosure = Disclosure {
            transaction: Digest::new([9; 32]),
            record: vec![7, 7],
            shown: vec![vec![1, 2], Vec::new(), vec![3]],
            drawn: vec![(node, vec![key, PublicKey([7; 32])]), (node, Vec::new())],
        };
        let stack = duty(Seat::Examiner).ticket.stack;
        let juror = duty(Seat::ChallengeJuror);
        let notes = vec![
            Note::Watched(stack),
            Note::Drawn(juror, Vec::new()),
            Note::Drawn(duty(Seat::Examiner), disclosure.drawn.clone()),
            Note::Shown(juror, disclosure.clone()),
            Note::Found(juror, sealed(21)),
            Note::Found(juror, sealed(22)),
            Note::Key(node, PublicKey([5; 32])),
            Note::Key(node, key),
        ];
        let cursor: Cursor = "0102".parse().unwrap();
        let (memory, _) = open();
        memory
            .keep(notes.into(), Some(cursor.clone()))
            .await
            .unwrap();
        drop(memory);
        let (memory, remembered) = open();
        assert_eq!(remembered.cursor, Some(cursor));
        assert_eq!(remembered.kept.keys, [(node, key)]);
        let unshown = (duty(Seat::Examiner), disclosure.drawn.clone());
        assert_eq!(remembered.kept.drawn, [unshown]);
        assert_eq!(remembered.kept.watched, [stack]);
        assert_eq!(remembered.kept.shown, [(juror, disclosure)]);
        assert_eq!(remembered.kept.found, [(juror, sealed(21))]);
        memory
            .keep([Note::Forgotten(stack)].into(), None)
            .await
            .unwrap();
        drop(memory);
        let kept = open().1.kept;
        assert!(kept.watched.is_empty() && kept.shown.is_empty() && kept.found.is_empty());

        let other = NetworkId([2; 32]);
        let other = Memory::open(folder.path(), other, Threads::Real);
        assert!(matches!(other, Err(AttestStoreError::OtherNetwork { .. })));
    }
}
