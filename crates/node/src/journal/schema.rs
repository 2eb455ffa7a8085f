//! The journal's file and its tables.
//!
//! 64-bit numbers that users choose (ceilings) may exceed SQLite's signed integers; all are stored
//! as the same 64 bits, and no query orders or sums by them.

use atoma_store::{Durability, Kind, Unmarked, Upgrade};

/// What kind of file the journal is.
///
/// Before version 8 receipts didn't name those before them: such a journal is refused, and finished by the version that
/// wrote it.
pub(super) const KIND: Kind = Kind {
    name: "the node's journal",
    file: "journal.sqlite",
    former_file: None,
    mark: Kind::mark(*b"atJo"),
    version: 9,
    tables: "
            CREATE TABLE meta (
                name  TEXT PRIMARY KEY,
                value TEXT NOT NULL
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE leases (
                stack           BLOB PRIMARY KEY,
                task            BLOB NOT NULL,
                owner           BLOB NOT NULL,
                request_key     BLOB NOT NULL,
                units           INTEGER NOT NULL,
                price           INTEGER NOT NULL,
                expires_at_ms   INTEGER NOT NULL,
                settle_grace_ms INTEGER NOT NULL,
                closing         INTEGER NOT NULL,
                phase           INTEGER NOT NULL,  -- 0 open, 1 settling, 2 closed
                base_seq        INTEGER NOT NULL,  -- the receipts here come after this one
                base_units      INTEGER NOT NULL,
                base_hash       BLOB NOT NULL
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE tickets (
                stack    BLOB NOT NULL,
                to_seq   INTEGER NOT NULL,
                from_seq INTEGER NOT NULL,
                PRIMARY KEY (stack, to_seq)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE lanes (
                stack     BLOB NOT NULL,
                lane      INTEGER NOT NULL,
                committed INTEGER NOT NULL,
                header    BLOB NOT NULL,
                signature BLOB NOT NULL,
                PRIMARY KEY (stack, lane)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE receipts (
                id               INTEGER PRIMARY KEY,
                stack            BLOB NOT NULL,
                seq              INTEGER NOT NULL,
                request_id       BLOB NOT NULL,
                finished_ms      INTEGER NOT NULL,
                bytes            BLOB NOT NULL,
                signature        BLOB NOT NULL,
                header           BLOB NOT NULL,  -- the request it answers: half of the settled record
                header_signature BLOB NOT NULL,
                UNIQUE (stack, seq)
            ) STRICT;

            -- users choose ids: others may have the same on stacks of theirs
            CREATE INDEX receipts_by_request ON receipts (request_id, stack);

            CREATE TABLE second_records (
                id    INTEGER PRIMARY KEY,  -- the receipt's
                bytes BLOB NOT NULL         -- of the node that answered for this one
            ) STRICT;

            CREATE TABLE evidence (
                id      INTEGER PRIMARY KEY,  -- the receipt's
                open    INTEGER NOT NULL,     -- 1: for everyone to read; 0: sealed when it is packed
                request BLOB NOT NULL,        -- a salt and the body, under the node's own key
                answer  BLOB NOT NULL         -- the same
            ) STRICT;

            CREATE TABLE packs (
                first     INTEGER PRIMARY KEY,  -- of the receipts in it
                last      INTEGER NOT NULL,
                blob      BLOB NOT NULL,
                root      BLOB NOT NULL,
                object    BLOB,                 -- the certified blob object, as far as it is known
                end_epoch INTEGER NOT NULL,
                released  INTEGER NOT NULL      -- 1: no open lease needs it, and its file is gone
            ) STRICT;
    ",
    upgrades: &[Upgrade {
        from: 8,
        sql: "
            DROP INDEX receipts_by_request;
            CREATE INDEX receipts_by_request ON receipts (request_id, stack);
        ",
    }],
    unmarked: &[
        Unmarked {
            user_version: 2,
            table: "receipts",
            version: 2,
        },
        Unmarked {
            user_version: 3,
            table: "receipts",
            version: 3,
        },
    ],
    durability: Durability::Full,
};
