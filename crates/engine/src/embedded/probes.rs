//! One probe for all engines of a process that are alike.

use std::sync::{Arc, Weak};

use atoma_runtime::Threads;
use parking_lot::Mutex;
use tokio::sync::OnceCell;

use super::options::EmbeddedOptions;
use crate::probed::{ProbeFault, Probed};

/// What a probe came to, once it is over.
pub(super) type Outcome = OnceCell<Result<Option<Probed>, ProbeFault>>;

/// What makes engines alike: the revision of the weights as they were loaded, and the options.
type Alike = ([u8; 32], String);

static OUTCOMES: Mutex<Vec<(Alike, Weak<Outcome>)>> = Mutex::new(Vec::new());

/// What engines of these weights and options share, as long as one of them lives. One that works in line has its own:
/// what happens in a simulation must not depend on another one.
pub(super) fn outcome(revision: [u8; 32], options: &EmbeddedOptions) -> Arc<Outcome> {
    if matches!(options.worker, Threads::InLine) {
        return Arc::default();
    }
    let alike = (revision, format!("{options:?}"));
    let mut all = OUTCOMES.lock();
    all.retain(|(_, outcome)| outcome.strong_count() > 0);
    let known = all.iter().find(|(other, _)| *other == alike);
    if let Some(outcome) = known.and_then(|(_, outcome)| outcome.upgrade()) {
        return outcome;
    }
    let outcome = Arc::new(Outcome::new());
    all.push((alike, Arc::downgrade(&outcome)));
    outcome
}
