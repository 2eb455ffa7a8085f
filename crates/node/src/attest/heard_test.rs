//! What an attester makes of draws, keys and disclosures that it hears of, and of reads that are older.

use super::*;
use crate::attest::duty::MOST_KEYS;

fn has_key(node: NodeId, key: u8) -> LedgerEvent {
    heard(events::NodeKeysChanged {
        node,
        response_key: PublicKey([key; 32]),
        sealing_key: None,
    })
}

fn jury_drawn() -> LedgerEvent {
    heard(events::JuryDrawn {
        stack: stack().id,
        node: NODE,
        ticket: 1,
        challenge: false,
        unit: ComputeUnits(0),
        nodes: vec![OTHER, US],
        deadline_ms: UNTIL,
    })
}

#[test]
fn only_keys_that_were_an_attesters_between_the_draw_and_the_disclosure_are_good() {
    let keys = |keys: &[u8]| {
        keys.iter()
            .map(|key| PublicKey([*key; 32]))
            .collect::<Vec<_>>()
    };
    let mut played = Played::watching();
    for (node, key) in [(OTHER, 1), (US, 2), (OTHER, 3)] {
        played.hear(&has_key(node, key));
    }
    let drawn = vec![(OTHER, keys(&[3])), (US, keys(&[2]))];
    let note = Note::Drawn(duty(Seat::Juror), drawn);
    assert_eq!(played.hear(&jury_drawn()), [keep(note)]);
    let drawn = vec![(OTHER, keys(&[3, 4])), (US, keys(&[2]))];
    let changed = [
        keep(Note::Key(OTHER, PublicKey([4; 32]))),
        keep(Note::Drawn(duty(Seat::Juror), drawn.clone())),
    ];
    assert_eq!(played.hear(&has_key(OTHER, 4)), changed);
    let disclosure = Disclosure {
        transaction: Digest::new([4; 32]),
        record: vec![7],
        shown: vec![vec![3], vec![4]],
        drawn,
    };
    assert_eq!(disclosure.keys_of(OTHER), Some(&keys(&[3, 4])[..]));
    assert_eq!(disclosure.keys_of(NODE), None);
    let shown = Note::Shown(duty(Seat::Juror), disclosure);
    assert_eq!(played.hear(&shown_to_jury(false)), [keep(shown)]);
    // too late for what was shown
    let key = Note::Key(OTHER, PublicKey([5; 32]));
    assert_eq!(played.hear(&has_key(OTHER, 5)), [keep(key)]);
}

/// Each change would be kept with all before it, by every attester of the task, until none had memory for it.
#[test]
fn a_thousand_keys_of_one_juror_are_kept_as_few_and_it_has_no_say_about_its_wrap() {
    let mut played = Played::watching();
    played.hear(&jury_drawn());
    let mut kept = 0_usize;
    for key in (0..=249).cycle().take(1_000) {
        for command in played.hear(&has_key(OTHER, key)) {
            kept += match command {
                Command::Keep(Note::Drawn(_, drawn)) => drawn
                    .iter()
                    .map(|(_, keys)| 32 + 32 * keys.len())
                    .sum::<usize>(),
                _ => 64,
            };
        }
    }
    assert!(kept < 100_000, "{kept} bytes for 1,000 changes");
    let shown = played.hear(&shown_to_jury(false));
    let [Command::Keep(Note::Shown(_, disclosure))] = &shown[..] else {
        panic!("{shown:?}");
    };
    assert!(disclosure.keys_of(OTHER).unwrap().len() <= MOST_KEYS + 1);
    assert!(disclosure.had_too_many_keys(OTHER));
    assert!(!disclosure.had_too_many_keys(US));
}

#[test]
fn a_draw_or_a_disclosure_begins_the_watch_of_a_stack_that_was_forgotten() {
    for event in [jury_drawn(), shown_to_examiner(), shown_to_jury(true)] {
        let mut played = Played::new(Kept::default());
        let watched = keep(Note::Watched(stack().id));
        assert_eq!(played.hear(&event).first(), Some(&watched));
        assert_eq!(played.round(0), [Command::Look(stack().id)]);
    }
}

#[test]
fn a_read_without_tickets_is_believed_once_it_has_been_so_for_a_while() {
    let empty = examined(|_| {});
    let empty = Stack {
        leases: vec![lease(1_000, &[])],
        ..empty
    };
    let mut played = Played::watching();
    assert_eq!(played.look(&empty, 0), [], "an old read");
    assert_eq!(played.round(0), []);
    played.hear(&shown_to_examiner());
    assert_eq!(played.round(0), [Command::Look(empty.id)]);
    let disclosed = examined(|t| t.exam = hit(HitStage::Examining, US));
    assert!(is_judge(&played.look(&disclosed, 0)));
    assert_eq!(played.look(&empty, 0), []);
    played.at += OLD_READ;
    assert_eq!(played.round(0), [Command::Look(empty.id)]);
    let forgotten = [keep(Note::Forgotten(empty.id))];
    assert_eq!(played.look(&empty, 0), forgotten);
}

#[test]
fn after_events_were_missed_every_watched_stack_is_read() {
    let mut played = Played::watching();
    let disclosed = examined(|t| t.exam = hit(HitStage::Examining, OTHER));
    played.look(&disclosed, 0);
    assert_eq!(played.round(0), []);
    assert_eq!(played.attester.step(Event::Missed), []);
    assert_eq!(played.round(0), [Command::Look(disclosed.id)]);
}
