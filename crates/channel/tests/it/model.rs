//! A sealed model, and everything that whoever keeps its files could try.

use atoma_channel::{
    Fault,
    limits::MODEL_CHUNK_BYTES,
    model::{
        KeyTerms, ModelFile, ModelKey, ModelSealer, OpenModel, SealFileError, SealedModel,
        open_key, release_key,
    },
    testing::{NOW, TestNode},
};
use atoma_runtime::SeededRandom;
use atoma_tee::octets::Octets;
use atoma_types::{TimestampMs, hash::Hash32};
use std::io::{self, Cursor, Read, Seek, SeekFrom};

/// A frame of a file: its head, a chunk, a tag.
const FRAME: usize = 9 + MODEL_CHUNK_BYTES + 16;
/// Tag and commitment.
const CLEAR: usize = 48;

/// A model's clear files, by name.
type Files = Vec<(&'static str, Vec<u8>)>;

struct Sealed {
    head: Vec<u8>,
    key: ModelKey,
    /// In their places.
    files: Vec<Vec<u8>>,
}

fn look(files: &Files) -> Vec<ModelFile> {
    let look = |(name, bytes): &(&str, Vec<u8>)| ModelFile {
        name: (*name).to_owned(),
        size: bytes.len() as u64,
        hash: Hash32::of(bytes),
    };
    files.iter().map(look).collect()
}

fn seal(files: &Files, seed: u64) -> Sealed {
    let sealer = ModelSealer::new(look(files), &SeededRandom::new(seed)).unwrap();
    let sealed = (0..).zip(sealer.files()).map(|(place, file)| {
        let (_, clear) = files.iter().find(|(name, _)| *name == file.name).unwrap();
        let mut out = Vec::new();
        sealer.seal_file(place, &clear[..], &mut out).unwrap();
        out
    });
    Sealed {
        files: sealed.collect(),
        head: sealer.model().as_bytes().to_vec(),
        key: ModelKey::from_secret(sealer.key().secret()),
    }
}

impl Sealed {
    fn open(&self) -> OpenModel {
        let model = SealedModel::read(self.head.clone()).unwrap();
        model
            .open(ModelKey::from_secret(self.key.secret()))
            .unwrap()
    }

    /// All of the file in this place, with these sealed bytes.
    fn read(&self, place: u32, sealed: &[u8]) -> io::Result<Vec<u8>> {
        let mut clear = Vec::new();
        let mut file = self.open().file(place, Cursor::new(sealed))?;
        file.read_to_end(&mut clear)?;
        Ok(clear)
    }
}

/// The fault behind an error of reading.
fn fault(read: io::Result<Vec<u8>>) -> Fault {
    let error = read.expect_err("it is refused");
    let fault = error.get_ref().and_then(|inner| inner.downcast_ref());
    *fault.unwrap_or_else(|| panic!("{error:?}"))
}

/// Bytes of which no two pieces are the same.
fn noise(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    atoma_runtime::Random::fill(&SeededRandom::new(9), &mut bytes);
    bytes
}

fn files() -> Files {
    vec![
        ("weights.safetensors", noise(2 * MODEL_CHUNK_BYTES + 1_000)),
        ("config.json", b"{\"model_type\":\"llama\"}".to_vec()),
        ("1_Pooling/config.json", Vec::new()),
    ]
}

#[test]
fn a_sealed_model_is_read_as_it_was_and_says_nothing() {
    let (clear, sealed) = (files(), seal(&files(), 1));
    let open = sealed.open();
    let names: Vec<String> = open.manifest().files().map(|file| file.name).collect();
    assert_eq!(
        names,
        [
            "1_Pooling/config.json",
            "config.json",
            "weights.safetensors"
        ]
    );
    for (name, bytes) in &clear {
        let place = open.manifest().place_of(name).unwrap();
        let own = &sealed.files[place as usize];
        assert_eq!(sealed.read(place, own).unwrap(), *bytes);
        let file = open.manifest().files().nth(place as usize).unwrap();
        assert_eq!(file.hash, Hash32::of(bytes));
    }
    let hidden = |needle: &[u8]| {
        let all = sealed.files.iter().chain([&sealed.head]);
        all.into_iter()
            .all(|bytes| !bytes.windows(needle.len()).any(|part| part == needle))
    };
    assert!(hidden(b"model_type") && hidden(b"config.json") && hidden(&clear[0].1[..16]));
    // the whole lengths show
    assert_eq!(sealed.files[2].len(), 2 * FRAME + 9 + 1_000 + 16);
}

#[test]
fn any_part_is_read_alone() {
    let (clear, sealed) = (files(), seal(&files(), 1));
    let mut file = sealed
        .open()
        .file(2, Cursor::new(&sealed.files[2]))
        .unwrap();
    let end = file.seek(SeekFrom::End(0)).unwrap();
    assert_eq!(end, clear[0].1.len() as u64);
    let starts = [end - 7, 0, MODEL_CHUNK_BYTES as u64 - 3, 5];
    for start in starts {
        let mut part = vec![0; 7];
        file.seek(SeekFrom::Start(start)).unwrap();
        file.read_exact(&mut part).unwrap();
        assert_eq!(part, clear[0].1[start as usize..start as usize + 7]);
    }
    file.seek(SeekFrom::Start(end + 5)).unwrap();
    assert_eq!(file.read(&mut [0; 4]).unwrap(), 0);
    assert!(file.seek(SeekFrom::Current(-(end as i64) - 6)).is_err());
    // a broken chunk breaks what is in it, and nothing else
    let mut broken = sealed.files[2].clone();
    broken[FRAME + 500] ^= 1;
    let mut file = sealed.open().file(2, Cursor::new(broken)).unwrap();
    let mut part = vec![0; MODEL_CHUNK_BYTES];
    file.read_exact(&mut part).unwrap();
    assert!(file.read(&mut part).is_err());
    file.seek(SeekFrom::Start(2 * MODEL_CHUNK_BYTES as u64))
        .unwrap();
    file.read_exact(&mut part[..1_000]).unwrap();
    assert_eq!(part[..1_000], clear[0].1[2 * MODEL_CHUNK_BYTES..]);
}

#[test]
fn no_flipped_byte_of_a_sealed_model_is_accepted() {
    let small: Files = vec![("a", b"hello".to_vec()), ("b", Vec::new())];
    let sealed = seal(&small, 2);
    for place in 0..sealed.head.len() {
        let mut changed = sealed.head.clone();
        changed[place] ^= if place.is_multiple_of(2) { 0x01 } else { 0x80 };
        let read = SealedModel::read(changed);
        let opened = read.and_then(|model| model.open(ModelKey::from_secret(sealed.key.secret())));
        let code = opened.expect_err(&format!("byte {place}")).code();
        match place {
            0..16 => assert_eq!(code, "model_form"),
            16..CLEAR => assert_eq!(code, "model_key"),
            _ => {}
        }
    }
    for (file, bytes) in (0..).zip(&sealed.files) {
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= if place.is_multiple_of(2) { 0x01 } else { 0x80 };
            assert_eq!(fault(sealed.read(file, &changed)), Fault::FrameForged);
        }
    }
}

