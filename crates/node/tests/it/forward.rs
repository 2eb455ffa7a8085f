//! Requests that are passed on: both legs are paid, one hop and no more, and nobody pays for what did not come.

use crate::common::{Backend, PATIENCE, PRICE, World, eventually, signed_request};
use atoma_client::{Answer, BuyRequest, Client, ClientConfig, RequestOptions, StackHandle};
use atoma_keys::SigningKey;
use atoma_node::{ForwardConfig, NodeConfig, RunningNode};
use atoma_runtime::SystemRandom;
use atoma_types::{
    ComputeUnits, DurationMs, MicroUsdc, NodeId, StackId,
    chain::Event,
    message::{Endpoint, Signed},
};
use bytes::Bytes;
use futures::StreamExt;
use http::StatusCode;
use std::sync::Arc;
use tokio::{io::AsyncWriteExt, net::TcpStream};

/// What a node's stacks may hold.
const BUDGET: MicroUsdc = MicroUsdc(200_000);
/// Units of the user's stack.
const UNITS: ComputeUnits = ComputeUnits(20_000);

/// A node that asks others at its own price.
fn passing_on() -> ForwardConfig {
    ForwardConfig {
        local_nodes: true,
        tick_ms: 100,
        ..ForwardConfig::new(BUDGET)
    }
}

/// One of several nodes, with a wallet of its own.
async fn node(
    world: &World,
    number: usize,
    change: impl FnOnce(&mut NodeConfig),
) -> (RunningNode, Arc<SigningKey>) {
    let wallet = Arc::new(SigningKey::generate(&SystemRandom));
    let address = wallet.public_key().address();
    world.ledger.faucet(address).await.unwrap();
    let mut config = world.config_of(&wallet, world.dir.path().join(format!("node-{number}")));
    change(&mut config);
    (world.node_with(config).await, wallet)
}

/// Waits until a wallet has a lease with a node; on which stack.
async fn stocked(world: &World, wallet: &SigningKey, with: NodeId) -> StackId {
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
        max_price: PRICE,
        nodes: 0,
        lifetime: DurationMs(3_600_000),
    };
    let stack = client.buy(order).await.unwrap();
    stack.grant(node, UNITS).await.unwrap();
    stack
}

