//! The gateway over real nodes, a real ledger and the built-in model.

use crate::common::{Answer, MODEL, Network, User, chat_body};
use atoma_client::Receipts;
use atoma_gateway::{ApiKeyConfig, Gateway, GatewayConfig, RunningGateway, StartError};
use atoma_runtime::SystemRandom;
use atoma_types::{
    ComputeUnits, MicroUsdc, NodeId, Price,
    http::{RECEIPT, RECEIPT_COMMENT, SALT},
    message::{CommitmentKind, Origin, Receipt, Salt, Signed},
};
use futures::future::join_all;
use http::{Method, StatusCode};
use std::{collections::BTreeSet, time::Duration};

/// The receipt of an answer, checked as a user without trust would.
async fn receipt_of(network: &Network, answer: &Answer) -> Receipt {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    let (text, covered) = match answer.headers.get(RECEIPT) {
        Some(header) => (header.to_str().unwrap(), answer.text()),
        None => {
            let (before, after) = answer.text().split_once(RECEIPT_COMMENT).unwrap();
            let (receipt, end) = after.split_once('\n').unwrap();
            assert_eq!(end, "\ndata: [DONE]\n\n");
            (receipt, before)
        }
    };
    let receipt = Signed::<Receipt>::from_text(text).unwrap();
    let node = network.ledger.node(receipt.message().node).await.unwrap();
    receipt.verify(&node.response_key).unwrap();
    // who has the salt can hold the receipt against the answer
    let salt = answer.headers.get(SALT).unwrap().to_str().unwrap();
    let salt: Salt = salt.parse().unwrap();
    assert_eq!(
        receipt.message().response_hash,
        salt.commit(CommitmentKind::Answer, covered.as_bytes())
    );
    receipt.message().clone()
}

