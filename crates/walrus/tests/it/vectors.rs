//! Walrus's own encoder as the oracle: every id, hash, sliver and quilt, byte for byte.

use atoma_walrus::{
    BlobId,
    coding::{
        Axis, BlobMetadata, Params, Sliver, decode_primary, decode_secondary, encode, metadata_of,
        shard_of_pair,
    },
    committee::{Confirmation, Persistence},
    quilt::{self, Quilt, QuiltBlob, QuiltPatchId},
};
use serde_json::Value;
use sha2::{Digest, Sha256};

fn vectors() -> Value {
    serde_json::from_str(include_str!("../vectors/walrus-vectors.json")).unwrap()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field]
        .as_str()
        .unwrap_or_else(|| panic!("{field} of {value}"))
}

fn number(value: &Value, field: &str) -> usize {
    value[field]
        .as_u64()
        .unwrap_or_else(|| panic!("{field} of {value}")) as usize
}

/// The bytes of a decimal number, little-endian.
fn of_u256(decimal: &str) -> [u8; 32] {
    let mut number = [0; 32];
    for digit in decimal.bytes() {
        let mut carry = u32::from(digit - b'0');
        for byte in &mut number {
            let value = u32::from(*byte) * 10 + carry;
            *byte = (value & 0xff) as u8;
            carry = value >> 8;
        }
    }
    number
}

fn formula(size: usize, seed: usize) -> Vec<u8> {
    let byte = |i: usize| {
        ((i as u32)
            .wrapping_add(seed as u32)
            .wrapping_mul(0x9E37_79B1)
            >> 24) as u8
    };
    (0..size).map(byte).collect()
}

fn content(vector: &Value) -> Vec<u8> {
    match text(vector, "content") {
        "formula" => formula(number(vector, "size"), number(vector, "seed")),
        "utf8" => text(vector, "utf8").as_bytes().to_vec(),
        other => panic!("content {other}"),
    }
}

fn sha256<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut hasher = Sha256::new();
    parts.into_iter().for_each(|part| hasher.update(part));
    hex::encode(hasher.finalize())
}

fn check_blob(vector: &Value) {
    let blob = content(vector);
    let params = Params::new(number(vector, "n_shards")).unwrap();
    let size = blob.len() as u64;
    assert_eq!(sha256([blob.as_slice()]), text(vector, "content_sha256"));
    assert_eq!(params.primary(), number(vector, "primary_source_symbols"));
    assert_eq!(
        params.secondary(),
        number(vector, "secondary_source_symbols")
    );
    assert_eq!(
        usize::from(params.symbol_size(size).unwrap()),
        number(vector, "symbol_size")
    );
    assert_eq!(
        params.encoded_length(size).unwrap(),
        vector["encoded_length"].as_u64().unwrap()
    );

    let encoded = encode(params, &blob).unwrap();
    let metadata = &encoded.metadata;
    let id = metadata.blob_id();
    assert_eq!(hex::encode(metadata.root()), text(vector, "root_hash_hex"));
    assert_eq!(hex::encode(id.0), text(vector, "blob_id_hex"));
    assert_eq!(id.to_string(), text(vector, "blob_id"));
    assert_eq!(id.0, of_u256(text(vector, "blob_id_u256")));
    assert_eq!(
        usize::from(shard_of_pair(id, 0, params.shards())),
        number(vector, "shard_of_pair0")
    );
    assert_eq!(metadata_of(params, &blob).unwrap(), *metadata);

    let hashes = metadata
        .hashes()
        .iter()
        .flat_map(|pair| [&pair.primary[..], &pair.secondary[..]]);
    assert_eq!(sha256(hashes), text(vector, "sliver_hashes_sha256"));
    let primary = encoded
        .pairs
        .iter()
        .map(|pair| pair.primary.data.as_slice());
    assert_eq!(sha256(primary), text(vector, "primary_slivers_sha256"));
    let secondary = encoded
        .pairs
        .iter()
        .map(|pair| pair.secondary.data.as_slice());
    assert_eq!(
        sha256(secondary),
        text(vector, "secondary_slivers_by_pair_sha256")
    );

    if let Some(hex_bytes) = vector.get("blob_metadata_with_id_bcs_hex") {
        assert_eq!(hex::encode(metadata.to_bcs()), hex_bytes.as_str().unwrap());
    }
    assert_eq!(
        BlobMetadata::from_bcs(&metadata.to_bcs()).unwrap(),
        *metadata
    );
    for pair in vector["pairs"].as_array().into_iter().flatten() {
        let ours = &encoded.pairs[number(pair, "pair")];
        assert_eq!(
            usize::from(ours.primary.index),
            number(pair, "primary_index")
        );
        assert_eq!(
            usize::from(ours.secondary.index),
            number(pair, "secondary_index")
        );
        assert_eq!(
            hex::encode(&ours.primary.data),
            text(pair, "primary_sliver_hex")
        );
        assert_eq!(
            hex::encode(&ours.secondary.data),
            text(pair, "secondary_sliver_hex")
        );
        let bcs = ours.primary.to_bcs();
        if let Some(expected) = pair.get("primary_sliver_bcs_hex") {
            assert_eq!(hex::encode(&bcs), expected.as_str().unwrap());
        }
        assert_eq!(Sliver::from_bcs(Axis::Primary, &bcs).unwrap(), ours.primary);
    }
    for pair in [
        &encoded.pairs[0],
        &encoded.pairs[params.primary()],
        encoded.pairs.last().unwrap(),
    ] {
        metadata.verify_sliver(&pair.primary).unwrap();
        metadata.verify_sliver(&pair.secondary).unwrap();
    }
    // the worst case of either axis: as little of the source as there can be
    let last = |count: usize| encoded.pairs.iter().rev().take(count);
    let rows = last(params.primary()).map(|pair| &pair.primary);
    assert!(decode_primary(params, size, rows).unwrap() == blob);
    let first = encoded.pairs.iter().take(params.secondary());
    let columns = first.map(|pair| &pair.secondary);
    assert!(decode_secondary(params, size, columns).unwrap() == blob);
}

