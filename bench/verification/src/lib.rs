//! A study of audits, with the code that attesters run: honest answers in all variations, of which none may be found
//! guilty; cheats of all kinds, and how many of each are found; what a look costs beside the answer; and what shows where
//! numbers are only close.
//!
//! `docs/verification.md` has its tables; the short form is a test.

mod cheats;
mod cost;
mod honest;
mod interval;
mod kinds;
mod model;
mod play;
mod report;
mod requests;
mod tolerant;
mod world;

pub use cheats::{Row, cheats};
pub use cost::{Cost, cost};
pub use honest::{Honest, Wanted, honest};
pub use interval::{interval, most_if_none};
pub use kinds::{Kind, Record, Seen};
pub use model::Model;
pub use report::Study;
pub use tolerant::{Class, Found, Tolerant, TolerantRow, Trials, tolerant};