/// What stands on the disk before a sealed chunk decides nothing: neither how long it is, nor where it belongs, nor
/// whether it is encrypted at all.
#[test]
fn sealed_weights_ignore_disk_headers() {
    let sealed = seal(&files(), 1);
    let good = &sealed.files[2];
    let clear = noise(MODEL_CHUNK_BYTES);
    let headers: [(u32, u32, u8); 5] = [
        (0, 0, 0),
        (u32::MAX, 0, 0),
        ((MODEL_CHUNK_BYTES + 16) as u32, 1, 0),
        ((MODEL_CHUNK_BYTES + 16) as u32, 0, 1),
        // as a receipt's, which isn't encrypted
        ((MODEL_CHUNK_BYTES + 16) as u32, 0, 2),
    ];
    for (length, index, kind) in headers {
        let mut changed = good.clone();
        changed[..4].copy_from_slice(&length.to_le_bytes());
        changed[4..8].copy_from_slice(&index.to_le_bytes());
        changed[8] = kind;
        changed[9..9 + MODEL_CHUNK_BYTES].copy_from_slice(&clear);
        assert_eq!(fault(sealed.read(2, &changed)), Fault::FrameForged);
    }
    // nor is clear text taken under the right header
    let mut plain = good.clone();
    plain[9..9 + MODEL_CHUNK_BYTES].copy_from_slice(&clear);
    assert_eq!(fault(sealed.read(2, &plain)), Fault::FrameForged);
}

