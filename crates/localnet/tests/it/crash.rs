//! Killed at any moment: nothing acknowledged is lost, nothing is halved, nothing happens twice.
//!
//! A child process serves a ledger; several wallets send to it as fast as it answers; it is killed
//! with SIGKILL in the middle of that, again and again. `ATOMA_CRASH_ROUNDS` sets how often.

use crate::common::{World, acquire, add_calls, address, register};
use atoma_keys::SigningKey;
use atoma_localnet::{CheckpointMode, Localnet, LocalnetConfig};
use atoma_types::{
    Address, Price,
    chain::{Clock, calls},
};
use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use sui_crypto::SuiSigner;
use sui_rpc::{Client, proto::sui::rpc::v2 as pb};
use sui_sdk_types::{StructTag, Transaction, TypeTag};
use sui_transaction_builder::{TransactionBuilder, intent::Coin};

const FOLDER: &str = "ATOMA_CRASH_FOLDER";
const MODE: &str = "ATOMA_CRASH_MODE";
const ROUNDS: &str = "ATOMA_CRASH_ROUNDS";
/// Wallets that pay, each to an account of its own; one more buys stacks.
const PAYERS: u8 = 4;
/// What each payment moves.
const AMOUNT: u64 = 7;

/// The child: serves until it is killed.
#[test]
#[ignore = "run by the test below in a process of its own"]
fn child() {
    let folder = std::env::var(FOLDER).expect("a folder");
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let mut config = LocalnetConfig::new(folder);
        if std::env::var(MODE).as_deref() == Ok("by time") {
            config.checkpoint = CheckpointMode::EveryMs(20);
        }
        let localnet = Localnet::start(config).await.unwrap();
        println!("serving {}", localnet.url());
        std::future::pending::<()>().await;
    });
}

fn spawn(folder: &Path, mode: &str) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::child",
            "--ignored",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(FOLDER, folder)
        .env(MODE, mode)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let url = lines
        .map(|line| line.expect("the child's output"))
        .find_map(|line| Some(line.split_once("serving ")?.1.to_owned()))
        .expect("the child serves");
    (child, url)
}

/// A wallet that goes on where the kill interrupted it.
struct Wallet {
    key: SigningKey,
    sink: Address,
    /// Sent and perhaps executed: the answer never came.
    pending: Option<Transaction>,
    acknowledged: BTreeSet<String>,
}

enum Job {
    Pay,
    Buy(atoma_types::TaskId),
}

impl Wallet {
    fn new(seed: u8) -> Self {
        Self {
            key: SigningKey::from_seed(&[seed; 32]),
            sink: Address::new([0xa0 + seed; 32]),
            pending: None,
            acknowledged: BTreeSet::new(),
        }
    }

    /// Sends one transaction after the other until the ledger is gone.
    async fn work(&mut self, url: &str, job: &Job, count: &AtomicUsize) {
        let mut client = Client::new(url).unwrap();
        loop {
            let transaction = match self.pending.take() {
                Some(transaction) => transaction,
                None => match self.build(&mut client, job).await {
                    Some(transaction) => transaction,
                    None => return,
                },
            };
            let signature = self
                .key
                .wallet_key()
                .sign_transaction(&transaction)
                .unwrap();
            let mut request = pb::ExecuteTransactionRequest::default();
            request.transaction = Some(transaction.clone().into());
            request.signatures = vec![signature.into()];
            match client.execution_client().execute_transaction(request).await {
                Ok(response) => {
                    let executed = response.into_inner().transaction.unwrap();
                    crate::common::assert_success(&executed);
                    let new = self.acknowledged.insert(transaction.digest().to_string());
                    assert!(new, "a transaction was acknowledged twice");
                    count.fetch_add(1, Ordering::Relaxed);
                }
                Err(status) => {
                    let gone = [
                        tonic::Code::Unavailable,
                        tonic::Code::Unknown,
                        tonic::Code::Internal,
                        tonic::Code::Cancelled,
                    ];
                    assert!(gone.contains(&status.code()), "{status}");
                    self.pending = Some(transaction);
                    return;
                }
            }
        }
    }

    async fn build(&self, client: &mut Client, job: &Job) -> Option<Transaction> {
        let deployment = atoma_types::chain::Deployment::localnet(atoma_types::NetworkId([0; 32]));
        let mut builder = TransactionBuilder::new();
        builder.set_sender(address(&self.key));
        match job {
            Job::Pay => {
                let TypeTag::Struct(usdc) = deployment.usdc.clone() else {
                    unreachable!("USDC is a struct")
                };
                let usdc: StructTag = *usdc;
                let coin = builder.intent(Coin::new(usdc, AMOUNT));
                let to = builder.pure(&self.sink);
                builder.transfer_objects(vec![coin], to);
            }
            Job::Buy(task) => {
                let key = self.key.public_key();
                let call = acquire(deployment.db, *task, key, 2_000);
                add_calls(&mut builder, &deployment, &[call]);
            }
        }
        match builder.build(client).await {
            Ok(transaction) => Some(transaction),
            Err(error) => {
                let text = error.to_string();
                // killed between two reads: nothing was sent
                assert!(!text.contains("Insufficient"), "{text}");
                None
            }
        }
    }
}