async fn ask(world: &World, stack: &StackHandle, node: NodeId, more: &str) -> Answer {
    let body = Bytes::from(world.chat(&format!(r#","max_tokens":8{more}"#)));
    let options = RequestOptions::default();
    let asked = stack.request(node, Endpoint::ChatCompletions, body, options);
    asked.await.unwrap()
}

/// What a metric of a node says.
async fn metric(world: &World, node: &RunningNode, line: &str) -> u64 {
    let text = world.text(format!("{}/metrics", node.admin_url())).await;
    let value = text.lines().find_map(|found| found.strip_prefix(line));
    value.map_or(0, |value| value.trim().parse().unwrap())
}

/// Takes a place of a node: a request whose body doesn't come.
async fn take_place(world: &World, node: &RunningNode, stack: StackId) -> TcpStream {
    let header = world.header(node.node_id(), stack, b"body");
    let signed = Signed::new(header, &world.request_key);
    let request = signed_request(&node.url(), "/v1/chat/completions", &signed, "");
    let (host, mut head) = (
        node.url().trim_start_matches("http://").to_owned(),
        String::new(),
    );
    head += "POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 1000\r\n";
    head += &format!("host: {host}\r\n");
    for (name, value) in request.headers() {
        head += &format!("{name}: {}\r\n", value.to_str().unwrap());
    }
    head += "\r\n";
    let mut socket = TcpStream::connect(&host).await.unwrap();
    socket.write_all(head.as_bytes()).await.unwrap();
    let url = format!("{}/v1/node", node.url());
    eventually("the place is taken", || async {
        world.get(url.clone()).await.1["load"]["running"] == 1
    })
    .await;
    socket
}

/// The owner of a stack closes it; what each node was paid for it.
async fn paid(world: &World, stack: StackId, node: NodeId) -> (ComputeUnits, MicroUsdc) {
    let (units, paid, _) = world.paid(stack, node).await;
    (units, paid)
}

#[tokio::test(flavor = "multi_thread")]
async fn both_legs_are_paid_and_the_client_sees_both() {
    let world = World::start(Backend::Builtin).await;
    let (second, _) = node(&world, 1, |_| ()).await;
    let (first, wallet) = node(&world, 2, |config| {
        config.forward = Some(ForwardConfig {
            above_permille: 0,
            ..passing_on()
        });
    })
    .await;
    let own = stocked(&world, &wallet, second.node_id()).await;
    let stack = user(&world, first.node_id()).await;
    let mut units = 0;
    for more in ["", r#","stream":true"#, r#","temperature":0.9"#] {
        let answer = ask(&world, &stack, first.node_id(), more).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        let whole = answer.whole().await.unwrap();
        let receipt = whole.receipt.unwrap();
        let record = receipt.second().expect("it was passed on");
        assert_eq!(receipt.node, first.node_id());
        assert_eq!((record.node(), record.stack()), (second.node_id(), own));
        stack.client().check_second(record).await.unwrap();
        assert!(receipt.output_fingerprint.is_some());
        units += receipt.units.0;
    }
    let forwarded = r#"atoma_node_requests_forwarded_total{outcome="answered"}"#;
    assert_eq!(metric(&world, &first, forwarded).await, 3);

    // the user keeps both
    let receipts = stack.client().receipts();
    receipts.flush().await.unwrap();
    let kept = receipts.list(Some(stack.id())).unwrap();
    assert_eq!(kept.len(), 3);
    assert!(
        kept.iter()
            .all(|kept| kept.second_record().unwrap().is_some())
    );

    // both are paid by the normal rules
    stack.begin_close().await.unwrap();
    assert_eq!(paid(&world, stack.id(), first.node_id()).await.0.0, units);
    first.drain_and_stop().await;
    let wallet = Client::with_ledger(world.ledger.clone(), wallet, ClientConfig::default());
    let own = wallet.unwrap().open(own).await.unwrap();
    own.begin_close().await.unwrap();
    assert_eq!(paid(&world, own.id(), second.node_id()).await.0.0, units);
    world.audit();
    second.drain_and_stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_loop_and_a_second_hop_are_refused() {
    let world = World::start(Backend::Builtin).await;
    let full = |config: &mut NodeConfig| {
        config.requests.max_concurrent = 1;
        config.forward = Some(passing_on());
    };
    let (one, wallet) = node(&world, 1, full).await;
    let (other, _) = node(&world, 2, full).await;
    stocked(&world, &wallet, other.node_id()).await;
    let stack = user(&world, one.node_id()).await;
    // by hand, each of the two
    let mut places = Vec::new();
    for node in [&one, &other] {
        let held = world.lease_of(node.node_id(), 1_000).await;
        places.push(take_place(&world, node, held).await);
    }

    let answer = ask(&world, &stack, one.node_id(), "").await;
    let refused = answer.whole().await.unwrap();
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let said: serde_json::Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(
        said["error"]["code"], "overloaded",
        "as if nobody was asked"
    );
    let second_hop = r#"atoma_node_requests_refused_total{code="second_hop"}"#;
    assert_eq!(metric(&world, &other, second_hop).await, 1);
    assert_eq!(
        metric(&world, &one, second_hop).await,
        0,
        "nothing came back"
    );

    // once the other one has a place, it answers
    places.pop();
    let url = format!("{}/v1/node", other.url());
    eventually("a place", || async {
        world.get(url.clone()).await.1["load"]["running"] == 0
    })
    .await;
    let passed_on = || async {
        let answer = ask(&world, &stack, one.node_id(), "").await;
        let whole = answer.whole().await.unwrap();
        whole
            .receipt
            .is_some_and(|receipt| receipt.second().is_some())
    };
    eventually("it is asked again after its rest", passed_on).await;
    world.audit();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_nobody_helps_answers_by_itself_where_it_can() {
    let world = World::start(Backend::Builtin).await;
    let (second, _) = node(&world, 1, |_| ()).await;
    let (first, wallet) = node(&world, 2, |config| {
        config.forward = Some(ForwardConfig {
            above_permille: 0,
            ..passing_on()
        });
    })
    .await;
    stocked(&world, &wallet, second.node_id()).await;
    let stack = user(&world, first.node_id()).await;
    second.drain_and_stop().await;
    let answer = ask(&world, &stack, first.node_id(), r#","stream":true"#).await;
    let receipt = answer.whole().await.unwrap().receipt.unwrap();
    assert!(receipt.second().is_none());
    assert_eq!((receipt.seq, receipt.cumulative_units), (1, receipt.units));
    let nobody = r#"atoma_node_requests_forwarded_total{outcome="nobody"}"#;
    assert_eq!(metric(&world, &first, nobody).await, 1);

    // what is wrong with the request itself is said by whoever sees it
    let body = Bytes::from(world.chat(r#","max_tokens":"many""#));
    let options = RequestOptions {
        max_units: Some(ComputeUnits(100)),
        ..RequestOptions::default()
    };
    let asked = stack.request(first.node_id(), Endpoint::ChatCompletions, body, options);
    assert_eq!(asked.await.unwrap().status, StatusCode::BAD_REQUEST);
    first.drain_and_stop().await;
    world.audit();
}