#[test]
fn a_sealed_file_is_as_long_as_it_must_be() {
    let sealed = seal(&files(), 1);
    let good = &sealed.files[2];
    let longer = [&good[..], &[0]].concat();
    let doubled = [&good[..], &good[2 * FRAME..]].concat();
    let lengths = [0, 8, FRAME, 2 * FRAME, good.len() - 1];
    let cut = lengths.map(|length| good[..length].to_vec());
    for changed in cut.into_iter().chain([longer, doubled]) {
        assert_eq!(fault(sealed.read(2, &changed)), Fault::ModelFileLength);
    }
    for length in [
        0,
        15,
        16,
        CLEAR - 1,
        CLEAR,
        CLEAR + 9,
        sealed.head.len() - 1,
    ] {
        assert!(SealedModel::read(sealed.head[..length].to_vec()).is_err());
    }
    let longer = [&sealed.head[..], &[0]].concat();
    assert_eq!(SealedModel::read(longer), Err(Fault::AfterEnd));
    let endless = vec![b'a'; SealedModel::MAX_BYTES + 1];
    assert_eq!(SealedModel::read(endless), Err(Fault::ModelForm));
}

#[test]
fn nothing_of_a_sealed_model_changes_places() {
    let two: Files = vec![
        ("a", noise(3 * MODEL_CHUNK_BYTES)),
        ("b", noise(3 * MODEL_CHUNK_BYTES)),
    ];
    let (here, there) = (seal(&two, 1), seal(&two, 2));
    let chunk = |bytes: &[u8], index: usize| bytes[index * FRAME..(index + 1) * FRAME].to_vec();
    let a = &here.files[0];
    let with = |order: [Vec<u8>; 3]| order.concat();
    let (first, second, third) = (chunk(a, 0), chunk(a, 1), chunk(a, 2));
    let reordered = with([second.clone(), first.clone(), third.clone()]);
    let repeated = with([first.clone(), first, third.clone()]);
    // the same bytes from the same place of another file, and of the same file sealed anew
    let of_another = with([chunk(&here.files[1], 0), second.clone(), third.clone()]);
    let of_another_model = with([chunk(&there.files[0], 0), second, third]);
    let relabelled = {
        // with the header of the place that it is put into
        let mut moved = reordered.clone();
        moved[4..8].copy_from_slice(&0_u32.to_le_bytes());
        moved[FRAME + 4..FRAME + 8].copy_from_slice(&1_u32.to_le_bytes());
        moved
    };
    for changed in [
        reordered,
        repeated,
        of_another,
        of_another_model,
        relabelled,
    ] {
        assert_eq!(fault(here.read(0, &changed)), Fault::FrameForged);
    }
    assert_eq!(fault(here.read(1, a)), Fault::FrameForged, "files swapped");
    assert_eq!(fault(there.read(0, a)), Fault::FrameForged);
    assert!(
        here.open().file(2, Cursor::new(a)).is_err(),
        "no such place"
    );
}

#[test]
fn only_its_own_key_opens_a_model() {
    let (here, there) = (seal(&files(), 1), seal(&files(), 2));
    let model = SealedModel::read(here.head).unwrap();
    assert_ne!(model.id(), SealedModel::read(there.head).unwrap().id());
    let opened = model.open(there.key);
    assert_eq!(opened.unwrap_err(), Fault::ModelKey);
}

#[test]
fn a_file_that_changes_while_it_is_sealed_is_refused() {
    let files: Files = vec![("a", b"hello".to_vec())];
    let sealer = ModelSealer::new(look(&files), &SeededRandom::new(1)).unwrap();
    for changed in [&b"hellO"[..], b"hell", b"hello!", b""] {
        let refused = sealer.seal_file(0, changed, io::sink());
        assert!(matches!(
            refused,
            Err(SealFileError::Fault(Fault::ModelFile))
        ));
    }
    assert!(sealer.seal_file(0, &b"hello"[..], io::sink()).is_ok());
    assert!(sealer.seal_file(1, &b"hello"[..], io::sink()).is_err());
}

