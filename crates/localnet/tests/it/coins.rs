//! Coins: what may be done with them, and what may not.

use crate::common::{World, address, assert_success, status};
use atoma_keys::SigningKey;
use atoma_types::Address;
use sui_crypto::SuiSigner;
use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_sdk_types::{Transaction, TransactionKind};
use sui_transaction_builder::{ObjectInput, TransactionBuilder};

const SUI: u64 = 1_000_000_000;

async fn transfer(
    world: &mut World,
    from: &SigningKey,
    to: Address,
    amounts: &[u64],
) -> Transaction {
    let mut builder = TransactionBuilder::new();
    builder.set_sender(address(from));
    let gas = builder.gas();
    let amounts = amounts.iter().map(|amount| builder.pure(amount)).collect();
    let coins = builder.split_coins(gas, amounts);
    let to = builder.pure(&to);
    builder.transfer_objects(coins, to);
    builder.build(&mut world.client).await.unwrap()
}

#[tokio::test]
async fn splits_transfers_and_merges() {
    let mut world = World::start().await;
    let (alice, bob) = (world.rich(1).await, SigningKey::from_seed(&[2; 32]));
    let before = world.sui(address(&alice)).await;
    let transaction = transfer(&mut world, &alice, address(&bob), &[3 * SUI, 4 * SUI]).await;
    let done = world.execute(&alice, &transaction).await.unwrap();
    assert_success(&done);
    assert_eq!(world.sui(address(&bob)).await, 7 * SUI);
    let gas = done.effects.as_ref().unwrap().gas_used.unwrap();
    let charged = gas.computation_cost() + gas.storage_cost() - gas.storage_rebate();
    assert_eq!(world.sui(address(&alice)).await, before - 7 * SUI - charged);

    // both coins are smashed to pay, and what is left is one coin
    let transaction = transfer(&mut world, &bob, address(&bob), &[]).await;
    assert_eq!(transaction.gas_payment.objects.len(), 2);
    // transferring nothing is a transfer all the same
    assert_success(&world.execute(&bob, &transaction).await.unwrap());
    let owned = owned_coins(&mut world, address(&bob)).await;
    assert_eq!(owned.len(), 1);
    world.localnet.audit().unwrap();
    world.localnet.shutdown().await;
}

async fn owned_coins(world: &mut World, owner: Address) -> Vec<pb::Object> {
    let mut request = pb::ListOwnedObjectsRequest::default();
    request.owner = Some(owner.to_string());
    request.object_type = Some("0x2::coin::Coin".to_owned());
    let client = world
        .client
        .state_client()
        .list_owned_objects(request)
        .await;
    client.unwrap().into_inner().objects
}

#[tokio::test]
async fn merges_a_coin_into_another() {
    let mut world = World::start().await;
    let alice = world.rich(1).await;
    let me = address(&alice);
    let transaction = transfer(&mut world, &alice, me, &[SUI, 2 * SUI]).await;
    let done = world.execute(&alice, &transaction).await.unwrap();
    let made: Vec<Address> = done
        .effects()
        .changed_objects()
        .iter()
        .filter(|c| c.id_operation() == pb::changed_object::IdOperation::Created)
        .map(|c| c.object_id().parse().unwrap())
        .collect();
    let mut builder = TransactionBuilder::new();
    builder.set_sender(me);
    let (a, b) = (
        builder.object(ObjectInput::new(made[0])),
        builder.object(ObjectInput::new(made[1])),
    );
    builder.merge_coins(a, vec![b]);
    let transaction = builder.build(&mut world.client).await.unwrap();
    assert_success(&world.execute(&alice, &transaction).await.unwrap());
    let request = pb::GetObjectRequest::new(&made[1]);
    let gone = world.client.ledger_client().get_object(request).await;
    assert_eq!(gone.unwrap_err().code(), tonic::Code::NotFound);
    world.localnet.audit().unwrap();
}

#[tokio::test]
async fn a_transaction_executed_again_answers_the_same_and_does_nothing() {
    let mut world = World::start().await;
    let (alice, bob) = (world.rich(1).await, Address::new([9; 32]));
    let transaction = transfer(&mut world, &alice, bob, &[SUI]).await;
    let first = world.execute(&alice, &transaction).await.unwrap();
    let again = world.execute(&alice, &transaction).await.unwrap();
    assert_eq!(first, again);
    assert_eq!(world.sui(bob).await, SUI);
}

#[tokio::test]
async fn refuses_stale_versions_and_double_spends() {
    let mut world = World::start().await;
    let (alice, bob) = (world.rich(1).await, Address::new([9; 32]));
    let one = transfer(&mut world, &alice, bob, &[SUI]).await;
    let other = transfer(&mut world, &alice, Address::new([8; 32]), &[SUI]).await;
    world.execute(&alice, &one).await.unwrap();
    let refused = world.execute(&alice, &other).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::FailedPrecondition);
    assert!(
        refused.message().contains("not available for consumption"),
        "{refused}"
    );
    assert_eq!(world.sui(Address::new([8; 32])).await, 0);
}

