//! Counts what became of the beginnings of prompts.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::choice::Outcome;
use crate::PrefixLoad;

/// How many prompts were new to all servers, stayed with the one that knew them, or moved, since the start.
#[derive(Debug, Default)]
pub(super) struct PrefixCounts {
    new: AtomicU64,
    kept: AtomicU64,
    moved: AtomicU64,
}

impl PrefixCounts {
    pub(super) fn count(&self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::New => &self.new,
            Outcome::Kept => &self.kept,
            Outcome::Moved => &self.moved,
        };
        counter.fetch_add(1, Relaxed);
    }

    pub(super) fn load(&self) -> PrefixLoad {
        PrefixLoad {
            new: self.new.load(Relaxed),
            kept: self.kept.load(Relaxed),
            moved: self.moved.load(Relaxed),
        }
    }
}
