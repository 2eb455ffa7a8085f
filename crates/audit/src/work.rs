//! What an auditor has of one answer.

use crate::Exchange;
use atoma_types::{
    EngineClass, UnitWeights,
    chain::Task,
    hash::Hash32,
    message::{CommitmentKind, Receipt, RequestHeader, Salt},
};
use bytes::Bytes;
use std::fmt;

/// One record, opened.
#[derive(Clone, Debug)]
pub struct Work {
    /// What the user and the node signed.
    pub exchange: Exchange,
    /// What the task promises.
    pub task: Promised,
    /// The bodies of request and answer. None where a body couldn't be had, or where the keys that the node
    /// wrapped for one of those who were drawn don't open it: whoever can read makes the others' wraps again and
    /// says the same as they.
    pub bodies: Option<[Body; 2]>,
}

/// What a task says of every answer on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promised {
    /// What the receipts of the task must say computed their answers.
    pub engine: EngineClass,
    /// The model's name, as requests give it; none where the task isn't known, and any will do.
    pub model: Option<String>,
    /// What things cost in units; none where the task isn't known, and nothing can be said of it.
    pub weights: Option<UnitWeights>,
}

/// A body as it was sent, and the salt under which it was committed to.
#[derive(Clone)]
pub struct Body {
    /// The salt that lies before it in the record.
    pub salt: Salt,
    /// The bytes as they were sent.
    pub bytes: Bytes,
}

impl Work {
    pub(crate) fn header(&self) -> &RequestHeader {
        self.exchange.header().message()
    }

    pub(crate) fn receipt(&self) -> &Receipt {
        self.exchange.receipt().message()
    }
}

impl Body {
    /// What header or receipt must say of it.
    pub(crate) fn commitment(&self, kind: CommitmentKind) -> Hash32 {
        self.salt.commit(kind, &self.bytes)
    }
}

impl From<&Task> for Promised {
    fn from(task: &Task) -> Self {
        Self {
            engine: task.engine,
            model: Some(task.model_name.clone()),
            weights: Some(task.weights),
        }
    }
}

impl fmt::Debug for Body {
    /// Without what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "body of {} bytes", self.bytes.len())
    }
}
