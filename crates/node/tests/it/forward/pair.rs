//! Two nodes of one task, of which the first passes requests on to the second, and a user of the first.

use crate::common::{Backend, PATIENCE, PRICE, World, eventually};
use atoma_client::{
    Answer, BuyRequest, Client, ClientConfig, ClientError, RequestOptions, StackHandle, WholeAnswer,
};
use atoma_engine::{
    Engine, Upstream, UpstreamOptions, builtin,
    testing::{InstantOptions, InstantUpstream},
};
use atoma_evidence::receipt::receipt_path;
use atoma_keys::SigningKey;
use atoma_node::{EvidenceConfig, ForwardConfig, NodeConfig, RunningNode};
use atoma_runtime::SystemRandom;
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, NodeId, RequestId, StackId,
    chain::Event,
    message::{Endpoint, Receipt, Signed},
};
use bytes::Bytes;
use futures::StreamExt;
use http::StatusCode;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// What a node's stacks may hold.
const BUDGET: MicroUsdc = MicroUsdc(200_000);
/// Units of the user's stack.
const UNITS: ComputeUnits = ComputeUnits(20_000);

/// A node that asks others at its own price once it has no place left.
pub(super) fn when_full() -> ForwardConfig {
    ForwardConfig {
        local_nodes: true,
        tick_ms: 100,
        ..ForwardConfig::new(BUDGET)
    }
}

/// The same for whatever it may pass on.
pub(super) fn always() -> ForwardConfig {
    ForwardConfig {
        above_permille: 0,
        ..when_full()
    }
}

/// The model in the binary.
pub(super) fn exact() -> Arc<dyn Engine> {
    Arc::new(builtin::load().unwrap())
}

/// A server behind a node, and the engine that asks it.
pub(super) struct Behind {
    pub(super) server: InstantUpstream,
    pub(super) engine: Arc<dyn Engine>,
}

impl Behind {
    /// A server that answers at once.
    pub(super) async fn quick() -> Self {
        Self::with(InstantOptions::default()).await
    }

    /// A server whose long answers take so long for each of very many tokens.
    pub(super) async fn slow(pause: Duration) -> Self {
        Self::with(InstantOptions {
            pause: Some(pause),
            tokens: 100_000,
            ..InstantOptions::default()
        })
        .await
    }

    /// A server that has too much to do.
    pub(super) async fn busy() -> Self {
        Self::with(InstantOptions {
            refuse: Some(429),
            ..InstantOptions::default()
        })
        .await
    }

    async fn with(options: InstantOptions) -> Self {
        let server = InstantUpstream::start(options).await.unwrap();
        let engine = Upstream::connect(UpstreamOptions::new("instant", vec![server.url()]));
        Self {
            server,
            engine: engine.unwrap(),
        }
    }
}

pub(super) struct Pair {
    pub(super) world: World,
    first: Option<RunningNode>,
    /// The first node's.
    pub(super) wallet: Arc<SigningKey>,
    second: Option<RunningNode>,
    /// The first node's stack with the second.
    pub(super) between: StackId,
    /// The user's, whose units the first node has.
    pub(super) stack: StackHandle,
}

impl Pair {
    /// The two nodes, each with its engine.
    pub(super) async fn start(engines: [Arc<dyn Engine>; 2], forward: ForwardConfig) -> Self {
        Self::with(engines, forward, [|_| (), |_| ()]).await
    }

    /// The same, with the configuration of each changed.
    pub(super) async fn with(
        engines: [Arc<dyn Engine>; 2],
        forward: ForwardConfig,
        change: [fn(&mut NodeConfig); 2],
    ) -> Self {
        Self::made(engines, (forward, None), change).await
    }

    /// The two nodes, of which the first keeps evidence.
    pub(super) async fn storing(
        engines: [Arc<dyn Engine>; 2],
        forward: ForwardConfig,
        evidence: EvidenceConfig,
    ) -> Self {
        Self::made(engines, (forward, Some(evidence)), [|_| (), |_| ()]).await
    }

