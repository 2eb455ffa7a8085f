//! Blobs stored over HTTP are objects on the ledger: whose they should be, certified by real
//! signatures, and still there after everything was closed and opened again.

use atoma_keys::SigningKey;
use atoma_ledger::ExecuteError;
use atoma_network::testing::World;
use atoma_types::{Address, ObjectId, chain::AbortCode, hash::Hash32};
use atoma_walrus::{
    client::{ClientConfig, StoreRequest, WalrusClient},
    coding::{Params, encode},
    committee::{BlsSecretKey, Committee, Confirmation, Member, Persistence},
    store::{
        Fault, PutOptions, Registry, RegistryError, Step, StepHook, Store, StoreError, StoreOptions,
    },
};
use atoma_walrus_localnet::{LedgerRegistry, LocalWalrus, LocalWalrusConfig, WalrusLocalnetError};
use bytes::Bytes;
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

fn admin(world: &World) -> SigningKey {
    SigningKey::from_seed(&world.localnet().admin_key().to_seed())
}

fn config(world: &World) -> LocalWalrusConfig {
    let folder = world.folder.path().join("walrus");
    LocalWalrusConfig::new(folder, world.ledger.clone(), admin(world))
}

async fn start_walrus(world: &World) -> LocalWalrus {
    LocalWalrus::start(config(world)).await.unwrap()
}

fn client(walrus: &LocalWalrus) -> WalrusClient {
    let url: url::Url = walrus.url().parse().unwrap();
    let config = ClientConfig::new(Some(url.clone()), url, walrus.shards());
    WalrusClient::new(config).unwrap()
}

fn for_owner(owner: Address, epochs: u32) -> StoreRequest {
    StoreRequest {
        send_object_to: Some(owner),
        ..StoreRequest::permanent(epochs)
    }
}

#[tokio::test]
async fn a_stored_blob_is_its_owner_s_object() {
    let world = World::own().await;
    let (walrus, ledger) = (start_walrus(&world).await, &world.ledger);
    let (owner, other) = (world.party().await, world.party().await);
    let address = owner.public_key().address();
    let blob = Bytes::from_static(b"what was asked and answered");
    let stored = client(&walrus)
        .store(blob.clone(), for_owner(address, 3))
        .await;
    let stored = stored.unwrap();
    let id = stored.object_id.unwrap();

    let held = ledger.blobs(&[id]).await.unwrap().pop().unwrap();
    assert_eq!(held.owner, Some(address));
    assert_eq!(held.blob.blob_id, stored.blob_id);
    assert_eq!(
        (held.blob.size, held.blob.deletable),
        (blob.len() as u64, false)
    );
    assert_eq!(
        (held.blob.registered_epoch, held.blob.certified_epoch),
        (1, Some(1))
    );
    assert_eq!(held.blob.storage.end_epoch, 4);
    assert_eq!(ledger.owned_blobs(address).await.unwrap(), [held.blob]);
    // the same bytes again: they are there
    let again = client(&walrus)
        .store(blob, for_owner(address, 2))
        .await
        .unwrap();
    assert_eq!((again.object, again.object_id), (None, stored.object_id));

    // its owner may keep it for longer, and nobody else
    let call = || vec![ledger.extend_blob(id, 2)];
    let refused = ledger.execute(&other, call()).await.unwrap_err();
    assert!(matches!(refused, ExecuteError::Rejected(_)), "{refused}");
    ledger.execute(&owner, call()).await.unwrap();
    assert_eq!(ledger.blob(id).await.unwrap().storage.end_epoch, 6);
    let refused = walrus.store().extend(stored.object_id.unwrap(), 1).await;
    assert!(matches!(
        refused,
        Err(StoreError::Registry(RegistryError::NotOwner(_)))
    ));
    // nor can anybody drop it, while it is promised
    let delete = vec![ledger.delete_blob(id)];
    let refused = ledger.execute(&owner, delete).await.unwrap_err();
    assert_eq!(refused.abort_code(), Some(AbortCode::BlobPermanent.code()));
}

/// Registers a blob that no storage node has.
async fn register(world: &World, key: &SigningKey, content: &[u8]) -> ObjectId {
    let params = Params::new(10).unwrap();
    let metadata = encode(params, content).unwrap().metadata;
    let call = world.ledger.register_blob(
        metadata.blob_id(),
        Hash32(*metadata.root()),
        metadata.size(),
        params.encoded_length(metadata.size()).unwrap(),
        5,
        false,
    );
    world.ledger.execute(key, vec![call]).await.unwrap();
    let blobs = world.ledger.owned_blobs(key.public_key().address()).await;
    let found = blobs
        .unwrap()
        .into_iter()
        .find(|blob| blob.certified_epoch.is_none());
    found.unwrap().id
}

#[tokio::test]
async fn a_restart_keeps_what_was_certified_and_drops_what_was_begun() {
    let world = World::own().await;
    let walrus = start_walrus(&world).await;
    let owner = world.party().await;
    let blob = Bytes::from(vec![7; 50_000]);
    let request = for_owner(owner.public_key().address(), 5);
    let stored = client(&walrus).store(blob.clone(), request).await.unwrap();
    // a write that broke off between ledger and index, and somebody else's business
    let begun = register(&world, &admin(&world), b"begun").await;
    let foreign = register(&world, &owner, b"foreign").await;
    walrus.stop().await;
    let world = world.restart().await;
    let walrus = start_walrus(&world).await;
    assert_eq!(client(&walrus).read(stored.blob_id).await.unwrap(), blob);
    let left = world.ledger.blobs(&[begun, foreign]).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].blob.id, foreign);
    let live = walrus.registry().live().await.unwrap();
    assert_eq!(live.len(), 1);
    let object = stored.object_id.unwrap();
    let certificate = walrus.registry().certificate(object).await.unwrap();
    walrus
        .store()
        .committee()
        .verify(&certificate.unwrap())
        .unwrap();
}

