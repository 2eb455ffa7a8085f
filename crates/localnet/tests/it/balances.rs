//! Address balances: money without coins pays, pays for gas, and is neither made nor lost.

use crate::common::{World, address, assert_success, post, status};
use atoma_keys::SigningKey;
use atoma_types::Address;
use sui_rpc::proto::sui::rpc::v2 as pb;
use sui_sdk_types::{
    FundsWithdrawal, Identifier, Input, StructTag, Transaction, TransactionExpiration,
    TransactionKind, TypeTag, WithdrawFrom,
};
use sui_transaction_builder::{Function, TransactionBuilder, intent::Coin};

const SUI: u64 = 1_000_000_000;

/// A key with SUI and USDC from the faucet in its balance, and not one coin.
async fn coinless(world: &World, seed: u8) -> SigningKey {
    let key = SigningKey::from_seed(&[seed; 32]);
    let recipient = address(&key);
    let body =
        format!(r#"{{"FixedAmountRequest":{{"recipient":"{recipient}"}},"to_balance":true}}"#);
    let (status, body) = post(world.localnet.address(), "/v2/gas", &body).await;
    assert_eq!(status, 200, "{body}");
    key
}

async fn balances(world: &mut World, owner: Address) -> Vec<pb::Balance> {
    let mut request = pb::ListBalancesRequest::default();
    request.owner = Some(owner.to_string());
    let listed = world.client.state_client().list_balances(request).await;
    listed.unwrap().into_inner().balances
}

fn sui() -> TypeTag {
    StructTag::sui().into()
}

/// Sends from the balance to another's coin; the SDK finds out what pays.
async fn send(world: &mut World, from: &SigningKey, to: Address, usdc: u64) -> Transaction {
    let money = world.localnet.deployment().usdc;
    let TypeTag::Struct(money) = money else {
        panic!("a struct")
    };
    let mut builder = TransactionBuilder::new();
    builder.set_sender(address(from));
    let coin = builder.intent(Coin::new(*money, usdc));
    let to = builder.pure(&to);
    builder.transfer_objects(vec![coin], to);
    builder.build(&mut world.client).await.unwrap()
}

#[tokio::test]
async fn a_wallet_without_a_coin_pays_and_pays_for_gas() {
    let mut world = World::start().await;
    let alice = coinless(&world, 1).await;
    let (me, bob) = (address(&alice), Address::new([9; 32]));
    let before = balances(&mut world, me).await;
    assert_eq!(before.len(), 2);
    for balance in &before {
        assert_eq!(balance.coin_balance(), 0);
        assert_eq!(balance.balance(), balance.address_balance());
    }
    let audit = world.localnet.audit().unwrap();
    assert_eq!(audit.usdc_in_balances, 1_000_000_000);
    let before = world.sui(me).await;

    let transaction = send(&mut world, &alice, bob, 7).await;
    assert!(transaction.gas_payment.objects.is_empty());
    let done = world.execute(&alice, &transaction).await.unwrap();
    assert_success(&done);
    assert_eq!(world.usdc(bob).await, 7);
    assert_eq!(world.usdc(me).await, 1_000_000_000 - 7);
    let gas = done.effects().gas_used();
    let charged = gas.computation_cost() + gas.storage_cost() - gas.storage_rebate();
    assert_eq!(world.sui(me).await, before - charged);
    // effects say what was split off each balance
    use pb::changed_object::OutputObjectState;
    let changed = done.effects().changed_objects().iter();
    let splits = changed.filter(|c| c.output_state() == OutputObjectState::AccumulatorWrite);
    let splits: Vec<_> = splits
        .map(|c| c.accumulator_write().integer_value())
        .collect();
    assert_eq!(splits.len(), 2);
    assert!(splits.contains(&7) && splits.contains(&charged));
    let mine = done.balance_changes.iter();
    let mine = mine.filter(|change| change.address() == me.to_string());
    assert_eq!(mine.count(), 2);

    // the same again is the same, and no second payment
    let again = world.execute(&alice, &transaction).await.unwrap();
    assert_eq!(again.digest, done.digest);
    assert_eq!(world.usdc(bob).await, 7);
    world.localnet.audit().unwrap();
}

#[tokio::test]
async fn what_is_sent_to_a_balance_merges_and_survives_a_restart() {
    let mut world = World::start().await;
    let (alice, bob) = (world.rich(1).await, Address::new([9; 32]));
    for amount in [3 * SUI, 4 * SUI] {
        let mut builder = TransactionBuilder::new();
        builder.set_sender(address(&alice));
        let (gas, amount) = (builder.gas(), builder.pure(&amount));
        let coin = builder.split_coins(gas, vec![amount]).remove(0);
        let to = builder.pure(&bob);
        let send = Function::new(
            Address::TWO,
            Identifier::from_static("coin"),
            Identifier::from_static("send_funds"),
        );
        builder.move_call(send.with_type_args(vec![sui()]), vec![coin, to]);
        let transaction = builder.build(&mut world.client).await.unwrap();
        assert_success(&world.execute(&alice, &transaction).await.unwrap());
    }
    let held = balances(&mut world, bob).await;
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].address_balance(), 7 * SUI);
    world.localnet.audit().unwrap();
    let World { localnet, dir, .. } = world;
    localnet.shutdown().await;
    let config = atoma_localnet::LocalnetConfig::new(dir.path());
    let localnet = atoma_localnet::Localnet::start(config).await.unwrap();
    let audit = localnet.audit().unwrap();
    assert_eq!(audit.sui_in_balances, u128::from(7 * SUI));
}