    async fn made(
        engines: [Arc<dyn Engine>; 2],
        (forward, evidence): (ForwardConfig, Option<EvidenceConfig>),
        change: [fn(&mut NodeConfig); 2],
    ) -> Self {
        let [of_first, of_second] = engines;
        let world = World::start(Backend::Given(of_first.clone())).await;
        let (second, _) = node(&world, 1, of_second, change[1]).await;
        let (first, wallet) = node(&world, 2, of_first, |config| {
            config.forward = Some(forward);
            config.evidence = evidence;
            change[0](config);
        })
        .await;
        let between = stocked(&world, &wallet, second.node_id()).await;
        let stack = user(&world, first.node_id()).await;
        Self {
            world,
            first: Some(first),
            wallet,
            second: Some(second),
            between,
            stack,
        }
    }

    pub(super) fn first(&self) -> &RunningNode {
        self.first.as_ref().expect("it runs")
    }

    pub(super) fn first_folder(&self) -> PathBuf {
        folder(&self.world, 2)
    }

    /// Tells the first node to stop.
    pub(super) fn stop_first(&mut self) -> tokio::task::JoinHandle<()> {
        let first = self.first.take().expect("it runs");
        tokio::spawn(first.drain_and_stop())
    }

    pub(super) fn second(&self) -> &RunningNode {
        self.second.as_ref().expect("it runs")
    }

    /// The second node is gone from one moment to the next, as when its machine fails.
    pub(super) fn kill_second(&mut self) -> impl FnOnce() + use<> {
        let second = self.second.take();
        move || drop(second)
    }

