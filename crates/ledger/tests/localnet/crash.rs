//! Payers that are killed with SIGKILL at any moment: what they had sent is finished by the next run, and nothing is
//! paid twice.

use atoma_keys::SigningKey;
use atoma_ledger::{AfterResume, ExecuteError, Ledger, Resumed};
use atoma_network::testing::World;
use atoma_types::{Address, MicroUsdc};
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};
use sui_crypto::SuiSigner;
use sui_sdk_types::{Digest, SignedTransaction, Transaction, TransactionExpiration};

const URL: &str = "ATOMA_CRASH_URL";
const FOLDER: &str = "ATOMA_CRASH_FOLDER";
const SEED: u8 = 7;
const SINK: Address = Address::new([0xa7; 32]);
/// Payments, each of a power of two, so that the sum tells which were made.
const ROUNDS: u64 = 12;

/// The child: finishes what was left, then pays one amount after the other, and says so.
#[test]
#[ignore = "run by the tests below in a process of its own"]
fn child() {
    let url = std::env::var(URL).expect("a URL");
    let folder = std::env::var(FOLDER).expect("a folder");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let ledger = Ledger::connect(url).await.unwrap();
        let folder = Path::new(&folder);
        let kept = ledger.keep_in_flight(folder, AfterResume::GoOn).await;
        kept.unwrap();
        // what is paid already says how to go on
        let paid = ledger.usdc(SINK).await.unwrap().0;
        println!("paid {paid}");
        let key = SigningKey::from_seed(&[SEED; 32]);
        for round in (0..ROUNDS).filter(|round| paid & (1 << round) == 0) {
            let amount = MicroUsdc(1 << round);
            ledger.transfer_usdc(&key, SINK, amount).await.unwrap();
            println!("sent {}", amount.0);
        }
        println!("done");
    });
}

fn spawn(url: &str, folder: &Path) -> (Child, impl Iterator<Item = String>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::child",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(URL, url)
        .env(FOLDER, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines.map_while(Result::ok))
}

fn files(folder: &Path) -> usize {
    let networks = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let files =
        networks.flat_map(|network| std::fs::read_dir(network.path()).into_iter().flatten());
    files.count()
}

