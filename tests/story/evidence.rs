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
async fn an_honest_node_answers_by_itself_and_gets_the_fees() {
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

    // two needless demands: of a receipt, and of a unit of the other one
    let before = person.usdc().await;
    let first = person.does(&["receipt", "show", &requests[0]]);
    let unit = first[0]["cumulative_units"].to_string();
    let of_unit = ["dispute", "demand", "--stack", &stack, "--node", &node];
    let demands = [
        vec!["dispute", "demand", &requests[0]],
        [&of_unit[..], &["--unit", &unit]].concat(),
    ];
    for demand in demands {
        let demanded = person.does(&demand);
        assert_eq!(demanded[0]["outcome"], "demanded");
    }
    let started = Instant::now();
    let waits = |lines: &[Value]| lines.iter().any(|line| line["state"] == "demanded");
    while waits(&person.does(&["dispute", "show", &stack])) {
        assert!(started.elapsed() < PATIENCE, "the node shows both records");
    }
    // a record that was shown isn't paid for again, by another unit of it neither
    let again = person.types(&[&of_unit[..], &["--unit", "0"]].concat());
    let again = again.unwrap_err();
    assert!(
        again.contains("unit 0 was demanded before, and the node has shown its record"),
        "{again}"
    );
    let held = network.ledger.stack(stack.parse().unwrap()).await.unwrap();
    let fees = 2 * held.terms.demand_fee.0;
    assert_eq!(
        held.leases[0].fees.0, fees,
        "they are the node's with its pay"
    );
    assert_eq!(person.usdc().await, before - fees);
}

#[tokio::test]
async fn a_node_that_deleted_its_evidence_is_convicted_and_its_user_has_all_back() {
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
    network.node.kill();
    network.delete_node();
    let demanded = person.does(&["dispute", "demand", &request]);
    let unit = demanded[0]["unit"].to_string();
    let silence = ["dispute", "silence", &stack.to_string(), &node, &unit];
    let convicted = person.insists(&silence);
    assert_eq!(convicted[0]["outcome"], "convicted");
    assert_eq!(convicted[0]["charge"], json!(Charge::Silence));
    let amount = |name: &str| convicted[0][name].as_u64().unwrap();
    assert_eq!(
        amount("fine_micro_usdc"),
        10 * amount("claim_voided_micro_usdc")
    );
    let before = person.usdc().await;
    let closed = person.does(&["stack", "close", &stack.to_string()]);
    let withdrawn = closed[0]["withdrawn_micro_usdc"].as_u64().unwrap();
    assert!(withdrawn >= amount("freed_micro_usdc"));
    assert_eq!(person.usdc().await, before + withdrawn);
}
