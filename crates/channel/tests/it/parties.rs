//! Requests that go to somebody else than the client meant.

use crate::support::{QUESTION, sealed, sealed_to};
use atoma_channel::{
    Fault, KeyRing, SealedRequest, VerifiedKeyset, seal_request,
    testing::{NETWORK, NOW, TestNode, terms},
};
use atoma_runtime::SeededRandom;
use atoma_tee::Tier;
use atoma_types::{
    Address, NetworkId, TaskId, TimestampMs,
    message::{Endpoint, RequestHeader, sample},
};

fn refused(node: &TestNode, sealed: &[u8]) -> Fault {
    node.open(sealed).map(|_| ()).unwrap_err()
}

#[test]
fn relay_to_another_genuine_enclave_cannot_open() {
    // both are genuine and run the same release; the relay sends on what was sealed to the first
    let (meant, relayed) = (TestNode::new(1), TestNode::new(2));
    let (request, _) = sealed_to(&[&meant]);
    assert_eq!(refused(&relayed, &request), Fault::Recipient);
    // it says that the request is for the second
    let mut renamed = request;
    let node = 20 + 123;
    renamed[node..node + 32].copy_from_slice(relayed.id().0.as_bytes());
    assert_eq!(refused(&relayed, &renamed), Fault::KeyUnknown);
    let keyset = relayed.keyset.digest();
    renamed[node + 32..node + 64].copy_from_slice(&keyset.0);
    assert_eq!(refused(&relayed, &renamed), Fault::WrappedKey);
}

#[test]
fn a_request_for_another_network_is_refused() {
    let node = TestNode::new(1);
    let mut elsewhere = TestNode::new(1);
    elsewhere.keyset.network = NetworkId([9; 32]);
    let mut asked = terms();
    let verified = [elsewhere.verified()];
    let random = SeededRandom::new(1);
    let wrong = seal_request(&asked, &verified, QUESTION, &random);
    assert_eq!(wrong.map(|_| ()).unwrap_err(), Fault::Network);
    asked.network = NetworkId([9; 32]);
    let (request, _) = sealed(&asked, &[&elsewhere], QUESTION);
    assert_eq!(refused(&node, &request), Fault::Network);
    // somebody writes this network into it
    let mut renamed = request;
    renamed[20..52].copy_from_slice(&NETWORK.0);
    assert_eq!(refused(&node, &renamed), Fault::KeyUnknown);
}

#[test]
fn a_key_opens_nothing_that_was_sealed_in_another_of_its_lives() {
    // the same secret in a keyset of another release: as if a guest's key had been carried into a worse guest
    let node = TestNode::new(1);
    let mut other = node.clone();
    other.keyset.release.0[0] ^= 1;
    let (request, _) = sealed_to(&[&node]);
    let mut renamed = request;
    let keyset = 20 + 123 + 32;
    renamed[keyset..keyset + 32].copy_from_slice(&other.keyset.digest().0);
    assert_eq!(refused(&other, &renamed), Fault::WrappedKey);
}

#[test]
fn a_substituted_key_is_no_recipient() {
    let random = SeededRandom::new(1);
    let (genuine, own) = (TestNode::new(1), TestNode::new(9));
    // a gateway puts a key of its own into the keyset that the client verified
    let mut substituted = genuine.keyset.clone();
    substituted.sealing_keys = own.keyset.sealing_keys.clone();
    let taken = VerifiedKeyset::new(&substituted, &genuine.verdict());
    assert_eq!(taken.map(|_| ()), Err(Fault::KeysetRefused));
    // or hands over its own keyset with the genuine one's verdict
    let taken = VerifiedKeyset::new(&own.keyset, &genuine.verdict());
    assert_eq!(taken.map(|_| ()), Err(Fault::KeysetRefused));
    // or seals anew what it can't read: the node opens that, and its answer isn't one to the client's request
    let (_, opener) = sealed_to(&[&genuine]);
    let anew = seal_request(&terms(), &[genuine.verified()], b"another", &random);
    let (_, mut sealer) = crate::support::opened(&genuine, &anew.unwrap().0);
    let mut answer = Vec::new();
    sealer.finish(b"to the gateway", &mut answer).unwrap();
    assert_eq!(
        crate::support::read(opener, &answer),
        Err(Fault::AnswerRequest)
    );
}

