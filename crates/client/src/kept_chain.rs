//! What is known of a lease's chain when a program starts: what was kept of it, and what the ledger says.

use crate::ClientError;
use atoma_evidence::{chain::Chain, receipt::ReceiptError};
use atoma_types::{
    chain::Lease,
    message::{Receipt, Signed},
};

/// The number up to which a lease's receipts are claimed or paid.
pub(crate) fn claimed_to(lease: &Lease) -> u64 {
    let tickets = lease.tickets.iter().map(|ticket| ticket.to_seq);
    tickets.fold(lease.paid_seq, u64::max)
}

/// Puts kept receipts back, in their order. One that has turned out to be false meanwhile is left out.
pub(crate) fn restore(
    chain: &mut Chain,
    receipts: Vec<Signed<Receipt>>,
) -> Result<(), ClientError> {
    for receipt in receipts {
        match chain.add(&receipt) {
            Ok(_) => {}
            Err(
                error @ (ReceiptError::History { .. }
                | ReceiptError::Twice { .. }
                | ReceiptError::Equivocation { .. }),
            ) => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "a kept receipt does not fit those before it"
                );
            }
            Err(error) => return Err(ClientError::Damaged(error)),
        }
    }
    Ok(())
}
