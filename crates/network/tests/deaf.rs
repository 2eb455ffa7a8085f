//! A node that hears nothing of the ledger for a while: what stands before the ledger refuses its events, or the ledger has
//! forgotten how far the node had heard.

use atoma_client::{
    BuyRequest, Client, ClientConfig, ClientError, StackHandle,
    dispute::{Claimed, Dispute},
};
use atoma_engine::{Embedded, EmbeddedOptions, builtin};
use atoma_keys::SigningKey;
use atoma_network::{Network, NetworkBuilder, POCKET_MONEY, Silent, fund, testing::wait_until};
use atoma_runtime::{Runtime, Threads};
use atoma_types::{
    ComputeUnits, DurationMs, Price, TimestampMs,
    chain::{Lease, Params},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::{sleep, timeout},
};

/// What a proxy's 404 is in gRPC.
const UNIMPLEMENTED: i32 = 12;
const PRICE: Price = Price(2_000_000);
const MONTH: DurationMs = DurationMs(30 * 24 * 3_600_000);
/// The node doesn't complain of less.
const SHORT: Duration = Duration::from_secs(2 * 60);
/// It does of this.
const LONG: Duration = Duration::from_secs(10 * 60);
/// A pause before the node tries again, and a little.
const SOON: Duration = Duration::from_secs(75);

/// A node with a lease.
struct Deaf {
    network: Network,
    client: Client,
    stack: StackHandle,
    _folder: tempfile::TempDir,
}

impl Deaf {
    async fn start(change: impl FnOnce(NetworkBuilder) -> NetworkBuilder) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let builder = change(Network::builder(folder.path()).node(PRICE));
        let network = builder.start().await.unwrap();
        let wallet = SigningKey::from_seed(&network.ledger.runtime().random.bytes());
        let address = wallet.public_key().address();
        fund(&network.ledger, "user", address, POCKET_MONEY, &Silent)
            .await
            .unwrap();
        let client =
            Client::with_ledger(network.ledger.clone(), wallet, ClientConfig::default()).unwrap();
        let stack = buy(&network, &client).await;
        grant(&network, &stack).await.unwrap();
        Self {
            network,
            client,
            stack,
            _folder: folder,
        }
    }

    /// All in one task's time.
    async fn simulated() -> Self {
        let runtime = Runtime::simulated(7, TimestampMs(1_767_225_600_000));
        let model = builtin::load_with(EmbeddedOptions {
            threads: Some(1),
            worker: Threads::InLine,
            ..EmbeddedOptions::default()
        });
        let model: Arc<Embedded> = Arc::new(model.unwrap());
        Self::start(|builder| {
            builder
                .localnet(|config| config.runtime = runtime)
                .serving(model)
        })
        .await
    }

    async fn lease(&self) -> Lease {
        let stack = self.network.ledger.stack(self.stack.id()).await.unwrap();
        stack.lease(self.network.nodes[0].id).unwrap().clone()
    }

    /// The node has heard that the stack has ended, of which it used nothing: it gives all of it back.
    async fn gives_back(&self) {
        while self.lease().await.units > ComputeUnits::ZERO {
            sleep(Duration::from_secs(1)).await;
        }
    }

    /// The status and the text of one of the node's health pages.
    async fn health(&self, page: &str) -> String {
        let url = self.network.nodes[0].running.url();
        let address = url.strip_prefix("http://").unwrap().parse().unwrap();
        let sockets = &self.network.ledger.runtime().sockets;
        let mut socket = sockets.connect(address).await.unwrap();
        let request = format!("GET {page} HTTP/1.1\r\nhost: node\r\nconnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        socket.read_to_string(&mut answer).await.unwrap();
        answer
    }
}

async fn buy(network: &Network, client: &Client) -> StackHandle {
    let order = BuyRequest {
        task: network.task.unwrap(),
        units: ComputeUnits(20_000),
        max_price: Some(PRICE),
        nodes: 0,
        lifetime: MONTH,
    };
    client.buy(order).await.unwrap()
}