#[tokio::test]
async fn refuses_whoever_is_not_the_sender() {
    let mut world = World::start().await;
    let (alice, mallory) = (world.rich(1).await, world.rich(2).await);
    let transaction = transfer(&mut world, &alice, address(&mallory), &[SUI]).await;
    let refused = world.execute(&mallory, &transaction).await.unwrap_err();
    assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused}");

    // the signature of another transaction by the right key
    let other = transfer(&mut world, &alice, address(&mallory), &[2 * SUI]).await;
    let signature = alice.wallet_key().sign_transaction(&other).unwrap();
    let mut request = pb::ExecuteTransactionRequest::default();
    request.transaction = Some(transaction.clone().into());
    request.signatures = vec![signature.into()];
    let refused = world
        .client
        .execution_client()
        .execute_transaction(request.clone())
        .await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::InvalidArgument);
    request.signatures.clear();
    let refused = world
        .client
        .execution_client()
        .execute_transaction(request)
        .await;
    assert_eq!(refused.unwrap_err().code(), tonic::Code::InvalidArgument);

    // someone else's coin in one's own transaction
    let mut stolen = transaction;
    stolen.sender = address(&mallory);
    stolen.gas_payment.owner = address(&mallory);
    let refused = world.execute(&mallory, &stolen).await.unwrap_err();
    assert!(refused.message().contains("not owned"), "{refused}");
}

#[tokio::test]
async fn a_sponsor_pays_for_gas() {
    let mut world = World::start().await;
    let (alice, sponsor) = (world.rich(1).await, world.rich(2).await);
    let before = world.sui(address(&alice)).await;
    let coin = owned_coins(&mut world, address(&alice)).await.remove(0);
    let mut builder = TransactionBuilder::new();
    builder.set_sender(address(&alice));
    builder.set_sponsor(address(&sponsor));
    let coin = builder.object(ObjectInput::new(coin.object_id().parse().unwrap()));
    let to = builder.pure(&address(&alice));
    builder.transfer_objects(vec![coin], to);
    let transaction = builder.build(&mut world.client).await.unwrap();
    assert_eq!(
        world
            .execute(&alice, &transaction)
            .await
            .unwrap_err()
            .code(),
        tonic::Code::InvalidArgument
    );
    let mut request = pb::ExecuteTransactionRequest::default();
    request.signatures = [&alice, &sponsor]
        .map(|key| {
            key.wallet_key()
                .sign_transaction(&transaction)
                .unwrap()
                .into()
        })
        .to_vec();
    request.transaction = Some(transaction.into());
    world
        .client
        .execution_client()
        .execute_transaction(request)
        .await
        .unwrap();
    assert_eq!(world.sui(address(&alice)).await, before);
    world.localnet.audit().unwrap();
}

#[tokio::test]
async fn a_failed_program_charges_gas_and_nothing_else() {
    let mut world = World::start().await;
    let (alice, bob) = (world.rich(1).await, Address::new([9; 32]));
    let before = world.sui(address(&alice)).await;
    let mut transaction = transfer(&mut world, &alice, bob, &[SUI, 2 * SUI]).await;
    // more than there is in the second part
    let TransactionKind::ProgrammableTransaction(program) = &mut transaction.kind else {
        unreachable!()
    };
    program.inputs[1] = sui_sdk_types::Input::Pure(bcs::to_bytes(&u64::MAX).unwrap());
    let done = world.execute(&alice, &transaction).await.unwrap();
    assert_eq!(status(&done).success, Some(false));
    assert_eq!(
        status(&done).error().kind(),
        pb::execution_error::ExecutionErrorKind::InsufficientCoinBalance
    );
    assert_eq!(world.sui(bob).await, 0);
    let charged = before - world.sui(address(&alice)).await;
    assert_eq!(charged, done.effects().gas_used().computation_cost());
    world.localnet.audit().unwrap();
}

#[tokio::test]
async fn faucet_gives_test_dollars_too() {
    let mut world = World::start().await;
    let someone = Address::new([3; 32]);
    let body = format!(r#"{{"recipient":"{someone}","amount":12345}}"#);
    let (status, body) = crate::common::post(world.localnet.address(), "/faucet/usdc", &body).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(world.usdc(someone).await, 12_345);
    assert_eq!(world.sui(someone).await, 0);
    let mut request = pb::ListBalancesRequest::default();
    request.owner = Some(someone.to_string());
    let balances = world
        .client
        .state_client()
        .list_balances(request)
        .await
        .unwrap();
    assert_eq!(balances.into_inner().balances.len(), 1);
}