#[test]
fn a_swapped_wrapped_key_is_refused() {
    let (near, far) = (TestNode::new(1), TestNode::new(2));
    let (mut request, _) = sealed_to(&[&near, &far]);
    let wraps = 20 + 123 + 2 * 1_188;
    let (head, frames) = request.split_at_mut(wraps + 48);
    head[wraps..].swap_with_slice(&mut frames[..48]);
    assert_eq!(refused(&near, &request), Fault::WrappedKey);
    assert_eq!(refused(&far, &request), Fault::WrappedKey);
}

#[test]
fn a_policy_that_refuses_seals_to_nobody() {
    let node = TestNode::new(1);
    let mut verdict = node.verdict();
    verdict.tier = None;
    let refused = VerifiedKeyset::new(&node.keyset, &verdict);
    assert_eq!(refused.map(|_| ()), Err(Fault::KeysetRefused));
    verdict.tier = Some(Tier::Attested);
    assert!(VerifiedKeyset::new(&node.keyset, &verdict).is_ok());
}

#[test]
fn keys_that_are_none_are_refused() {
    let mut node = TestNode::new(1);
    let mut entry = node.keyset.sealing_keys[0].clone();
    // not a polynomial's coefficients
    entry.key = vec![0xff; 1_216].try_into().unwrap();
    node.keyset.sealing_keys = vec![entry.clone()].try_into().unwrap();
    let refused = VerifiedKeyset::new(&node.keyset, &node.verdict());
    assert_eq!(refused.map(|_| ()), Err(Fault::SealingKey));
    entry.key = vec![1; 32].try_into().unwrap();
    node.keyset.sealing_keys = vec![entry].try_into().unwrap();
    let refused = VerifiedKeyset::new(&node.keyset, &node.verdict());
    assert_eq!(refused.map(|_| ()), Err(Fault::SealingKey));
}

#[test]
fn the_newest_key_of_a_keyset_is_sealed_to() {
    let (mut node, other) = (TestNode::new(1), TestNode::new(2));
    let mut newer = other.keyset.sealing_keys[0].clone();
    newer.id = 7;
    let keys = vec![newer, node.keyset.sealing_keys[0].clone()];
    node.keyset.sealing_keys = keys.try_into().unwrap();
    let (request, _) = sealed_to(&[&node]);
    let read = SealedRequest::read(&request).unwrap();
    assert_eq!(read.head().recipients[0].key_id, 7);
    let mut ring = KeyRing::new(NETWORK, node.id());
    let swapped = node.secrets().into_iter().chain(other.secrets()).collect();
    assert_eq!(ring.add(&node.keyset, swapped), Err(Fault::KeyMismatch));
    let secrets = other.secrets().into_iter().chain(node.secrets()).collect();
    ring.add(&node.keyset, secrets).unwrap();
    assert!(ring.open(&read, NOW).is_ok());
    assert_eq!(ring.next_due(), Some(TimestampMs(NOW.0 + 2_760_000)));
}

#[test]
fn a_signed_header_must_ask_for_what_was_sealed() {
    let (near, far) = (TestNode::new(1), TestNode::new(2));
    let (request, _) = sealed_to(&[&near, &far]);
    let read = SealedRequest::read(&request).unwrap();
    let signed = RequestHeader {
        network: NETWORK,
        node: far.id(),
        task: terms().task,
        endpoint: terms().endpoint,
        max_units: terms().max_units,
        ..sample::header()
    };
    let fits = |change: fn(&mut RequestHeader)| {
        let mut header = signed.clone();
        change(&mut header);
        read.head().fits(&header)
    };
    assert_eq!(fits(|_| ()), Ok(()));
    assert_eq!(fits(|header| header.max_units.0 -= 1), Ok(()));
    let changes: [fn(&mut RequestHeader); 5] = [
        |header| header.max_units.0 += 1,
        |header| header.network.0[0] ^= 1,
        |header| header.task = TaskId(Address::new([0; 32])),
        |header| header.endpoint = Endpoint::Embeddings,
        |header| header.node = TestNode::new(3).id(),
    ];
    for change in changes {
        assert_eq!(fits(change), Err(Fault::Header));
    }
}
