//! Inputs of a transaction, looked up.

use std::sync::Arc;
use sui_sdk_types::{Object, TypeTag};

/// An input as execution sees it.
#[derive(Clone, Debug)]
pub(crate) enum Resolved {
    /// A value that is given as plain bytes.
    Pure(Vec<u8>),
    /// The sender's own.
    Owned(Arc<Object>),
    /// Nobody's; can only be read.
    Immutable(Arc<Object>),
    /// So much of the sender's balance.
    Withdrawal {
        /// The kind of money.
        coin_type: TypeTag,
        /// In its smallest unit.
        amount: u64,
    },
    /// An object that everybody may use.
    Shared {
        /// The object as it is now.
        object: Arc<Object>,
        /// Whether it may be changed.
        mutable: bool,
    },
}