#[test]
fn a_sealed_models_bytes() {
    let files: Files = vec![("a", b"hello".to_vec()), ("b/c", Vec::new())];
    let sealed = seal(&files, 5);
    let manifest = [
        "02",
        "0161",
        "0500000000000000",
        "324dcf027dd4a30a932c441f365a25e86b173defa4b8e58948253471b81b72cf",
        "03622f63",
        "0000000000000000",
        "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8",
    ];
    let text = hex::decode(manifest.concat()).unwrap();
    assert_eq!(sealed.open().manifest().to_bytes(), text);
    assert_eq!(sealed.head.len(), CLEAR + 9 + text.len() + 16);
    assert_eq!(sealed.head[..16], *b"atoma/sealmdl/v1");
    let frame = |length: usize| {
        let length = hex::encode((length as u32 + 16).to_le_bytes());
        format!("{length}0000000001")
    };
    assert_eq!(
        hex::encode(&sealed.head[CLEAR..CLEAR + 9]),
        frame(text.len())
    );
    assert_eq!(hex::encode(&sealed.files[0][..9]), frame(5));
    assert_eq!(hex::encode(&sealed.files[1][..9]), frame(0));
    let parts = [&sealed.head[..], &sealed.files[0], &sealed.files[1]];
    assert_eq!(
        parts.map(|part| Hash32::of(part).to_string()),
        [
            "f30911ab60bef18f39ff46c989f33d892d5723beeeca72fb086addd744c4b6bd",
            "837f8eab020a24e21a98aad9b2eff4722b8bb5fc36b27bf94cde494ef51ce41b",
            "f314ca6b37ceeca8665f8b0d949bc581d71f2edaed4fab18b8b9d26c6a5977f2"
        ]
    );
}

fn key_terms() -> KeyTerms {
    KeyTerms {
        model: Hash32([1; 32]),
        release: Octets([2; 32]),
        nonce: Octets([3; 32]),
    }
}

#[test]
fn a_released_key_is_for_its_keyset_model_release_and_nonce() {
    let (node, other) = (TestNode::new(1), TestNode::new(2));
    let key = ModelKey::generate(&SeededRandom::new(1));
    let terms = key_terms();
    let released = release_key(&key, &node.verified(), &terms, NOW, &SeededRandom::new(2));
    let released = released.unwrap();
    let open = |node: &TestNode, bytes: &[u8], terms: &KeyTerms| {
        open_key(bytes, &node.keyset, &node.secrets()[0], terms)
    };
    let opened = open(&node, &released, &terms).unwrap();
    assert_eq!(opened.secret(), key.secret());
    assert!(!released.windows(32).any(|part| part == &key.secret()[..]));

    let refused = |opened: Result<ModelKey, Fault>| opened.unwrap_err();
    assert_eq!(refused(open(&other, &released, &terms)), Fault::WrappedKey);
    let others = [
        KeyTerms {
            model: Hash32([9; 32]),
            ..terms
        },
        KeyTerms {
            release: Octets([9; 32]),
            ..terms
        },
        KeyTerms {
            nonce: Octets([9; 32]),
            ..terms
        },
    ];
    for terms in others {
        assert_eq!(refused(open(&node, &released, &terms)), Fault::WrappedKey);
    }
    // the same secret in another keyset of the node's
    let mut later = node.clone();
    later.keyset.not_after = TimestampMs(later.keyset.not_after.0 + 1);
    assert_eq!(refused(open(&later, &released, &terms)), Fault::WrappedKey);
    for place in 0..released.len() {
        let mut changed = released.clone();
        changed[place] ^= 0x80;
        let expected = match place {
            0..16 => Fault::KeyForm,
            _ => Fault::WrappedKey,
        };
        assert_eq!(refused(open(&node, &changed, &terms)), expected, "{place}");
    }
    let longer = [&released[..], &[0]].concat();
    for wrong in [&released[..released.len() - 1], &longer, b""] {
        assert_eq!(refused(open(&node, wrong, &terms)), Fault::KeyForm);
    }
}

#[test]
fn a_key_is_released_to_no_keyset_before_or_after_its_time() {
    let node = TestNode::new(1);
    let key = ModelKey::generate(&SeededRandom::new(1));
    let release = |now: TimestampMs| {
        let random = SeededRandom::new(2);
        release_key(&key, &node.verified(), &key_terms(), now, &random)
    };
    let early = TimestampMs(node.keyset.not_before.0 - 1);
    assert_eq!(release(early), Err(Fault::KeysetEarly));
    assert_eq!(release(node.keyset.not_after), Err(Fault::KeysetEnded));
}

#[test]
fn a_released_keys_bytes() {
    let node = TestNode::new(1);
    let key = ModelKey::generate(&SeededRandom::new(1));
    let random = SeededRandom::new(2);
    let released = release_key(&key, &node.verified(), &key_terms(), NOW, &random).unwrap();
    assert_eq!(released[..16], *b"atoma/modkey/v1\0");
    assert_eq!(released.len(), 16 + 1_120 + 48);
    assert_eq!(
        Hash32::of(&released).to_string(),
        "579e4f12f8b4d69d7b79d6d01efd5ba4368c9f5d71f627a3e226e8a6b8ce2c5a"
    );
}