#[tokio::test]
async fn a_program_that_fails_takes_gas_off_the_balance_and_nothing_else() {
    let mut world = World::start().await;
    let (alice, bob) = (coinless(&world, 1).await, Address::new([9; 32]));
    let me = address(&alice);
    let before = world.sui(me).await;
    let mut transaction = send(&mut world, &alice, bob, 7).await;
    let TransactionKind::ProgrammableTransaction(program) = &mut transaction.kind else {
        unreachable!()
    };
    // the coin that was redeemed is left over
    program.commands.pop();
    let done = world.execute(&alice, &transaction).await.unwrap();
    assert_eq!(status(&done).success, Some(false));
    assert_eq!(world.usdc(me).await, 1_000_000_000);
    let charged = done.effects().gas_used().computation_cost();
    assert_eq!(world.sui(me).await, before - charged);
    world.localnet.audit().unwrap();
}

#[tokio::test]
async fn nobody_withdraws_more_than_there_is_or_in_a_form_that_sui_refuses() {
    let mut world = World::start().await;
    let alice = coinless(&world, 1).await;
    let usdc = world.localnet.deployment().usdc;
    let good = send(&mut world, &alice, Address::new([9; 32]), 7).await;
    let refused = async |world: &mut World, change: &dyn Fn(&mut Transaction)| {
        let mut bad = good.clone();
        change(&mut bad);
        let refused = world.execute(&alice, &bad).await.unwrap_err();
        assert_eq!(refused.code(), tonic::Code::InvalidArgument, "{refused}");
        refused.message().to_owned()
    };
    let inputs = |transaction: &mut Transaction, withdrawals: Vec<FundsWithdrawal>| {
        let TransactionKind::ProgrammableTransaction(program) = &mut transaction.kind else {
            unreachable!()
        };
        let is_withdrawal = |input: &Input| matches!(input, Input::FundsWithdrawal(_));
        let at = program.inputs.iter().position(is_withdrawal).unwrap();
        let mut withdrawals = withdrawals.into_iter().map(Input::FundsWithdrawal);
        program.inputs[at] = withdrawals.next().unwrap();
        program.inputs.extend(withdrawals);
    };
    let withdrawal = |amount, from| FundsWithdrawal::new(amount, usdc.clone(), from);
    let cases = [
        (
            vec![withdrawal(1_000_000_001, WithdrawFrom::Sender)],
            "less than",
        ),
        (
            vec![withdrawal(500_000_001, WithdrawFrom::Sender); 2],
            "less than",
        ),
        (vec![withdrawal(0, WithdrawFrom::Sender)], "of nothing"),
        (vec![withdrawal(1, WithdrawFrom::Sponsor)], "a sponsor's"),
        // with its gas one more than ten
        (vec![withdrawal(1, WithdrawFrom::Sender); 10], "at most 10"),
    ];
    for (withdrawals, why) in cases {
        let said = refused(&mut world, &|bad| inputs(bad, withdrawals.clone())).await;
        assert!(said.contains(why), "{said}");
    }
    // the budget is reserved beside what is withdrawn
    let too_much: &dyn Fn(&mut Transaction) = &|bad| {
        let sui_too = FundsWithdrawal::new(100 * SUI, sui(), WithdrawFrom::Sender);
        inputs(bad, vec![withdrawal(7, WithdrawFrom::Sender), sui_too]);
    };
    let said = refused(&mut world, too_much).await;
    assert!(said.contains("less than"), "{said}");
    // nothing else keeps such a transaction from being executed twice
    for expiration in [TransactionExpiration::None, TransactionExpiration::Epoch(1)] {
        let said = refused(&mut world, &|bad| bad.expiration = expiration.clone()).await;
        assert!(said.contains("one or two epochs"), "{said}");
    }
    assert_success(&world.execute(&alice, &good).await.unwrap());
    world.localnet.audit().unwrap();
}
