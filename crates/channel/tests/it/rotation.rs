//! Keys come and go while requests are under way.

use crate::support::sealed;
use atoma_channel::{
    Fault, KeyRing, RequestTerms, SealedRequest, VerifiedKeyset, limits,
    limits::{KEY_LIFETIME, KEY_OVERLAP, MAX_SKEW},
    seal_request,
    testing::{NETWORK, NOW, TestNode, terms},
};
use atoma_runtime::SeededRandom;
use atoma_types::{DurationMs, TimestampMs, message::MAX_REQUEST_LIFETIME};

fn at(moment: TimestampMs) -> RequestTerms {
    RequestTerms {
        issued_at: moment,
        expires_at: moment.saturating_add(MAX_REQUEST_LIFETIME),
        ..terms()
    }
}

/// A node's keyset from a moment on, whose key follows from a number.
fn keyset_from(number: u8, from: TimestampMs) -> TestNode {
    let mut node = TestNode::new(number);
    node.keyset.node = TestNode::new(1).keyset.node;
    node.keyset.not_before = from;
    node.keyset.not_after = from.saturating_add(KEY_LIFETIME);
    node
}

fn open(ring: &KeyRing, request: &[u8], now: TimestampMs) -> Result<(), Fault> {
    let request = SealedRequest::read(request).unwrap();
    ring.open(&request, now).map(|_| ())
}

fn before(moment: TimestampMs, length: u64) -> TimestampMs {
    TimestampMs(moment.0 - length)
}

#[test]
fn no_request_that_a_client_was_right_to_seal_is_refused() {
    let mut from = NOW;
    let mut sealed_to: Vec<(TimestampMs, Vec<u8>)> = Vec::new();
    for number in 1..=5 {
        let node = keyset_from(number, from);
        let end = node.keyset.not_after;
        assert_eq!(node.ring().next_due(), Some(before(end, KEY_OVERLAP.0)));
        for moment in [from, before(end, KEY_OVERLAP.0), before(end, 1)] {
            sealed_to.push((moment, sealed(&at(moment), &[&node], b"hi").0));
        }
        // the next keyset is there when it is due; what was sealed so far comes as late as it may
        from = before(end, KEY_OVERLAP.0);
    }
    sealed_to.sort_by_key(|(moment, _)| *moment);
    let mut ring = KeyRing::new(NETWORK, TestNode::new(1).id());
    let mut from = NOW;
    let mut added = 0;
    for (moment, request) in sealed_to {
        let last = moment.saturating_add(MAX_REQUEST_LIFETIME);
        while added < 5 && from <= last {
            added += 1;
            ring.retire(from);
            let node = keyset_from(added, from);
            ring.add(&node.keyset, node.secrets()).unwrap();
            from = before(node.keyset.not_after, KEY_OVERLAP.0);
        }
        ring.retire(last);
        assert_eq!(open(&ring, &request, moment), Ok(()), "{moment}");
        assert_eq!(open(&ring, &request, last), Ok(()), "{moment}");
    }
}

#[test]
fn superseded_keyset_is_not_listed() {
    let old = keyset_from(1, NOW);
    let end = old.keyset.not_after;
    let verified = old.verified();
    assert_eq!(verified.valid_until(), end);
    let seal = |moment| {
        let sealed = seal_request(
            &at(moment),
            std::slice::from_ref(&verified),
            b"hi",
            &SeededRandom::new(1),
        );
        sealed.map(|_| ()).unwrap_err()
    };
    assert_eq!(seal(end), Fault::KeysetEnded);
    assert_eq!(seal(before(NOW, 1)), Fault::KeysetEarly);
}

#[test]
fn evidence_that_ends_sooner_ends_the_keyset_for_the_client() {
    let node = TestNode::new(1);
    let mut verdict = node.verdict();
    verdict.valid_until = TimestampMs(NOW.0 + 1);
    let verified = VerifiedKeyset::new(&node.keyset, &verdict).unwrap();
    let seal = |moment| {
        let sealed = seal_request(
            &at(moment),
            std::slice::from_ref(&verified),
            b"hi",
            &SeededRandom::new(1),
        );
        sealed.map(|_| ())
    };
    assert_eq!(seal(NOW).err(), None);
    assert_eq!(seal(TimestampMs(NOW.0 + 1)).err(), Some(Fault::KeysetEnded));
}

#[test]
fn a_stale_key_opens_nothing() {
    let node = keyset_from(1, NOW);
    let end = node.keyset.not_after;
    let request = sealed(&at(before(end, 1)), &[&node], b"hi").0;
    let mut ring = node.ring();
    let last = end.saturating_add(MAX_REQUEST_LIFETIME);
    let last = last.saturating_add(MAX_SKEW);
    assert_eq!(open(&ring, &request, last), Ok(()));
    let late = last.saturating_add(DurationMs(1));
    assert_eq!(open(&ring, &request, late), Err(Fault::KeyEnded));
    ring.retire(last);
    assert_eq!(open(&ring, &request, last), Ok(()));
    ring.retire(late);
    assert_eq!(open(&ring, &request, last), Err(Fault::KeyUnknown));
    assert_eq!(ring.next_due(), None);
}

#[test]
fn a_request_of_another_time_than_its_keys_is_refused() {
    let node = keyset_from(1, NOW);
    // a client whose policy or clock is wrong seals all the same
    let mut careless = node.clone();
    careless.keyset.not_before = TimestampMs(0);
    careless.keyset.not_after = TimestampMs(u64::MAX);
    let seal = |moment: TimestampMs| {
        let mut request = sealed(&at(moment), &[&careless], b"hi").0;
        let digest = 20 + 123 + 32;
        request[digest..digest + 32].copy_from_slice(&node.keyset.digest().0);
        request
    };
    let ring = node.ring();
    let early = seal(before(NOW, 1));
    assert_eq!(open(&ring, &early, NOW), Err(Fault::KeyEarly));
    let late = seal(node.keyset.not_after);
    assert_eq!(
        open(&ring, &late, node.keyset.not_after),
        Err(Fault::KeyEnded)
    );
}

#[test]
fn a_ring_is_one_nodes_and_bounded() {
    let node = TestNode::new(1);
    let mut ring = KeyRing::new(NETWORK, node.id());
    let other = TestNode::new(2);
    assert_eq!(
        ring.add(&other.keyset, other.secrets()),
        Err(Fault::Recipient)
    );
    let mut elsewhere = node.clone();
    elsewhere.keyset.network.0[0] ^= 1;
    assert_eq!(
        ring.add(&elsewhere.keyset, node.secrets()),
        Err(Fault::Network)
    );
    assert_eq!(
        ring.add(&node.keyset, other.secrets()),
        Err(Fault::KeyMismatch)
    );
    assert_eq!(ring.add(&node.keyset, Vec::new()), Err(Fault::KeyMismatch));
    for _ in 0..limits::MAX_KEYSETS {
        ring.add(&node.keyset, node.secrets()).unwrap();
    }
    assert_eq!(ring.add(&node.keyset, node.secrets()), Err(Fault::RingFull));
    assert_eq!(format!("{:?}", node.secrets()), "[SealingSecret { .. }]");
    assert!(format!("{ring:?}").contains("(1, SealingSecret { .. })"));
}
