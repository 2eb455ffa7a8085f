//! What an attester makes of draws, keys and disclosures that it hears of, and of reads that are older.

use super::*;

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
