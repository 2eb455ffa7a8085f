//! Why a transaction failed that was executed.

use sui_rpc::proto::sui::rpc::v2::execution_error::ExecutionErrorKind;

/// Why a transaction failed that was executed: the ledger's description, or the kind where there is none.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", if description.is_empty() { kind.as_str_name() } else { description })]
pub struct ExecutionFailure {
    /// What kind of failure it is.
    pub kind: ExecutionErrorKind,
    /// In the ledger's words.
    pub description: String,
}
