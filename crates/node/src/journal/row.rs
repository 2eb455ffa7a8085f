//! Reading columns of the journal's rows.

use atoma_types::message::{Message, MessageSignature, Signed};
use rusqlite::{Row, types::Type};

/// A message in column `first` of a row, with its signature in the next.
pub(crate) fn signed<T: Message>(row: &Row<'_>, first: usize) -> rusqlite::Result<Signed<T>> {
    let damaged = |error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(first, Type::Blob, error)
    };
    let signature: Vec<u8> = row.get(first + 1)?;
    let signature =
        MessageSignature::try_from(signature.as_slice()).map_err(|e| damaged(Box::new(e)))?;
    Signed::decode(row.get(first)?, signature).map_err(|e| damaged(Box::new(e)))
}
