//! The packer without a log and without Walrus.

use super::*;
use atoma_types::{DurationMs, hash::Hash32};
use atoma_walrus::BlobId;

/// Packs wait 100 ms up to 1,000 bytes, and not at all from 5,000 on.
fn packer() -> Packer {
    Packer::new(ClosingPolicy {
        free: 1_000,
        good: 5_000,
        full: 5_000,
        while_free: DurationMs(100),
        patience: DurationMs(50),
        when_good: DurationMs(10),
    })
}

fn level(backlog: u64, flush_to: i64) -> Level {
    Level { backlog, flush_to }
}

fn first(first: Option<(i64, u64)>, level: Level) -> Event {
    Event::First {
        first: first.map(|(id, created)| (id, TimestampMs(created))),
        level,
        now: TimestampMs(1_000),
    }
}

#[test]
fn a_pack_is_made_when_its_first_record_is_old_the_log_full_or_someone_waits() {
    let mut packer = packer();
    let (find, build) = (Command::FindFirst { after: 0 }, Command::Build { after: 0 });
    assert_eq!(packer.step(Event::Look(level(0, 0))), []);
    assert_eq!(packer.step(Event::Look(level(10, 0))), [find]);
    let mut due = |at, backlog, flush_to| {
        !packer
            .step(first(Some((1, at)), level(backlog, flush_to)))
            .is_empty()
    };
    assert!(!due(901, 10, 0));
    assert!(due(900, 10, 0), "100 ms old");
    assert!(due(1_000, 5_000, 0), "full");
    assert!(due(1_000, 10, 1), "someone waits");
    assert_eq!(packer.step(first(Some((1, 0)), level(10, 0))), [build]);
    assert_eq!(packer.step(first(None, level(10, 0))), []);
}

#[test]
fn what_is_under_way_is_not_packed_again_and_four_go_at_once() {
    let mut packer = packer();
    let level = level(1_000, 0);
    let built = |last| Event::Built {
        last,
        raw: 200,
        size: 100,
        level,
    };
    for last in [5, 6, 7] {
        let find = Command::FindFirst { after: last };
        assert_eq!(packer.step(built(last)), [Command::Upload, find]);
    }
    assert_eq!(packer.step(built(8)), [Command::Upload], "four");
    assert_eq!(packer.step(Event::Look(level)), []);
    packer.step(Event::Uploaded { raw: 200 });
    let next = [Command::FindFirst { after: 8 }];
    assert_eq!(packer.step(Event::Look(level)), next);
    let rest = Level {
        backlog: 600,
        ..level
    };
    assert_eq!(packer.step(Event::Look(rest)), [], "all of it is under way");
}

#[test]
fn stored_packs_are_looked_after_when_an_epoch_ends_or_after_a_while() {
    let mut packer = packer();
    let begin = Instant::now();
    let mut look = |epoch_ended, seconds| {
        let at = begin + Duration::from_secs(seconds);
        !packer.step(Event::LookAfter { epoch_ended, at }).is_empty()
    };
    assert!(look(false, 0), "at the start");
    assert!(!look(false, 299));
    assert!(look(true, 299));
    assert!(!look(false, 598));
    assert!(look(false, 599));
}

#[test]
fn needed_packs_are_renewed_before_their_end_and_others_let_go() {
    let pack = PackRow {
        first: 1,
        last: 2,
        blob: BlobId([1; 32]),
        root: Hash32::ZERO,
        object: None,
        end_epoch: 10,
        released: false,
    };
    assert_eq!(fate(&pack, true, 8, 1), Fate::Keep);
    assert_eq!(fate(&pack, true, 9, 1), Fate::Renew);
    assert_eq!(fate(&pack, true, 11, 1), Fate::Renew, "better late");
    assert_eq!(fate(&pack, false, 8, 1), Fate::Release);
}
