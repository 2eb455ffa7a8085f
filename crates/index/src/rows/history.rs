//! How far the read model is, the events as they came, and what is still to be read.

use crate::column::{table, text_enum};
use atoma_types::{NetworkId, ObjectId, TimestampMs};

text_enum! {
    /// A kind of object that is read because events don't tell all of it.
    ObjectName {
        /// The object of a node.
        Node = "node",
        /// The object of a task.
        Task = "task",
        /// The object of a stack.
        Stack = "stack",
        /// The object of the database, `AtomaDb`.
        Db = "db",
    }
}

table! {
    /// How far the read model is, and of which network. One row, with key 0.
    ProgressRow in "progress"
    key {
        /// Always 0, as there is one row.
        id: u64,
    }
    columns {
        /// The ledger's network id.
        network: NetworkId,
        /// The package as first published: another one has another history.
        package: ObjectId,
        /// The place in the ledger's stream of events after which reading goes on.
        cursor: Option<Vec<u8>>,
        /// Everything up to the end of this checkpoint is in it.
        covered: Option<u64>,
        /// The last checkpoint that is known to it.
        checkpoint: Option<u64>,
        /// That checkpoint's digest: a ledger with another one has another history.
        checkpoint_digest: Option<[u8; 32]>,
        /// When it was sealed.
        checkpoint_ms: TimestampMs,
        /// The history begins with this checkpoint; not 0 where the ledger had no more.
        since: u64,
        /// Events that were applied so far.
        events: u64,
        /// Events about objects from before the history's begin; what they change can't be told.
        gaps: u64,
    }
    index []
}

table! {
    /// An event as it came.
    EventRow in "events"
    key {
        /// Its place in the history, from 1.
        number: u64,
    }
    columns {
        /// Digest of the transaction that emitted it, 32 bytes.
        digest: [u8; 32],
        /// Its place in the transaction.
        place: u64,
        /// Number of the checkpoint that it is in.
        checkpoint: u64,
        /// When the checkpoint was sealed.
        at_ms: TimestampMs,
        /// Module of its type.
        module: String,
        /// Name of its type.
        name: String,
        /// Its fields as JSON.
        body: String,
    }
    index ["digest, place"]
}

table! {
    /// An object to be read, noted by the transaction that made it so: a crash forgets none.
    StaleRow in "stale"
    key {
        /// Id of the object on the ledger.
        id: ObjectId,
    }
    columns {
        /// Which kind of object it is, and so into which table it goes.
        kind: ObjectName,
    }
    index []
}
