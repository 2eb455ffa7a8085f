//! What a stack's parties agreed on, copied when it is bought: no exit asks the database.

use crate::{DurationMs, MicroUsdc, hash::Hash32};
use serde::{Deserialize, Serialize};

/// The terms of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    /// The fine for a ticket is its value times this.
    pub fine_multiple: u64,
    /// The protocol's share, thousandths.
    pub fee_permille: u64,
    /// How long a ticket waits (D).
    pub dispute_window_ms: DurationMs,
    /// How long a node has to answer or disclose (A).
    pub answer_window_ms: DurationMs,
    /// How long after the expiry nodes may settle (G); at least A.
    pub settle_grace_ms: DurationMs,
    /// What a demand costs (F); the node's once it answers.
    pub demand_fee: MicroUsdc,
    /// How long a convicted node takes no new leases.
    pub jail_ms: DurationMs,
    /// How long a fine can be pardoned.
    pub slash_delay_ms: DurationMs,
    /// How it is examined, where its task samples.
    pub sampling: Option<SamplingTerms>,
}

/// The terms of examinations.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SamplingTerms {
    /// How many of a thousand tickets are examined.
    pub sample_permille: u64,
    /// What each ticket pays into the task's pool.
    pub due: MicroUsdc,
    /// What an examiner, or a juror, gets.
    pub attest_fee: MicroUsdc,
    /// How long an examiner has, a juror for its commitment, and for revealing it (X).
    pub verdict_window_ms: DurationMs,
    /// Jurors of a jury.
    pub jury_size: u64,
    /// Equal verdicts that decide.
    pub jury_quorum: u64,
    /// What an examiner stakes on an accusation, at least, and pays whom a jury contradicts.
    pub examiner_fine: MicroUsdc,
    /// What a juror pays on the losing side.
    pub juror_fine: MicroUsdc,
    /// The least bond of a challenge.
    pub challenge_bond: MicroUsdc,
    /// The least bond of a challenge, in thousandths of the ticket's value; and of what a jury gives back to an owner, the
    /// part for which a bond must have stood.
    pub challenge_bond_permille: u64,
}

/// Dues that the smallest ticket is worth: its fine must pay a jury.
const SMALLEST_TICKET_DUES: u64 = 4;

impl SamplingTerms {
    /// The value of the smallest ticket.
    #[must_use]
    pub fn smallest_ticket(&self) -> MicroUsdc {
        MicroUsdc(self.due.0.saturating_mul(SMALLEST_TICKET_DUES))
    }

    /// Whether a ticket with this seed is examined:
    /// `le64(BLAKE2b-256("atoma/hit/v1" ‖ seed)) mod 1000 < sample_permille`. The same for every value: were it
    /// more for larger tickets, small ones would be made.
    #[must_use]
    pub fn hits(&self, seed: &Hash32) -> bool {
        let digest = Hash32::of_parts(&[b"atoma/hit/v1", &seed.0]);
        let [a, b, c, d, e, f, g, h, ..] = digest.0;
        u64::from_le_bytes([a, b, c, d, e, f, g, h]) % 1_000 < self.sample_permille
    }

    /// What an owner gets back of a claim, at most, by a jury before which such a bond stood for the accusation: liars that
    /// are a third of the attesters' weight gain nothing by accusing an honest node.
    #[must_use]
    pub fn refund(&self, bond: MicroUsdc) -> MicroUsdc {
        bond.stood_for(self.challenge_bond_permille)
    }

    /// The least bond of a challenge to a ticket of this value.
    #[must_use]
    pub fn bond(&self, value: MicroUsdc) -> MicroUsdc {
        let share = value.permille(self.challenge_bond_permille);
        self.challenge_bond.max(share.unwrap_or(value))
    }
}

impl Terms {
    /// The value of the smallest ticket: some, and enough for an examination where there may be one.
    #[must_use]
    pub fn smallest_ticket(&self) -> MicroUsdc {
        let examined = self.sampling.as_ref().map(SamplingTerms::smallest_ticket);
        examined.unwrap_or_default().max(MicroUsdc(1))
    }

    /// What a ticket of this value costs its node if it is convicted; `None` past `u64::MAX`.
    #[must_use]
    pub fn fine(&self, value: MicroUsdc) -> Option<MicroUsdc> {
        value.0.checked_mul(self.fine_multiple).map(MicroUsdc)
    }
}