/// Sets the ledger up: money, a node, a task with much capacity.
async fn prepare(folder: &tempfile::TempDir, wallets: &[Wallet]) -> atoma_types::TaskId {
    let localnet = Localnet::start(LocalnetConfig::new(folder.path()))
        .await
        .unwrap();
    let mut world = World {
        client: Client::new(localnet.url()).unwrap(),
        localnet,
        dir: tempfile::tempdir().unwrap(),
    };
    for seed in 1..=wallets.len() as u8 {
        world.rich(seed).await;
    }
    let node_key = world.rich(100).await;
    let db = world.localnet.deployment().db;
    let node = world.call(&node_key, &[register(db, &node_key)]).await;
    let node = crate::common::created(&node, "::node::Node");
    let task = world
        .call(&node_key, &[crate::common::create_task(db)])
        .await;
    let task = atoma_types::TaskId(crate::common::created(&task, "::task::Task"));
    let subscribe = calls::Subscribe {
        db: db.into(),
        task: task.into(),
        node: node.into(),
        price: Price(1_000_000),
        clock: Clock,
    };
    crate::common::assert_success(&world.call(&node_key, &[subscribe.into()]).await);
    world.localnet.shutdown().await;
    task
}

async fn survives(mode: &str, rounds: usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut wallets: Vec<Wallet> = (1..=PAYERS + 1).map(Wallet::new).collect();
    let task = prepare(&folder, &wallets).await;
    for round in 0..rounds {
        let (mut child, url) = spawn(folder.path(), mode);
        let count = Arc::new(AtomicUsize::new(0));
        let mut running = tokio::task::JoinSet::new();
        for (number, mut wallet) in wallets.drain(..).enumerate() {
            let (url, count) = (url.clone(), Arc::clone(&count));
            running.spawn(async move {
                let job = match number {
                    0 => Job::Buy(task),
                    _ => Job::Pay,
                };
                wallet.work(&url, &job, &count).await;
                (number, wallet)
            });
        }
        // killed in the middle of work, each time after another number of answers
        let enough = 5 + round * 7 % 23;
        while count.load(Ordering::Relaxed) < enough {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let mut back = running.join_all().await;
        back.sort_by_key(|(number, _)| *number);
        wallets = back.into_iter().map(|(_, wallet)| wallet).collect();
    }
    check(&folder, &mut wallets).await;
}

/// Sends again what was never answered, then counts everything.
async fn check(folder: &tempfile::TempDir, wallets: &mut [Wallet]) {
    let localnet = Localnet::start(LocalnetConfig::new(folder.path()))
        .await
        .unwrap();
    let mut world = World {
        client: Client::new(localnet.url()).unwrap(),
        localnet,
        dir: tempfile::tempdir().unwrap(),
    };
    world.localnet.audit().unwrap();
    for wallet in wallets.iter_mut() {
        if let Some(transaction) = wallet.pending.take() {
            let done = world.execute(&wallet.key, &transaction).await.unwrap();
            crate::common::assert_success(&done);
            wallet.acknowledged.insert(transaction.digest().to_string());
        }
        for digest in &wallet.acknowledged {
            let mut request = pb::GetTransactionRequest::default();
            request.digest = Some(digest.clone());
            let found = world.client.ledger_client().get_transaction(request).await;
            found
                .unwrap_or_else(|status| panic!("{digest} was acknowledged and is lost: {status}"));
        }
    }
    for wallet in &wallets[1..] {
        let got = world.usdc(wallet.sink).await;
        let payments = wallet.acknowledged.len() as u64;
        assert_eq!(got, payments * AMOUNT, "a payment was lost or made twice");
    }
    let audit = world.localnet.audit().unwrap();
    let stacks = wallets[0].acknowledged.len() as u128;
    assert_eq!(audit.usdc_in_contract, 100_000_000 + stacks * 2_000);
    world.localnet.shutdown().await;
}

fn rounds() -> usize {
    std::env::var(ROUNDS)
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(10)
}

#[tokio::test(flavor = "multi_thread")]
async fn survives_being_killed() {
    survives("each", rounds()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn survives_being_killed_with_checkpoints_by_time() {
    survives("by time", rounds().div_ceil(2)).await;
}
