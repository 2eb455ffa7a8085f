//! A gateway whose cheapest node lies: its users are answered by the others, and no more is lost than the rules allow.

use crate::{
    case::types_on,
    gateway::Gateway,
    liar::{Liar, Lie},
};
use atoma_engine::builtin;
use atoma_keys::SigningKey;
use atoma_network::{
    COLLATERAL, Network,
    testing::{TestTask, wait_until},
};
use atoma_node::{Node, RunningNode, ServedModel};
use atoma_runtime::SystemRandom;
use atoma_types::{
    ComputeUnits, MicroUsdc, Price, StackId, UnitWeights,
    chain::Params,
    http::RECEIPT,
    message::{Receipt, Signed},
};
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::time::Instant;

/// The liar is so much cheaper that it is asked whenever it can be.
const CHEAP: Price = Price(500_000);
const DEAR: Price = Price(1_000_000);
/// A token is a thousand units: some lost answers are more than any window.
const WEIGHTS: UnitWeights = UnitWeights {
    input: 1_000_000,
    cached_input: 1_000_000,
    output: 1_000_000,
    image_step: 0,
    audio_second: 0,
};
/// Nothing here takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);
/// A network of three nodes, before the first of which somebody lies, and a gateway on it.
struct Street {
    network: Network,
    /// The node behind the liar.
    node: RunningNode,
    gateway: Gateway,
    liar: Liar,
    folder: tempfile::TempDir,
    /// What the gateway's wallet had at first.
    before: MicroUsdc,
}

impl Street {
    async fn start(lie: impl FnOnce(&Path) -> Lie) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let network = Network::builder(folder.path().join("network"))
            .params(Params {
                dispute_window_ms: 200,
                settle_grace_ms: 5_000,
                ..Params::default()
            })
            .weights(WEIGHTS)
            .serving(Arc::new(builtin::load().unwrap()))
            .node(DEAR)
            .node(DEAR)
            .start()
            .await
            .unwrap();
        let behind = folder.path().join("node");
        let liar = Liar::start(lie(&behind.join("response.key")));
        let node = node_behind(&network, &liar, behind).await;

        let gateway = Gateway::start(&network.ledger, folder.path().join("gateway"), true).await;
        let mut street = Self {
            before: MicroUsdc::ZERO,
            network,
            node,
            gateway,
            liar,
            folder,
        };
        street.before = street.wallet().await;
        street
    }

    /// What the gateway's wallet has.
    async fn wallet(&self) -> MicroUsdc {
        let address = self.gateway.wallet_key().public_key().address();
        self.network.ledger.usdc(address).await.unwrap()
    }

    /// Somebody with an API key asks, and is answered; the receipt, by whoever signed it.
    async fn asks(&self) -> Receipt {
        let answered = self.gateway.asks(8).await;
        let name = format!("{RECEIPT}: ");
        let mut lines = answered.lines();
        let receipt = lines.find_map(|line| line.strip_prefix(&name)).unwrap();
        let receipt = Signed::<Receipt>::from_text(receipt).unwrap();
        let node = self.network.ledger.node(receipt.message().node).await;
        receipt.verify(&node.unwrap().response_key).unwrap();
        receipt.message().clone()
    }

    /// What a receipt charges, in millionths of a micro-USDC.
    async fn cost(&self, receipt: &Receipt) -> u64 {
        let stack = self.network.ledger.stack(receipt.stack).await.unwrap();
        stack.lease(receipt.node).unwrap().price.0 * receipt.units.0
    }

    /// What the key has spent, once nothing is held for it any more.
    async fn spent(&self) -> u64 {
        let user = || {
            let accounts = self.gateway.running.accounts();
            let user = accounts.into_iter().find(|account| account.name == "user");
            user.unwrap()
        };
        wait_until("nothing is held", async || {
            user().held.whole() == MicroUsdc::ZERO
        })
        .await;
        user().spent.whole().0
    }

    /// Waits until a stack is closed, long before it would have ended.
    async fn is_closed(&self, stack: StackId) {
        let ledger = &self.network.ledger;
        wait_until("the stack is closed", async || {
            ledger.stack(stack).await.unwrap().expires_at_ms <= ledger.clock().await.unwrap()
        })
        .await;
    }

    /// The gateway stops, all nodes are paid, and its operator takes out what is left of the stacks; what they have cost.
    async fn ends(self, stacks: &BTreeSet<StackId>) -> u64 {
        let key = self.gateway.wallet_key();
        self.gateway.running.shutdown().await;
        let (network, home) = (&self.network, self.folder.path().join("operator"));
        for stack in stacks {
            wait_until("all its nodes are paid", async || {
                let now = network.ledger.clock().await.unwrap();
                network.ledger.stack(*stack).await.unwrap().is_over(now)
            })
            .await;
            let withdraw = ["stack", "withdraw", &stack.to_string()];
            types_on(network, &home, &key, &withdraw).await;
        }
        network.localnet.audit().unwrap();
        let left = network.ledger.usdc(key.public_key().address()).await;
        let cost = self.before.0 - left.unwrap().0;
        self.node.drain_and_stop().await;
        self.network.stop().await;
        cost
    }
}

