//! The development Walrus: storage nodes with real keys, and what a blob goes through.

use crate::world::*;
use atoma_contract::{Changes, Object, Owner};
use atoma_types::{
    BlobId, ObjectId,
    chain::RootHash,
    chain::{
        Blob, Clock, Event, LOCALNET_WALRUS_SYSTEM, WalrusSystem, calls,
        events::{BlobCertified, BlobDeleted, BlobRegistered},
    },
    hash::Hash32,
};
use blst::min_pk::{AggregateSignature, SecretKey};

const DOMAIN: &[u8] = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_NUL_";
/// Shards of the four storage nodes.
const WEIGHTS: [u16; 4] = [4, 3, 2, 1];
/// A blob's length, and what ten shards keep of it.
const SIZE: u64 = 10_000;
const ENCODED: u64 = 10 * ((4 + 7) * 358 + 64 * 10 + 32);

fn node_key(place: usize) -> SecretKey {
    SecretKey::key_gen(&[place as u8 + 1; 32], &[]).unwrap()
}

/// A registration of a blob that fits its numbers.
pub(crate) fn register_blob_call(epochs_ahead: u32, deletable: bool) -> calls::RegisterBlob {
    let root = Hash32([6; 32]);
    let id = Hash32::of_parts(&[&[1], &SIZE.to_le_bytes(), &root.0]);
    calls::RegisterBlob {
        system: LOCALNET_WALRUS_SYSTEM.into(),
        storage_amount: ENCODED,
        epochs_ahead,
        blob_id: BlobId(id.0),
        root_hash: RootHash(root),
        size: SIZE,
        encoding_type: 1,
        deletable,
    }
}

/// Lets just these nodes sign the call's message.
pub(crate) fn sign_confirmation(call: &mut calls::CertifyBlob, signers: &[usize]) {
    let signatures: Vec<_> = signers
        .iter()
        .map(|place| node_key(*place).sign(&call.message, DOMAIN, &[]))
        .collect();
    let signatures: Vec<_> = signatures.iter().collect();
    let all = AggregateSignature::aggregate(&signatures, true).unwrap();
    call.signature = all.to_signature().to_bytes().to_vec();
    call.signers_bitmap = vec![signers.iter().fold(0, |bits, place| bits | 1 << place)];
}

pub(crate) fn extend_blob_call(blob: ObjectId, extended_epochs: u32) -> calls::ExtendBlob {
    calls::ExtendBlob {
        system: LOCALNET_WALRUS_SYSTEM.into(),
        blob: blob.into(),
        extended_epochs,
    }
}

pub(crate) fn delete_blob_call(blob: ObjectId) -> calls::DeleteBlob {
    calls::DeleteBlob {
        system: LOCALNET_WALRUS_SYSTEM.into(),
        blob: blob.into(),
    }
}

impl World {
    pub(crate) fn walrus(&self) -> &WalrusSystem {
        match self.state.get(LOCALNET_WALRUS_SYSTEM) {
            Some(Object::WalrusSystem(system)) => system,
            other => panic!("no system: {other:?}"),
        }
    }

    fn operator_cap(&self) -> ObjectId {
        let mut objects = self.state.iter();
        let cap = objects.find_map(|(object, _)| match object {
            Object::WalrusCap(cap) => Some(cap.id),
            _ => None,
        });
        cap.unwrap()
    }

    pub(crate) fn blob_object(&self, id: ObjectId) -> &Blob {
        match self.state.get(id) {
            Some(Object::Blob(blob)) => blob,
            other => panic!("no blob: {other:?}"),
        }
    }

    pub(crate) fn committee_call(&self) -> calls::SetCommittee {
        let keys = (0..WEIGHTS.len()).map(|place| node_key(place).sk_to_pk().to_bytes().to_vec());
        calls::SetCommittee {
            system: LOCALNET_WALRUS_SYSTEM.into(),
            cap: self.operator_cap().into(),
            public_keys: keys.collect(),
            weights: WEIGHTS.to_vec(),
        }
    }

    pub(crate) fn advance_epoch_call(&self) -> calls::AdvanceEpoch {
        calls::AdvanceEpoch {
            system: LOCALNET_WALRUS_SYSTEM.into(),
            cap: self.operator_cap().into(),
            clock: Clock,
        }
    }

    /// Names the storage nodes, unless there are some.
    pub(crate) fn start_walrus(&mut self) {
        if self.walrus().committee.is_empty() {
            let call = self.committee_call();
            self.ok(ADMIN, call);
        }
    }

    pub(crate) fn register_blob(&mut self, owner: u8, epochs: u32, deletable: bool) -> ObjectId {
        self.start_walrus();
        registered(&self.ok(owner, register_blob_call(epochs, deletable))).object_id
    }

