//! A ledger with some parties on it: a localnet of the test's own, or where the test allows it the network that
//! `ATOMA_TEST_NETWORK` names.

use super::{Elsewhere, http::post};
use crate::{COLLATERAL, Network, NetworkBuilder, create_task};
use atoma_keys::SigningKey;
use atoma_ledger::{Executed, Ledger};
use atoma_localnet::{ClockMode, LocalnetConfig, RunningLocalnet};
use atoma_runtime::{SystemRandom, Threads};
use atoma_types::{
    Address, ComputeUnits, DurationMs, EngineClass, MicroUsdc, NodeId, Numerics, Price, Rule,
    StackId, TaskId, TimestampMs,
    chain::{Call, Clock, Event, NewTask, Payment, Random, VERSION, calls},
    hash::Hash32,
    message::{Domain, Grant, Signed},
};
use atoma_walrus::store::Fault;
use atoma_walrus_localnet::LocalWalrus;
use std::net::SocketAddr;

/// What the parties here ask and pay, per million units: one micro-USDC a unit.
pub const PRICE: Price = Price(1_000_000);

/// Who runs the ledger.
enum Host {
    Own(Audited),
    Other(Box<Elsewhere>),
}

/// A network whose money is counted whenever it ends, so that no story can forget to.
struct Audited(Option<Box<Network>>);

impl Audited {
    fn network(&self) -> &Network {
        self.0.as_ref().expect("only `stop` takes it")
    }

    async fn stop(mut self) {
        self.audit();
        if let Some(network) = self.0.take() {
            network.stop().await;
        }
    }

    fn audit(&self) {
        if let Some(network) = &self.0 {
            network.localnet.audit().unwrap();
        }
    }
}

impl Drop for Audited {
    fn drop(&mut self) {
        // a test that fails says why it does
        if !std::thread::panicking() {
            self.audit();
        }
    }
}

/// A ledger, and what parties on it need.
pub struct World {
    host: Host,
    /// A client of it.
    pub ledger: Ledger,
    /// The least that a node stakes.
    pub collateral: MicroUsdc,
    /// Its state, removed with the world.
    pub folder: tempfile::TempDir,
}

