//! Money that isn't in coins, and money that is in very many.

use atoma_keys::SigningKey;
use atoma_ledger::{GasOptions, Holding, LedgerError};
use atoma_network::testing::World;
use atoma_runtime::SystemRandom;
use atoma_types::MicroUsdc;
use futures::future::join_all;
use std::sync::Arc;

const SUI: u64 = 1_000_000_000;
/// The ledger writes what comes together in one commit.
const FAUCETS_AT_ONCE: usize = 100;

fn new_address() -> atoma_types::Address {
    SigningKey::generate(&SystemRandom).public_key().address()
}

#[tokio::test]
async fn a_wallet_without_one_coin_buys_and_pays_for_gas() {
    let world = World::own().await;
    let key = SigningKey::generate(&SystemRandom);
    let address = key.public_key().address();
    world.ledger.faucet_to_balance(address).await.unwrap();
    let held = world.ledger.gas_held(address).await.unwrap();
    assert_eq!((held.in_coins, held.in_balance), (0, 100 * SUI));
    let usdc = world.ledger.usdc(address).await.unwrap();

    // a call that pays, with events to read; and twice the very same order
    let node = world.node(&key).await;
    assert_eq!(world.ledger.node(node).await.unwrap().owner, address);
    let to = new_address();
    for _ in 0..2 {
        let sent = world.ledger.transfer_usdc(&key, to, MicroUsdc(7)).await;
        assert!(sent.unwrap().gas_used > 0);
    }
    assert_eq!(world.ledger.usdc(to).await.unwrap(), MicroUsdc(14));
    let left = world.ledger.usdc_held(address).await.unwrap();
    let collateral = world.ledger.node(node).await.unwrap().collateral;
    assert_eq!(left.total() + collateral.0 + 14, usdc.0);
    assert_eq!(left.in_coins, 0, "what isn't spent stays where it was");
    world.audit();
}

#[tokio::test]
async fn coins_are_topped_up_from_the_balance() {
    let world = World::own().await;
    let payer = world.party().await;
    let address = payer.public_key().address();
    let coins = world.ledger.usdc(address).await.unwrap();
    let more = MicroUsdc(50);
    world
        .ledger
        .mint_usdc_to_balance(address, more)
        .await
        .unwrap();
    let to = new_address();
    let all_but_one = MicroUsdc(coins.0 + more.0 - 1);
    world
        .ledger
        .transfer_usdc(&payer, to, all_but_one)
        .await
        .unwrap();
    assert_eq!(world.ledger.usdc(to).await.unwrap(), all_but_one);
    assert_eq!(world.ledger.usdc(address).await.unwrap(), MicroUsdc(1));
    // what there is in both together is what an error names
    let refused = world.ledger.transfer_usdc(&payer, to, MicroUsdc(2)).await;
    let Err(LedgerError::InsufficientFunds { available, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(available.to_string(), "0.000001 USDC");
    world.audit();
}

#[tokio::test]
async fn gas_is_sent_out_of_a_balance() {
    let world = World::own().await;
    let key = SigningKey::generate(&SystemRandom);
    let address = key.public_key().address();
    world.ledger.faucet_to_balance(address).await.unwrap();
    let to = new_address();
    let sent = world.ledger.transfer_gas(&key, to, 30 * SUI).await.unwrap();
    let there = world.ledger.gas_held(to).await.unwrap();
    assert_eq!((there.in_coins, there.in_balance), (30 * SUI, 0));
    let left = world.ledger.gas_held(address).await.unwrap();
    assert_eq!(left.in_balance, 70 * SUI - sent.gas_used);
    let too_much = world.ledger.transfer_gas(&key, to, 70 * SUI).await;
    assert!(matches!(
        too_much,
        Err(LedgerError::InsufficientFunds { .. })
    ));
    world.audit();
}

#[tokio::test]
async fn a_sponsor_pays_out_of_its_balance() {
    let world = World::own().await;
    let (payer, sponsor) = (
        SigningKey::generate(&SystemRandom),
        Arc::new(SigningKey::generate(&SystemRandom)),
    );
    let [from, by] = [&payer, &*sponsor].map(|key| key.public_key().address());
    world.ledger.faucet_to_balance(by).await.unwrap();
    world
        .ledger
        .mint_usdc_to_balance(from, MicroUsdc(9))
        .await
        .unwrap();
    let ledger = world.ledger.with_gas(GasOptions {
        budget: None,
        sponsor: Some(sponsor),
    });
    let to = new_address();
    let sent = ledger
        .transfer_usdc(&payer, to, MicroUsdc(9))
        .await
        .unwrap();
    assert_eq!(world.ledger.usdc(to).await.unwrap(), MicroUsdc(9));
    assert_eq!(
        world.ledger.gas(by).await.unwrap(),
        100 * SUI - sent.gas_used
    );
    assert_eq!(
        world.ledger.usdc_held(from).await.unwrap(),
        Holding::default()
    );
    world.audit();
}

/// Gives an address so many coins of one USDC each.
async fn coins_of_one(world: &World, to: atoma_types::Address, count: usize) {
    let all = vec![MicroUsdc(1_000_000); count];
    for some in all.chunks(FAUCETS_AT_ONCE) {
        join_all(some.iter().map(|one| world.give_usdc(to, *one))).await;
    }
}

#[tokio::test]
async fn three_hundred_coins_of_one_pay_two_hundred_and_eighty() {
    let world = World::own().await;
    let key = SigningKey::generate(&SystemRandom);
    let address = key.public_key().address();
    world.ledger.faucet_to_balance(address).await.unwrap();
    // the faucet's own thousand goes first
    let usdc = world.ledger.usdc(address).await.unwrap();
    let elsewhere = new_address();
    world
        .ledger
        .transfer_usdc(&key, elsewhere, usdc)
        .await
        .unwrap();
    coins_of_one(&world, address, 300).await;
    let to = new_address();
    let amount = MicroUsdc(280_000_000);
    world.ledger.transfer_usdc(&key, to, amount).await.unwrap();
    assert_eq!(world.ledger.usdc(to).await.unwrap(), amount);
    assert_eq!(
        world.ledger.usdc(address).await.unwrap(),
        MicroUsdc(20_000_000)
    );
    world.audit();
}

#[tokio::test]
async fn more_coins_than_one_transaction_takes_are_merged_first() {
    let world = World::own().await;
    let key = world.party().await;
    let address = key.public_key().address();
    let usdc = world.ledger.usdc(address).await.unwrap();
    let elsewhere = new_address();
    world
        .ledger
        .transfer_usdc(&key, elsewhere, usdc)
        .await
        .unwrap();
    coins_of_one(&world, address, 1_100).await;
    let to = new_address();
    let amount = MicroUsdc(1_100_000_000);
    world.ledger.transfer_usdc(&key, to, amount).await.unwrap();
    assert_eq!(world.ledger.usdc(to).await.unwrap(), amount);
    assert_eq!(world.ledger.usdc(address).await.unwrap(), MicroUsdc::ZERO);
    world.audit();
}
