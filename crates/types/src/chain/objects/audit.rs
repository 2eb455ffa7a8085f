//! Examinations, juries and challenges of tickets.

use crate::{Address, ComputeUnits, MicroUsdc, NodeId, StackId, TimestampMs, hash::Hash32};
use serde::{Deserialize, Serialize};

const COMMITMENT: &[u8] = b"atoma/verdict/v1";

/// What a juror found: equal for all honest ones. BCS: a byte and 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// 0: the record is what it says. Anything else is a kind of bad.
    pub kind: u8,
    /// Digest of what is there instead, in a form that is the same for everyone; zero if it is ok.
    pub digest: Hash32,
}

impl Verdict {
    /// Nothing is wrong.
    pub const OK: Self = Self {
        kind: 0,
        digest: Hash32::ZERO,
    };

    /// Whether it accuses the node.
    #[must_use]
    pub fn is_bad(&self) -> bool {
        self.kind != 0
    }

    /// What a juror of a ticket's jury commits to. Its id is under the hash, so that a copied commitment can't be revealed by who copied
    /// it; it isn't in the verdict, which is the same for all honest jurors.
    ///
    /// `BLAKE2b-256("atoma/verdict/v1" ‖ stack ‖ node ‖ u64 le to_seq ‖ challenge ‖ juror ‖ kind ‖ digest ‖ salt)`
    #[must_use]
    pub fn commitment(
        &self,
        (stack, node, to_seq, challenge): (StackId, NodeId, u64, bool),
        juror: NodeId,
        salt: &Hash32,
    ) -> Hash32 {
        Hash32::of_parts(&[
            COMMITMENT,
            stack.0.as_bytes(),
            node.0.as_bytes(),
            &to_seq.to_le_bytes(),
            &[u8::from(challenge)],
            juror.0.as_bytes(),
            &[self.kind],
            &self.digest.0,
            &salt.0,
        ])
    }
}

/// An attester that was drawn. Its owner stands here so that acting for it needs no further object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Auditor {
    /// Id of the node's object.
    pub node: NodeId,
    /// The node's owner.
    pub owner: Address,
}

/// How far an examination is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum HitStage {
    /// The node must show the record to the examiner.
    Disclosing,
    /// The examiner works.
    Examining,
    /// It found the record bad; a jury decides.
    Accused,
    /// It found nothing wrong.
    Passed,
    /// The jury did not find the node guilty.
    Cleared,
}

/// A ticket that is examined.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// The unit whose record is examined.
    pub unit: ComputeUnits,
    /// The attester that was drawn last.
    pub examiner: Auditor,
    /// Who was drawn before it and was silent.
    pub silent: Option<Auditor>,
    /// The record's `seq`, once it was disclosed.
    pub seq: u64,
    /// The last moment of the stage.
    pub deadline_ms: TimestampMs,
    /// How far it is.
    pub stage: HitStage,
}

/// The examination of a ticket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exam {
    /// Its task doesn't sample.
    None,
    /// Nobody has drawn yet.
    Undrawn,
    /// Hit or miss follows from the seed, and the unit.
    Drawn {
        /// The beacon's bytes.
        seed: Hash32,
    },
    /// It was hit and an examiner drawn.
    Hit(Hit),
    /// It was hit, and nobody was there to examine it.
    Unexamined,
}

/// One of a jury.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Juror {
    /// Who it is.
    pub auditor: Auditor,
    /// Hash of its verdict.
    pub commitment: Option<Hash32>,
    /// What it found, once it has revealed that.
    pub verdict: Option<Verdict>,
}

/// A jury at work. It is gone once it has decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Jury {
    /// The unit whose record it looks at.
    pub unit: ComputeUnits,
    /// The record's `seq`; zero until the node has disclosed it.
    pub seq: u64,
    /// Its members, in the order in which they were drawn.
    pub jurors: Vec<Juror>,
    /// The last moment to disclose; then, to commit.
    pub deadline_ms: TimestampMs,
    /// The last moment to reveal.
    pub reveal_ms: TimestampMs,
}

/// An owner's accusation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Challenge {
    /// What is staked on it; zero once it is over.
    pub bond: MicroUsdc,
    /// The unit, where the owner may choose it; else it is drawn with the jury.
    pub unit: Option<ComputeUnits>,
    /// The jury, once it is drawn.
    pub jury: Option<Jury>,
    /// Whether it is over without a conviction.
    pub over: bool,
}
