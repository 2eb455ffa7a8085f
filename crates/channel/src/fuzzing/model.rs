//! Sealed models and the keys to them, as hosts and brokers may send them.

use crate::{
    model::{
        KeyTerms, Manifest, ModelFile, ModelKey, ModelSealer, SealedModel, open_key, release_key,
    },
    testing::{NOW, TestNode},
};
use atoma_runtime::SeededRandom;
use atoma_tee::octets::Octets;
use atoma_types::hash::Hash32;
use std::{
    io::{Cursor, Read},
    sync::LazyLock,
};

const CONTENT: &[u8] = b"a model's weights";
const TERMS: KeyTerms = KeyTerms {
    model: Hash32([1; 32]),
    release: Octets([2; 32]),
    nonce: Octets([3; 32]),
};

struct Sample {
    key: ModelKey,
    head: Vec<u8>,
    file: Vec<u8>,
}

static SAMPLE: LazyLock<Sample> = LazyLock::new(|| {
    let file = ModelFile {
        name: "model.safetensors".to_owned(),
        size: CONTENT.len() as u64,
        hash: Hash32::of(CONTENT),
    };
    let sealer = ModelSealer::new(vec![file], &SeededRandom::new(1)).expect("one file");
    let mut file = Vec::new();
    let sealed = sealer.seal_file(0, CONTENT, &mut file);
    sealed.expect("it is the file");
    Sample {
        key: ModelKey::from_secret(sealer.key().secret()),
        head: sealer.model().as_bytes().to_vec(),
        file,
    }
});

/// A sealed model of one file: the length of its head, u16 le, its head, its file.
#[must_use]
pub fn sealed() -> Vec<Vec<u8>> {
    let Sample { head, file, .. } = &*SAMPLE;
    let length = (head.len() as u16).to_le_bytes();
    vec![[&length[..], head, file].concat()]
}

/// Reads one: a head has one form, and what opens is what was sealed.
pub fn read(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first_chunk() else {
        return;
    };
    let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
    let (head, file) = rest.split_at(length);
    let Ok(model) = SealedModel::read(head.to_vec()) else {
        return;
    };
    assert_eq!(model.as_bytes(), head);
    let Ok(open) = model.open(ModelKey::from_secret(SAMPLE.key.secret())) else {
        return;
    };
    assert_eq!(head, SAMPLE.head);
    let mut clear = Vec::new();
    let read = open
        .file(0, Cursor::new(file))
        .and_then(|mut file| file.read_to_end(&mut clear));
    if read.is_ok() {
        assert_eq!((file, &clear[..]), (&SAMPLE.file[..], CONTENT));
    }
}

/// Manifests, of one file and of several.
#[must_use]
pub fn manifests() -> Vec<Vec<u8>> {
    let file = |name: &str| ModelFile {
        name: name.to_owned(),
        size: 7,
        hash: Hash32([1; 32]),
    };
    let some = [
        vec![file("config.json")],
        vec![
            file("1_Pooling/config.json"),
            file("config.json"),
            file("model.safetensors"),
        ],
    ];
    some.into_iter()
        .map(|files| Manifest::new(files).expect("files").to_bytes())
        .collect()
}

/// Reads one: it has one form, and each of its names leads to its file.
pub fn manifest(bytes: &[u8]) {
    let Ok(manifest) = Manifest::from_bytes(bytes) else {
        return;
    };
    assert_eq!(manifest.to_bytes(), bytes);
    for (place, file) in (0..).zip(manifest.files()) {
        assert_eq!(manifest.place_of(&file.name), Some(place));
        assert!(
            file.name
                .split('/')
                .all(|part| !["", ".", ".."].contains(&part))
        );
    }
}

/// What a broker gives to the sample's guest.
#[must_use]
pub fn released() -> Vec<Vec<u8>> {
    static RELEASED: LazyLock<Vec<u8>> = LazyLock::new(|| {
        let (node, random) = (TestNode::new(1), SeededRandom::new(2));
        let released = release_key(&SAMPLE.key, &node.verified(), &TERMS, NOW, &random);
        released.expect("its keyset counts")
    });
    vec![RELEASED.clone()]
}

/// Opens it: what opens is what was released.
pub fn open(bytes: &[u8]) {
    static NODE: LazyLock<TestNode> = LazyLock::new(|| TestNode::new(1));
    let secret = &NODE.secrets()[0];
    if open_key(bytes, &NODE.keyset, secret, &TERMS).is_ok() {
        assert_eq!(released(), [bytes]);
    }
}
