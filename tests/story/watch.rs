//! A node that settles a chain that its user doesn't hold is convicted without a human: by a watcher, and by a
//! gateway for its users.

use crate::{
    atoma,
    case::types_on,
    gateway::{Gateway, chat, wallet_key},
};
use atoma_client::{BuyRequest, Client, ClientConfig, KeptReceipt, Receipts};
use atoma_engine::builtin;
use atoma_keys::{Keystore, SigningKey};
use atoma_network::{Network, stored_key, testing::wait_until};
use atoma_runtime::{SystemRandom, Threads};
use atoma_types::{
    ComputeUnits, DurationMs, Price,
    chain::{
        Event,
        events::{Charge, NodeConvicted},
    },
    message::{Receipt, Signed},
};
use futures::StreamExt;
use serde_json::json;
use std::{path::Path, sync::Arc};

const PRICE: Price = Price(1_000_000);
/// So many tokens at most: the voucher covers much more than is used.
const LONG: u32 = 400;

struct Told {
    network: Network,
    folder: tempfile::TempDir,
}

impl Told {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let engine = Arc::new(builtin::load().unwrap());
        let network = Network::builder(folder.path().join("network"))
            .serving(engine)
            .node(PRICE)
            .start()
            .await
            .unwrap();
        Self { network, folder }
    }

    /// The node signs this receipt again under the numbers that follow, and claims as if each were of a request of
    /// its own.
    async fn settles_another_chain(&self, kept: &KeptReceipt) {
        let folder = self.network.folder().join("node-1");
        let owner = wallet_key(&folder);
        let response = stored_key(&folder.join("response.key"), &SystemRandom).unwrap();
        let header = kept.signed_header().unwrap();
        let mut last = kept.signed().unwrap();
        let units = last.message().units.0;
        // as often as the one voucher allows
        while last.message().cumulative_units.0 + units <= header.message().ceiling.0 {
            let again = Receipt {
                seq: last.message().seq + 1,
                cumulative_units: ComputeUnits(last.message().cumulative_units.0 + units),
                previous: last.hash(),
                ..last.message().clone()
            };
            last = Signed::new(again, &response);
        }
        assert!(
            last.message().seq > kept.seq,
            "the voucher covers more than was used"
        );
        let home = self.folder.path().join("owner");
        let (receipt, header) = (last.to_text(), header.to_text());
        let settle = ["node", "settle", "--receipt", &receipt, "--header", &header];
        types_on(&self.network, &home, &owner, &settle).await;
    }

    async fn all_is_there(&self, convicted: &NodeConvicted) {
        let ledger = &self.network.ledger;
        let stack = ledger.stack(convicted.stack).await.unwrap();
        let lease = stack.lease(convicted.node).unwrap();
        assert!(lease.closed && lease.paid_units == ComputeUnits::ZERO);
        let node = ledger.node(convicted.node).await.unwrap();
        assert_eq!(node.pending.fines, convicted.fine);
        assert_eq!(convicted.fine.0, 10 * convicted.value.0);
        self.network.localnet.audit().unwrap();
    }
}

fn only(receipts: &Path) -> KeptReceipt {
    let kept = Receipts::open(receipts).unwrap().list(None).unwrap();
    assert_eq!(kept.len(), 1);
    kept.into_iter().next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watcher_has_a_node_convicted_that_settles_another_chain() {
    let told = Told::start().await;
    let ledger = told.network.ledger.clone();
    let home = told.folder.path().join("home");
    let receipts = home.join("client");
    let (user, watcher) = (
        Arc::new(SigningKey::generate(&SystemRandom)),
        SigningKey::generate(&SystemRandom),
    );
    for key in [&*user, &watcher] {
        ledger.faucet(key.public_key().address()).await.unwrap();
    }
    let config = ClientConfig {
        data_dir: Some(receipts.clone()),
        ..ClientConfig::default()
    };
    let client = Client::with_ledger(ledger.clone(), user, config).unwrap();
    let order = BuyRequest {
        task: told.network.task.unwrap(),
        units: ComputeUnits(20_000),
        max_price: Some(PRICE),
        nodes: 0,
        lifetime: DurationMs(3_600_000),
    };
    let stack = client.buy(order).await.unwrap();
    let node = stack.engage().await.unwrap().node;
    let address = watcher.public_key().address();
    stack.set_watcher(Some(address)).await.unwrap();

    // the watcher's program, with a key of its own and the user's receipts
    let keystore = told.folder.path().join("watcher.keystore");
    let mut keys = Keystore::open(&keystore).unwrap();
    keys.add(watcher).unwrap();
    let url = told.network.localnet.url();
    let (keystore, home) = (keystore.to_string_lossy(), home.to_string_lossy());
    let watch = [
        "--ledger",
        &url,
        "--keystore",
        &keystore,
        "--home",
        &home,
        "stack",
        "watch",
        "--once",
    ];
    let watch: Vec<String> = watch.into_iter().map(str::to_owned).collect();
    let look = |status: i32| {
        let watch = watch.clone();
        // the ledger runs in this process and must go on meanwhile
        let run = move || atoma::run(&watch.iter().map(String::as_str).collect::<Vec<_>>());
        async move {
            let done = Threads::Real.blocking(run).await.unwrap();
            let told = String::from_utf8_lossy(&done.stderr);
            assert_eq!(done.status.code(), Some(status), "{told}");
            atoma::objects(&done.stdout)
        }
    };
    assert!(look(0).await.is_empty(), "nothing is claimed yet");
    let answer = stack.chat(node, chat(LONG)).await.unwrap();
    answer.whole().await.unwrap();
    client.receipts().flush().await.unwrap();
    told.settles_another_chain(&only(&receipts)).await;
    let mut events = ledger.events(None);
    // a script that looks is told by the exit code
    let lines = look(2).await;
    assert_eq!(lines[0]["event"], "claim");
    assert_eq!(lines[1]["event"], "convicted");
    assert_eq!(lines[1]["charge"], json!(Charge::Equivocation));
    let convicted = loop {
        if let Event::NodeConvicted(convicted) = events.next().await.unwrap().unwrap().event {
            break convicted;
        }
    };
    assert_eq!(lines[1]["fine_micro_usdc"], json!(convicted.fine.0));
    told.all_is_there(&convicted).await;
    assert!(look(0).await.is_empty(), "nothing is left to do");
    told.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_has_a_node_convicted_that_settles_another_chain_than_its_users_got() {
    let told = Told::start().await;
    let ledger = told.network.ledger.clone();
    let folder = told.folder.path().join("gateway");
    let gateway = Gateway::start(&ledger, folder, false).await;
    let mut events = ledger.subscribe().await.unwrap();
    gateway.asks(LONG).await;

    // receipts are written a moment after they come
    let receipts = gateway.receipts();
    wait_until("the receipt is kept", async || {
        let kept = Receipts::open(&receipts).unwrap().list(None).unwrap();
        !kept.is_empty()
    })
    .await;
    told.settles_another_chain(&only(&receipts)).await;
    let convicted = loop {
        if let Event::NodeConvicted(convicted) = events.next().await.unwrap().unwrap().event {
            break convicted;
        }
    };
    assert_eq!(convicted.charge, Charge::Equivocation);
    told.all_is_there(&convicted).await;
    gateway.running.shutdown().await;
    told.network.stop().await;
}
