//! A localnet with some parties on it.

use atoma_ledger::{Executed, Ledger};
use atoma_localnet::{Localnet, LocalnetConfig, RunningLocalnet};
use atoma_types::{
    ComputeUnits, DurationMs, EngineClass, MicroUsdc, NodeId, Numerics, Price, Role, Rule,
    SecurityLevel, SigningKey, TaskId, UnitWeights,
    chain::{Call, Clock, Event, Payment, Random, calls},
    hash::Hash32,
};
use std::io::{Read, Write};

pub(crate) const COLLATERAL: MicroUsdc = MicroUsdc(100_000_000);
pub(crate) const PRICE: Price = Price(1_000_000);

pub(crate) struct World {
    pub(crate) localnet: RunningLocalnet,
    pub(crate) ledger: Ledger,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut LocalnetConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = LocalnetConfig::new(folder.path());
        change(&mut config);
        let localnet = Localnet::start(config).await.unwrap();
        let ledger = Ledger::connect(localnet.url()).await.unwrap();
        Self {
            localnet,
            ledger,
            folder,
        }
    }

    /// Moves an adjustable clock.
    pub(crate) async fn advance(&self, by_ms: u64) {
        let to = self.localnet.address();
        let body = format!(r#"{{"advance_ms":{by_ms}}}"#);
        let request = format!(
            "POST /localnet/clock HTTP/1.1\r\nhost: localnet\r\nconnection: close\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        let answer = tokio::task::spawn_blocking(move || {
            let mut stream = std::net::TcpStream::connect(to).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        });
        assert!(answer.await.unwrap().starts_with("HTTP/1.1 200"));
    }

    /// A key whose address has gas and USDC.
    pub(crate) async fn party(&self) -> SigningKey {
        let key = SigningKey::generate();
        self.ledger
            .faucet(key.public_key().address())
            .await
            .unwrap();
        key
    }

    pub(crate) async fn node(&self, key: &SigningKey) -> NodeId {
        let call = calls::RegisterNode {
            db: self.ledger.deployment().db.into(),
            collateral: Payment(COLLATERAL),
            url: "http://127.0.0.1:1".to_owned(),
            response_key: key.public_key(),
            sealing_key: Vec::new(),
        };
        let executed = self.ledger.execute(key, vec![call.into()]).await.unwrap();
        event(&executed, |event| match event {
            Event::NodeRegistered(e) => Some(e.node),
            _ => None,
        })
    }

    pub(crate) async fn task(&self, key: &SigningKey, model: &str) -> TaskId {
        let engine = EngineClass {
            model: Hash32([1; 32]),
            numerics: Numerics::DetF32V1,
            rule: Rule::Exact,
        };
        let weights = UnitWeights::TEXT;
        let call = calls::CreateTask {
            db: self.ledger.deployment().db.into(),
            role: Role::ChatCompletion as u8,
            model_name: model.to_owned(),
            security_level: SecurityLevel::None as u8,
            price_ceiling: PRICE,
            weights: vec![
                weights.input,
                weights.cached_input,
                weights.output,
                weights.image_step,
                weights.audio_second,
            ],
            model: engine.model.0.to_vec(),
            numerics: engine.numerics as u8,
            rule: engine.rule as u8,
            min_reputation: 0,
            min_collateral: MicroUsdc::ZERO,
            allow_list: None,
        };
        let executed = self.ledger.execute(key, vec![call.into()]).await.unwrap();
        event(&executed, |event| match event {
            Event::TaskCreated(e) => Some(e.task),
            _ => None,
        })
    }

    pub(crate) fn subscribe(&self, task: TaskId, node: NodeId) -> Call {
        calls::Subscribe {
            db: self.ledger.deployment().db.into(),
            task: task.into(),
            node: node.into(),
            price: PRICE,
            capacity: ComputeUnits(1_000_000),
        }
        .into()
    }

    pub(crate) fn acquire(&self, task: TaskId, units: u64, key: &SigningKey) -> Call {
        calls::AcquireStack {
            db: self.ledger.deployment().db.into(),
            task: task.into(),
            payment: Payment(MicroUsdc(units)),
            total_units: ComputeUnits(units),
            max_price: PRICE,
            selection: 0,
            nodes: 0,
            request_key: key.public_key(),
            lifetime_ms: DurationMs(60_000),
            random: Random,
            clock: Clock,
        }
        .into()
    }
}

pub(crate) fn event<T>(executed: &Executed, find: impl Fn(&Event) -> Option<T>) -> T {
    executed.events.iter().find_map(find).unwrap()
}
