//! The client's file: where it is, and its tables.

use atoma_store::{Durability, Kind, Upgrade};
use atoma_types::NetworkId;
use std::path::{Path, PathBuf};

/// The client's store.
///
/// Receipts are kept as bytes, not text: with their keys, four of them fill a page then, while as
/// base64 each would be too long for a table without row ids and get an overflow page of its own.
/// Request ids begin with the time, so that their index grows at its end.
pub(super) const KIND: Kind = Kind {
    name: "the client's store",
    file: "client.sqlite",
    former_file: None,
    mark: Kind::mark(*b"atCl"),
    version: 10,
    tables: "
        CREATE TABLE receipts (
            stack BLOB NOT NULL, node BLOB NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL,
            request BLOB NOT NULL, lane INTEGER NOT NULL, units INTEGER NOT NULL,
            received_ms INTEGER NOT NULL, header BLOB NOT NULL, receipt BLOB NOT NULL, fault TEXT,
            second BLOB,  -- of a request that was passed on: the record of the node that computed it
            PRIMARY KEY (stack, node, seq, hash)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX receipts_by_request ON receipts (request);
        CREATE TABLE lanes (
            stack BLOB NOT NULL, node BLOB NOT NULL, lane INTEGER NOT NULL,
            slot  INTEGER NOT NULL,  -- whose: see the module
            bound INTEGER NOT NULL,  -- no signed ceiling exceeds it; or what its node may speak of, once its program has ended well
            granted INTEGER NOT NULL DEFAULT 0,  -- what of the window was granted by then
            excused INTEGER NOT NULL DEFAULT 0,  -- the most that was open when a bound was written, with its step
            PRIMARY KEY (stack, node, lane)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE stacks (
            number INTEGER PRIMARY KEY,  -- in the order in which they came
            stack BLOB NOT NULL UNIQUE, closed INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE TABLE distrusts (
            node BLOB PRIMARY KEY, kind INTEGER NOT NULL, charged INTEGER NOT NULL, most INTEGER NOT NULL,
            since_ms INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE refused (  -- requests that their nodes have refused: they can't have receipts for them
            request BLOB PRIMARY KEY, stack BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE suspects (  -- receipts that may be one of two for their request
            stack BLOB NOT NULL, node BLOB NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL,
            PRIMARY KEY (stack, node, seq, hash)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE lost (  -- requests whose answers never came, or not to their end
            request BLOB PRIMARY KEY, stack BLOB NOT NULL, node BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX lost_by_lease ON lost (stack, node);
        CREATE TABLE unclear (  -- requests whose receipts nobody waits for: what they may cost at most
            request BLOB PRIMARY KEY, stack BLOB NOT NULL, node BLOB NOT NULL, units INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX unclear_by_lease ON unclear (stack, node);
        CREATE TABLE wrongs (  -- answers of which a jury would find what was found here
            stack BLOB NOT NULL, node BLOB NOT NULL, seq INTEGER NOT NULL, unit INTEGER NOT NULL, reason TEXT NOT NULL,
            PRIMARY KEY (stack, node, seq)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE bonds (  -- challenges: written before they are brought
            stack BLOB NOT NULL, node BLOB NOT NULL, ticket INTEGER NOT NULL, staked INTEGER NOT NULL,
            back INTEGER,  -- once it is over
            PRIMARY KEY (stack, node, ticket)
        ) STRICT, WITHOUT ROWID;
    ",
    upgrades: &[
        Upgrade {
            from: 1,
            sql: "
                CREATE TABLE stacks_in_order (
                    number INTEGER PRIMARY KEY,
                    stack BLOB NOT NULL UNIQUE, closed INTEGER NOT NULL DEFAULT 0
                ) STRICT;
                INSERT INTO stacks_in_order (stack) SELECT stack FROM stacks;
                DROP TABLE stacks;
                ALTER TABLE stacks_in_order RENAME TO stacks;
            ",
        },
        Upgrade {
            from: 2,
            sql: "ALTER TABLE receipts ADD COLUMN second BLOB",
        },
        Upgrade {
            from: 3,
            sql: "
                CREATE TABLE distrusts (
                    node BLOB PRIMARY KEY, kind INTEGER NOT NULL, charged INTEGER NOT NULL, most INTEGER NOT NULL,
                    since_ms INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;
            ",
        },
        Upgrade {
            from: 4,
            sql: "
                CREATE TABLE wrongs (  -- answers of which a jury would find what was found here
                    stack BLOB NOT NULL, node BLOB NOT NULL, seq INTEGER NOT NULL, unit INTEGER NOT NULL, reason TEXT NOT NULL,
                    PRIMARY KEY (stack, node, seq)
                ) STRICT, WITHOUT ROWID;
                CREATE TABLE bonds (  -- challenges: written before they are brought
                    stack BLOB NOT NULL, node BLOB NOT NULL, ticket INTEGER NOT NULL, staked INTEGER NOT NULL,
                    back INTEGER,  -- once it is over
                    PRIMARY KEY (stack, node, ticket)
                ) STRICT, WITHOUT ROWID;
            ",
        },
        Upgrade {
            from: 5,
            sql: "
                CREATE TABLE refused (  -- requests that their nodes have refused: they can't have receipts for them
                    request BLOB PRIMARY KEY, stack BLOB NOT NULL
                ) STRICT, WITHOUT ROWID;
            ",
        },
        Upgrade {
            from: 6,
            sql: "
                CREATE TABLE lost (  -- requests whose answers never came, or not to their end
                    request BLOB PRIMARY KEY, stack BLOB NOT NULL, node BLOB NOT NULL
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX lost_by_lease ON lost (stack, node);
                CREATE TABLE suspects (  -- receipts that may be one of two for their request
                    stack BLOB NOT NULL, node BLOB NOT NULL, seq INTEGER NOT NULL, hash BLOB NOT NULL,
                    PRIMARY KEY (stack, node, seq, hash)
                ) STRICT, WITHOUT ROWID;
                INSERT INTO suspects SELECT stack, node, seq, hash FROM receipts AS one
                    WHERE fault IS NOT NULL OR EXISTS (
                        SELECT 1 FROM receipts AS other WHERE other.request = one.request
                        AND other.stack = one.stack AND other.node = one.node AND other.hash <> one.hash
                    );
            ",
        },
        Upgrade {
            from: 7,
            sql: "
                CREATE TABLE unclear (  -- requests whose receipts nobody waits for: what they may cost at most
                    request BLOB PRIMARY KEY, stack BLOB NOT NULL, node BLOB NOT NULL, units INTEGER NOT NULL
                ) STRICT, WITHOUT ROWID;
                CREATE INDEX unclear_by_lease ON unclear (stack, node);
            ",
        },
        Upgrade {
            from: 8,
            sql: "ALTER TABLE lanes ADD COLUMN granted INTEGER NOT NULL DEFAULT 0",
        },
        Upgrade {
            from: 9,
            sql: "
                ALTER TABLE lanes ADD COLUMN excused INTEGER NOT NULL DEFAULT 0;
                UPDATE lanes SET excused = bound;
            ",
        },
    ],
    unmarked: &[],
    durability: Durability::Full,
};

/// The folder of a network under the client's data folder.
pub(super) fn folder_of(root: &Path, network: NetworkId) -> PathBuf {
    root.join(network.to_string())
}
