use super::*;
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, NetworkId, Price, PublicKey,
    chain::{Clock, ObjectKind, Payment, Random, calls},
};
use sui_sdk_types::{Command, Digest, Input, TransactionKind};

const DB: ObjectId = Address::new([0xd; 32]);
const TASK: ObjectId = Address::new([0x7; 32]);
const STACK: ObjectId = Address::new([0x5; 32]);

fn coin(n: u8, balance: u64) -> Coin {
    Coin {
        id: Address::new([n; 32]),
        version: 3,
        digest: Digest::ZERO,
        balance,
    }
}

fn acquire(amount: u64) -> Call {
    calls::AcquireStack {
        db: DB.into(),
        task: TASK.into(),
        payment: Payment(MicroUsdc(amount)),
        total_units: ComputeUnits(9),
        max_price: Price(1),
        nodes: 1,
        request_key: PublicKey([1; 32]),
        lifetime_ms: DurationMs(1),
        random: Random,
        clock: Clock,
    }
    .into()
}

fn deployment() -> Deployment {
    Deployment::localnet(NetworkId([0; 32]))
}

fn calling<'a>(deployment: &'a Deployment, calls: &'a [Call]) -> Work<'a> {
    Work::Calls {
        deployment,
        calls,
        gifts: &[],
    }
}

fn gas() -> GasFunds {
    GasFunds {
        coins: vec![coin(8, 1_000)],
        ..GasFunds::default()
    }
}

fn in_coins(coins: &[Coin]) -> Funds {
    Funds {
        coins: coins.to_vec(),
        balance: 0,
    }
}

fn usdc() -> TypeTag {
    deployment().usdc
}

fn build(work: &Work<'_>, payment: &[Coin]) -> Result<Transaction, BuildError> {
    build_of(work, &in_coins(payment), &gas())
}

fn build_of(work: &Work<'_>, payment: &Funds, gas: &GasFunds) -> Result<Transaction, BuildError> {
    let shared = [DB, TASK, STACK, CLOCK_OBJECT, RANDOM_OBJECT].map(|id| (id, 1));
    transaction(
        work,
        &Inputs {
            sender: Address::new([9; 32]),
            gas_owner: Address::new([9; 32]),
            payment,
            usdc: &usdc(),
            gas,
            gas_price: 1,
            gas_budget: 10,
            expiration: &TransactionExpiration::Epoch(1),
            shared: &shared.into_iter().collect(),
            owned: &HashMap::new(),
        },
    )
}

fn commands(transaction: Transaction) -> (Vec<Input>, Vec<Command>) {
    match transaction.kind {
        TransactionKind::ProgrammableTransaction(ptb) => (ptb.inputs, ptb.commands),
        other => panic!("not programmable: {other:?}"),
    }
}

#[test]
fn merges_splits_and_calls_in_order() {
    let calls = [acquire(40)];
    let built = build(&calling(&deployment(), &calls), &[coin(1, 30), coin(2, 20)]).unwrap();
    let (inputs, commands) = commands(built);
    assert!(matches!(
        commands.as_slice(),
        [
            Command::MergeCoins(_),
            Command::SplitCoins(_),
            Command::MoveCall(_)
        ]
    ));
    // database and task are read, as the clock and the randomness are
    assert_eq!(shared(&inputs), [false; 4]);
}

/// Of each shared object, whether the transaction may change it.
fn shared(inputs: &[Input]) -> Vec<bool> {
    let shared = inputs.iter().filter_map(|input| match input {
        Input::Shared(shared) => Some(shared.mutability().is_mutable()),
        _ => None,
    });
    shared.collect()
}

