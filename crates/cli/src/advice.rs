//! What to do about an error, where its cause tells.

use atoma_client::ClientError;
use atoma_ledger::LedgerError;
use atoma_types::chain::AbortCode;

/// A sentence for the user, from the first cause that has one.
pub(crate) fn advice(error: &anyhow::Error) -> Option<String> {
    error.chain().find_map(|cause| {
        let of_client = cause.downcast_ref().and_then(of_client);
        of_client.or_else(|| cause.downcast_ref().and_then(of_ledger))
    })
}

fn of_client(error: &ClientError) -> Option<String> {
    match error {
        ClientError::Ledger(error) => of_ledger(error),
        _ => None,
    }
}

fn of_ledger(error: &LedgerError) -> Option<String> {
    match error {
        LedgerError::Abort { code, .. } => {
            AbortCode::from_code(*code).map(|code| code.help().to_owned())
        }
        _ => None,
    }
}