#[tokio::test]
async fn a_write_that_too_few_nodes_confirm_leaves_no_object() {
    let world = World::own().await;
    let walrus = start_walrus(&world).await;
    for node in 0..4 {
        walrus.store().set_fault(node, Fault::Down).unwrap();
    }
    let blob = Bytes::from_static(b"for six of ten");
    let refused = walrus.store().put(blob, PutOptions::default()).await;
    assert!(matches!(refused, Err(StoreError::NoQuorum { .. })));
    assert_eq!(walrus.registry().live().await.unwrap(), []);
    let operator = walrus.registry().operator();
    assert_eq!(world.ledger.owned_blobs(operator).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_epoch_that_ends_under_a_write_is_confirmed_anew() {
    let world = World::own().await;
    let (ledger, admin) = (world.ledger.clone(), admin(&world));
    let ended = AtomicBool::new(false);
    let hook = move |step| {
        if step != Step::Quorum || ended.swap(true, Ordering::SeqCst) {
            return;
        }
        let end = async {
            let cap = ledger.walrus_cap(admin.public_key().address()).await;
            let call = ledger.advance_epoch(&cap.unwrap().unwrap());
            ledger.execute(&admin, vec![call]).await.unwrap();
        };
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(end));
    };
    let mut config = config(&world);
    config.store.step = Some(StepHook(Arc::new(hook)));
    let walrus = LocalWalrus::start(config).await.unwrap();
    let blob = Bytes::from_static(b"between two epochs");
    let put = walrus.store().put(
        blob,
        PutOptions {
            epochs: 2,
            ..PutOptions::default()
        },
    );
    let object = put.await.unwrap().object().clone();
    assert_eq!(
        (object.registered_epoch, object.certified_epoch),
        (1, Some(2))
    );
}

#[tokio::test]
async fn nobody_certifies_without_the_storage_nodes() {
    let world = World::own().await;
    let _walrus = start_walrus(&world).await;
    let forger = world.party().await;
    let blob = register(&world, &forger, b"kept by nobody").await;
    let blob_id = world.ledger.blob(blob).await.unwrap().blob_id;
    // nodes that the ledger doesn't know, as many as it takes
    let keys: Vec<_> = (0..10)
        .map(|seed| BlsSecretKey::from_seed(&[seed; 32]).unwrap())
        .collect();
    let members = keys.iter().map(|key| Member {
        key: key.public_key(),
        weight: 1,
    });
    let committee = Committee::new(Params::new(10).unwrap(), members.collect()).unwrap();
    let message = Confirmation {
        epoch: 1,
        blob_id,
        persistence: Persistence::Permanent,
    };
    let sign = |(place, key): (usize, &BlsSecretKey)| (place, key.sign(&message.to_bytes()));
    let signed: Vec<_> = keys.iter().enumerate().map(sign).collect();
    let forged = committee.certify(message, &signed).unwrap();
    let call = world.ledger.certify_blob(
        blob,
        forged.signature.to_bytes().to_vec(),
        forged.signers,
        message.to_bytes(),
    );
    let refused = world.ledger.execute(&forger, vec![call]).await.unwrap_err();
    assert_eq!(
        refused.abort_code(),
        Some(AbortCode::CertificateInvalid.code())
    );
    assert_eq!(world.ledger.blob(blob).await.unwrap().certified_epoch, None);
}

#[tokio::test]
async fn the_rules_epoch_keeps_step_and_expired_blobs_go() {
    let world = World::own().await;
    let walrus = start_walrus(&world).await;
    let owner = world.party().await.public_key().address();
    let blob = Bytes::from_static(b"for a while");
    let stored = client(&walrus)
        .store(blob, for_owner(owner, 1))
        .await
        .unwrap();
    assert_eq!(walrus.registry().advance_epoch().await.unwrap(), 2);
    assert_eq!(world.ledger.walrus_system().await.unwrap().epoch, 2);
    assert!(client(&walrus).read(stored.blob_id).await.is_err());
    assert_eq!(walrus.store().collect_garbage().await.unwrap().blobs, 1);
    // its object is there, for whoever wants to look
    let object = stored.object_id.unwrap();
    assert!(!world.ledger.blob(object).await.unwrap().is_live(2));
}

#[tokio::test]
async fn a_folder_has_one_registry_and_a_ledger_one_operator() {
    let world = World::own().await;
    let stranger = world.party().await;
    let folder = world.folder.path().join("walrus");
    let refused = LedgerRegistry::open(world.ledger.clone(), stranger, &folder).await;
    assert!(matches!(refused, Err(WalrusLocalnetError::NotOperator(_))));

    let walrus = start_walrus(&world).await;
    let blob = Bytes::from_static(b"anybody's");
    let shared = PutOptions {
        share: true,
        ..PutOptions::default()
    };
    let refused = walrus.store().put(blob, shared).await;
    assert!(matches!(
        refused,
        Err(StoreError::Registry(RegistryError::NotShared))
    ));
    assert_eq!(walrus.registry().live().await.unwrap(), []);
    walrus.stop().await;
    // or else it would take all blobs for garbage
    let own = Store::open(StoreOptions::new(&folder)).await;
    assert!(matches!(own, Err(StoreError::OtherRegistry(_))));
    let operator = admin(&world);
    let registry = LedgerRegistry::open(world.ledger.clone(), operator, &folder).await;
    let registry = Arc::new(registry.unwrap());
    Store::open_with(StoreOptions::new(&folder), registry)
        .await
        .unwrap();
}