#[test]
fn what_a_call_changes_is_mutable_and_what_it_reads_is_not() {
    let top_up = calls::TopUp {
        stack: STACK.into(),
        task: TASK.into(),
        payment: Payment(MicroUsdc(4)),
        units: ComputeUnits(9),
        clock: Clock,
    };
    let built = build(
        &calling(&deployment(), &[acquire(40), top_up.into()]),
        &[coin(1, 44)],
    );
    let (inputs, _) = commands(built.unwrap());
    let shared = shared(&inputs);
    // the stack alone
    assert_eq!(shared.iter().filter(|mutable| **mutable).count(), 1);
    assert_eq!(shared.len(), 5);
}

#[test]
fn an_even_sum_leaves_no_empty_coin() {
    let calls = [acquire(50)];
    let built = build(&calling(&deployment(), &calls), &[coin(1, 30), coin(2, 20)]).unwrap();
    assert!(matches!(
        commands(built).1.as_slice(),
        [Command::MergeCoins(_), Command::MoveCall(_)]
    ));
}

#[test]
fn one_object_is_one_input_with_its_strongest_use() {
    let sync = calls::CollectFees {
        db: DB.into(),
        task: TASK.into(),
        clock: Clock,
    };
    let calls = [sync.into(), acquire(1)];
    let deployment = deployment();
    let work = calling(&deployment, &calls);
    assert_eq!(work.shared().get(&DB), Some(&true));
    assert_eq!(work.payments(), [1]);
    let (inputs, _) = commands(build(&work, &[coin(1, 5)]).unwrap());
    let shared = inputs
        .iter()
        .filter(|input| matches!(input, Input::Shared(_)));
    assert_eq!(shared.count(), 4);
}

#[test]
fn a_transfer_is_split_and_sent() {
    let to = Address::new([5; 32]);
    let built = build(&Work::Transfer { to, amount: 7 }, &[coin(1, 8)]).unwrap();
    assert!(matches!(
        commands(built).1.as_slice(),
        [Command::SplitCoins(_), Command::TransferObjects(_)]
    ));
    assert!(build(&Work::Transfer { to, amount: 7 }, &[]).is_err());
}

#[test]
fn an_address_balance_pays_and_pays_for_gas() {
    let to = Address::new([5; 32]);
    let transfer = Work::Transfer { to, amount: 7 };
    let funds = Funds {
        coins: Vec::new(),
        balance: 7,
    };
    let built = build_of(&transfer, &funds, &GasFunds::default()).unwrap();
    assert!(built.gas_payment.objects.is_empty());
    let (inputs, commands) = commands(built);
    // redeemed, and as a whole sent
    assert!(matches!(
        commands.as_slice(),
        [Command::MoveCall(_), Command::TransferObjects(_)]
    ));
    let withdrawn = inputs.iter().filter_map(|input| match input {
        Input::FundsWithdrawal(withdrawal) => Some((withdrawal.amount(), withdrawal.coin_type())),
        _ => None,
    });
    assert_eq!(withdrawn.collect::<Vec<_>>(), [(Some(7), &usdc())]);
}

#[test]
fn a_balance_tops_up_coins_and_what_is_over_stays_in_the_coin() {
    let to = Address::new([5; 32]);
    let transfer = Work::Transfer { to, amount: 7 };
    let funds = Funds {
        coins: vec![coin(1, 5)],
        balance: 3,
    };
    let built = build_of(&transfer, &funds, &gas()).unwrap();
    assert!(matches!(
        commands(built).1.as_slice(),
        [
            Command::MoveCall(_),
            Command::MergeCoins(_),
            Command::SplitCoins(_),
            Command::TransferObjects(_)
        ]
    ));
}

