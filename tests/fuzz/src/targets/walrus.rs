//! Walrus: metadata, slivers, quilts, certificates, and the heads of requests to a store.

use super::{Memory, Target, texts};
use atoma_walrus::{
    BlobId,
    coding::{Axis, BlobMetadata, Encoded, MerkleProof, PairHashes, Params, Sliver, encode},
    committee::{Confirmation, Persistence},
    quilt::{Quilt, QuiltBlob, QuiltPatchId, build, patch_of_columns},
};
use std::sync::LazyLock;

/// As few shards as there may be: the least bytes.
static PARAMS: LazyLock<Params> = LazyLock::new(|| Params::new(4).expect("four shards"));
static BLOB: LazyLock<Encoded> =
    LazyLock::new(|| encode(*PARAMS, b"a blob of a few bytes").expect("a blob"));

pub(super) const BLOB_METADATA: Target = Target {
    name: "blob_metadata",
    seeds: || vec![BLOB.metadata.to_bcs()],
    check: |bytes| {
        if let Ok(metadata) = BlobMetadata::from_bcs(bytes) {
            assert_eq!(metadata.to_bcs(), bytes);
            assert!(metadata.params().symbol_size(metadata.size()).is_ok());
        }
        // with the id that belongs to what follows it, more of it is read
        if bytes.len() > 32
            && let Some(id) = id_of(bytes)
        {
            let right = [&id.0[..], &bytes[32..]].concat();
            let metadata = BlobMetadata::from_bcs(&right).expect("its own id");
            assert_eq!(metadata.to_bcs(), right);
        }
    },
    max_bytes: 2_000,
    memory: Memory::FLAT,
    mutants: 10_000,
};

/// The id that metadata should have.
fn id_of(bytes: &[u8]) -> Option<BlobId> {
    let mut reader = atoma_walrus::wire::Reader::new(bytes.get(34..)?);
    let size = reader.u64().ok()?;
    let shards = reader.length(1_000).ok()?;
    let mut hashes = Vec::new();
    for _ in 0..shards {
        let mut node = || {
            reader.tag(1).ok()?;
            reader.array().ok()
        };
        let (primary, secondary) = (node()?, node()?);
        hashes.push(PairHashes { primary, secondary });
    }
    reader.end().ok()?;
    if bytes[32..34] != BLOB.metadata.to_bcs()[32..34] {
        return None;
    }
    let metadata = BlobMetadata::new(Params::new(shards).ok()?, size, hashes).ok()?;
    Some(metadata.blob_id())
}

pub(super) const SLIVER: Target = Target {
    name: "sliver",
    seeds: || {
        let pair = &BLOB.pairs[1];
        vec![pair.primary.to_bcs(), pair.secondary.to_bcs()]
    },
    check: |bytes| {
        for axis in [Axis::Primary, Axis::Secondary] {
            if let Ok(sliver) = Sliver::from_bcs(axis, bytes) {
                assert_eq!(sliver.to_bcs(), bytes);
                let ours = BLOB.metadata.verify_sliver(&sliver).is_ok();
                let genuine = BLOB
                    .pairs
                    .iter()
                    .flat_map(|pair| [&pair.primary, &pair.secondary]);
                assert_eq!(ours, genuine.into_iter().any(|genuine| *genuine == sliver));
            }
        }
        if let Ok(proof) = MerkleProof::from_bcs(bytes) {
            let again = MerkleProof::from_bcs(&proof.to_bcs());
            assert_eq!(again.expect("what was written"), proof);
        }
    },
    max_bytes: 1_000,
    memory: Memory::FLAT,
    mutants: 10_000,
};

pub(super) const QUILT: Target = Target {
    name: "quilt",
    seeds: || {
        let blob = |name: &str, data: &[u8], tags: &[(&str, &str)]| QuiltBlob {
            identifier: name.to_owned(),
            tags: tags
                .iter()
                .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
                .collect(),
            data: data.to_vec(),
        };
        let blobs = vec![
            blob("a", b"one", &[("k", "v"), ("key", "")]),
            blob("b.txt", &[7; 40], &[]),
        ];
        let params = Params::new(10).expect("ten shards");
        let quilt = build(params, blobs).expect("a quilt");
        let id = QuiltPatchId {
            quilt: BlobId([1; 32]),
            start: 1,
            end: 2,
        };
        vec![quilt.bytes, id.to_string().into_bytes()]
    },
    check: |bytes| {
        let params = Params::new(10).expect("ten shards");
        if let Ok(quilt) = Quilt::open(params, bytes) {
            for patch in quilt.index().patches.iter().take(8) {
                if let Ok(content) = quilt.read(&patch.identifier) {
                    assert_eq!(content.identifier, patch.identifier);
                    assert!(content.data.len() <= bytes.len());
                }
                let _ = quilt.read_columns(patch.start, patch.end);
            }
        }
        let _ = patch_of_columns(bytes);
        if let Ok(text) = std::str::from_utf8(bytes)
            && let Ok(id) = text.parse::<QuiltPatchId>()
        {
            assert_eq!(id.to_string(), text);
            assert!(id.start < id.end);
        }
    },
    max_bytes: 4_000,
    memory: Memory {
        fixed: 1 << 20,
        per_byte: 256,
    },
    mutants: 12_000,
};

pub(super) const CERTIFICATE: Target = Target {
    name: "certificate",
    seeds: || {
        let of = |persistence| Confirmation {
            epoch: 7,
            blob_id: BlobId([3; 32]),
            persistence,
        };
        let object = [5; 32];
        [Persistence::Permanent, Persistence::Deletable { object }]
            .map(|persistence| of(persistence).to_bytes())
            .to_vec()
    },
    check: |bytes| {
        if let Ok(confirmation) = Confirmation::from_bytes(bytes) {
            assert_eq!(confirmation.to_bytes(), bytes);
        }
        if let Some(key) = bytes.first_chunk()
            && let Ok(key) = atoma_walrus::committee::BlsPublicKey::from_bytes(key)
        {
            assert_eq!(key.to_bytes(), bytes[..48]);
        }
        if let Some(signature) = bytes.first_chunk()
            && let Ok(signature) = atoma_walrus::committee::BlsSignature::from_bytes(signature)
        {
            assert_eq!(signature.to_bytes(), bytes[..96]);
        }
    },
    max_bytes: 200,
    memory: Memory::FLAT,
    mutants: 2_000,
};

pub(super) const WALRUS_HEAD: Target = Target {
    name: "walrus_head",
    seeds: || {
        texts([
            "/v1/blobs?epochs=3&permanent=true&force=false&encoding_type=RS2\nbytes=0-9\nBearer a.b.c",
            "/v1/blobs/x?strict_consistency_check=true\nbytes=5-18446744073709551615\nBearer eyJhbGciOiJIUzI1NiJ9.e30.AAAA",
            "/v1/blobs/x/byte-range?start=0&length=10\nbytes=-5\n",
            "/v1/quilts?send_object_to=0x0303030303030303030303030303030303030303030303030303030303030303&quilt_version=v1&deletable=true\n\n",
            r#"{"exp":18446744073709551615,"jti":"a","iat":1,"epochs":1,"max_size":10}"#,
        ])
    },
    check: |bytes| {
        atoma_walrus::http::fuzzing::head(bytes);
        atoma_walrus::http::fuzzing::token(bytes);
    },
    max_bytes: 1_000,
    memory: Memory::TREE,
    mutants: 12_000,
};
