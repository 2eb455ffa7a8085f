//! Answers of a ledger that don't say what every such answer says.

use atoma_types::chain::EventError;
use std::{error::Error, str::FromStr};
use sui_sdk_types::StructTag;

/// Why an answer can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MalformedAnswer {
    /// What should be in it isn't.
    #[error("it has no {0}")]
    Missing(&'static str),
    /// A publication didn't make an object that each makes.
    #[error("publishing made no {0}")]
    NotMade(Box<StructTag>),
    /// Text that should be an id, a digest or a type.
    #[error("its {what} is `{text}`")]
    Text {
        /// Which part of the answer.
        what: &'static str,
        /// As it came.
        text: String,
        /// Why it can't be one.
        source: Box<dyn Error + Send + Sync>,
    },
    /// An object whose bytes aren't of its type.
    #[error("the bytes of object {id} are not of its type")]
    Object {
        /// The object's id, as the ledger gave it.
        id: String,
        /// Where reading ended.
        source: bcs::Error,
    },
    /// An entry of a table that names no object.
    #[error("an entry of the table names no object")]
    TableEntry(#[source] bcs::Error),
    /// Bytes that are no transaction.
    #[error("its transaction cannot be read")]
    Transaction(#[source] bcs::Error),
    /// An event whose bytes aren't of its type.
    #[error(transparent)]
    Event(#[from] EventError),
    /// Events end only where the connection does.
    #[error("the stream of events ended")]
    EventsEnded,
}

/// A part of an answer that is text.
pub(crate) fn parse<T>(what: &'static str, text: &str) -> Result<T, MalformedAnswer>
where
    T: FromStr<Err: Error + Send + Sync + 'static>,
{
    text.parse().map_err(|error: T::Err| MalformedAnswer::Text {
        what,
        text: text.to_owned(),
        source: error.into(),
    })
}