async fn grant(network: &Network, stack: &StackHandle) -> Result<(), ClientError> {
    let node = network.nodes[0].id;
    stack.grant_some(node, ComputeUnits(20_000)).await.map(drop)
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_events_are_refused_says_so_takes_no_new_leases_and_hears_all_of_it_later() {
    let deaf = Deaf::simulated().await;
    deaf.network.localnet.refuse_events(UNIMPLEMENTED);
    deaf.stack.begin_close().await.unwrap();
    sleep(SHORT).await;
    for page in ["/healthz", "/readyz"] {
        assert!(deaf.health(page).await.starts_with("HTTP/1.1 200"));
    }
    sleep(LONG).await;
    for page in ["/healthz", "/readyz"] {
        let said = deaf.health(page).await;
        assert!(said.starts_with("HTTP/1.1 503"), "{said}");
        assert!(said.contains("the ledger's events do not come"), "{said}");
    }
    let another = buy(&deaf.network, &deaf.client).await;
    let refused = grant(&deaf.network, &another).await.unwrap_err();
    let refused = format!("{refused:?}");
    assert!(refused.contains("events don't reach the node"), "{refused}");
    assert!(deaf.lease().await.units > ComputeUnits::ZERO, "unheard");

    deaf.network.localnet.tell_events();
    let heard = timeout(SOON, deaf.gives_back()).await;
    heard.expect("the end is heard");
    for page in ["/healthz", "/readyz"] {
        assert!(deaf.health(page).await.starts_with("HTTP/1.1 200"));
    }
    grant(&deaf.network, &another).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_node_whose_place_the_ledger_has_forgotten_reads_all_its_leases_anew() {
    let deaf = Deaf::simulated().await;
    deaf.network.localnet.refuse_events(UNIMPLEMENTED);
    deaf.stack.begin_close().await.unwrap();
    sleep(LONG).await;
    assert!(deaf.lease().await.units > ComputeUnits::ZERO, "unheard");
    deaf.network.localnet.forget_places();
    // the pause is at its longest, and a place is tried a few times
    let read = timeout(LONG, deaf.gives_back()).await;
    read.expect("its leases are read");
    assert!(deaf.health("/healthz").await.starts_with("HTTP/1.1 200"));
}

/// Walrus is reached through the machine, so this takes its time: of an answer window that is short for it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_demanded_is_shown_though_no_event_tells_of_it() {
    let params = Params {
        dispute_window_ms: 600_000,
        answer_window_ms: 40_000,
        settle_grace_ms: 600_000,
        jail_ms: 700_000,
        ..Params::default()
    };
    let model = Arc::new(builtin::load().unwrap());
    let deaf = Deaf::start(|builder| builder.params(params).walrus().serving(model)).await;
    let node = deaf.network.nodes[0].id;
    let body = r#"{"model":"atoma-tiny","messages":[{"role":"user","content":"Tell me."}],"max_tokens":8}"#;
    let answer = deaf.stack.chat(node, body).await.unwrap();
    let answer = answer.whole().await.unwrap();
    deaf.stack.begin_close().await.unwrap();
    wait_until("it claims", async || !deaf.lease().await.tickets.is_empty()).await;

    deaf.network.localnet.refuse_events(UNIMPLEMENTED);
    let claimed = Claimed::of(answer.receipt.unwrap().signed().message()).unwrap();
    deaf.client
        .dispute(&Dispute::Demand(claimed))
        .await
        .unwrap();
    wait_until("it shows the record", async || {
        deaf.lease().await.tickets[0].demands.is_empty()
    })
    .await;
    let lease = deaf.lease().await;
    assert!(
        !lease.closed && lease.fees.0 > 0,
        "the fee of the demand is the node's"
    );
    deaf.network.stop().await;
}
