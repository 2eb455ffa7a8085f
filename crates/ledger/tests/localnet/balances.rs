//! Money that isn't in coins, and money that is in very many.

use atoma_keys::SigningKey;
use atoma_ledger::{ExecuteError, Executed, GasOptions, Holding, Ledger};
use atoma_network::testing::World;
use atoma_runtime::SystemRandom;
use atoma_types::{Address, MicroUsdc};
use futures::future::join_all;
use std::sync::Arc;

const SUI: u64 = 1_000_000_000;
/// One of these is in each coin, where there are many.
const ONE: MicroUsdc = MicroUsdc(1_000_000);
/// The ledger writes what comes together in one commit.
const FAUCETS_AT_ONCE: usize = 100;

fn new_wallet() -> (SigningKey, Address) {
    let key = SigningKey::generate(&SystemRandom);
    let address = key.public_key().address();
    (key, address)
}

/// A wallet with money and gas, and no coin of either.
async fn wallet_without_coins(world: &World) -> (SigningKey, Address) {
    let (key, address) = new_wallet();
    world.ledger.faucet_to_balance(address).await.unwrap();
    (key, address)
}

/// Pays somebody who has nothing, and sees that all of it is there.
async fn pay(ledger: &Ledger, from: &SigningKey, amount: MicroUsdc) -> Executed {
    let (_, to) = new_wallet();
    let paid = ledger.transfer_usdc(from, to, amount).await.unwrap();
    assert_eq!(ledger.usdc(to).await.unwrap(), amount);
    paid
}

/// A wallet's money becomes so many coins of one USDC each: what it had goes elsewhere first.
async fn have_coins_of_one(world: &World, key: &SigningKey, count: usize) {
    let owner = key.public_key().address();
    let had = world.ledger.usdc(owner).await.unwrap();
    pay(&world.ledger, key, had).await;
    for some in vec![ONE; count].chunks(FAUCETS_AT_ONCE) {
        join_all(some.iter().map(|one| world.give_usdc(owner, *one))).await;
    }
}

#[tokio::test]
async fn a_wallet_without_one_coin_buys_and_pays_for_gas() {
    let world = World::own().await;
    let (key, address) = wallet_without_coins(&world).await;
    let held = world.ledger.gas_held(address).await.unwrap();
    assert_eq!((held.in_coins, held.in_balance), (0, 100 * SUI));
    let usdc = world.ledger.usdc(address).await.unwrap();

    // a call that pays, with events to read; and twice the very same order
    let node = world.node(&key).await;
    assert_eq!(world.ledger.node(node).await.unwrap().owner, address);
    let (_, to) = new_wallet();
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
    let minted = world.ledger.mint_usdc_to_balance(address, more);
    minted.await.unwrap();
    pay(&world.ledger, &payer, MicroUsdc(coins.0 + more.0 - 1)).await;
    assert_eq!(world.ledger.usdc(address).await.unwrap(), MicroUsdc(1));
    // what there is in both together is what an error names
    let (_, to) = new_wallet();
    let refused = world.ledger.transfer_usdc(&payer, to, MicroUsdc(2)).await;
    let Err(ExecuteError::InsufficientFunds { available, .. }) = refused else {
        panic!("{refused:?}");
    };
    assert_eq!(available.to_string(), "0.000001 USDC");
    world.audit();
}

#[tokio::test]
async fn gas_is_sent_out_of_a_balance() {
    let world = World::own().await;
    let (key, address) = wallet_without_coins(&world).await;
    let (_, to) = new_wallet();
    let sent = world.ledger.transfer_gas(&key, to, 30 * SUI).await.unwrap();
    let there = world.ledger.gas_held(to).await.unwrap();
    assert_eq!((there.in_coins, there.in_balance), (30 * SUI, 0));
    let left = world.ledger.gas_held(address).await.unwrap();
    assert_eq!(left.in_balance, 70 * SUI - sent.gas_used);
    let too_much = world.ledger.transfer_gas(&key, to, 70 * SUI).await;
    assert!(matches!(
        too_much,
        Err(ExecuteError::InsufficientFunds { .. })
    ));
    world.audit();
}

#[tokio::test]
async fn a_sponsor_pays_out_of_its_balance() {
    let world = World::own().await;
    let (payer, from) = new_wallet();
    let (sponsor, by) = wallet_without_coins(&world).await;
    let minted = world.ledger.mint_usdc_to_balance(from, MicroUsdc(9));
    minted.await.unwrap();
    let ledger = world.ledger.with_gas(GasOptions {
        sponsor: Some(Arc::new(sponsor)),
        ..GasOptions::default()
    });
    let sent = pay(&ledger, &payer, MicroUsdc(9)).await;
    let gas = world.ledger.gas(by).await.unwrap();
    assert_eq!(gas, 100 * SUI - sent.gas_used);
    let left = world.ledger.usdc_held(from).await.unwrap();
    assert_eq!(left, Holding::default());
    world.audit();
}

#[tokio::test]
async fn three_hundred_coins_of_one_pay_two_hundred_and_eighty() {
    let world = World::own().await;
    let (key, address) = wallet_without_coins(&world).await;
    have_coins_of_one(&world, &key, 300).await;
    pay(&world.ledger, &key, MicroUsdc(280 * ONE.0)).await;
    let left = world.ledger.usdc(address).await.unwrap();
    assert_eq!(left, MicroUsdc(20 * ONE.0));
    world.audit();
}

#[tokio::test]
async fn more_coins_than_one_transaction_takes_are_merged_first() {
    let world = World::own().await;
    let key = world.party().await;
    have_coins_of_one(&world, &key, 1_100).await;
    pay(&world.ledger, &key, MicroUsdc(1_100 * ONE.0)).await;
    let left = world.ledger.usdc(key.public_key().address()).await.unwrap();
    assert_eq!(left, MicroUsdc::ZERO);
    world.audit();
}