    /// The certificate of the first two storage nodes, who have seven of ten shards.
    pub(crate) fn certify_call(&self, blob: ObjectId) -> calls::CertifyBlob {
        let held = self.blob_object(blob);
        let mut message = vec![1, 0, 3];
        message.extend(self.walrus().epoch.to_le_bytes());
        message.extend(held.blob_id.0);
        message.push(u8::from(held.deletable));
        if held.deletable {
            message.extend(held.id.as_bytes());
        }
        let mut call = calls::CertifyBlob {
            system: LOCALNET_WALRUS_SYSTEM.into(),
            blob: blob.into(),
            signature: Vec::new(),
            signers_bitmap: Vec::new(),
            message,
        };
        sign_confirmation(&mut call, &[0, 1]);
        call
    }

    /// A certified permanent blob of nine epochs.
    pub(crate) fn blob(&mut self, owner: u8) -> ObjectId {
        let blob = self.register_blob(owner, 9, false);
        let call = self.certify_call(blob);
        self.ok(owner, call);
        blob
    }
}

fn registered(changes: &Changes) -> &BlobRegistered {
    match changes.events.first() {
        Some(Event::BlobRegistered(event)) => event,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_blob_is_registered_certified_extended_and_kept() {
    let mut world = World::new();
    world.start_walrus();
    let changes = world.ok(USER, register_blob_call(2, false));
    let event = registered(&changes).clone();
    assert_eq!((event.epoch, event.end_epoch, event.size), (1, 3, SIZE));
    let id = event.object_id;
    assert_eq!(changes.written[&id].1, Owner::Address(address(USER)));
    assert_eq!(world.blob_object(id).certified_epoch, None);

    let advance = world.advance_epoch_call();
    world.ok(ADMIN, advance);
    assert_eq!(world.walrus().epoch_start_ms.0, world.now);
    let call = world.certify_call(id);
    let changes = world.ok(USER, call);
    let certified = BlobCertified {
        epoch: 2,
        blob_id: event.blob_id,
        end_epoch: 3,
        deletable: false,
        object_id: id,
        is_extension: false,
    };
    assert_eq!(changes.events, [certified.clone().into()]);
    assert_eq!(changes.written[&id].1, Owner::Address(address(USER)));

    // to the last epoch that may be had from here
    let changes = world.ok(USER, extend_blob_call(id, 52));
    let extended = BlobCertified {
        end_epoch: 55,
        is_extension: true,
        ..certified
    };
    assert_eq!(changes.events, [extended.into()]);
    assert_eq!(world.blob_object(id).storage.end_epoch, 55);
    assert_eq!(world.blob_object(id).registered_epoch, 1);
}

#[test]
fn what_nobody_was_promised_can_be_dropped() {
    let mut world = World::new();
    // deletable and certified; permanent and not certified; permanent, certified, but over
    let deletable = world.register_blob(USER, 9, true);
    let call = world.certify_call(deletable);
    world.ok(USER, call);
    let unfinished = world.register_blob(USER, 9, false);
    let over = world.register_blob(USER, 1, false);
    let call = world.certify_call(over);
    world.ok(USER, call);
    let advance = world.advance_epoch_call();
    world.ok(ADMIN, advance);
    for (blob, was_certified) in [(deletable, true), (unfinished, false), (over, true)] {
        let held = world.blob_object(blob).clone();
        let changes = world.ok(USER, delete_blob_call(blob));
        let event = BlobDeleted {
            epoch: 2,
            blob_id: held.blob_id,
            end_epoch: held.storage.end_epoch,
            object_id: blob,
            was_certified,
        };
        assert_eq!(changes.events, [event.into()]);
        assert!(changes.deleted.contains(&blob) && world.state.get(blob).is_none());
    }
}

/// BCS of the objects is what Walrus's own package writes: fields in order, nothing between them.
#[test]
fn a_blob_has_walrus_s_bytes() {
    let mut world = World::new();
    let id = world.blob(USER);
    let blob = world.blob_object(id);
    let expected = [
        id.as_bytes(),
        &1_u32.to_le_bytes()[..],
        &blob.blob_id.0,
        &SIZE.to_le_bytes(),
        &[1],
        &[1, 1, 0, 0, 0],
        blob.storage.id.as_bytes(),
        &1_u32.to_le_bytes(),
        &10_u32.to_le_bytes(),
        &ENCODED.to_le_bytes(),
        &[0],
    ]
    .concat();
    assert_eq!(Object::Blob(blob.clone()).to_bcs(), expected);
}
