//! A sealed answer on its way to somebody else: its frames are counted, its receipt is checked, nothing is read. What it
//! is for whoever pays shows in clear: with its receipt it is paid, a refusal is free, and whatever else ends is an
//! answer without a receipt.

use atoma_channel::{AnswerSplitter, Fault, SealedPart};
use atoma_types::hash::{Hash32, Hasher};
use base64::{Engine as _, prelude::BASE64_STANDARD};

/// Follows one answer.
pub(crate) struct PassedAnswer {
    splitter: AnswerSplitter,
    begun: bool,
    outcome: PassedOutcome,
}

/// What became of it, as far as somebody without a key can tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PassedOutcome {
    /// No receipt has come.
    Bare,
    /// It is marked as a refusal, of which its reader takes nothing but an error.
    Refused,
    /// Its receipt has come.
    Receipted,
}

/// What some bytes hold.
#[derive(Default)]
pub(crate) struct Fed {
    pub(crate) frames: usize,
    /// The receipt's text, and what it must commit to.
    pub(crate) receipt: Option<(String, Hash32)>,
}

impl PassedAnswer {
    /// Hashes what the receipt must commit to.
    pub(crate) fn committing(hasher: Hasher) -> Self {
        Self {
            splitter: AnswerSplitter::committing(hasher),
            begun: false,
            outcome: PassedOutcome::Bare,
        }
    }

    /// Whether a frame has come.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Takes in what has come.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Fed, Fault> {
        self.splitter.push(bytes);
        let mut fed = Fed::default();
        while let Some(part) = self.splitter.part()? {
            match part {
                SealedPart::Head => {}
                SealedPart::Frame { .. } => {
                    self.begun = true;
                    fed.frames += 1;
                }
                SealedPart::Refusal { .. } => {
                    self.begun = true;
                    self.outcome = PassedOutcome::Refused;
                    fed.frames += 1;
                }
                SealedPart::Receipt(receipt) => {
                    let covered = self.splitter.commitment().ok_or(Fault::Truncated)?;
                    self.outcome = PassedOutcome::Receipted;
                    fed.receipt = Some((BASE64_STANDARD.encode(receipt), covered));
                }
            }
        }
        Ok(fed)
    }

    /// What has become of it so far.
    pub(crate) fn outcome(&self) -> PassedOutcome {
        self.outcome
    }

    /// Nothing more comes.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        self.splitter.finish()
    }
}
