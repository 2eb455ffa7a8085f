//! What parties sign for each other: headers, receipts, grants, and the proofs about them.

use super::{Memory, Target};
use atoma_keys::SigningKey;
use atoma_types::{
    BlobId, ComputeUnits, NetworkId, NodeId, Price, StackId, TimestampMs, Usage,
    hash::Hash32,
    merkle::{MerkleTree, Proof, leaf_hash},
    message::{
        Domain, Draft, EvidenceLeaf, Grant, LeaseQuery, Message, MessageSignature, OpenEvidence,
        Origin, Receipt, RequestHeader, Signed, sample,
    },
};
use std::fmt::Debug;

pub(super) const MESSAGES: Target = Target {
    name: "messages",
    seeds: signed,
    check: |bytes| {
        holds::<RequestHeader>(bytes);
        holds::<Receipt>(bytes);
        holds::<Grant>(bytes);
        holds::<OpenEvidence>(bytes);
        holds::<LeaseQuery>(bytes);
        if let Ok(signature) = MessageSignature::try_from(bytes) {
            assert_eq!(signature.to_bytes(), bytes);
        }
    },
    max_bytes: 1_500,
    memory: Memory::FLAT,
    mutants: 20_000,
};

pub(super) const PROOFS: Target = Target {
    name: "proofs",
    seeds: || {
        let tree = MerkleTree::from_leaves((0..7_u8).map(|i| leaf_hash(&[i])).collect());
        let proofs = [0, 3, 6].map(|place| tree.prove(place).map(|p| p.to_bytes()));
        let mut seeds: Vec<_> = proofs.into_iter().flatten().collect();
        seeds.push(EvidenceLeaf::new(&header(Origin::Own), &receipt()).to_bytes());
        seeds
    },
    check: |bytes| {
        if let Ok(proof) = Proof::from_bytes(bytes) {
            assert_eq!(proof.to_bytes(), bytes);
            let root = proof.root(leaf_hash(b"item"));
            // another item never has the same root
            assert!(root.is_none() || root != proof.root(leaf_hash(b"other")));
        }
        if let Ok(leaf) = EvidenceLeaf::from_bytes(bytes) {
            assert_eq!(leaf.to_bytes(), bytes);
            assert_eq!(leaf.receipt_hash(), Hash32::of(&leaf.receipt));
        }
    },
    max_bytes: 2_500,
    memory: Memory::FLAT,
    mutants: 20_000,
};

/// A message has one form in bytes, one hash, and one text; another key's owner didn't sign it.
fn holds<T: Message + Debug + PartialEq>(bytes: &[u8]) {
    if let Ok(signed) = Signed::<T>::from_bytes(bytes.to_vec()) {
        assert_eq!(signed.to_bytes(), bytes);
        assert_eq!(
            Draft::new(bcs::from_bytes::<T>(signed.bytes()).unwrap()).hash(),
            signed.hash()
        );
        let text = signed.to_text();
        // the header may be longer than a node takes, but what is read from it is the same
        assert_eq!(Signed::from_text(&text).as_ref(), Ok(&signed));
        assert!(signed.verify(&stranger().public_key()).is_err());
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(signed) = Signed::<T>::from_text(text)
    {
        assert_eq!(Signed::from_text(&signed.to_text()).as_ref(), Ok(&signed));
    }
}

fn signed() -> Vec<Vec<u8>> {
    let key = key();
    let (network, stack, node) = (network(), stack(), node());
    let grant = Grant {
        domain: Domain::default(),
        network,
        stack,
        node,
        cumulative_units: ComputeUnits(4),
        max_price: Price(6),
        nonce: 7,
        expires_at_ms: TimestampMs(5),
    };
    let query = LeaseQuery {
        domain: Domain::default(),
        network,
        stack,
        node,
        asked_at_ms: TimestampMs(9),
    };
    let together = (0..3).map(|_| Draft::new(grant.clone())).collect();
    let mut seeds = vec![
        header(Origin::Own).to_bytes(),
        header(Origin::Stored(BlobId([12; 32]))).to_bytes(),
        header(Origin::Forwarded(Hash32([12; 32]))).to_bytes(),
        header(Origin::Kept).to_bytes(),
        header(Origin::Own).to_text().into_bytes(),
        receipt().to_bytes(),
        Signed::new(grant, &key).to_bytes(),
        Signed::new(query, &key).to_text().into_bytes(),
    ];
    seeds.extend(Draft::sign_all(together, &key).iter().map(Signed::to_bytes));
    seeds
}

pub(super) fn key() -> SigningKey {
    SigningKey::from_seed(&[7; 32])
}

fn stranger() -> SigningKey {
    SigningKey::from_seed(&[8; 32])
}

pub(super) fn network() -> NetworkId {
    sample::header().network
}

pub(super) fn stack() -> StackId {
    sample::header().stack
}

pub(super) fn node() -> NodeId {
    sample::header().node
}

pub(super) fn header(origin: Origin) -> Signed<RequestHeader> {
    let header = RequestHeader {
        origin,
        ..sample::header()
    };
    Signed::new(header, &key())
}

pub(super) fn receipt() -> Signed<Receipt> {
    let receipt = Receipt {
        usage: Usage::of_text(8, 0, 10),
        units: ComputeUnits(11),
        cumulative_units: ComputeUnits(11),
        output_fingerprint: Some(Hash32([17; 32])),
        ..sample::receipt(header(Origin::Own).hash())
    };
    Signed::new(receipt, &key())
}
