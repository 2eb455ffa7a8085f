//! A ledger that is too busy: what it gives up or turns away is tried again, a bounded number of times, and money
//! is spent once.

use atoma_keys::SigningKey;
use atoma_ledger::ExecuteError;
use atoma_network::testing::World;
use atoma_runtime::SystemRandom;
use atoma_types::MicroUsdc;

#[tokio::test]
async fn what_is_given_up_for_congestion_is_done_anew_and_paid_once() {
    let world = World::own().await;
    let key = world.party().await;
    let address = key.public_key().address();
    let (gas, usdc) = (
        world.ledger.gas(address).await.unwrap(),
        world.ledger.usdc(address).await.unwrap(),
    );
    world.localnet().congest(3);
    let node = world.node(&key).await;
    let node = world.ledger.node(node).await.unwrap();
    let left = world.ledger.usdc(address).await.unwrap();
    assert_eq!(left.0 + node.collateral.0, usdc.0);
    assert_eq!(world.ledger.db().await.unwrap().nodes.size, 1);
    // each time that it was given up cost gas
    assert!(world.ledger.gas(address).await.unwrap() < gas);
    world.audit();
}

#[tokio::test]
async fn a_wallet_that_pays_gas_from_its_balance_gets_through_congestion_too() {
    let world = World::own().await;
    let key = SigningKey::generate(&SystemRandom);
    let address = key.public_key().address();
    world.ledger.faucet_to_balance(address).await.unwrap();
    let usdc = world.ledger.usdc(address).await.unwrap();
    world.localnet().congest(2);
    let node = world.node(&key).await;
    let node = world.ledger.node(node).await.unwrap();
    let left = world.ledger.usdc(address).await.unwrap();
    assert_eq!(left.0 + node.collateral.0, usdc.0);
    world.audit();
}

#[tokio::test]
async fn a_ledger_that_stays_congested_is_given_up_on() {
    let world = World::own().await;
    let key = world.party().await;
    let address = key.public_key().address();
    let task = world.task(&key, "model").await;
    let usdc = world.ledger.usdc(address).await.unwrap();
    world.localnet().congest(u32::MAX);
    let deprecate = atoma_types::chain::calls::DeprecateTask {
        db: world.ledger.deployment().db.into(),
        task: task.into(),
        clock: atoma_types::chain::Clock,
    };
    let given_up = world
        .ledger
        .execute(&key, vec![deprecate.clone().into()])
        .await;
    let Err(ExecuteError::Failed { source, .. }) = given_up else {
        panic!("{given_up:?}");
    };
    let said = source.to_string().to_lowercase();
    assert!(said.contains("congestion"), "{said}");
    assert_eq!(world.ledger.usdc(address).await.unwrap(), usdc);
    // and afterwards the wallet works as before
    world.localnet().congest(0);
    world
        .ledger
        .execute(&key, vec![deprecate.into()])
        .await
        .unwrap();
    assert!(world.ledger.task(task).await.unwrap().is_deprecated());
    world.audit();
}

#[tokio::test]
async fn what_is_turned_away_is_submitted_again_and_executed_once() {
    let world = World::own().await;
    let key = world.party().await;
    let to = SigningKey::generate(&SystemRandom).public_key().address();
    world.localnet().turn_away(4);
    world
        .ledger
        .transfer_usdc(&key, to, MicroUsdc(7))
        .await
        .unwrap();
    assert_eq!(world.ledger.usdc(to).await.unwrap(), MicroUsdc(7));
    // one that is turned away for too long is unknown, and settled before the next one
    world.localnet().turn_away(u32::MAX);
    let unknown = world.ledger.transfer_usdc(&key, to, MicroUsdc(70)).await;
    assert!(matches!(unknown, Err(ExecuteError::Timeout { .. })));
    assert_eq!(world.ledger.usdc(to).await.unwrap(), MicroUsdc(7));
    world.localnet().turn_away(1);
    world
        .ledger
        .transfer_usdc(&key, to, MicroUsdc(700))
        .await
        .unwrap();
    assert_eq!(world.ledger.usdc(to).await.unwrap(), MicroUsdc(777));
    world.audit();
}
