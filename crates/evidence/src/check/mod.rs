//! Is a request's evidence good? Everything about it, checked without trusting gateway, node,
//! publisher or aggregator.
//!
//! ```text
//! Given ── gather ──> Gathered ── check ──> Report: passed, failed or skipped, and what it rests on
//!             │
//!             ├── Ledger        keys, weights, settlement: the one thing that is believed
//!             ├── WalrusClient  the pack's bytes, held against the blob's id
//!             ├── the node      its proof: paths and places, each of which is checked
//!             └── Receipts      what this machine keeps
//! ```
//!
//! [`check`] is pure: the same [`Gathered`] gives the same [`Report`]. What couldn't be gathered
//! carries the reason with it ([`Gap`]), and the checks that need it are skipped with that reason.
//! A thing that is there and broken fails the one check that it belongs to.

mod certified;
mod computed;
mod gathered;
mod report;
mod settled;
mod signed;
mod stored;

pub use gathered::{
    CertifiedObject, Gap, Gathered, Item, Neighbour, PackBytes, PackPlace, Second, Settlement, need,
};
pub use report::{Check, CheckKind, Outcome, Report, Rerun, Subject, Verdict};

/// Makes every check; that of the computation only where it was repeated, that of a second record only where there
/// is one.
#[must_use]
pub fn check(gathered: &Gathered) -> Report {
    let outcome = |kind: &CheckKind| {
        let made = match kind {
            CheckKind::Header => signed::header(gathered),
            CheckKind::Receipt => signed::receipt(gathered),
            CheckKind::Parties => signed::parties(gathered),
            CheckKind::Request => signed::request(gathered),
            CheckKind::Body => signed::body(gathered),
            CheckKind::Answer => signed::answer(gathered),
            CheckKind::Engine => signed::engine(gathered),
            CheckKind::Units => signed::units(gathered),
            CheckKind::Place => signed::place(gathered),
            CheckKind::Neighbours => signed::neighbours(gathered),
            CheckKind::Second => signed::second(gathered),
            CheckKind::Record => stored::record(gathered),
            CheckKind::Pack => stored::pack(gathered),
            CheckKind::Blob => stored::blob(gathered),
            CheckKind::Certified => certified::certified(gathered),
            CheckKind::Settled => settled::settled(gathered),
            CheckKind::Claim => settled::claim(gathered),
            CheckKind::Computation => computed::computation(gathered),
        };
        Check {
            kind: *kind,
            outcome: made.into(),
        }
    };
    Report {
        subject: Subject::of(gathered),
        checks: CheckKind::ALL
            .iter()
            .filter(|kind| match kind {
                CheckKind::Computation => gathered.recomputed.is_some(),
                CheckKind::Second => gathered.second.is_some(),
                _ => true,
            })
            .map(outcome)
            .collect(),
        rerun: Rerun::of(gathered),
    }
}

#[cfg(test)]
mod check_test;
