use atoma_keys::SigningKey;
use atoma_ledger::{ExecuteError, Executed, GasOptions, Ledger};
use atoma_network::testing::World;
use atoma_runtime::SystemRandom;
use atoma_types::{
    MicroUsdc,
    chain::{Call, Clock, calls},
};
use futures::future::{join_all, try_join_all};
use std::{collections::HashSet, sync::Arc};

async fn gas(ledger: &Ledger, key: &SigningKey) -> u64 {
    ledger.gas(key.public_key().address()).await.unwrap()
}

#[tokio::test]
async fn a_sponsor_pays_and_signs() {
    let world = World::start().await;
    let sponsor = Arc::new(world.party().await);
    let (payer, payee) = (
        SigningKey::generate(&SystemRandom),
        SigningKey::generate(&SystemRandom),
    );
    let [from, to] = [&payer, &payee].map(|key| key.public_key().address());
    world.give_usdc(from, MicroUsdc(70)).await;
    let alone = world.ledger.transfer_usdc(&payer, to, MicroUsdc(7)).await;
    assert!(matches!(alone, Err(ExecuteError::InsufficientFunds { .. })));

    let ledger = world.ledger.with_gas(GasOptions {
        sponsor: Some(Arc::clone(&sponsor)),
        ..GasOptions::default()
    });
    let before = gas(&ledger, &sponsor).await;
    let sent = ledger
        .transfer_usdc(&payer, to, MicroUsdc(7))
        .await
        .unwrap();
    assert_eq!(ledger.usdc(to).await.unwrap(), MicroUsdc(7));
    assert_eq!(gas(&ledger, &sponsor).await, before - sent.gas_used);
    assert_eq!(gas(&ledger, &payer).await, 0);

    // both ways at once: neither waits for ever for the other's wallet
    let (user, other) = (Arc::new(world.party().await), Arc::new(world.party().await));
    let paid_by = |sponsor: &Arc<SigningKey>| {
        world.ledger.with_gas(GasOptions {
            sponsor: Some(Arc::clone(sponsor)),
            ..GasOptions::default()
        })
    };
    let (by_other, by_user) = (paid_by(&other), paid_by(&user));
    let sends = (0..5).flat_map(|_| [(&by_other, &user), (&by_user, &other)]);
    let sends = sends.map(|(ledger, key)| ledger.transfer_usdc(key, to, MicroUsdc(1)));
    try_join_all(sends).await.unwrap();
    assert_eq!(ledger.usdc(to).await.unwrap(), MicroUsdc(17));
    world.audit();
}

#[tokio::test]
async fn a_budget_is_kept() {
    let world = World::start().await;
    let payer = world.party().await;
    let to = SigningKey::generate(&SystemRandom).public_key().address();
    let with = |budget| {
        world.ledger.with_gas(GasOptions {
            budget: Some(budget),
            ..GasOptions::default()
        })
    };
    let refused = with(1).transfer_usdc(&payer, to, MicroUsdc(1)).await;
    let Err(ExecuteError::GasBudget { needed, budget: 1 }) = refused else {
        panic!("{refused:?}");
    };
    // exactly what the simulation says is enough here, where nobody else comes in between
    let sent = with(needed).transfer_usdc(&payer, to, MicroUsdc(1)).await;
    assert!(sent.unwrap().gas_used <= needed);
}

#[tokio::test]
async fn a_price_that_nobody_allowed_is_not_signed() {
    let world = World::start().await;
    let payer = world.party().await;
    let to = SigningKey::generate(&SystemRandom).public_key().address();
    let with = |price| {
        world.ledger.with_gas(GasOptions {
            price: Some(price),
            ..GasOptions::default()
        })
    };
    let before = gas(&world.ledger, &payer).await;
    let refused = with(1).transfer_usdc(&payer, to, MicroUsdc(1)).await;
    let Err(ExecuteError::GasPrice { price, most: 1 }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(gas(&world.ledger, &payer).await, before);
    let sent = with(price).transfer_usdc(&payer, to, MicroUsdc(1)).await;
    sent.unwrap();
}

#[tokio::test]
async fn a_pool_has_several_in_flight() {
    let world = World::start().await;
    let key = Arc::new(world.party().await);
    let address = key.public_key().address();
    let before = gas(&world.ledger, &key).await;
    let slot_gas = 100_000_000;
    let pool = world
        .ledger
        .gas_pool(Arc::clone(&key), 4, slot_gas)
        .await
        .unwrap();
    assert_eq!(pool.slots(), 4);

    let tasks = join_all((0..12).map(|n| {
        let world = &world;
        let key = &key;
        async move { world.task(key, &format!("model-{n}")).await }
    }));
    // the wallet goes on meanwhile, and leaves the slots' coins alone
    let deprecate = |task| -> Call {
        calls::DeprecateTask {
            db: world.ledger.deployment().db.into(),
            task,
            clock: Clock,
        }
        .into()
    };
    let tasks = tasks.await;
    let done = tasks
        .iter()
        .map(|task| pool.execute(vec![deprecate((*task).into())]));
    let more = world.ledger.transfer_usdc(&key, address, MicroUsdc(1));
    let (done, more) = tokio::join!(try_join_all(done), more);
    more.unwrap();
    let done: Vec<Executed> = done.unwrap();
    let digests: HashSet<_> = done.iter().map(|executed| executed.digest).collect();
    assert_eq!(digests.len(), 12);
    for task in tasks {
        assert!(world.ledger.task(task).await.unwrap().is_deprecated());
    }

    // what could be used twice isn't taken
    let node = world.node(&key).await;
    let db = world.ledger.deployment().db;
    let pay = calls::AddCollateral {
        db: db.into(),
        node: node.into(),
        collateral: atoma_types::chain::Payment(MicroUsdc(1)),
        clock: Clock,
    };
    assert!(matches!(
        pool.execute(vec![pay.into()]).await,
        Err(ExecuteError::Build(_))
    ));
    // an abort is told as ever, and the slot works on
    let unbond = || -> Call {
        calls::BeginUnbonding {
            node: node.into(),
            clock: Clock,
        }
        .into()
    };
    pool.execute(vec![unbond()]).await.unwrap();
    let again = pool.execute(vec![unbond()]).await;
    assert!(again.unwrap_err().abort_code().is_some());

    pool.close().await.unwrap();
    let spent = before - gas(&world.ledger, &key).await;
    let last = world.ledger.transfer_usdc(&key, address, MicroUsdc(1));
    assert!(last.await.is_ok());
    assert!(spent < 4 * slot_gas, "the slots' gas came back: {spent}");
    world.audit();
}
