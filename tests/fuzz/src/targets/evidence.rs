//! Evidence: packs, records, sealed bodies, proofs in files.

use super::{Memory, Target, messages};
use atoma_evidence::{
    dispute::SettledRecord,
    pack::{Body, Pack, ReceiptProof, Record, SealContext, Sealer, SettlementProof},
};
use atoma_keys::SigningKey;
use atoma_types::{
    hash::Hash32,
    history::ReceiptTree,
    merkle::leaf_hash,
    message::{CommitmentKind, Origin},
};
use bytes::Bytes;

const GOLDEN: &[u8] = include_bytes!("../../../../crates/evidence/tests/vectors/pack-v1.bin");

/// A pack whose hashes are made right after it was changed, so that what is behind them is reached too.
pub(super) const PACK: Target = Target {
    name: "pack",
    seeds: || vec![GOLDEN.to_vec()],
    check: |bytes| {
        as_it_is(bytes);
        if let Some(repaired) = repaired(bytes) {
            as_it_is(&repaired);
        }
    },
    max_bytes: 8_000,
    memory: Memory {
        // zstd's window for a body
        fixed: 4 << 20,
        per_byte: 64,
    },
    mutants: 1_500,
};

fn as_it_is(bytes: &[u8]) {
    let Ok(pack) = Pack::from_bytes(bytes.to_vec()) else {
        return;
    };
    assert_eq!(pack.to_blob().expect("its bytes").as_ref(), bytes);
    let catalog = pack.catalog();
    for place in 0..catalog.entries().len() {
        let Ok(record) = pack.record_bytes(place) else {
            continue;
        };
        let path = catalog.prove(place).expect("a place of the catalogue");
        atoma_evidence::pack::verify_record(&record, &path, catalog.root()).expect("proved");
    }
    let _ = pack.verify();
}

/// The same with the hashes of header and footer as they should be.
fn repaired(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    let length = bytes.len();
    let footer = length.checked_sub(88).filter(|start| *start >= 128)?;
    let hash = Hash32::of(&bytes[..96]);
    bytes[96..128].copy_from_slice(&hash.0);
    let index = u64::from_le_bytes(bytes[footer..footer + 8].try_into().ok()?);
    let index = usize::try_from(index)
        .ok()
        .filter(|index| (128..=footer).contains(index))?;
    let hash = Hash32::of_parts(&[
        &bytes[..128],
        &bytes[index..footer],
        &bytes[footer..footer + 48],
    ]);
    bytes[footer + 48..footer + 80].copy_from_slice(&hash.0);
    Some(bytes)
}

pub(super) const RECORD: Target = Target {
    name: "record",
    seeds: || {
        let pack = Pack::from_bytes(GOLDEN).expect("the golden pack");
        let records = (0..pack.catalog().entries().len()).map(|place| pack.record_bytes(place));
        records
            .map(|record| content_of(&record.expect("a record")).to_vec())
            .collect()
    },
    check: |content| {
        // the length and the hash around it are right; what they hold is any bytes
        let length = (content.len() as u32).to_le_bytes();
        let bytes = Bytes::from([&length[..], content, &leaf_hash(content).0].concat());
        let Ok((record, leaf)) = Record::from_bytes(&bytes) else {
            return;
        };
        assert_eq!(leaf, leaf_hash(content));
        assert_eq!(record.to_bytes().expect("a record"), bytes);
        let _ = (record.evidence_leaf(), record.signed_request());
        for body in [record.request_body(), record.answer_body()] {
            if let Ok(Some(plain)) = body.plain() {
                assert_eq!(plain.len(), body.size());
            }
            let _ = body.parties();
        }
    },
    max_bytes: 4_000,
    memory: Memory {
        fixed: 4 << 20,
        per_byte: 64,
    },
    mutants: 12_000,
};

fn content_of(record: &Bytes) -> &[u8] {
    &record[4..record.len() - 32]
}

pub(super) const SEALED_BODY: Target = Target {
    name: "sealed_body",
    seeds: || {
        let random = random();
        let parties = [messages::key().public_key(), other().public_key()];
        let sealer = Sealer::new(&context(), &parties, random.as_ref()).expect("two parties");
        let seal = |body: &'static [u8]| sealer.seal(Hash32::ZERO, CommitmentKind::Answer, body);
        [&b"a star"[..], &[b'x'; 300]]
            .map(|body| seal(body).expect("a seal").stored().to_vec())
            .to_vec()
    },
    check: |bytes| {
        let body = Body::sealed(bytes.to_vec()).expect("short");
        let parties = body.parties();
        let opened = body.unseal(
            &messages::key(),
            &context(),
            Hash32::ZERO,
            CommitmentKind::Answer,
        );
        if opened.is_ok() {
            assert!(parties.is_ok_and(|parties| parties.contains(&messages::key().public_key())));
            let other_part = body.unseal(
                &messages::key(),
                &context(),
                Hash32::ZERO,
                CommitmentKind::Request,
            );
            assert!(other_part.is_err(), "a seal for another body");
        }
    },
    max_bytes: 1_000,
    memory: Memory {
        fixed: 4 << 20,
        per_byte: 64,
    },
    mutants: 1_000,
};

fn random() -> atoma_runtime::SharedRandom {
    atoma_runtime::Runtime::system().random
}

fn other() -> SigningKey {
    SigningKey::from_seed(&[9; 32])
}

fn context() -> SealContext {
    SealContext {
        network: messages::network(),
        stack: messages::stack(),
        node: messages::node(),
    }
}

pub(super) const PROOF_FILES: Target = Target {
    name: "proof_files",
    seeds: || {
        let (header, receipt) = (messages::header(Origin::Own), messages::receipt());
        let tree = ReceiptTree::new(0, [receipt.hash(), Hash32::ZERO]).expect("two receipts");
        let proof = ReceiptProof {
            request_id: header.message().request_id,
            header,
            receipt,
            storage: None,
            settlement: SettlementProof::new(&tree, 1),
        };
        let record = SettledRecord::of_proof(&proof).expect("settled").to_json();
        let proof = serde_json::to_string(&proof).expect("a proof is JSON");
        vec![record.into_bytes(), proof.into_bytes()]
    },
    check: |bytes| {
        if let Ok(text) = std::str::from_utf8(bytes)
            && let Ok(record) = SettledRecord::from_json(text)
        {
            let again = SettledRecord::from_json(&record.to_json());
            assert_eq!(again.expect("what was written"), record);
        }
        if let Ok(proof) = serde_json::from_slice::<ReceiptProof>(bytes) {
            let text = serde_json::to_string(&proof).expect("a proof is JSON");
            let again: ReceiptProof = serde_json::from_str(&text).expect("what was written");
            assert_eq!(again, proof);
        }
    },
    max_bytes: 4_000,
    memory: Memory::TREE,
    mutants: 12_000,
};
