//! Disputes about a ticket. What makes a node owe an answer is its own settlement: it claims money for each
//! unit by one last receipt, so it must be able to show the record of each. Nothing that a user signs alone can
//! make it owe anything.
//!
//! ```text
//! demand (owner or watcher, F) ──> answer ──> F to the node
//!                                    └─ silence (late) ──┐
//! two receipts for one request ── equivocation ──────────┼──> conviction
//! examined, and not disclosed, or found guilty ──────────┘
//! ```

mod convict;
mod demand;
mod equivocation;
mod record;

pub(crate) use convict::{Case, Verdicts};
pub(crate) use demand::{answer, demand, ensure_eyes, silence};
pub(crate) use equivocation::equivocation;
pub(crate) use record::show;