#[test]
fn a_thousand_coins_and_all_gas_coins_are_within_suis_limits() {
    let many = |count: u16, balance| -> Vec<Coin> {
        let one = |n: u16| {
            let mut id = [7; 32];
            id[..2].copy_from_slice(&n.to_le_bytes());
            Coin {
                id: Address::new(id),
                ..coin(0, balance)
            }
        };
        (0..count).map(one).collect()
    };
    let to = Address::new([5; 32]);
    let all = GasFunds {
        coins: many(255, 9),
        ..GasFunds::default()
    };
    let transfer = Work::Transfer { to, amount: 1_000 };
    let built = build_of(&transfer, &in_coins(&many(1_000, 1)), &all).unwrap();
    assert!(bcs::serialized_size(&built).unwrap() < 100 * 1_024);
    for command in commands(built).1 {
        if let Command::MergeCoins(merge) = command {
            assert!(merge.coins_to_merge.len() <= 511);
        }
    }
}

#[test]
fn gas_is_split_off_whatever_pays_for_it() {
    let to = Address::new([5; 32]);
    let split = Work::SplitGas {
        to,
        amount: 10,
        count: 2,
    };
    let both = GasFunds {
        merged: vec![coin(9, 5)],
        withdrawn: 15,
        ..gas()
    };
    let built = build_of(&split, &Funds::default(), &both).unwrap();
    assert!(matches!(
        commands(built).1.as_slice(),
        [
            Command::MergeCoins(_),
            Command::MoveCall(_),
            Command::MergeCoins(_),
            Command::SplitCoins(_),
            Command::TransferObjects(_)
        ]
    ));
    let balance = GasFunds {
        withdrawn: 20,
        ..GasFunds::default()
    };
    let built = build_of(&split, &Funds::default(), &balance).unwrap();
    assert!(matches!(
        commands(built).1.as_slice(),
        [
            Command::MoveCall(_),
            Command::SplitCoins(_),
            Command::TransferObjects(_)
        ]
    ));
}

/// What Sui's own JavaScript SDK builds of the same parts; `tests/sdk-js-sui/golden.mjs` makes the file.
#[test]
fn maintenance_is_byte_for_byte_that_of_suis_other_sdk() {
    let text = include_str!("../../../tests/sdk-js-sui/golden.json");
    let golden: HashMap<String, String> = serde_json::from_str(text).unwrap();
    let id = |byte: u8| Address::new([byte; 32]);
    let modules = [vec![1, 2, 3], vec![4]];
    let dependencies = [id(1), id(2)];
    let upgrade = Upgrade {
        modules: &modules,
        dependencies: &dependencies,
        package: id(0xa),
        cap: id(0xc),
        policy: 0,
        digest: [7; 32],
    };
    let publish = Work::Publish {
        modules: &modules,
        dependencies: &dependencies,
    };
    let deployment = Deployment {
        package: id(0xa),
        db: id(0xd),
        ..deployment()
    };
    let over = |what| {
        Work::Migrate(Migration {
            deployment: &deployment,
            what,
        })
    };
    let objects = [(ObjectKind::Node, id(0xf)), (ObjectKind::Stack, id(0x10))];
    for (name, work, gas_owner) in [
        ("publish", publish, id(9)),
        ("upgrade", Work::Upgrade(upgrade), id(9)),
        ("announce", over(Move::Announce { cap: id(0xc) }), id(9)),
        ("migrate_db", over(Move::Db), id(9)),
        ("migrate", over(Move::Objects(&objects)), id(0xe)),
    ] {
        let owned = work.owned().into_iter().map(|id| {
            let object = Coin {
                id,
                version: 3,
                digest: Digest::ZERO,
                balance: 0,
            };
            (id, object)
        });
        let inputs = Inputs {
            sender: id(9),
            gas_owner,
            payment: &Funds::default(),
            usdc: &usdc(),
            gas: &gas(),
            gas_price: 1_000,
            gas_budget: 50_000_000,
            expiration: &TransactionExpiration::None,
            shared: &work.shared().into_keys().map(|id| (id, 5)).collect(),
            owned: &owned.collect(),
        };
        let built = transaction(&work, &inputs).unwrap();
        let bytes = hex::encode(bcs::to_bytes(&built).unwrap());
        assert_eq!(Some(&bytes), golden.get(name), "{name}");
    }
}
