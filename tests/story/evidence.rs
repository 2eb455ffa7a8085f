//! Evidence from the user's command to money: stored before it is asked, proved afterwards, shown
//! when it is demanded, and what becomes of a node that has deleted it.

use crate::{
    atoma,
    processes::{Network, Rules},
};
use atoma_ledger::Ledger;
use atoma_network::testing::WalrusEndpoints;
use atoma_types::{Address, StackId, TaskId, chain::events::Charge};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// Nothing here takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
const HOUR_MS: u64 = 3_600_000;

/// A user with a wallet, who types commands.
struct Person {
    ledger: Ledger,
    task: TaskId,
    walrus: WalrusEndpoints,
    home: tempfile::TempDir,
    address: Address,
}

impl Person {
    async fn new(network: &Network) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::copy(network.networks(), home.path().join("networks.toml")).unwrap();
        let mut person = Self {
            ledger: network.ledger.clone(),
            task: network.task,
            walrus: network.walrus.clone(),
            home,
            address: Address::ZERO,
        };
        let made = person.does(&["wallet", "new"]);
        person.address = made[0]["address"].as_str().unwrap().parse().unwrap();
        network.fund(person.address).await;
        person
    }

    fn types(&self, args: &[&str]) -> Result<Vec<Value>, String> {
        let home = self.home.path().to_string_lossy();
        let done = atoma::run(&[&["--home", &home], args].concat());
        let lines = atoma::objects(&done.stdout);
        if done.status.success() {
            return Ok(lines);
        }
        Err(String::from_utf8_lossy(&done.stdout).into_owned())
    }

    fn does(&self, args: &[&str]) -> Vec<Value> {
        self.types(args).unwrap_or_else(|e| panic!("{args:?}: {e}"))
    }

    /// Buys a stack of the one node.
    fn buys(&self) -> StackId {
        let task = self.task.to_string();
        let bought = self.does(&["stack", "buy", &task, "--units", "5000", "--max-price", "1"]);
        let stack = bought.iter().find_map(|line| line["stack"].as_str());
        stack.unwrap().parse().unwrap()
    }

    /// Asks, and gives the request's id.
    fn asks(&self, evidence: &str) -> String {
        let WalrusEndpoints {
            publisher,
            aggregator,
            shards,
        } = self.walrus.clone();
        let walrus = [
            "--publisher",
            &publisher.unwrap(),
            "--aggregator",
            &aggregator.unwrap(),
            "--shards",
            &shards.unwrap().to_string(),
        ];
        let ask = [
            "chat",
            "What is the sun?",
            "--max-tokens",
            "8",
            "--evidence",
            evidence,
        ];
        let said = self.does(&[&ask[..], &walrus].concat());
        said.last().unwrap()["request"].as_str().unwrap().to_owned()
    }

    async fn usdc(&self) -> u64 {
        self.ledger.usdc(self.address).await.unwrap().0
    }

    /// Types it until it works.
    fn insists(&self, args: &[&str]) -> Vec<Value> {
        let started = Instant::now();
        loop {
            match self.types(args) {
                Ok(lines) => return lines,
                Err(error) => assert!(started.elapsed() < PATIENCE, "{args:?}: {error}"),
            }
        }
    }
}

#[tokio::test]
async fn an_honest_node_answers_by_itself_and_gets_the_bond() {
    let network = Network::start_with(Rules {
        dispute_window_ms: HOUR_MS,
        answer_window_ms: HOUR_MS,
    })
    .await;
    let person = Person::new(&network).await;
    let stack = person.buys();
    let requests = ["immediate", "open"].map(|evidence| person.asks(evidence));
    network.settle(stack).await;
    let (stack, node) = (stack.to_string(), network.node_id().to_string());

    // two false accusations: of a receipt, and of a place
    let before = (person.usdc().await, network.operator_money().await.0);
    let demands = [
        vec!["dispute", "open", &requests[0]],
        vec![
            "dispute", "open", "--stack", &stack, "--node", &node, "--seq", "2",
        ],
    ];
    let mut bonds = 0;
    for demand in demands {
        let opened = person.does(&demand);
        assert_eq!(opened[0]["outcome"], "opened");
        bonds += opened[0]["bond_micro_usdc"].as_u64().unwrap();
    }
    let started = Instant::now();
    while person.does(&["dispute", "show", &stack])[0]["lease"] == "disputed" {
        assert!(started.elapsed() < PATIENCE, "the node shows both records");
    }
    assert_eq!(person.usdc().await, before.0 - bonds);
    assert_eq!(network.operator_money().await.0, before.1 + bonds);
}

#[tokio::test]
async fn a_node_that_deleted_its_evidence_is_slashed() {
    let mut network = Network::start_with(Rules {
        dispute_window_ms: HOUR_MS,
        answer_window_ms: 1_000,
    })
    .await;
    let node = network.node_id().to_string();
    let person = Person::new(&network).await;
    let stack = person.buys();
    let request = person.asks("sealed");
    network.settle(stack).await;
    let before = person.usdc().await;
    network.node.kill();
    network.delete_node();
    person.does(&["dispute", "open", &request]);
    let resolve = ["dispute", "resolve", &stack.to_string(), &node, "1"];
    let resolved = person.insists(&resolve);
    assert_eq!(resolved[0]["outcome"], "convicted");
    assert_eq!(resolved[0]["charge"], json!(Charge::Silence));
    let amount = |name: &str| resolved[0][name].as_u64().unwrap();
    assert!(amount("slashed_to_owner_micro_usdc") > 0 && amount("bonds_returned_micro_usdc") > 0);
    // the whole escrow and a part of the collateral; the bond came back
    let gained = amount("refunded_micro_usdc") + amount("slashed_to_owner_micro_usdc");
    assert_eq!(person.usdc().await, before + gained);
}
