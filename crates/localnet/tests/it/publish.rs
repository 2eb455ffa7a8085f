//! The contract published on a ledger that was born without it, and everything else refused.

use crate::common::{World, address, assert_success, create_task, created, register};
use atoma_keys::SigningKey;
use atoma_localnet::{Localnet, LocalnetConfig};
use atoma_package::CompiledPackage;
use atoma_types::{
    Address, ObjectId,
    chain::{AtomaDb, Call, LOCALNET_USDC_PACKAGE, LOCALNET_WALRUS_PACKAGE, Params, calls},
};
use sui_rpc::{
    field::{FieldMask, FieldMaskUtil},
    proto::sui::rpc::v2 as pb,
};
use sui_sdk_types::Transaction;
use sui_transaction_builder::{Error, ObjectInput, TransactionBuilder};

async fn unpublished() -> World {
    World::start_with(|config| config.unpublished = true).await
}

fn ours(world: &World) -> Vec<Vec<u8>> {
    let package =
        CompiledPackage::for_network(&world.localnet.deployment().surroundings()).unwrap();
    package.modules().to_vec()
}

fn dependencies() -> Vec<ObjectId> {
    let framework = [Address::from_static("0x1"), Address::TWO];
    [
        &framework[..],
        &[LOCALNET_USDC_PACKAGE, LOCALNET_WALRUS_PACKAGE],
    ]
    .concat()
}

/// Publishes once for each list of modules; the right to upgrade goes to the sender.
async fn publication(
    world: &mut World,
    key: &SigningKey,
    packages: &[Vec<Vec<u8>>],
    dependencies: &[ObjectId],
) -> Result<Transaction, Error> {
    let mut builder = TransactionBuilder::new();
    builder.set_sender(address(key));
    let publish = |modules: &Vec<Vec<u8>>| builder.publish(modules.clone(), dependencies.to_vec());
    let caps = packages.iter().map(publish).collect();
    let to = builder.pure(&address(key));
    builder.transfer_objects(caps, to);
    builder.build(&mut world.client).await
}

/// Why it isn't even simulated.
fn reason(refused: Result<Transaction, Error>) -> String {
    format!("{:?}", refused.unwrap_err())
}

async fn object(world: &mut World, id: ObjectId) -> pb::Object {
    let mask = FieldMask::from_paths(["contents", "owner", "object_type"]);
    let request = pb::GetObjectRequest::new(&id).with_read_mask(mask);
    let mut client = world.client.ledger_client();
    let found = client.get_object(request).await.unwrap();
    found.into_inner().object.unwrap()
}

async fn package(world: &mut World) -> Option<pb::Package> {
    let mut request = pb::GetPackageRequest::default();
    request.package_id = Some(world.localnet.deployment().package.to_string());
    let answer = world.client.package_client().get_package(request).await;
    answer.ok().and_then(|answer| answer.into_inner().package)
}

async fn transfer(world: &mut World, key: &SigningKey, id: ObjectId, to: Address) {
    let mut builder = TransactionBuilder::new();
    builder.set_sender(address(key));
    let object = builder.object(ObjectInput::new(id));
    let to = builder.pure(&to);
    builder.transfer_objects(vec![object], to);
    let transaction = builder.build(&mut world.client).await.unwrap();
    assert_success(&world.execute(key, &transaction).await.unwrap());
}

#[tokio::test]
async fn the_contract_is_published_once_and_stays() {
    let mut world = unpublished().await;
    let (alice, bob) = (world.rich(1).await, world.rich(2).await);
    let deployment = world.localnet.deployment();
    assert!(!world.localnet.is_published() && package(&mut world).await.is_none());
    world.localnet.audit().unwrap();

    let modules = [ours(&world)];
    let transaction = publication(&mut world, &alice, &modules, &dependencies())
        .await
        .unwrap();
    let done = world.execute(&alice, &transaction).await.unwrap();
    assert_success(&done);
    assert_eq!(created(&done, "package"), deployment.package);
    assert_eq!(created(&done, "::db::AtomaDb"), deployment.db);
    let admin_cap = created(&done, "::db::AdminCap");
    let upgrade_cap = created(&done, "::package::UpgradeCap");
    world.localnet.audit().unwrap();

    // what `init` makes: shared, with the first parameters, which no configuration changes
    let db = object(&mut world, deployment.db).await;
    let db: AtomaDb = bcs::from_bytes(db.contents().value()).unwrap();
    assert_eq!((db.version, db.params), (1, Params::default()));
    let cap = object(&mut world, upgrade_cap).await;
    let fields = (upgrade_cap, deployment.package, 1u64, 0u8);
    assert_eq!(cap.contents().value(), bcs::to_bytes(&fields).unwrap());

    // the code is shown as it was published
    let shown = package(&mut world).await.unwrap();
    let expected = CompiledPackage::for_network(&deployment.surroundings()).unwrap();
    for (name, code) in expected.as_published(deployment.package).unwrap() {
        let module = shown.modules.iter().find(|module| module.name() == name);
        assert_eq!(module.unwrap().contents(), code, "{name}");
    }
    assert_eq!(shown.linkage.len(), dependencies().len());

    // everyone uses it, and its publisher administers it
    let task = world.call(&bob, &[create_task(deployment.db)]).await;
    created(&task, "::task::Task");
    let node = world.call(&bob, &[register(deployment.db, &bob)]).await;
    created(&node, "::node::Node");
    let set: Call = calls::SetParam {
        db: deployment.db.into(),
        cap: admin_cap.into(),
        name: "paused".to_owned(),
        value: 1,
    }
    .into();
    assert!(world.build(&bob, std::slice::from_ref(&set)).await.is_err());
    assert_success(&world.call(&alice, &[set]).await);

    // its rights are objects like any other
    for right in [upgrade_cap, admin_cap] {
        transfer(&mut world, &alice, right, address(&bob)).await;
        let owner = object(&mut world, right).await.owner.unwrap();
        assert_eq!(owner.address(), address(&bob).to_string());
    }
    world.localnet.audit().unwrap();

    let again = publication(&mut world, &alice, &modules, &dependencies()).await;
    assert!(reason(again).contains("has it already"));

    // started again, with the setting or without, it is what it was
    let World { localnet, dir, .. } = world;
    localnet.shutdown().await;
    for unpublished in [true, false] {
        let mut config = LocalnetConfig::new(dir.path());
        config.unpublished = unpublished;
        let localnet = Localnet::start(config).await.unwrap();
        assert!(localnet.is_published());
        localnet.audit().unwrap();
        localnet.shutdown().await;
    }
}

