//! Requests that the gateway can't read: it chooses a node, pays, and passes both ways on what it doesn't open.

use crate::common::{MODEL, Network, User, chat_body};
use atoma_client::{Client, ClientConfig, ClientError, Confidential, Padding, Sealing, Through};
use atoma_engine::{EngineError, Unavailable, builtin, testing::Altered};
use atoma_gateway::RunningGateway;
use atoma_keys::SigningKey;
use atoma_network::{software_policy, testing::wait_until};
use atoma_node::ConfidentialConfig;
use atoma_runtime::SystemRandom;
use atoma_tee::{
    Policy,
    octets::{Digest, Measurement, Octets},
};
use atoma_types::{ComputeUnits, NodeId, message::Endpoint};
use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use http::{Method, StatusCode};
use parking_lot::Mutex;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

const RELEASE: Digest = Octets([0x5e; 32]);
const MEASUREMENT: Measurement = Octets([0x5f; 48]);
const QUESTION: &str = "Say hello.";

async fn confidential(prices: &[u64]) -> Network {
    let guest = ConfidentialConfig::software(RELEASE, MEASUREMENT);
    Network::start_with(prices, |builder| builder.confidential(guest)).await
}

/// Somebody with an API key and a policy, and no money on the ledger.
fn user(network: &Network, gateway: &str) -> (Client, Through) {
    let text = software_policy(network.ledger.network(), RELEASE, MEASUREMENT);
    let config = ClientConfig {
        confidential: Some(Confidential {
            policy: Arc::new(Policy::from_toml(&text).unwrap()),
            padding: Padding::Blocks,
        }),
        ..ClientConfig::default()
    };
    let key = SigningKey::generate(&SystemRandom);
    let client = Client::with_ledger(network.ledger.clone(), key, config).unwrap();
    let through = Through::new(&client, gateway, network.key.reveal().to_owned()).unwrap();
    (client, through)
}

fn nodes(network: &Network) -> Vec<NodeId> {
    network.parts.nodes.iter().map(|node| node.id).collect()
}

fn sealing<'a>(network: &Network, nodes: &'a [NodeId], text: &'a str) -> Sealing<'a> {
    Sealing {
        task: network.task,
        nodes,
        endpoint: Endpoint::ChatCompletions,
        text: text.as_bytes(),
        max_units: ComputeUnits(2_000),
    }
}

async fn whole(mut body: futures::stream::BoxStream<'static, Result<Bytes, ClientError>>) -> Bytes {
    let mut all = BytesMut::new();
    while let Some(piece) = body.next().await {
        all.extend_from_slice(&piece.unwrap());
    }
    all.freeze()
}

/// Nodes whose engine refuses so often, in words that only the asker can read.
async fn refusing(refusals: usize, refusal: fn() -> EngineError) -> Network {
    let left = AtomicUsize::new(refusals);
    let refuse = move || {
        let one_less = left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        one_less.ok().map(|_| refusal())
    };
    let engine = Altered::new(Arc::new(builtin::load().unwrap())).refusing(refuse);
    let guest = ConfidentialConfig::software(RELEASE, MEASUREMENT);
    let prices = [1_000_000, 2_000_000];
    Network::start_with(&prices, |builder| {
        builder.confidential(guest).serving(Arc::new(engine))
    })
    .await
}

/// A gateway can't read why: the refusal was passed on as the answer, and its node taken for a fast one.
#[tokio::test(flavor = "multi_thread")]
async fn what_one_node_refuses_within_the_seal_another_is_asked_for() {
    let full: fn() -> EngineError = || EngineError::Overloaded;
    let broken: fn() -> EngineError = || EngineError::Unavailable(Unavailable::NoServer);
    for (refusal, status) in [
        (full, StatusCode::TOO_MANY_REQUESTS),
        (broken, StatusCode::SERVICE_UNAVAILABLE),
    ] {
        // both refuse the first question, and one of them the second
        let network = refusing(3, refusal).await;
        let gateway = network.gateway(network.config()).await;
        let (client, through) = user(&network, &gateway.url());
        let nodes = nodes(&network);
        for (number, stream) in [(0, false), (1, true)] {
            let body = chat_body(MODEL, 8, stream);
            let asked = sealing(&network, &nodes, &body);
            let answer = client.ask_through(&through, asked).await.unwrap();
            if number == 0 {
                assert_eq!(answer.status, status, "in the words of one of them");
                assert!(!whole(answer.body).await.is_empty());
            } else {
                assert_eq!(answer.status, StatusCode::OK);
                assert!(whole(answer.body).await.ends_with(b"data: [DONE]\n\n"));
            }
        }
        // what was refused cost nothing, and holds no money
        let spent = charged(&gateway).await;
        assert!(spent < 100, "{spent}");
        tokio::time::timeout(Duration::from_secs(60), gateway.shutdown())
            .await
            .unwrap();
    }
}

