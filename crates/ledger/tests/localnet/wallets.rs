use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_network::testing::World;
use atoma_runtime::SystemRandom;
use atoma_types::MicroUsdc;
use futures::future::{join_all, try_join_all};
use std::time::Duration;

#[tokio::test]
async fn many_transfers_of_one_wallet_never_collide() {
    let world = World::start().await;
    let payer = world.party().await;
    let payee = SigningKey::generate(&SystemRandom).public_key().address();
    let transfers = (1..=20).map(|n| world.ledger.transfer_usdc(&payer, payee, MicroUsdc(n)));
    try_join_all(transfers).await.unwrap();
    assert_eq!(world.ledger.usdc(payee).await.unwrap(), MicroUsdc(210));
}

#[tokio::test]
async fn two_programs_with_one_wallet_get_through() {
    let world = World::start().await;
    let payer = world.party().await;
    let payee = SigningKey::generate(&SystemRandom).public_key().address();
    // a connection of its own, as another program has it
    let deployment = world.ledger.deployment().clone();
    let other = Ledger::connect_with(world.ledger.url(), deployment)
        .await
        .unwrap();
    for _ in 0..5 {
        let both =
            [&world.ledger, &other].map(|ledger| ledger.transfer_usdc(&payer, payee, MicroUsdc(1)));
        for result in join_all(both).await {
            result.unwrap();
        }
    }
    assert_eq!(world.ledger.usdc(payee).await.unwrap(), MicroUsdc(10));
}

/// Callers that give up at any moment: each transfer happens once or not at all, and the wallet
/// goes on. The amounts are powers of two, so that the sum tells which happened.
#[tokio::test]
async fn a_dropped_call_happens_once_or_not_at_all() {
    let world = World::start().await;
    let payer = world.party().await;
    let address = payer.public_key().address();
    let payee = SigningKey::generate(&SystemRandom).public_key().address();
    let before = world.ledger.usdc(address).await.unwrap();
    let mut known = 0;
    for n in 0..20u64 {
        let transfer = world.ledger.transfer_usdc(&payer, payee, MicroUsdc(1 << n));
        let patience = Duration::from_micros(300 * n);
        if let Ok(result) = tokio::time::timeout(patience, transfer).await {
            result.unwrap();
            known |= 1 << n;
        }
    }
    let last = MicroUsdc(1 << 20);
    world
        .ledger
        .transfer_usdc(&payer, payee, last)
        .await
        .unwrap();
    known |= last.0;
    let received = world.ledger.usdc(payee).await.unwrap().0;
    assert_eq!(received & known, known, "what succeeded has arrived");
    assert!(received < 1 << 21, "nothing arrived twice");
    let left = world.ledger.usdc(address).await.unwrap();
    assert_eq!(left.0 + received, before.0);
}

#[tokio::test]
async fn test_money_and_uneven_coins_make_one_payment() {
    let world = World::start().await;
    let payer = world.party().await;
    let (address, payee) = (
        payer.public_key().address(),
        SigningKey::generate(&SystemRandom).public_key().address(),
    );
    let faucet = world.ledger.usdc(address).await.unwrap();
    for amount in [1, 2, 3] {
        world.give_usdc(address, MicroUsdc(amount)).await;
    }
    let all = MicroUsdc(faucet.0 + 6);
    assert_eq!(world.ledger.usdc(address).await.unwrap(), all);
    world
        .ledger
        .transfer_usdc(&payer, payee, all)
        .await
        .unwrap();
    assert_eq!(world.ledger.usdc(payee).await.unwrap(), all);
    assert_eq!(world.ledger.usdc(address).await.unwrap(), MicroUsdc::ZERO);
}