#[tokio::test]
async fn nothing_else_is_published() {
    let mut world = unpublished().await;
    let alice = world.rich(1).await;
    let before = world.sui(address(&alice)).await;
    let modules = ours(&world);
    let foreign = "takes the contract's package alone";

    // other code: altered, incomplete, for another network, as compiled
    let mut altered = modules.clone();
    altered[0][40] ^= 1;
    let fewer = modules[1..].to_vec();
    let mut elsewhere = world.localnet.deployment();
    elsewhere.network.0 = [7; 32];
    let elsewhere = CompiledPackage::for_network(&elsewhere.surroundings()).unwrap();
    let plain = CompiledPackage::compiled();
    for other in [
        altered,
        fewer,
        Vec::new(),
        elsewhere.modules().to_vec(),
        plain.modules().to_vec(),
    ] {
        let refused = publication(&mut world, &alice, &[other], &dependencies()).await;
        let reason = reason(refused);
        assert!(reason.contains(foreign), "{reason}");
    }

    // twice at once
    let twice = [modules.clone(), modules[..1].to_vec()];
    let refused = publication(&mut world, &alice, &twice, &dependencies()).await;
    assert!(reason(refused).contains("once"));

    // with a dependency too few, or one that isn't there
    let ours = [modules];
    let refused = publication(&mut world, &alice, &ours, &dependencies()[1..]).await;
    assert!(reason(refused).contains("dependency"));
    let more = [&dependencies()[..], &[ObjectId::new([9; 32])]].concat();
    let refused = publication(&mut world, &alice, &ours, &more).await;
    assert!(reason(refused).contains("not found on-chain"));

    // the right to upgrade must go to someone
    let mut transaction = publication(&mut world, &alice, &ours, &dependencies())
        .await
        .unwrap();
    if let sui_sdk_types::TransactionKind::ProgrammableTransaction(program) = &mut transaction.kind
    {
        program.commands.truncate(1);
    }
    let failed = world.execute(&alice, &transaction).await.unwrap();
    let status = crate::common::status(&failed);
    assert_eq!(status.success, Some(false));
    assert!(!world.localnet.is_published());

    // nothing was paid but the failure's gas
    let used = failed.effects().gas_used();
    let paid = used.computation_cost() + used.storage_cost() - used.storage_rebate();
    assert_eq!(world.sui(address(&alice)).await, before - paid);
    world.localnet.audit().unwrap();
}

#[tokio::test]
async fn before_publication_the_contract_cannot_be_called() {
    let mut world = unpublished().await;
    let alice = world.rich(1).await;
    let deployment = world.localnet.deployment();
    let call = create_task(deployment.db);
    let refused = world.build(&alice, &[call]).await;
    assert!(reason(refused).contains("does not exist"));

    // nor a function that names none of its objects
    let mut builder = TransactionBuilder::new();
    builder.set_sender(address(&alice));
    let identifier = sui_sdk_types::Identifier::from_static;
    let function = sui_transaction_builder::Function::new(
        deployment.package,
        identifier("task"),
        identifier("create_task"),
    );
    builder.move_call(function, Vec::new());
    let refused = builder.build(&mut world.client).await;
    assert!(reason(refused).contains("not found on-chain"));
    let mut request = pb::GetFunctionRequest::default();
    request.package_id = Some(deployment.package.to_string());
    request.module_name = Some("task".to_owned());
    request.name = Some("create_task".to_owned());
    let answer = world.client.package_client().get_function(request).await;
    assert_eq!(answer.unwrap_err().code(), tonic::Code::NotFound);
    world.localnet.audit().unwrap();
}
