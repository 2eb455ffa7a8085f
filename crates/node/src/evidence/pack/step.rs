//! When a pack is made and stored, and what becomes of stored ones. Pure: what is known comes in as
//! an event, what is to be done goes out as commands; [`super`] carries them out.

use crate::journal::PackRow;
use atoma_evidence::pack::ClosingPolicy;
use atoma_types::TimestampMs;
use std::time::Duration;
use tokio::time::Instant;

/// Packs on their way at once: on Mainnet each takes up to a minute, and a publisher takes eight.
const MAX_UPLOADS: usize = 4;
/// How often stored packs are looked at besides the ends of epochs: for those that nobody needs.
const RENEW_EVERY: Duration = Duration::from_secs(300);

/// The packer's memory.
#[derive(Debug)]
pub(crate) struct Packer {
    policy: ClosingPolicy,
    /// Everything up to this receipt is in packs, stored or on their way.
    packed_to: i64,
    /// Bytes of bodies in packs on their way.
    under_way: u64,
    /// How large packs were for their bodies, in thousandths.
    permille: u64,
    uploads: usize,
    /// When stored packs were last looked at.
    looked_after: Option<Instant>,
}

/// How full the log is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Level {
    /// Bytes of bodies that Walrus doesn't have yet.
    pub backlog: u64,
    /// Someone waits for everything up to this receipt.
    pub flush_to: i64,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Event {
    /// Time to look at the log.
    Look(Level),
    /// The first record that isn't in a pack, and when it came.
    First {
        first: Option<(i64, TimestampMs)>,
        level: Level,
        now: TimestampMs,
    },
    /// A pack is made of the records up to `last`, of `raw` bytes of bodies, and has `size` bytes.
    Built {
        last: i64,
        raw: u64,
        size: u64,
        level: Level,
    },
    /// Walrus has a pack of `raw` bytes of bodies.
    Uploaded { raw: u64 },
    /// Time to see after stored packs, at the latest if an epoch of Walrus has ended.
    LookAfter { epoch_ended: bool, at: Instant },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Find the first record after this one.
    FindFirst { after: i64 },
    /// Make a pack of the records after this one.
    Build { after: i64 },
    /// Store the pack that was built.
    Upload,
    /// See after stored packs.
    LookAfterPacks,
}

/// What becomes of a stored pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Keep,
    /// Pay for more epochs.
    Renew,
    /// Nobody needs it: its file can go, and Walrus may forget it.
    Release,
}

impl Packer {
    pub(crate) fn new(policy: ClosingPolicy) -> Self {
        Self {
            policy,
            packed_to: 0,
            under_way: 0,
            permille: 1_000,
            uploads: 0,
            looked_after: None,
        }
    }

    /// What is to be done now that `event` has happened.
    pub(crate) fn step(&mut self, event: Event) -> Vec<Command> {
        match event {
            Event::Look(level) => self.look(level),
            Event::First { first, level, now } => {
                let due = first.is_some_and(|(first, created)| {
                    level.flush_to >= first || self.is_due(level, created, now)
                });
                let after = self.packed_to;
                due.then_some(Command::Build { after })
                    .into_iter()
                    .collect()
            }
            Event::Built {
                last,
                raw,
                size,
                level,
            } => {
                self.permille = (size.saturating_mul(1_000) / raw.max(1)).clamp(1, 10_000);
                self.packed_to = last;
                self.under_way += raw;
                self.uploads += 1;
                let mut commands = vec![Command::Upload];
                commands.extend(self.look(level));
                commands
            }
            Event::Uploaded { raw } => {
                self.under_way = self.under_way.saturating_sub(raw);
                self.uploads -= 1;
                Vec::new()
            }
            Event::LookAfter { epoch_ended, at } => {
                let long_ago = self
                    .looked_after
                    .is_none_or(|looked| at.duration_since(looked) >= RENEW_EVERY);
                if !epoch_ended && !long_ago {
                    return Vec::new();
                }
                self.looked_after = Some(at);
                vec![Command::LookAfterPacks]
            }
        }
    }

    fn look(&self, level: Level) -> Vec<Command> {
        let nothing = self.waiting(level) == 0 && level.flush_to <= self.packed_to;
        if nothing || self.uploads >= MAX_UPLOADS {
            return Vec::new();
        }
        vec![Command::FindFirst {
            after: self.packed_to,
        }]
    }

    /// Bytes of bodies that are in no pack yet.
    fn waiting(&self, level: Level) -> u64 {
        level.backlog.saturating_sub(self.under_way)
    }

    fn is_due(&self, level: Level, created: TimestampMs, now: TimestampMs) -> bool {
        let size = self.waiting(level).saturating_mul(self.permille) / 1_000;
        self.policy.is_due(size, created, now)
    }
}

/// What becomes of a stored pack in Walrus's epoch `epoch`, if a lease that isn't over `needs` it;
/// it is renewed `early` epochs before its end.
pub(crate) fn fate(pack: &PackRow, needed: bool, epoch: u64, early: u32) -> Fate {
    if !needed {
        Fate::Release
    } else if u64::from(pack.end_epoch) <= epoch.saturating_add(u64::from(early)) {
        Fate::Renew
    } else {
        Fate::Keep
    }
}

#[cfg(test)]
#[path = "step_test.rs"]
mod tests;
