use super::*;
use crate::ed25519::testing::TestKey;
use proptest::prelude::*;

fn key() -> TestKey {
    TestKey::from_seed(&[7; 32])
}

fn batch(count: usize) -> (Vec<Vec<u8>>, Vec<MessageSignature>) {
    let messages: Vec<_> = (0..count)
        .map(|i| format!("message {i}").into_bytes())
        .collect();
    let parts: Vec<_> = messages.iter().map(Vec::as_slice).collect();
    let signatures = MessageSignature::together(&parts, &key());
    (messages, signatures)
}

fn verify(signature: &MessageSignature, message: &[u8]) -> bool {
    let key = key().public_key();
    let plain = signature.verify(message, &key).is_ok();
    let decoded = key.decode().unwrap();
    assert_eq!(signature.verify(message, &decoded).is_ok(), plain);
    plain
}

#[test]
fn golden_bytes_of_three() {
    let (messages, signatures) = batch(3);
    let lengths = signatures.iter().map(|s| s.to_bytes().len());
    assert_eq!(lengths.collect::<Vec<_>>(), [130, 130, 98]);
    let tail = |i: usize| signatures[i].to_bytes()[64..].to_vec();
    let leaf = |i: usize| merkle::leaf_hash(&messages[i]);
    let pair = merkle::inner_hash(&leaf(0), &leaf(1));
    assert_eq!(
        tail(0),
        [&leaf(1).0[..], &leaf(2).0, &[0b00, 0x82]].concat()
    );
    assert_eq!(
        tail(1),
        [&leaf(0).0[..], &leaf(2).0, &[0b01, 0x82]].concat()
    );
    assert_eq!(tail(2), [&pair.0[..], &[0b1, 0x81]].concat());
    let root = merkle::inner_hash(&pair, &leaf(2));
    let over = [b"atoma/batch/v1\0\0".as_slice(), &root.0].concat();
    assert_eq!(signatures[0].to_bytes()[..64], key().sign(&over).0);
    assert_eq!(
        hex::encode(&signatures[2].to_bytes()[..16]),
        "f3fa952f2ff62a5481db4aac02ce54c7"
    );
}

#[test]
fn one_alone_is_plain_ed25519_and_many_are_cut() {
    let (messages, signatures) = batch(1);
    assert_eq!(signatures[0].to_bytes(), key().sign(&messages[0]).0);
    let (messages, signatures) = batch(2 * MAX_BATCH + 1);
    for (message, signature) in messages.iter().zip(&signatures) {
        assert!(verify(signature, message));
    }
    let ed25519 = |i: usize| signatures[i].ed25519;
    assert_eq!(ed25519(0), ed25519(MAX_BATCH - 1));
    assert_ne!(ed25519(0), ed25519(MAX_BATCH));
    assert_eq!(signatures[2 * MAX_BATCH].path, None);
}

proptest! {
    #[test]
    fn each_proves_its_own_message_and_nothing_else(
        count in 2usize..=MAX_BATCH,
        of in any::<usize>(),
        other in any::<usize>(),
        place in any::<usize>(),
        change in 1u8..,
    ) {
        let (messages, signatures) = batch(count);
        let (of, other) = (of % count, other % count);
        let signature = &signatures[of];
        prop_assert_eq!(verify(signature, &messages[other]), of == other);
        let bytes = signature.to_bytes();
        prop_assert_eq!(MessageSignature::length_at_end(&bytes), Some(bytes.len()));
        prop_assert_eq!(MessageSignature::try_from(&bytes[..]), Ok(signature.clone()));

        // any other bytes are no signature, or one of something else
        let mut changed = bytes.clone();
        changed[place % bytes.len()] ^= change;
        if let Ok(changed) = MessageSignature::try_from(&changed[..]) {
            prop_assert!(!verify(&changed, &messages[of]));
        }
        let cut = &bytes[..place % bytes.len()];
        if let Ok(cut) = MessageSignature::try_from(cut) {
            prop_assert!(!verify(&cut, &messages[of]));
        }
    }
}

#[test]
fn a_root_is_no_message_and_a_message_no_root() {
    // whoever gets a message signed that looks like a root has no batch signed by it
    let (messages, signatures) = batch(2);
    let root = merkle::inner_hash(
        &merkle::leaf_hash(&messages[0]),
        &merkle::leaf_hash(&messages[1]),
    );
    let alone: MessageSignature = signatures[0].ed25519.into();
    assert!(!verify(&alone, &messages[0]));
    // only the tagged root itself is what the key signed
    assert!(!verify(&alone, &root.0));
    assert!(verify(&alone, &signed_root(root)));
}

#[test]
fn another_keys_batch_is_refused() {
    let (messages, signatures) = batch(4);
    let other = TestKey::from_seed(&[8; 32]).public_key();
    assert!(signatures[1].verify(&messages[1], &other).is_err());
}
