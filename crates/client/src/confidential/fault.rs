//! Why a node isn't believed to be what nobody can look into.

use atoma_channel::Fault as SealFault;
use atoma_tee::Fault as TeeFault;

/// Why nothing is sealed to a node.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttestationFault {
    /// It isn't a bundle of evidence.
    #[error(transparent)]
    Bundle(#[from] TeeFault),
    /// The policy refuses it.
    #[error("the policy refuses its evidence: {}", codes.join(", "))]
    Policy {
        /// The stable codes of all reasons.
        codes: Vec<&'static str>,
    },
    /// The task's owner hasn't released what it runs, or has withdrawn it.
    #[error("the task lists no such release, or it is not good yet")]
    Release,
    /// What it runs may serve other models than the task's, by its own statement.
    #[error("its keys are for other models than the task's")]
    Models,
    /// Whoever signs its receipts isn't the guest.
    #[error("its receipts are signed by another key than the attested one")]
    ReceiptKey,
    /// There is no key that can be sealed to.
    #[error(transparent)]
    Keyset(#[from] SealFault),
}
