//! A node that may cheat, attesters, a user who may ask, and what the ledger tells of them.

use crate::jury::{Play, Played};
use atoma_client::{BuyRequest, Client, ClientConfig, StackHandle};
use atoma_engine::{Engine, builtin};
use atoma_keys::SigningKey;
use atoma_localnet::ClockMode;
use atoma_network::{
    Network, NetworkBuilder, POCKET_MONEY, Silent,
    cheat::{Cheat, cheating},
    fund,
};
use atoma_node::AttestConfig;
use atoma_runtime::SystemRandom;
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, NodeId, Price, UnitWeights,
    chain::{Attester, Event, Params},
};
use futures::StreamExt;
use serde_json::json;
use std::{sync::Arc, time::Duration};

/// A dollar buys two hundred tokens here: a ticket must be worth an examination.
pub(crate) const PRICE: Price = Price(5_000_000);
const WEIGHTS: UnitWeights = UnitWeights {
    input: 1_000_000,
    cached_input: 100_000,
    output: 1_000_000,
    image_step: 0,
    audio_second: 0,
};
const UNITS: ComputeUnits = ComputeUnits(400_000);
/// What the pool begins with: fees of twenty.
const POOL: MicroUsdc = MicroUsdc(2_000_000);
const ATTESTERS: usize = 9;
/// Longer than any of this takes.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// Tickets wait a moment, and those who must act have all the time they want.
pub(crate) fn params() -> Params {
    Params {
        sample_permille: 1_000,
        dispute_window_ms: 500,
        answer_window_ms: 600_000,
        settle_grace_ms: 600_000,
        verdict_window_ms: 600_000,
        jail_ms: 600_500,
        slash_delay_ms: 10_000,
        unbonding_ms: 10_000,
        maturity_ms: 1_000,
        ..Params::default()
    }
}

pub(crate) fn attests() -> AttestConfig {
    AttestConfig {
        tick_ms: 100,
        spread_ms: 2_000,
        collect_from: MicroUsdc(1),
        ..AttestConfig::default()
    }
}

fn builder(folder: &std::path::Path, engine: &Arc<dyn Engine>) -> NetworkBuilder {
    Network::builder(folder)
        .localnet(|config| config.clock = ClockMode::Adjustable)
        .params(params())
        .walrus()
        .serving(engine.clone())
        .weights(WEIGHTS)
        .examined(POOL)
}

/// A node that may cheat, attesters, and a user who may ask.
pub(crate) struct Told {
    pub(crate) builder: NetworkBuilder,
    pub(crate) network: Network,
    pub(crate) user: StackHandle,
    pub(crate) played: Vec<Played>,
    _folder: tempfile::TempDir,
}

impl Told {
    /// All attest as they should.
    pub(crate) async fn start(cheat: Option<Cheat>) -> Self {
        Self::with(cheat, &[]).await
    }

    /// Some are played by the test.
    pub(crate) async fn with(cheat: Option<Cheat>, plays: &[Play]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine: Arc<dyn Engine> = Arc::new(builtin::load().unwrap());
        let mut builder = builder(folder.path(), &engine).node(PRICE);
        if let Some(cheat) = cheat {
            let engine = cheating(cheat, &engine, &folder.path().join("weights"));
            builder = builder.computing_with(engine.unwrap());
        }
        for _ in plays.len()..ATTESTERS {
            builder = builder.node(PRICE).attesting(attests());
        }
        let network = builder.clone().start().await.unwrap();
        let mut played = Vec::new();
        for play in plays {
            played.push(Played::enrol(&network, *play).await);
        }
        let enrolled = async {
            loop {
                for attester in &played {
                    attester.sync(&network).await;
                }
                let all = network.attesters(ATTESTERS);
                if let Ok(done) = tokio::time::timeout(Duration::from_secs(1), all).await {
                    return done.unwrap();
                }
            }
        };
        let enrolled = tokio::time::timeout(PATIENCE, enrolled).await;
        enrolled.expect("the attesters enrol");
        let key = SigningKey::generate(&SystemRandom);
        let address = key.public_key().address();
        fund(&network.ledger, "user", address, POCKET_MONEY, &Silent)
            .await
            .unwrap();
        let config = ClientConfig::default();
        let client = Client::with_ledger(network.ledger.clone(), key, config).unwrap();
        let purchase = BuyRequest {
            task: network.task.unwrap(),
            units: UNITS,
            max_price: Some(PRICE),
            nodes: 0,
            lifetime: DurationMs(3_600_000),
        };
        let user = client.buy(purchase).await.unwrap();
        user.grant_some(network.nodes[0].id, UNITS).await.unwrap();
        Self {
            builder,
            network,
            user,
            played,
            _folder: folder,
        }
    }

    pub(crate) fn server(&self) -> NodeId {
        self.network.nodes[0].id
    }

    pub(crate) async fn ask(&self, text: &str) {
        let body = json!({
            "model": builtin::NAME,
            "messages": [{ "role": "user", "content": text }],
            "max_tokens": 40,
            "temperature": 2.0,
            "seed": 7,
        });
        let answer = self.user.chat(self.server(), body.to_string()).await;
        answer.unwrap().whole().await.unwrap();
    }

    /// A node dies as by a power cut, and starts again.
    pub(crate) async fn kill(&mut self, node: NodeId) {
        let place = self.network.nodes.iter().position(|found| found.id == node);
        let place = place.unwrap();
        drop(self.network.nodes.remove(place));
        self.starts_again(place + 1).await;
    }

    pub(crate) async fn starts_again(&mut self, number: usize) {
        // its folder's lock is free once its last task has ended
        let again = async {
            let (builder, network) = (&self.builder, &mut self.network);
            while builder.start_again(network, number).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let again = tokio::time::timeout(PATIENCE, again).await;
        again.expect("it starts again");
    }

    /// The promise of an attester.
    pub(crate) async fn promise(&self, node: NodeId) -> Attester {
        let task = self.network.ledger.task(self.network.task.unwrap()).await;
        task.unwrap().subscription(node).unwrap().attester.unwrap()
    }

    /// What the ledger tells, up to an event that is waited for.
    pub(crate) async fn until(&self, is_last: impl Fn(&Event) -> bool) -> Vec<Event> {
        self.until_mut(is_last).await
    }

    /// The same where events are counted.
    pub(crate) async fn until_mut(&self, mut is_last: impl FnMut(&Event) -> bool) -> Vec<Event> {
        let mut told = Vec::new();
        let mut events = self.network.ledger.events(None);
        let follow = async {
            while let Some(event) = events.next().await {
                let event = event.unwrap().event;
                let last = is_last(&event);
                told.push(event);
                if last {
                    return;
                }
            }
        };
        let done = tokio::time::timeout(PATIENCE, follow).await;
        assert!(done.is_ok(), "it didn't come to that: {told:#?}");
        told
    }
}