fn check_blobs(which: impl Fn(usize) -> bool) {
    let vectors = vectors();
    let blobs = vectors["blobs"].as_array().unwrap().iter();
    let chosen: Vec<&Value> = blobs
        .filter(|vector| which(number(vector, "n_shards")))
        .collect();
    assert!(!chosen.is_empty());
    for vector in chosen {
        println!("{}", text(vector, "name"));
        check_blob(vector);
    }
}

#[test]
fn blobs_of_small_networks() {
    check_blobs(|n| n < 1000);
}

#[test]
fn blobs_of_the_real_network() {
    check_blobs(|n| n == 1000);
}

#[test]
fn quilts() {
    let vectors = vectors();
    for vector in vectors["quilts"].as_array().unwrap() {
        println!("{}", text(vector, "name"));
        let blobs: Vec<QuiltBlob> = vector["blobs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|blob| QuiltBlob {
                identifier: text(blob, "id").to_owned(),
                tags: blob["tags"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .map(|(key, value)| (key.clone(), value.as_str().unwrap().to_owned()))
                    .collect(),
                data: formula(number(blob, "len"), number(blob, "seed")),
            })
            .collect();
        let params = Params::new(number(vector, "n_shards")).unwrap();
        let layout = quilt::build(params, blobs.clone()).unwrap();
        assert_eq!(
            usize::from(layout.symbol_size),
            number(vector, "symbol_size")
        );
        assert_eq!(layout.bytes.len(), number(vector, "quilt_len"));
        if let Some(bytes) = vector.get("quilt_hex") {
            assert_eq!(hex::encode(&layout.bytes), bytes.as_str().unwrap());
        }
        assert_eq!(
            sha256([layout.bytes.as_slice()]),
            text(vector, "quilt_sha256")
        );
        let metadata = metadata_of(params, &layout.bytes).unwrap();
        assert_eq!(metadata.blob_id().to_string(), text(vector, "blob_id"));
        let read = Quilt::open(params, &layout.bytes).unwrap();
        assert_eq!(*read.index(), layout.index);
        for expected in vector["patches"].as_array().unwrap() {
            let patch = layout.index.find(text(expected, "identifier")).unwrap();
            assert_eq!(usize::from(patch.start), number(expected, "start"));
            assert_eq!(usize::from(patch.end), number(expected, "end"));
            let id = QuiltPatchId {
                quilt: metadata.blob_id(),
                start: patch.start,
                end: patch.end,
            };
            assert_eq!(id.to_string(), text(expected, "patch_id"));
            assert_eq!(id.to_string().parse(), Ok(id));
        }
        for blob in blobs {
            let content = read.read(&blob.identifier).unwrap();
            assert_eq!((content.data, content.tags), (blob.data, blob.tags));
        }
    }
}

#[test]
fn confirmations() {
    for vector in vectors()["storage_confirmation_messages"]
        .as_array()
        .unwrap()
    {
        let persistence = match vector["deletable_object_id"].as_str() {
            None => Persistence::Permanent,
            Some(object) => Persistence::Deletable {
                object: hex::decode(&object[2..]).unwrap().try_into().unwrap(),
            },
        };
        let message = Confirmation {
            epoch: number(vector, "epoch") as u32,
            blob_id: text(vector, "blob_id").parse::<BlobId>().unwrap(),
            persistence,
        };
        assert_eq!(hex::encode(message.to_bytes()), text(vector, "message_hex"));
        assert_eq!(Confirmation::from_bytes(&message.to_bytes()), Ok(message));
    }
}
