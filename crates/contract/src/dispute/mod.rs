//! Disputes about a lease. Each ends by a deadline or at once, and silence loses.
//!
//! ```text
//! settle ──> ticket ── missing_response (owner, bond) ──> open dispute ── answer ──> bond to the node
//!                                                               └─ resolve (late) ──┐
//! two receipts that contradict each other ── equivocation ──────────────────────────┤
//! a receipt above tariff, request or claim ─ over_claim ────────────────────────────┼──> conviction
//! a settled record that is none ──────────── forged_request ────────────────────────┘
//! ```
//!
//! What makes a node owe an answer is its own settlement: it claims money for `count` records under
//! one root, so it must be able to show each of them. Nothing that a user signs alone can make it
//! owe anything.

mod demand;
mod proof;
mod record;
mod verdict;

pub(crate) use demand::{answer, missing_response, resolve};
pub(crate) use proof::{equivocation, forged_request, over_claim};