/// What the key has spent: an answer is charged once its receipt is judged, which its last byte doesn't wait for.
async fn charged(gateway: &RunningGateway) -> u64 {
    let spent = || {
        let accounts = gateway.accounts();
        let rich = accounts.iter().find(|account| account.name == "rich");
        rich.unwrap().spent.whole().0
    };
    wait_until("the answer is charged", async || spent() > 0).await;
    spent()
}

/// All that passes between users and a gateway.
struct Tap {
    url: String,
    seen: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    async fn on(gateway: &RunningGateway) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let target = gateway.url().trim_start_matches("http://").to_owned();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let all = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((here, _)) = listener.accept().await {
                let there = TcpStream::connect(&target).await.unwrap();
                let (here, there) = (here.into_split(), there.into_split());
                tokio::spawn(copy(here.0, there.1, Arc::clone(&all)));
                tokio::spawn(copy(there.0, here.1, Arc::clone(&all)));
            }
        });
        Self { url, seen }
    }
}

async fn copy(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    seen: Arc<Mutex<Vec<u8>>>,
) {
    let mut buffer = vec![0; 16 << 10];
    while let Ok(length @ 1..) = from.read(&mut buffer).await {
        seen.lock().extend_from_slice(&buffer[..length]);
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_passes_on_what_it_cannot_read() {
    let network = confidential(&[1_000_000, 2_000_000]).await;
    let gateway = network.gateway(network.config()).await;
    let tap = Tap::on(&gateway).await;
    let (client, through) = user(&network, &tap.url);
    let nodes = nodes(&network);
    let mut texts = vec![QUESTION.to_owned()];
    for stream in [false, true] {
        let body = chat_body(MODEL, 24, stream);
        let asked = sealing(&network, &nodes, &body);
        let answer = client.ask_through(&through, asked).await.unwrap();
        assert_eq!((answer.status, answer.is_stream), (StatusCode::OK, stream));
        let body = whole(answer.body).await;
        let body = std::str::from_utf8(&body).unwrap();
        assert_eq!(body.ends_with("data: [DONE]\n\n"), stream, "{body}");
        if !stream {
            let said: serde_json::Value = serde_json::from_str(body).unwrap();
            let said = said["choices"][0]["message"]["content"].as_str().unwrap();
            texts.push(said.to_owned());
        }
    }
    // what the node refuses is for who sealed it alone
    let wrong = chat_body(MODEL, 24, false).replace("\"temperature\":0", "\"temperature\":-9");
    let asked = sealing(&network, &nodes, &wrong);
    let refused = client.ask_through(&through, asked).await.unwrap();
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
    assert!(!whole(refused.body).await.is_empty());

    let seen = tap.seen.lock().clone();
    assert!(seen.len() > 5_000);
    for text in &texts {
        for window in text.as_bytes().windows(10) {
            let found = seen.windows(10).any(|part| part == window);
            assert!(
                !found,
                "{:?} passed in clear",
                String::from_utf8_lossy(window)
            );
        }
    }
    // it was paid for by its key
    charged(&gateway).await;

    // in clear nobody gets there, by mistake or not
    let plain = User::new(&gateway, &network.key).chat(4, false).await;
    assert_eq!(plain.status, StatusCode::BAD_REQUEST);
    assert_eq!(plain.json()["error"]["code"], "not_sealed");
    tokio::time::timeout(Duration::from_secs(60), gateway.shutdown())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_refuses_what_is_sealed_to_nobody_it_can_ask() {
    let network = confidential(&[1_000_000]).await;
    let gateway = network.gateway(network.config()).await;
    let user = User::new(&gateway, &network.key);
    let path = "/v1/chat/completions";
    let sealed = |bytes: &'static [u8]| user.sealed(Method::POST, path, bytes);
    let refused = sealed(b"{\"model\":\"m\"}").await;
    assert_eq!(refused.json()["error"]["code"], "not_sealed");
    let refused = sealed(b"atoma/sealreq/v1").await;
    assert_eq!(refused.json()["error"]["code"], "sealed_truncated");
    gateway.shutdown().await;
}
