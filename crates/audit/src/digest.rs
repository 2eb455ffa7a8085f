//! The verdict as it stands on the ledger.

use crate::{Examined, Finding, Work};
use atoma_types::{NodeId, StackId, chain::Verdict, hash::Hash32};

const DOMAIN: &[u8] = b"atoma/finding/v1";

/// Which jury is to be told: nothing said to one is of use to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ballot {
    /// The stack that the ticket is of.
    pub stack: StackId,
    /// The node that is judged.
    pub node: NodeId,
    /// The ticket, by the `seq` of its last record.
    pub ticket: u64,
    /// The challenge's jury, or the examination's.
    pub challenge: bool,
}

/// The byte and the 32 bytes that a juror commits to and reveals, equal for all who have looked.
///
/// ```text
/// digest  BLAKE2b-256("atoma/finding/v1" | stack | node | u64 le ticket | challenge u8 | code u8
///                     | receipt's hash | salt of the answer | what was computed, or zeros)
/// ```
///
/// What was computed is the engine's fingerprint of the answer that it gives, a digest of every row of logits:
/// only who has run the model over this very request knows it, and the receipt has it only salted and as the
/// node would have it. Nothing wrong, and what isn't shown, have a digest of zeros: the ledger asks it of the
/// one, and those who can't read know no more of the other.
#[must_use]
pub fn verdict(ballot: &Ballot, work: &Work, examined: &Examined) -> Verdict {
    let kind = examined.finding.code();
    let digest = match (examined.finding, &work.bodies) {
        (Finding::Guilty(_), Some([_, answer])) => Hash32::of_parts(&[
            DOMAIN,
            ballot.stack.0.as_bytes(),
            ballot.node.0.as_bytes(),
            &ballot.ticket.to_le_bytes(),
            &[u8::from(ballot.challenge), kind],
            &work.exchange.receipt().hash().0,
            answer.salt.reveal(),
            &examined.computed.unwrap_or(Hash32::ZERO).0,
        ]),
        _ => Hash32::ZERO,
    };
    Verdict { kind, digest }
}
