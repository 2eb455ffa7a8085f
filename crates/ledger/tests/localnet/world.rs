//! A ledger with some parties on it: a localnet of the test's own, or where the test allows it the network that
//! `ATOMA_TEST_NETWORK` names.

use atoma_keys::SigningKey;
use atoma_ledger::{Executed, Ledger};
use atoma_localnet::{Localnet, LocalnetConfig, RunningLocalnet};
use atoma_types::{
    Address, ComputeUnits, DurationMs, EngineClass, MicroUsdc, NodeId, Numerics, Price, Role, Rule,
    SecurityLevel, TaskId, UnitWeights,
    chain::{Call, Clock, Event, Payment, Random, calls},
    hash::Hash32,
};
use std::{
    io::{Read, Write},
    net::SocketAddr,
};

/// In a file of its own, wherever this one is included.
#[allow(dead_code)] // each test program uses its part
#[path = "elsewhere.rs"]
pub(crate) mod elsewhere;

use elsewhere::Elsewhere;

pub(crate) const COLLATERAL: MicroUsdc = MicroUsdc(100_000_000);
pub(crate) const PRICE: Price = Price(1_000_000);

/// Who runs the ledger.
enum Host {
    Own(Box<RunningLocalnet>),
    Other(Box<Elsewhere>),
}

pub(crate) struct World {
    host: Host,
    pub(crate) ledger: Ledger,
    /// The least that a node stakes.
    pub(crate) collateral: MicroUsdc,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    /// Any network will do.
    pub(crate) async fn start() -> Self {
        let Some(elsewhere) = Elsewhere::named().await else {
            return Self::own().await;
        };
        Self {
            ledger: elsewhere.ledger.clone(),
            collateral: elsewhere.collateral,
            host: Host::Other(Box::new(elsewhere)),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// A localnet that the test may stop, audit and administer.
    pub(crate) async fn own() -> Self {
        Self::start_with(|_| {}).await
    }

    pub(crate) async fn start_with(change: impl FnOnce(&mut LocalnetConfig)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = LocalnetConfig::new(folder.path());
        change(&mut config);
        let localnet = Localnet::start(config).await.unwrap();
        let ledger = Ledger::connect(localnet.url()).await.unwrap();
        Self {
            host: Host::Own(Box::new(localnet)),
            ledger,
            collateral: COLLATERAL,
            folder,
        }
    }

    /// The test's own localnet.
    pub(crate) fn localnet(&self) -> &RunningLocalnet {
        match &self.host {
            Host::Own(localnet) => localnet,
            Host::Other(_) => panic!("the test needs a localnet of its own"),
        }
    }

    /// Stops the test's own localnet.
    pub(crate) async fn shutdown(self) -> Ledger {
        if let Host::Own(localnet) = self.host {
            localnet.shutdown().await;
        }
        self.ledger
    }

    /// Stops it and starts it again with the same state at the same address.
    pub(crate) async fn restart(self) -> Self {
        let (address, folder, ledger) = self.stop().await;
        let world = Self::at(address, folder).await;
        Self { ledger, ..world }
    }

    /// Stops the test's own localnet: where it was, what it kept, who knew it.
    pub(crate) async fn stop(self) -> (SocketAddr, tempfile::TempDir, Ledger) {
        let address = self.localnet().address();
        if let Host::Own(localnet) = self.host {
            localnet.shutdown().await;
        }
        (address, self.folder, self.ledger)
    }

    /// A localnet at this address, of what the folder holds.
    pub(crate) async fn at(address: SocketAddr, folder: tempfile::TempDir) -> Self {
        let config = LocalnetConfig {
            listen: address,
            ..LocalnetConfig::new(folder.path())
        };
        let localnet = Localnet::start(config).await.unwrap();
        let ledger = Ledger::connect(localnet.url()).await.unwrap();
        Self {
            host: Host::Own(Box::new(localnet)),
            ledger,
            collateral: COLLATERAL,
            folder,
        }
    }

    /// All money is there, where it can be counted.
    pub(crate) fn audit(&self) {
        if let Host::Own(localnet) = &self.host {
            localnet.audit().unwrap();
        }
    }

    /// Moves an adjustable clock.
    pub(crate) async fn advance(&self, by_ms: u64) {
        let to = self.localnet().address();
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
        if let Host::Other(elsewhere) = &self.host {
            return elsewhere.party().await;
        }
        let key = SigningKey::generate();
        let address = key.public_key().address();
        self.ledger.faucet(address).await.unwrap();
        key
    }

    pub(crate) async fn give_usdc(&self, to: Address, amount: MicroUsdc) {
        match &self.host {
            Host::Other(elsewhere) => elsewhere.give_usdc(to, amount).await,
            Host::Own(_) => self.ledger.mint_usdc(to, amount).await.unwrap(),
        }
    }

    pub(crate) async fn node(&self, key: &SigningKey) -> NodeId {
        let call = calls::RegisterNode {
            db: self.ledger.deployment().db.into(),
            collateral: Payment(self.collateral),
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
