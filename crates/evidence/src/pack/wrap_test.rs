use super::*;
use crate::pack::{Body, Sealer};
use atoma_runtime::SystemRandom;
use atoma_types::{Address, NetworkId, NodeId, StackId};

const CONTEXT: SealContext = SealContext {
    network: NetworkId([1; 32]),
    stack: StackId(Address::new([2; 32])),
    node: NodeId(Address::new([3; 32])),
};
const REQUEST: Hash32 = Hash32([9; 32]);
const ANOTHER: Hash32 = Hash32([8; 32]);

fn key(byte: u8) -> SigningKey {
    SigningKey::from_seed(&[byte; 32])
}

/// The two bodies of a request, sealed for user and node.
fn sealed(sealer: &Sealer, request: Hash32) -> [Body; 2] {
    [CommitmentKind::Request, CommitmentKind::Answer].map(|kind| {
        sealer
            .seal(request, kind, b"what is the sun?".to_vec())
            .unwrap()
    })
}

fn sealer() -> Sealer {
    let parties = [key(1).public_key(), key(2).public_key()];
    Sealer::new(&CONTEXT, &parties, &SystemRandom).unwrap()
}

/// What a party's key makes of them.
fn keys_of(bodies: &[Body; 2], party: &SigningKey, request: Hash32) -> [u8; 64] {
    let [asked, answered] = bodies;
    let first = asked.own_key(party, &CONTEXT, request, CommitmentKind::Request);
    let second = answered.own_key(party, &CONTEXT, request, CommitmentKind::Answer);
    let both = [first.unwrap(), second.unwrap()].map(|key| *key).concat();
    both.try_into().unwrap()
}

/// What an attester reads in its wrap.
fn opened(wrap: &[u8], attester: &SigningKey, request: Hash32) -> Option<[u8; 64]> {
    let keys = BodyKeys::open(wrap, attester, &CONTEXT, request);
    keys.ok().map(|keys| *keys.0)
}

fn wrap_keys(keys: &[u8; 64], attester: &PublicKey) -> Vec<u8> {
    let keys = BodyKeys(Zeroizing::new(*keys));
    keys.wrap_for(&CONTEXT, REQUEST, attester).unwrap()
}

#[test]
fn who_opens_one_wrap_makes_all_others_again() {
    let bodies = sealed(&sealer(), REQUEST);
    let keys = keys_of(&bodies, &key(2), REQUEST);
    let jurors: Vec<_> = (10..17).map(key).collect();
    let wraps: Vec<_> = jurors
        .iter()
        .map(|juror| wrap_keys(&keys, &juror.public_key()))
        .collect();
    for (juror, wrap) in jurors.iter().zip(&wraps) {
        assert_eq!(wrap.len(), WRAP_BYTES);
        let read = opened(wrap, juror, REQUEST).unwrap();
        assert_eq!(read, keys);
        let again = jurors
            .iter()
            .map(|other| wrap_keys(&read, &other.public_key()));
        // so garbage for one of them is seen by all who can read
        assert_eq!(again.collect::<Vec<_>>(), wraps);
    }
    assert_eq!(opened(&wraps[0], &jurors[1], REQUEST), None);
}

#[test]
fn an_attester_reads_one_record_and_no_other_of_the_pack() {
    let sealer = sealer();
    let (shown, other) = (sealed(&sealer, REQUEST), sealed(&sealer, ANOTHER));
    let keys = keys_of(&shown, &key(2), REQUEST);
    // user and node have the same, and the other record has others
    assert_eq!(keys, keys_of(&shown, &key(1), REQUEST));
    let others = keys_of(&other, &key(2), ANOTHER);
    assert!(
        keys.chunks(32)
            .all(|key| others.chunks(32).all(|other| key != other))
    );
    assert!(keys[..32] != keys[32..]);
    // an open body has nothing to hide
    let open = [(); 2].map(|()| Body::open(b"a star".to_vec()).unwrap());
    assert_eq!(keys_of(&open, &key(2), REQUEST), [0; 64]);
}

#[test]
fn a_key_that_is_no_point_keeps_no_node_from_disclosing() {
    let mut bytes = (0..=u8::MAX).map(|byte| PublicKey([byte; 32]));
    let none = bytes.find(|key| key.decode().is_err()).unwrap();
    let wrap = wrap_keys(&[7; 64], &none);
    assert_eq!(wrap, vec![0; WRAP_BYTES]);
}
