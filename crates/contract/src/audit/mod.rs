//! Examinations of answers by attesters, juries over them, and challenges.
//!
//! ```text
//! settle ── draw (32 bytes) ──> miss ──> payable
//!                          └──> hit ── examine ──> disclose ── verdict ──> ok ──> payable
//!                                        ^            │ late      │ bad
//!                                        └─ silent    v           v
//!                                         conviction <── guilty ── jury ──> payable
//! challenge (owner or watcher, bond) ─────────────────────────────^
//! ```
//!
//! Whoever is drawn acts through the stack alone; ends load the task, where attesters' deposits lie.

mod challenge;
mod commit;
mod decide;
mod disclose;
mod draw_jury;
mod end;
mod exam;
mod seed;

pub(crate) use challenge::challenge;
pub(crate) use commit::{commit, reveal};
pub(crate) use decide::decide;
pub(crate) use disclose::{disclose, disclose_jury, undisclosed};
pub(crate) use draw_jury::jury;
pub(crate) use end::{end, is_exam_over};
pub(crate) use exam::{draw, examine, verdict};
pub use seed::unit_of;

use crate::Rule;
use atoma_types::chain::{AbortCode, Jury, SamplingTerms, Stack, Ticket};

/// The terms of a stack's examinations.
fn terms(stack: &Stack) -> Rule<&SamplingTerms> {
    stack.terms.sampling.as_ref().ok_or(AbortCode::NotSampling)
}

/// The jury that sits: of the challenge, or of the examination.
fn sitting(ticket: &Ticket, challenge: bool) -> Rule<&Jury> {
    let jury = if challenge {
        ticket
            .challenge
            .as_ref()
            .and_then(|challenge| challenge.jury.as_ref())
    } else {
        ticket.exam_jury.as_ref()
    };
    jury.ok_or(AbortCode::NoJury)
}

/// The same, to be changed.
fn sitting_mut(ticket: &mut Ticket, challenge: bool) -> Rule<&mut Jury> {
    let jury = if challenge {
        ticket
            .challenge
            .as_mut()
            .and_then(|challenge| challenge.jury.as_mut())
    } else {
        ticket.exam_jury.as_mut()
    };
    jury.ok_or(AbortCode::NoJury)
}