/// What a key has spent, once nothing is held for it any more.
async fn spent(gateway: &RunningGateway, name: &str) -> MicroUsdc {
    loop {
        let accounts = gateway.accounts();
        let account = accounts
            .iter()
            .find(|account| account.name == name)
            .unwrap();
        if account.held.whole() == MicroUsdc(0) {
            return account.spent.whole();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_receipted_charged_and_the_rest_comes_back() {
    let network = Network::start(&[1_000_000, 3_000_000]).await;
    let before = network
        .ledger
        .usdc(network.wallet.public_key().address())
        .await
        .unwrap();
    let gateway = network.gateway(network.config()).await;
    let user = User::new(&gateway, &network.key);

    let mut cost = 0;
    let mut texts = BTreeSet::new();
    for stream in [false, true, false, true] {
        let answer = user.chat(8, stream).await;
        let receipt = receipt_of(&network, &answer).await;
        let stack = network.ledger.stack(receipt.stack).await.unwrap();
        cost += stack.lease(receipt.node).unwrap().price.0 * receipt.units.0;
        if !stream {
            texts.insert(answer.json()["choices"][0]["message"]["content"].to_string());
        }
    }
    assert_eq!(
        texts.len(),
        1,
        "one prompt, temperature 0, two texts: {texts:?}"
    );
    assert_eq!(spent(&gateway, "rich").await, MicroUsdc(cost / 1_000_000));

    // the first stack took the money, and all nodes share it
    let locked = gateway.stacks_account().spent.whole();
    assert_eq!(
        locked,
        Price(3_000_000).cost(ComputeUnits(1_000_000)).unwrap(),
        "at the price of the dearest seller"
    );
    gateway.shutdown().await;
    let after = network
        .ledger
        .usdc(network.wallet.public_key().address())
        .await
        .unwrap();
    let paid = before.0 - after.0;
    // each lease is paid in whole micro-USDC, rounded down
    assert!(
        paid <= cost / 1_000_000 && paid + 2 >= cost / 1_000_000,
        "{paid} for {cost}"
    );
    network.parts.localnet.audit().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_gone_is_passed_over() {
    let mut network = Network::start(&[1_000_000, 1_100_000, 1_200_000]).await;
    let gateway = network.gateway(network.config()).await;
    let user = User::new(&gateway, &network.key);
    let mut served = BTreeSet::<NodeId>::new();
    // two of three are drawn for each request: a third of them doesn't meet the last stranger
    for _ in 0..40 {
        served.insert(receipt_of(&network, &user.chat(2, true).await).await.node);
        if served.len() == 3 {
            break;
        }
    }
    assert_eq!(served.len(), 3, "each node has had its chance");

    // two leave without a word to the ledger
    for node in network.parts.nodes.drain(..2).collect::<Vec<_>>() {
        node.running.drain_and_stop().await;
    }
    let left = network.parts.nodes[0].running.node_id();
    let answers = join_all((0..8).map(|i| {
        let user = user.clone();
        async move { user.chat(4, i % 2 == 0).await }
    }));
    for answer in answers.await {
        assert_eq!(receipt_of(&network, &answer).await.node, left);
    }
    // and the last
    network
        .parts
        .nodes
        .pop()
        .unwrap()
        .running
        .drain_and_stop()
        .await;
    let answer = user.chat(2, false).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["error"]["code"], "unavailable");
    assert_eq!(answer.headers["retry-after"], "1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_holds_under_concurrency_and_across_a_restart() {
    let network = Network::start(&[1_000_000]).await;
    let mut config = network.config();
    config.close_stacks_on_stop = false;
    let budget = 5_000;
    config.api_keys[0].budget = MicroUsdc(budget);
    let gateway = network.gateway(config.clone()).await;
    let user = User::new(&gateway, &network.key);

    let answers = join_all((0..60).map(|_| user.chat(8, false))).await;
    let served = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::OK)
        .count();
    let poor = answers
        .iter()
        .filter(|answer| answer.status == StatusCode::PAYMENT_REQUIRED);
    assert_eq!(served + poor.count(), 60);
    assert!((1..60).contains(&served), "{served} served");
    let first = spent(&gateway, "rich").await;
    assert!(first.0 > 0 && first.0 <= budget);
    gateway.shutdown().await;

    let locked_once = Price(1_000_000).cost(ComputeUnits(1_000_000)).unwrap();
    let gateway = network.gateway(config).await;
    assert_eq!(spent(&gateway, "rich").await, first);
    let other = User::new(&gateway, &network.narrow);
    receipt_of(&network, &other.chat(2, false).await).await;
    assert_eq!(
        gateway.stacks_account().spent.whole(),
        locked_once,
        "the stack is used again"
    );
    gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_is_refilled_before_and_when_it_runs_dry() {
    let network = Network::start(&[1_000_000]).await;
    let mut config = network.config();
    // room for one request at a time: every other one must wait for a grant, and for top-ups
    config.policy.grant_units = ComputeUnits(1_000);
    config.policy.stack_units = ComputeUnits(3_000);
    let gateway = network.gateway(config).await;
    let user = User::new(&gateway, &network.key);
    let answers = join_all((0..12).map(|i| {
        let user = user.clone();
        async move { user.chat(16, i % 3 == 0).await }
    }));
    let mut stacks = BTreeSet::new();
    for answer in answers.await {
        stacks.insert(receipt_of(&network, &answer).await.stack);
    }
    assert_eq!(stacks.len(), 1, "topped up, not bought anew");
    let stack = network
        .ledger
        .stack(*stacks.first().unwrap())
        .await
        .unwrap();
    assert!(stack.live_units() > ComputeUnits(3_000));
    gateway.shutdown().await;
    network.parts.localnet.audit().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_leaves_pays_for_what_was_sent_only() {
    use http_body_util::BodyExt;
    let network = Network::start(&[1_000_000]).await;
    let gateway = network.gateway(network.config()).await;
    let user = User::new(&gateway, &network.key);
    // a first request, so that lease and connections stand
    user.chat(1, false).await;
    let before = spent(&gateway, "rich").await;
    let mut body = user.open_stream(300).await;
    body.frame().await.unwrap().unwrap();
    drop(body);
    let paid = spent(&gateway, "rich").await.0 - before.0;
    assert!((1..400).contains(&paid), "{paid} paid");
    gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_for_stacks_is_never_exceeded() {
    let network = Network::start(&[1_000_000]).await;
    let mut config = network.config();
    config.budget = MicroUsdc(999_999);
    config.policy.max_purchase = Some(MicroUsdc(u64::MAX));
    let gateway = network.gateway(config).await;
    let user = User::new(&gateway, &network.key);
    let answer = user.chat(2, false).await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(gateway.stacks_account().spent.whole(), MicroUsdc(0));
    let address = network.wallet.public_key().address();
    assert_eq!(
        network.ledger.usdc(address).await.unwrap(),
        MicroUsdc(1_000_000_000)
    );
    gateway.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_metrics_and_methods() {
    let network = Network::start(&[1_000_000]).await;
    let gateway = network.gateway(network.config()).await;
    let user = User::new(&gateway, &network.key);
    receipt_of(&network, &user.chat(2, true).await).await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(user.ask(Method::GET, path, "").await.status, StatusCode::OK);
    }
    let wrong = user.ask(Method::GET, "/v1/chat/completions", "").await;
    assert_eq!(wrong.status, StatusCode::METHOD_NOT_ALLOWED);
    let unknown = chat_body("no/such-model", 2, false);
    let unknown = user
        .ask(Method::POST, "/v1/chat/completions", unknown)
        .await;
    assert_eq!(unknown.json()["error"]["param"], "model");
    let found = user
        .ask(Method::GET, &format!("/v1/models/{MODEL}"), "")
        .await;
    assert_eq!(found.json()["id"], MODEL);

    let operator = User::at(gateway.admin_url().unwrap());
    let metrics = operator.ask(Method::GET, "/metrics", "").await;
    let counted = r#"atoma_gateway_requests_total{route="ChatCompletions",status="200"} 1"#;
    assert!(metrics.text().contains(counted), "{}", metrics.text());
    assert!(!metrics.text().contains(network.key.reveal()));
    gateway.shutdown().await;
}

#[test]
fn keys_never_show_in_configuration() {
    let key = atoma_gateway::ApiKey::generate(&SystemRandom);
    let config = ApiKeyConfig {
        name: "ann".to_owned(),
        hash: key.hash(),
        budget: MicroUsdc(1),
        max_concurrent: None,
    };
    assert!(!format!("{config:?} {key:?}").contains(key.reveal()));
}

/// The ledger was asked first, which takes long, or never ends.
#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_said_before_anything_else_is_asked() {
    let network = Network::start(&[1_000_000]).await;
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let (at, mut config) = (taken.local_addr().unwrap(), network.config());
    config = GatewayConfig {
        ledger: "http://127.0.0.1:1".to_owned(),
        admin_listen: Some(at),
        ..config
    };
    let refused = Gateway::start(config, network.wallet.clone()).await;
    let refused = refused.unwrap_err();
    assert!(matches!(refused, StartError::Listen(_)), "{refused}");
    assert_eq!(refused.to_string(), format!("cannot listen on {at}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_may_forbid_that_nodes_pass_requests_on() {
    let network = Network::start(&[1_000_000]).await;
    for (no_forward, origin) in [(false, Origin::Own), (true, Origin::Kept)] {
        let mut config = network.config();
        config.no_forward = no_forward;
        let gateway = network.gateway(config).await;
        let answer = User::new(&gateway, &network.key).chat(2, false).await;
        let receipt = receipt_of(&network, &answer).await;
        gateway.shutdown().await;
        let receipts = Receipts::open(&network.data_dir().join("client")).unwrap();
        let kept = receipts.show(receipt.request_id).unwrap();
        let header = kept.expect("it is kept").signed_header().unwrap();
        assert_eq!(header.message().origin, origin);
    }
}
