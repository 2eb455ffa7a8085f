//! Sellers that a stranger registers: they take grants as a node must, and answer as the test says.

use crate::arena::Arena;
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_runtime::SystemRandom;
use atoma_types::{
    NodeId, Price, TaskId,
    chain::{Clock, Event, Payment, calls},
    message::{Grant, Signed},
    refusal::{Refusal, RefusalCode},
};
use axum::{
    Router,
    body::Body,
    extract::State,
    http::{Response, StatusCode},
    routing::post,
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

/// What a seller does with a request.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Act {
    /// It needs so many units.
    Needs(u64),
    /// Its lease is used up, whatever was granted.
    Exhausted,
    /// The stack is over.
    Expired,
    /// Every body is at fault.
    FindsFault,
    /// It says nothing, for ever.
    Silent,
    /// It sends what never ends, as fast as it is read.
    Endless,
    /// It sends a byte that says nothing, and soon another, for ever.
    Trickle,
    /// It sends comments of a stream, one after the other, for ever.
    Comments,
}

/// One that runs.
pub(crate) struct Seller {
    asked: Arc<AtomicUsize>,
    server: tokio::task::JoinHandle<()>,
}

struct Shop {
    act: Act,
    node: NodeId,
    key: SigningKey,
    ledger: Ledger,
    asked: Arc<AtomicUsize>,
}

impl Seller {
    /// Registers a seller of a task at this price and serves.
    pub(crate) async fn start(arena: &Arena, task: TaskId, price: Price, act: Act) -> Self {
        let socket = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", socket.local_addr().unwrap());
        let key = SigningKey::generate(&SystemRandom);
        let node = register(arena, &key, task, price, &url).await;
        let asked = Arc::new(AtomicUsize::new(0));
        let shop = Shop {
            act,
            node,
            key,
            ledger: arena.ledger.clone(),
            asked: Arc::clone(&asked),
        };
        let routes = Router::new()
            .route("/v1/leases", post(grant))
            .route("/v1/chat/completions", post(chat))
            .with_state(Arc::new(shop));
        let serve = async move { axum::serve(socket, routes).await.unwrap() };
        Self {
            asked,
            server: tokio::spawn(serve),
        }
    }

    /// Requests that it got so far.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }
}

impl Drop for Seller {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A node on the ledger at any URL, of a wallet that gets what it needs.
pub(crate) async fn register(
    arena: &Arena,
    key: &SigningKey,
    task: TaskId,
    price: Price,
    url: &str,
) -> NodeId {
    let ledger = &arena.ledger;
    ledger.faucet(key.public_key().address()).await.unwrap();
    let db = ledger.deployment().db;
    let call = calls::RegisterNode {
        db: db.into(),
        collateral: Payment(atoma_network::COLLATERAL),
        url: url.to_owned(),
        response_key: key.public_key(),
        sealing_key: None,
        clock: Clock,
    };
    let done = ledger.execute(key, vec![call.into()]).await.unwrap();
    let node = done.events.iter().find_map(|event| match event {
        Event::NodeRegistered(registered) => Some(registered.node),
        _ => None,
    });
    let node = node.unwrap();
    let call = calls::Subscribe {
        db: db.into(),
        task: task.into(),
        node: node.into(),
        price,
        clock: Clock,
    };
    ledger.execute(key, vec![call.into()]).await.unwrap();
    node
}

fn refuse(code: RefusalCode, needed: u64) -> Response<Body> {
    let refusal = Refusal::new(code, "so it says").needed(needed);
    Response::builder()
        .status(StatusCode::from_u16(code.status()).unwrap())
        .header("content-type", "application/json")
        .body(refusal.to_json().into())
        .unwrap()
}

async fn chat(State(shop): State<Arc<Shop>>, asked: Bytes) -> Response<Body> {
    shop.asked.fetch_add(1, SeqCst);
    match shop.act {
        Act::Needs(units) => refuse(RefusalCode::MaxUnitsTooLow, units),
        Act::Exhausted => refuse(RefusalCode::LeaseExhausted, 0),
        Act::Expired => refuse(RefusalCode::StackExpired, 0),
        Act::FindsFault => refuse(RefusalCode::InvalidBody, 0),
        Act::Silent => std::future::pending().await,
        Act::Endless => {
            let piece = Bytes::from(vec![b' '; 64 << 10]);
            let pieces = stream::repeat(piece).map(Ok::<_, std::convert::Infallible>);
            Response::builder()
                .header("content-type", "application/json")
                .body(Body::from_stream(pieces))
                .unwrap()
        }
        Act::Trickle => {
            let streamed = asked.windows(13).any(|w| w == b"\"stream\":true");
            // white space before JSON; the beginning of a comment
            match streamed {
                true => drip("text/event-stream", ":"),
                false => drip("application/json", " "),
            }
        }
        Act::Comments => drip("text/event-stream", ": still at it\n\n"),
    }
}

/// An answer of the same bytes again and again, without an end.
fn drip(kind: &str, bytes: &'static str) -> Response<Body> {
    let pieces = stream::repeat(Bytes::from(bytes)).then(|bytes| async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        Ok::<_, std::convert::Infallible>(bytes)
    });
    Response::builder()
        .header("content-type", kind)
        .body(Body::from_stream(pieces))
        .unwrap()
}

async fn grant(State(shop): State<Arc<Shop>>, body: Bytes) -> Response<Body> {
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let grant = Signed::<Grant>::from_text(body["grant"].as_str().unwrap()).unwrap();
    let stack = shop.ledger.stack(grant.message().stack).await.unwrap();
    let call = calls::Lease {
        db: shop.ledger.deployment().db.into(),
        stack: stack.id.into(),
        task: stack.task.into(),
        node: shop.node.into(),
        grant: grant.bytes().to_vec(),
        signature: grant.signature().to_bytes(),
        clock: Clock,
    };
    match shop.ledger.execute(&shop.key, vec![call.into()]).await {
        Ok(_) => Response::new("{}".into()),
        Err(_) => refuse(RefusalCode::Unavailable, 0),
    }
}