async fn funded(world: &World) -> SigningKey {
    let key = SigningKey::from_seed(&[SEED; 32]);
    let address = key.public_key().address();
    world.ledger.faucet(address).await.unwrap();
    key
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payer_killed_at_any_moment_pays_each_amount_once() {
    let world = World::own().await;
    let key = funded(&world).await;
    let before = world.ledger.usdc(key.public_key().address()).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut patience = Duration::from_millis(1);
    let mut sent = Vec::new();
    loop {
        let (mut child, mut lines) = spawn(world.ledger.url(), folder.path());
        // it has begun
        let begun = lines.find(|line| line.contains("paid "));
        assert!(begun.is_some());
        tokio::time::sleep(patience).await;
        // longer each time, so that one gets to the end
        patience = patience * 3 / 2;
        child.kill().unwrap();
        child.wait().unwrap();
        let mut done = false;
        for line in lines {
            if let Some((_, amount)) = line.split_once("sent ") {
                sent.push(amount.trim().parse::<u64>().unwrap());
            }
            done |= line.contains("done");
        }
        if done {
            break;
        }
    }
    let paid = world.ledger.usdc(SINK).await.unwrap().0;
    assert_eq!(paid, (1 << ROUNDS) - 1, "each amount once");
    sent.sort_unstable();
    sent.dedup();
    assert!(sent.iter().all(|amount| paid & amount != 0));
    let left = world.ledger.usdc(key.public_key().address()).await.unwrap();
    assert_eq!(left.0 + paid, before.0);
    assert_eq!(files(folder.path()), 0);
    world.audit();
}

/// Waits until the child has something on its way.
async fn on_its_way(folder: &Path) {
    while files(folder) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_on_its_way_is_sent_again_by_the_next_run_and_told() {
    let world = World::own().await;
    let key = funded(&world).await;
    let folder = tempfile::tempdir().unwrap();
    // the ledger takes nothing, so that the child is killed between sending and knowing
    world.localnet().turn_away(u32::MAX);
    let (mut child, _lines) = spawn(world.ledger.url(), folder.path());
    on_its_way(folder.path()).await;

    // another program leaves it alone as long as its own lives
    let connect = || Ledger::connect(world.ledger.url());
    let other = connect().await.unwrap();
    let kept = other
        .keep_in_flight(folder.path(), AfterResume::StopOnce)
        .await;
    assert_eq!(kept.unwrap(), []);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(world.ledger.usdc(SINK).await.unwrap(), MicroUsdc::ZERO);

    // while nobody answers, nothing is begun
    let early = connect().await.unwrap();
    let kept = early
        .keep_in_flight(folder.path(), AfterResume::StopOnce)
        .await;
    assert!(
        matches!(kept, Err(ExecuteError::Timeout { .. })),
        "{kept:?}"
    );
    drop(early);
    assert_eq!(files(folder.path()), 1);

    world.localnet().turn_away(0);
    let next = connect().await.unwrap();
    let kept = next
        .keep_in_flight(folder.path(), AfterResume::StopOnce)
        .await
        .unwrap();
    let [Resumed::Executed(digest)] = kept[..] else {
        panic!("{kept:?}");
    };
    assert_eq!(next.usdc(SINK).await.unwrap(), MicroUsdc(1));
    assert_eq!(files(folder.path()), 0);
    // the next order may be the very same: it is stopped once, and says why
    let order = || next.transfer_usdc(&key, SINK, MicroUsdc(2));
    let stopped = order().await;
    assert!(
        matches!(stopped, Err(ExecuteError::Resumed { digest: said }) if said == digest),
        "{stopped:?}"
    );
    order().await.unwrap();
    assert_eq!(next.usdc(SINK).await.unwrap(), MicroUsdc(3));
    world.audit();
}

/// A transaction of the key's that does nothing but be over at a time.
fn over_at(key: &SigningKey, network: Digest, time: u64) -> SignedTransaction {
    let address = key.public_key().address();
    let mut builder = sui_transaction_builder::TransactionBuilder::new();
    builder.set_sender(address);
    builder.set_gas_price(1_000);
    builder.set_gas_budget(10_000_000);
    let nothing = sui_transaction_builder::ObjectInput::owned(Address::ZERO, 0, Digest::ZERO);
    builder.add_gas_objects([nothing]);
    builder.set_expiration(TransactionExpiration::ValidDuring {
        min_epoch: Some(0),
        max_epoch: Some(1),
        min_timestamp: None,
        max_timestamp: Some(time),
        chain: network,
        nonce: 0,
    });
    let usdc = sui_sdk_types::StructTag::sui().into();
    let coin = builder.funds_withdrawal_coin(usdc, 1);
    let to = builder.pure(&SINK);
    builder.transfer_objects(vec![coin], to);
    let mut transaction: Transaction = builder.try_build().unwrap();
    transaction.gas_payment.objects.clear();
    let signature = key.wallet_key().sign_transaction(&transaction).unwrap();
    SignedTransaction {
        transaction,
        signatures: vec![signature],
    }
}

#[tokio::test]
async fn one_whose_time_is_over_is_given_up_and_one_that_was_executed_is_found() {
    let world = World::own().await;
    let key = SigningKey::from_seed(&[SEED; 32]);
    let address = key.public_key().address();
    world.ledger.faucet_to_balance(address).await.unwrap();
    let network = world.ledger.network();
    let folder = tempfile::tempdir().unwrap();
    let ours = folder.path().join(network.to_string());
    std::fs::create_dir_all(&ours).unwrap();
    let chain = Digest::new(network.0);
    for time in [1, u64::MAX] {
        let signed = over_at(&key, chain, time);
        let name = format!("{}.transaction", signed.transaction.digest());
        let bytes = bcs::to_bytes(&signed).unwrap();
        std::fs::write(ours.join(name), bytes).unwrap();
    }
    let keep = async || {
        let ledger = Ledger::connect(world.ledger.url()).await.unwrap();
        let kept = ledger.keep_in_flight(folder.path(), AfterResume::GoOn);
        kept.await.unwrap()
    };
    let kept = keep().await;
    let executed = kept.iter().find_map(|resumed| match resumed {
        Resumed::Executed(digest) => Some(*digest),
        Resumed::GivenUp(_) => None,
    });
    assert_eq!(kept.len(), 2);
    assert!(kept.iter().any(|r| matches!(r, Resumed::GivenUp(_))));
    assert_eq!(
        executed,
        Some(over_at(&key, chain, u64::MAX).transaction.digest())
    );
    assert_eq!(world.ledger.gas(SINK).await.unwrap(), 1);

    // should its file come back, it is found and not done again
    let signed = over_at(&key, chain, u64::MAX);
    let name = format!("{}.transaction", signed.transaction.digest());
    std::fs::write(ours.join(name), bcs::to_bytes(&signed).unwrap()).unwrap();
    assert_eq!(
        keep().await,
        [Resumed::Executed(signed.transaction.digest())]
    );
    assert_eq!(world.ledger.gas(SINK).await.unwrap(), 1);
    world.audit();
}