/// The cheapest node, which its users reach through the liar alone.
async fn node_behind(network: &Network, liar: &Liar, folder: PathBuf) -> RunningNode {
    let operator = Arc::new(SigningKey::generate(&SystemRandom));
    let address = operator.public_key().address();
    network.ledger.faucet(address).await.unwrap();
    let task = TestTask {
        ledger: &network.ledger,
        task: network.task.unwrap(),
        price: CHEAP,
    };
    let mut config = task.node(&operator, folder);
    config.collateral = COLLATERAL;
    config.listen = liar.node;
    config.public_url = Some(liar.url.clone());
    let served = vec![ServedModel {
        model: builtin::NAME.to_owned(),
        engine: network.engine.clone().unwrap(),
    }];
    Node::start(config, served).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_keeps_what_it_charges_for_is_left_and_the_gateways_stack_with_it_is_closed() {
    let street = Street::start(|_| Lie::SaysThatItFailed).await;
    let first = street.asks().await.stack;
    let (started, mut stacks) = (Instant::now(), BTreeSet::from([first]));
    // everybody is answered all the while, and in the end on another stack
    while stacks.len() == 1 {
        stacks.insert(street.asks().await.stack);
        let asked = street.liar.asked();
        assert!(
            started.elapsed() < PATIENCE,
            "it goes on for ever: {asked} times"
        );
    }
    street.is_closed(first).await;
    let asked = street.liar.asked();
    for _ in 0..6 {
        let receipt = street.asks().await;
        assert_ne!(receipt.node, street.node.node_id());
        stacks.insert(receipt.stack);
    }
    assert_eq!(street.liar.asked(), asked, "it isn't asked any more");

    // who asked pays for what was computed, whoever kept it, and the gateway no more than they
    let spent = street.spent().await;
    let leases = 3 * stacks.len() as u64;
    let cost = street.ends(&stacks).await;
    assert!(
        cost <= spent && spent <= cost + leases,
        "{spent} for {cost}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_charges_more_than_was_used_is_asked_once_and_its_answer_given_to_nobody() {
    let street = Street::start(|key| Lie::ChargesMore(key.to_owned())).await;
    let (mut stacks, mut charged, started) = (BTreeSet::new(), 0, Instant::now());
    let (mut answers, mut units) = (0, ComputeUnits::ZERO);
    while street.liar.asked() == 0 || answers < 12 {
        let receipt = street.asks().await;
        assert_ne!(receipt.node, street.node.node_id());
        stacks.insert(receipt.stack);
        charged += street.cost(&receipt).await;
        units = receipt.units;
        answers += 1;
        assert!(started.elapsed() < PATIENCE, "the liar is never asked");
    }
    assert_eq!(street.liar.asked(), 1, "nothing more is signed for it");
    // who asked pays for what was computed, by the node's true receipt, and nobody what it charged beside that
    let lost = CHEAP.cost(units).unwrap().0;
    let spent = street.spent().await;
    assert_eq!(spent, charged / 1_000_000 + lost);
    let leases = 3 * stacks.len() as u64;
    // it has nothing, if it is convicted by its two receipts before it is paid
    let cost = street.ends(&stacks).await;
    assert!(
        cost <= spent && spent <= cost + lost + leases,
        "{spent} for {cost}"
    );
}
