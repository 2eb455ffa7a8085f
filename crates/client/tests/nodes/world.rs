//! A localnet, one scripted node, one user.

use crate::scripted::{ENGINE, Scripted};
use atoma_client::{BuyRequest, Client, ClientConfig, StackHandle};
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_localnet::ClockMode;
use atoma_network::{Network, create_task};
use atoma_runtime::{Listener, Runtime, Socket, Sockets, SystemRandom};
use atoma_types::{
    Address, ComputeUnits, DurationMs, MicroUsdc, NodeId, Price, SecurityLevel, TaskId,
    TimestampMs,
    chain::{Clock, Event, NewTask, Params, Payment, calls},
};
use parking_lot::Mutex;
use std::{io, net::SocketAddr, sync::Arc};
use tokio::task::JoinHandle;

pub(crate) const PRICE: Price = Price(1_000_000);

pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) ledger: Ledger,
    pub(crate) node: Arc<Scripted>,
    pub(crate) task: TaskId,
    pub(crate) user: Arc<SigningKey>,
    pub(crate) folder: tempfile::TempDir,
    door: Door,
}

/// Where the node listens.
struct Door {
    sockets: Sockets,
    at: SocketAddr,
    /// Who takes connections, if anybody does.
    open: Mutex<Option<JoinHandle<()>>>,
}

/// What takes connections, for axum.
struct Hall {
    listener: Listener,
    at: SocketAddr,
}

impl axum::serve::Listener for Hall {
    type Io = Socket;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Socket, SocketAddr) {
        self.listener.accept().await.unwrap()
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.at)
    }
}

impl Door {
    fn opens(&self, listener: Listener, node: &Arc<Scripted>) {
        let router = Arc::clone(node).router();
        let hall = Hall {
            listener,
            at: self.at,
        };
        let open = tokio::spawn(async move {
            axum::serve(hall, router).await.unwrap();
        });
        *self.open.lock() = Some(open);
    }
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::with(Params::default()).await
    }

    pub(crate) async fn with(params: Params) -> Self {
        Self::securing(params, SecurityLevel::None).await
    }

    /// All of it in memory, in the test's time: it begins paused.
    pub(crate) async fn simulated() -> Self {
        Self::simulated_with(Params::default()).await
    }

    pub(crate) async fn simulated_with(params: Params) -> Self {
        let runtime = Runtime::simulated(1, TimestampMs(1_767_225_600_000));
        let security = SecurityLevel::None;
        Self::on(runtime, ClockMode::default(), (params, security)).await
    }

    /// A task that is secured so, on a ledger whose clock can be moved on.
    pub(crate) async fn securing(params: Params, security: SecurityLevel) -> Self {
        let clock = ClockMode::Adjustable;
        Self::on(Runtime::system(), clock, (params, security)).await
    }

    async fn on(
        runtime: Runtime,
        clock: ClockMode,
        (params, security): (Params, SecurityLevel),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sockets = runtime.sockets.clone();
        let network = Network::builder(folder.path())
            .params(params)
            .localnet(|config| {
                config.clock = clock;
                config.runtime = runtime;
            });
        let network = network.start().await.unwrap();
        let ledger = network.ledger.clone();
        let (owner, user) = (
            Arc::new(SigningKey::generate(&SystemRandom)),
            Arc::new(SigningKey::generate(&SystemRandom)),
        );
        for key in [&owner, &user] {
            ledger.faucet(key.public_key().address()).await.unwrap();
        }
        let listener = sockets.listen(([127, 0, 0, 1], 0).into()).await.unwrap();
        let at = listener.local_addr().unwrap();
        let url = format!("http://{at}");
        let response_key = SigningKey::generate(&SystemRandom);
        let (node, task) = register(&ledger, &owner, (url, security), &response_key).await;
        let node = Scripted::new(node, response_key, owner, ledger.clone());
        let door = Door {
            sockets,
            at,
            open: Mutex::default(),
        };
        door.opens(listener, &node);
        Self {
            door,
            network,
            ledger,
            node,
            task,
            user,
            folder,
        }
    }

    /// The node takes no connections any more.
    pub(crate) async fn leaves(&self) {
        let open = self.door.open.lock().take().unwrap();
        open.abort();
        let _ = open.await;
    }

    /// It does again.
    pub(crate) async fn comes_back(&self) {
        let listener = self.door.sockets.listen(self.door.at).await.unwrap();
        self.door.opens(listener, &self.node);
    }

    /// The user's client, with its memory in the world's folder.
    pub(crate) fn client(&self) -> Client {
        self.client_with(ComputeUnits(100))
    }

    /// The same with a window of its own.
    pub(crate) fn client_with(&self, window: ComputeUnits) -> Client {
        let config = ClientConfig {
            data_dir: Some(self.folder.path().join("client")),
            window,
            ..ClientConfig::default()
        };
        Client::with_ledger(self.ledger.clone(), Arc::clone(&self.user), config).unwrap()
    }

    /// Buys a stack and grants the node all of it.
    pub(crate) async fn leased(&self, client: &Client) -> StackHandle {
        let stack = self.buy(client).await;
        stack
            .grant(self.node.id, stack.ungranted_units())
            .await
            .unwrap();
        stack
    }

    /// Buys a stack for whichever node is granted it.
    pub(crate) async fn buy(&self, client: &Client) -> StackHandle {
        self.buy_units(client, ComputeUnits(10_000)).await
    }

    /// The same of so many units.
    pub(crate) async fn buy_units(&self, client: &Client, units: ComputeUnits) -> StackHandle {
        let order = BuyRequest {
            task: self.task,
            units,
            max_price: Some(PRICE),
            nodes: 0,
            lifetime: DurationMs(3_600_000),
        };
        client.buy(order).await.unwrap()
    }

    pub(crate) async fn usdc(&self, key: &SigningKey) -> MicroUsdc {
        self.ledger.usdc(key.public_key().address()).await.unwrap()
    }

    pub(crate) fn owner(&self) -> Address {
        self.node.owner.public_key().address()
    }
}

async fn register(
    ledger: &Ledger,
    owner: &SigningKey,
    (url, security): (String, SecurityLevel),
    response_key: &SigningKey,
) -> (NodeId, TaskId) {
    let task = NewTask {
        security,
        ..NewTask::chat("scripted", ENGINE, PRICE)
    };
    let task = create_task(ledger, owner, task).await.unwrap();
    let node = subscribed(ledger, owner, url, (response_key, task)).await;
    (node, task)
}

/// A node of a task.
pub(crate) async fn subscribed(
    ledger: &Ledger,
    owner: &SigningKey,
    url: String,
    (response_key, task): (&SigningKey, TaskId),
) -> NodeId {
    let db = ledger.deployment().db;
    let register = calls::RegisterNode {
        db: db.into(),
        collateral: Payment(MicroUsdc(100_000_000)),
        url,
        response_key: response_key.public_key(),
        sealing_key: None,
        clock: Clock,
    };
    let executed = ledger.execute(owner, vec![register.into()]).await.unwrap();
    let node = executed.events.iter().find_map(|event| match event {
        Event::NodeRegistered(e) => Some(e.node),
        _ => None,
    });
    let node = node.unwrap();
    let subscribe = calls::Subscribe {
        db: db.into(),
        task: task.into(),
        node: node.into(),
        price: PRICE,
        clock: Clock,
    };
    ledger.execute(owner, vec![subscribe.into()]).await.unwrap();
    node
}