    /// The user asks the first node for a short answer.
    pub(super) async fn ask(&self, more: &str, options: RequestOptions) -> Answer {
        let body = self.world.chat(&format!(r#","max_tokens":8{more}"#));
        let (node, endpoint) = (self.first().node_id(), Endpoint::ChatCompletions);
        let asked = self
            .stack
            .request(node, endpoint, Bytes::from(body), options);
        asked.await.unwrap()
    }

    /// The same, whole.
    pub(super) async fn whole(&self, more: &str) -> WholeAnswer {
        let answer = self.ask(more, RequestOptions::default()).await;
        answer.whole().await.unwrap()
    }

    /// The user asks for a stream of so many tokens, and has read its first words.
    pub(super) async fn begun(&self, tokens: u32) -> Answer {
        let more = format!(r#","max_tokens":{tokens},"stream":true"#);
        let body = self.world.chat(&more);
        let (node, endpoint) = (self.first().node_id(), Endpoint::ChatCompletions);
        let options = RequestOptions::default();
        let asked = self
            .stack
            .request(node, endpoint, Bytes::from(body), options);
        let mut answer = asked.await.unwrap();
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        answer.body.next().await.unwrap().unwrap();
        answer
    }

    /// How many requests came to this, by the first node's metrics.
    pub(super) async fn forwarded(&self, outcome: &str) -> u64 {
        let line = format!(r#"atoma_node_requests_forwarded_total{{outcome="{outcome}"}}"#);
        metric(&self.world, self.first(), &line).await
    }

    /// Receipts that the second node has signed.
    pub(super) async fn signed_by_second(&self) -> u64 {
        metric(&self.world, self.second(), "atoma_node_receipts_total").await
    }

    /// What the first node shows for a request, once it has a receipt.
    pub(super) async fn shown(&self, id: RequestId) -> String {
        let url = self.first().url() + &receipt_path(self.stack.id(), id);
        eventually("there is a receipt", || async {
            self.world.get(url.clone()).await.0 == StatusCode::OK
        })
        .await;
        let (_, shown) = self.world.get(url).await;
        shown["receipt"].as_str().unwrap().to_owned()
    }

    /// Units that the user's lease has paid, once nothing is held any more.
    pub(super) async fn committed(&self, stack: StackId) -> u64 {
        let (url, node) = (self.first().url(), self.first().node_id());
        let status = async || self.world.lease(&url, node, stack).await;
        eventually("nothing is held", async || status().await["reserved"] == 0).await;
        status().await["committed"].as_u64().unwrap()
    }

    /// All ends: what the first node is paid of the user's stack, and the second of the stack between the two.
    pub(super) async fn paid(self) -> (ComputeUnits, ComputeUnits) {
        let Self {
            world,
            first,
            wallet,
            second,
            between,
            stack,
        } = self;
        let first = first.expect("it runs");
        stack.begin_close().await.unwrap();
        let (by_user, ..) = world.paid(stack.id(), first.node_id()).await;
        first.drain_and_stop().await;
        let wallet = Client::with_ledger(world.ledger.clone(), wallet, ClientConfig::default());
        let between = wallet.unwrap().open(between).await.unwrap();
        between.begin_close().await.unwrap();
        let second = second.expect("it runs");
        let (by_first, ..) = world.paid(between.id(), second.node_id()).await;
        world.audit();
        second.drain_and_stop().await;
        (by_user, by_first)
    }
}

/// A receipt of the second node behind one of the first.
pub(super) fn units_of(text: &str) -> (ComputeUnits, ComputeUnits) {
    let (first, second) = atoma_evidence::second::split_text(text);
    let first = Signed::<Receipt>::from_text(first).unwrap();
    let second = second.expect("a second record");
    let second = atoma_evidence::second::SecondRecord::from_text(second).unwrap();
    let units = second.receipt().message().units;
    (first.message().units, units)
}

/// Where one of several nodes has its files.
fn folder(world: &World, number: usize) -> PathBuf {
    world.dir.path().join(format!("node-{number}"))
}

/// One of several nodes, with a wallet of its own.
pub(super) async fn node(
    world: &World,
    number: usize,
    engine: Arc<dyn Engine>,
    change: impl FnOnce(&mut NodeConfig),
) -> (RunningNode, Arc<SigningKey>) {
    let wallet = Arc::new(SigningKey::generate(&SystemRandom));
    let address = wallet.public_key().address();
    world.ledger.faucet(address).await.unwrap();
    let mut config = world.config_of(&wallet, folder(world, number));
    change(&mut config);
    (world.node_over(config, engine).await, wallet)
}

/// Waits until a wallet has a lease with a node; on which stack.
pub(super) async fn stocked(world: &World, wallet: &SigningKey, with: NodeId) -> StackId {
    let owner = wallet.public_key().address();
    let mut events = world.ledger.events(None);
    let leased = async {
        while let Some(event) = events.next().await {
            match event.unwrap().event {
                Event::Leased(lease) if lease.owner == owner && lease.node == with => {
                    return lease.stack;
                }
                _ => {}
            }
        }
        panic!("the events ended")
    };
    tokio::time::timeout(PATIENCE, leased)
        .await
        .expect("a lease")
}

/// The user's client, and a stack whose units a node has.
async fn user(world: &World, node: NodeId) -> StackHandle {
    let client = ClientConfig {
        data_dir: Some(world.dir.path().join("user")),
        ..ClientConfig::default()
    };
    let wallet = SigningKey::from_seed(&world.user.to_seed());
    let client = Client::with_ledger(world.ledger.clone(), wallet, client).unwrap();
    let order = BuyRequest {
        task: world.task.id,
        units: UNITS,
        max_price: Some(PRICE),
        nodes: 0,
        lifetime: DurationMs(3_600_000),
    };
    let stack = client.buy(order).await.unwrap();
    // a node with one place may have it taken by the other node, which leases just now
    let granted = || async {
        match stack.grant(node, UNITS).await {
            Ok(_) => true,
            Err(ClientError::Refused { status, .. }) if status == StatusCode::TOO_MANY_REQUESTS => {
                false
            }
            Err(error) => panic!("{error}"),
        }
    };
    eventually("the node takes the units", granted).await;
    stack
}

/// What a metric of a node says.
pub(super) async fn metric(world: &World, node: &RunningNode, line: &str) -> u64 {
    let text = world.text(format!("{}/metrics", node.admin_url())).await;
    let value = text.lines().find_map(|found| found.strip_prefix(line));
    value.map_or(0, |value| value.trim().parse().unwrap())
}