impl World {
    /// Any network will do.
    pub async fn start() -> Self {
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
    pub async fn own() -> Self {
        Self::start_with(|_| {}).await
    }

    /// A localnet with another configuration.
    pub async fn start_with(change: impl FnOnce(&mut LocalnetConfig)) -> Self {
        Self::of(tempfile::tempdir().unwrap(), change).await
    }

    /// The same with a Walrus.
    pub async fn with_walrus(change: impl FnOnce(&mut LocalnetConfig)) -> Self {
        Self::built(tempfile::tempdir().unwrap(), change, NetworkBuilder::walrus).await
    }

    /// The test's own Walrus.
    pub fn walrus(&self) -> &LocalWalrus {
        match &self.host {
            Host::Own(own) => own
                .network()
                .walrus
                .as_ref()
                .expect("the test has a Walrus"),
            Host::Other(_) => panic!("the test needs a Walrus of its own"),
        }
    }

    /// So many of its ten storage nodes are down: from four on nothing can be written, from seven on nothing read.
    pub fn walrus_down(&self, nodes: usize) {
        for node in 0..10 {
            let fault = if node < nodes {
                Fault::Down
            } else {
                Fault::None
            };
            self.walrus().store().set_fault(node, fault).unwrap();
        }
    }

    /// The test's own localnet.
    pub fn localnet(&self) -> &RunningLocalnet {
        match &self.host {
            Host::Own(own) => &own.network().localnet,
            Host::Other(_) => panic!("the test needs a localnet of its own"),
        }
    }

    /// Stops the test's own localnet.
    pub async fn shutdown(self) -> Ledger {
        if let Host::Own(own) = self.host {
            own.stop().await;
        }
        self.ledger
    }

    /// Stops it and starts it again with the same state at the same address.
    pub async fn restart(self) -> Self {
        let (address, folder, ledger) = self.stop().await;
        let world = Self::at(address, folder).await;
        Self { ledger, ..world }
    }

    /// Stops the test's own localnet: where it was, what it kept, who knew it.
    pub async fn stop(self) -> (SocketAddr, tempfile::TempDir, Ledger) {
        let address = self.localnet().address();
        if let Host::Own(own) = self.host {
            own.stop().await;
        }
        (address, self.folder, self.ledger)
    }

    /// A localnet at this address, of what the folder holds.
    pub async fn at(address: SocketAddr, folder: tempfile::TempDir) -> Self {
        Self::of(folder, |config| config.listen = address).await
    }

    async fn of(folder: tempfile::TempDir, change: impl FnOnce(&mut LocalnetConfig)) -> Self {
        Self::built(folder, change, |builder| builder).await
    }

    async fn built(
        folder: tempfile::TempDir,
        change: impl FnOnce(&mut LocalnetConfig),
        more: impl FnOnce(NetworkBuilder) -> NetworkBuilder,
    ) -> Self {
        let builder = Network::builder(folder.path()).localnet(|config| {
            // the folder is the ledger's alone
            config.data_dir = folder.path().to_owned();
            change(config);
        });
        let network = more(builder).start().await.unwrap();
        Self {
            ledger: network.ledger.clone(),
            host: Host::Own(Audited(Some(Box::new(network)))),
            collateral: COLLATERAL,
            folder,
        }
    }

    /// All money is there, where it can be counted. When the world ends this is looked at, too.
    pub fn audit(&self) {
        if let Host::Own(own) = &self.host {
            own.audit();
        }
    }

    /// Moves an adjustable clock.
    pub async fn advance(&self, by_ms: u64) {
        advance(self.localnet(), by_ms).await;
    }

    /// Freezes an address as the dollars' issuer can, or thaws it; where the clock is adjustable.
    pub async fn freeze(&self, address: Address, frozen: bool) {
        let to = self.localnet().address();
        let body = format!(r#"{{"address":"{address}","frozen":{frozen}}}"#);
        let post = move || post(&to.to_string(), "/localnet/freeze", &body);
        let answer = Threads::Real.blocking(post);
        assert!(answer.await.unwrap().starts_with("HTTP/1.1 204"));
    }

    /// The same ledger after an administrator's upgrade, of which this program knows nothing: the database is of
    /// the next version.
    pub async fn upgraded(self) -> Self {
        let (address, folder, ledger) = self.stop().await;
        let database = rusqlite::Connection::open(folder.path().join("localnet.sqlite")).unwrap();
        let id = ledger.deployment().db;
        let read = database.query_row(
            "SELECT bcs FROM objects WHERE id = ?1",
            [id.as_bytes()],
            |row| row.get::<_, Vec<u8>>(0),
        );
        let mut object = read.unwrap();
        // its contents begin with its id and the version of the rules
        let (id, width) = (id.as_bytes(), size_of::<u64>());
        let found = object.windows(id.len()).position(|bytes| bytes == id);
        let version = found.unwrap() + id.len()..found.unwrap() + id.len() + width;
        assert_eq!(object[version.clone()], VERSION.to_le_bytes());
        object[version].copy_from_slice(&(VERSION + 1).to_le_bytes());
        let put = "UPDATE objects SET bcs = ?2 WHERE id = ?1";
        let changed = database.execute(put, rusqlite::params![id, object]);
        assert_eq!(changed.unwrap(), 1);
        database.close().unwrap();
        let world = Self::of(folder, |config| {
            config.listen = address;
            config.clock = ClockMode::Adjustable;
        });
        Self {
            ledger,
            ..world.await
        }
    }

    /// A key whose address has gas and USDC.
    pub async fn party(&self) -> SigningKey {
        if let Host::Other(elsewhere) = &self.host {
            return elsewhere.party().await;
        }
        let key = SigningKey::generate(&SystemRandom);
        let address = key.public_key().address();
        self.ledger.faucet(address).await.unwrap();
        key
    }

    /// Gives an address USDC and no gas, from the funder, or from the faucet where there is none.
    pub async fn give_usdc(&self, to: Address, amount: MicroUsdc) {
        match &self.host {
            Host::Other(elsewhere) => elsewhere.give_usdc(to, amount).await,
            Host::Own(_) => self.ledger.mint_usdc(to, amount).await.unwrap(),
        }
    }

    /// A node that nobody can reach.
    pub async fn node(&self, key: &SigningKey) -> NodeId {
        let call = calls::RegisterNode {
            db: self.ledger.deployment().db.into(),
            collateral: Payment(self.collateral),
            url: "http://127.0.0.1:1".to_owned(),
            response_key: key.public_key(),
            sealing_key: None,
            clock: Clock,
        };
        let executed = self.ledger.execute(key, vec![call.into()]).await.unwrap();
        event(&executed, |event| match event {
            Event::NodeRegistered(e) => Some(e.node),
            _ => None,
        })
    }

    /// A task for a model that nobody has.
    pub async fn task(&self, key: &SigningKey, model: &str) -> TaskId {
        let engine = EngineClass {
            model: Hash32([1; 32]),
            numerics: Numerics::DetF32V1,
            rule: Rule::Exact,
        };
        let task = NewTask::chat(model, engine, PRICE);
        create_task(&self.ledger, key, task).await.unwrap()
    }

    /// The call by which a node offers a task at [`PRICE`].
    pub fn subscribe(&self, task: TaskId, node: NodeId) -> Call {
        calls::Subscribe {
            db: self.ledger.deployment().db.into(),
            task: task.into(),
            node: node.into(),
            price: PRICE,
            clock: Clock,
        }
        .into()
    }

    /// The call that buys a stack for an hour, for any node.
    pub fn acquire(&self, task: TaskId, units: u64, key: &SigningKey) -> Call {
        calls::AcquireStack {
            db: self.ledger.deployment().db.into(),
            task: task.into(),
            payment: Payment(MicroUsdc(units)),
            total_units: ComputeUnits(units),
            max_price: PRICE,
            nodes: 0,
            request_key: key.public_key(),
            lifetime_ms: DurationMs(3_600_000),
            random: Random,
            clock: Clock,
        }
        .into()
    }

    /// The call by which a node takes units of a stack; `user` signs the grant.
    pub fn lease(
        &self,
        (task, stack): (TaskId, StackId),
        node: NodeId,
        units: u64,
        user: &SigningKey,
    ) -> Call {
        let grant = Grant {
            domain: Domain::default(),
            network: self.ledger.network(),
            stack,
            node,
            cumulative_units: ComputeUnits(units),
            max_price: PRICE,
            nonce: 0,
            expires_at_ms: TimestampMs(u64::MAX),
        };
        let grant = Signed::new(grant, user);
        calls::Lease {
            db: self.ledger.deployment().db.into(),
            stack: stack.into(),
            task: task.into(),
            node: node.into(),
            grant: grant.bytes().to_vec(),
            signature: grant.signature().to_bytes(),
            clock: Clock,
        }
        .into()
    }
}

/// The first event of a kind that a transaction must have.
pub fn event<T>(executed: &Executed, find: impl Fn(&Event) -> Option<T>) -> T {
    executed.events.iter().find_map(find).unwrap()
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("ledger", &self.ledger)
            .finish_non_exhaustive()
    }
}

/// Moves a ledger's clock, where it is adjustable.
pub async fn advance(localnet: &RunningLocalnet, by_ms: u64) {
    let to = localnet.address();
    let body = format!(r#"{{"advance_ms":{by_ms}}}"#);
    let post = move || post(&to.to_string(), "/localnet/clock", &body);
    let answer = Threads::Real.blocking(post);
    assert!(answer.await.unwrap().starts_with("HTTP/1.1 200"));
}
