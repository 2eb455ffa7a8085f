//! The tolerant rule: whether an answer is the model's, where numbers are close and not equal.
//!
//! Servers like vLLM compute in arithmetic of their own, so honest tokens may depart from what the model at hand would
//! choose. They depart seldom and by little, if the tokens are drawn by our own noise: it is a function of seed, position and
//! token, and leaves whoever draws no choice. So each token of an answer is held against the choice, and what is judged is
//! sums:
//!
//! ```text
//! token ids, decode specification ── engine.score ──► shortfall of each token   (engine: the choice with loose edges)
//! shortfalls, bounded each        ── Sums ──────────► of an answer, or of many
//! Sums, a class's honest tokens   ── Honest ────────► how rarely an honest node's would be so large
//! the same by two ways of looking ── judge ─────────► Ok, Unsure, Guilty
//! ```
//!
//! Every sum has a bound of its own, so tolerance can't be farmed: of many small departures the count is too large, of fewer
//! the sum, of few and gross ones their count. Each token adds no more than [`MOST`], so one stray number convicts nobody.
//!
//! What honest tokens are like is fitted from such tokens ([`Honest::fit`]): of a model, an arithmetic and a server. No lines
//! stand here: a study fits its own (`bench/verification --tolerant`), and a class that is sold will name those that hold.
//!
//! Only where our sampler drew can anything be found: see `docs/decisions/0014-sums-of-shortfalls.md`.

mod honest;
mod judge;
mod look;
mod sums;
mod tail;

pub use honest::{Chances, Honest};
pub use judge::{CHANCE, DOUBT, Departure, Verdict, judge};
pub use look::{Looked, Odd, look};
pub use sums::{MOST, OTHER, Seen, Sums};
pub use tail::Tail;
