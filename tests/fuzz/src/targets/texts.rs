//! Short texts that people and programs write: ids, keys, amounts, addresses of nodes; and files of keys.

use super::{Memory, Target, messages, texts};
use atoma_client::NodeReach;
use atoma_cost::Usd;
use atoma_gateway::{ApiKey, KeyHash};
use atoma_keys::{Keystore, SigningKey};
use atoma_ledger::Cursor;
use atoma_runtime::files::write_private;
use atoma_types::{
    BlobId, NetworkId, NodeId, Numerics, PublicKey, RequestId, Role, Rule, SecurityLevel, StackId,
    TaskId, hash::Hash32, message::Salt,
};
use std::{fmt::Display, str::FromStr};

pub(super) const TEXTS: Target = Target {
    name: "texts",
    seeds: || {
        let key = messages::key();
        let mut seeds = texts([
            "1.50",
            "0.000001",
            "18446744073709.551615",
            "0001fe",
            "http://127.0.0.1:8080/path",
            "https://node.example",
            "det_f32_v1",
            "atoma-0123456789",
        ]);
        seeds.extend([
            messages::node().to_string().into_bytes(),
            messages::network().to_string().into_bytes(),
            BlobId([42; 32]).to_string().into_bytes(),
            key.public_key().to_string().into_bytes(),
            key.to_suiprivkey().expect("a key").as_bytes().to_vec(),
        ]);
        seeds
    },
    check: |bytes| {
        let Ok(text) = std::str::from_utf8(bytes) else {
            return;
        };
        again::<NodeId>(text);
        again::<TaskId>(text);
        again::<StackId>(text);
        again::<NetworkId>(text);
        again::<RequestId>(text);
        again::<BlobId>(text);
        again::<PublicKey>(text);
        again::<Hash32>(text);
        again::<KeyHash>(text);
        again::<Cursor>(text);
        again::<Numerics>(text);
        again::<Role>(text);
        again::<Rule>(text);
        again::<SecurityLevel>(text);
        again::<Usd>(text);
        if let Ok(salt) = text.parse::<Salt>() {
            assert_eq!(salt.to_text().as_str(), text);
        }
        if let Ok(key) = text.parse::<ApiKey>() {
            assert_eq!(key.reveal(), text);
        }
        if let Ok(key) = SigningKey::from_suiprivkey(text) {
            let again = key.to_suiprivkey().expect("a key");
            assert_eq!(again.as_str(), text.trim());
        }
        if NodeReach::Public.check(text).is_ok() {
            let text = text.to_ascii_lowercase();
            let web = ["http://", "https://"]
                .iter()
                .any(|scheme| text.starts_with(scheme));
            assert!(web && !text.contains(['?', '#', '@', '\\', ' ']), "{text}");
        }
    },
    max_bytes: 300,
    memory: Memory::FLAT,
    mutants: 25_000,
};

/// What is read is written so that it is read again as the same, and then always so.
fn again<T: FromStr<Err: std::fmt::Debug> + Display>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let written = value.to_string();
        let read: T = written.parse().expect("what was written");
        assert_eq!(read.to_string(), written);
    }
}

pub(super) const KEYSTORE: Target = Target {
    name: "keystore",
    seeds: || {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sui.keystore");
        let mut store = Keystore::open(&path).expect("an empty keystore");
        store.add(messages::key()).expect("a file");
        let written = std::fs::read(&path).expect("a file");
        vec![
            written,
            br#"["AQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJ"]"#.to_vec(),
        ]
    },
    check: |bytes| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("sui.keystore");
        write_private(&path, bytes).expect("a file");
        let added = SigningKey::from_seed(&[4; 32]);
        let Ok(mut store) = Keystore::open(&path) else {
            return;
        };
        let keys = |store: &Keystore| -> Vec<PublicKey> {
            store.keys().iter().map(SigningKey::public_key).collect()
        };
        let mut expected = keys(&store);
        if !expected.contains(&added.public_key()) {
            expected.push(added.public_key());
        }
        store.add(added).expect("a file");
        let again = Keystore::open(&path).expect("what was written");
        assert_eq!(keys(&again), expected);
    },
    max_bytes: 600,
    memory: Memory::TREE,
    mutants: 30,
};
