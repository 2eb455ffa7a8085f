//! All attacks on a node's port at once, beside honest clients: none of these may notice, and the node's memory
//! stays within what docs/operators.md says. `atoma-bench attacks` is the long form, against a node of its own.

use crate::{
    arena::{Answer, Arena, SLOW, chat, eventually, peak_kib, signed_headers},
    sockets::{STRANGER, address, silent},
};
use atoma_engine::{
    builtin,
    testing::{InstantOptions, InstantUpstream},
};
use atoma_keys::SigningKey;
use atoma_runtime::{Runtime, SystemRandom};
use atoma_types::{
    NodeId, StackId,
    http::{REQUEST, SIGNATURE},
    message::{RequestHeader, Signed},
};
use futures::future::join_all;
use http::StatusCode;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    task::JoinSet,
};

/// Honest clients, and requests of each.
const HONEST: usize = 64;
const ROUNDS: usize = 4;
/// Who is there and says little, from another machine as far as the node sees.
const SILENT: usize = 200;
/// Who send bodies byte by byte, headers that lie, prompts of 4 MiB; and who leave.
const SLOW_BODIES: usize = 16;
const LIARS: usize = 4;
const LONG: usize = 2;
const LEAVERS: usize = 8;
/// By docs/operators.md, in KiB: connections, requests, and bodies beyond 64 KiB. The last once more, for the
/// attackers are in this process, too.
const MOST_KIB: usize = (SILENT + HONEST + 32) * 32
    + (HONEST + SLOW_BODIES + LIARS + LONG + LEAVERS) * 3 * 64
    + LONG * 4_096 * (3 + 3);

/// What every attacker knows: they are customers.
struct Place {
    arena: Arena,
    node: NodeId,
    stack: StackId,
    url: String,
    done: AtomicUsize,
}

impl Place {
    fn header(&self, body: &str) -> RequestHeader {
        let now = Runtime::system().now();
        self.arena
            .header(self.node, self.stack, body.as_bytes(), now)
    }

    /// A request's head and so much of its body.
    async fn begin(
        &self,
        headers: &[(&str, String)],
        body: &str,
        sent: usize,
    ) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(address(&self.url)).await.ok()?;
        let length = body.len();
        let mut head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: node\r\ncontent-length: {length}\r\n"
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let text = format!("{head}\r\n{}", &body[..sent]);
        stream.write_all(text.as_bytes()).await.ok()?;
        Some(stream)
    }
}

async fn say_nothing(place: Arc<Place>, number: usize) {
    if let Some(mut stream) = silent(address(&place.url), STRANGER, number).await {
        place.done.fetch_add(1, SeqCst);
        let _ = stream.read_to_end(&mut Vec::new()).await;
    }
}

async fn slow(place: Arc<Place>) {
    let body = request(2, false);
    loop {
        let signed = place.arena.sign(place.header(&body));
        let Some(mut stream) = place.begin(&signed_headers(&signed), &body, 0).await else {
            continue;
        };
        place.done.fetch_add(1, SeqCst);
        for byte in body.bytes() {
            if stream.write_all(&[byte]).await.is_err() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
}

async fn lie(place: Arc<Place>, number: usize) {
    let body = request(2, false);
    let stranger = SigningKey::generate(&SystemRandom);
    loop {
        let header = place.header(&body);
        let mut headers = signed_headers(&Signed::new(header, &stranger)).to_vec();
        match number % 3 {
            0 => {}
            1 => headers.retain(|(name, _)| *name != SIGNATURE),
            _ => headers[0] = (REQUEST, "AAAA".to_owned()),
        }
        let length = body.len();
        if let Some(mut stream) = place.begin(&headers, &body, length).await {
            let mut answer = vec![0; 64];
            let read = stream.read(&mut answer).await.unwrap_or(0);
            let answer = String::from_utf8_lossy(&answer[..read]).into_owned();
            assert!(!answer.contains(" 200 "), "a lie is served: {answer}");
            place.done.fetch_add(1, SeqCst);
        }
    }
}

async fn long(place: Arc<Place>, body: Arc<String>) {
    loop {
        let signed = place.arena.sign(place.header(&body));
        let answer = place.arena.send_signed(&place.url, &signed, &body).await;
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{answer:?}");
        place.done.fetch_add(1, SeqCst);
    }
}

async fn leave(place: Arc<Place>) {
    let body = request(400, true);
    loop {
        let signed = place.arena.sign(place.header(&body));
        let headers = signed_headers(&signed);
        let sent = place.begin(&headers, &body, body.len());
        if let Some(mut stream) = sent.await {
            let _ = stream.read(&mut [0; 64]).await;
            place.done.fetch_add(1, SeqCst);
        }
    }
}

fn request(max_tokens: u32, stream: bool) -> String {
    chat(max_tokens, stream).replace(builtin::NAME, SLOW)
}

fn attackers(place: &Arc<Place>) -> JoinSet<()> {
    let mut all = JoinSet::new();
    (0..SILENT).for_each(|number| drop(all.spawn(say_nothing(Arc::clone(place), number))));
    (0..SLOW_BODIES).for_each(|_| drop(all.spawn(slow(Arc::clone(place)))));
    (0..LIARS).for_each(|number| drop(all.spawn(lie(Arc::clone(place), number))));
    (0..LEAVERS).for_each(|_| drop(all.spawn(leave(Arc::clone(place)))));
    let text = "all work and no play makes a dull node; ".repeat(100_000);
    let body = Arc::new(request(2, false).replace("Say hello.", &text));
    (0..LONG).for_each(|_| drop(all.spawn(long(Arc::clone(place), Arc::clone(&body)))));
    all
}

#[tokio::test(flavor = "multi_thread")]
async fn no_honest_client_notices_a_crowd_of_attackers() {
    let options = InstantOptions {
        context: Some(4_096),
        pause: Some(Duration::from_millis(1)),
        ..InstantOptions::default()
    };
    let server = InstantUpstream::start(options).await.unwrap();
    let arena = Arena::start_slow(&server).await;
    let node = arena.node().await;
    let place = Arc::new(Place {
        node: node.node_id(),
        stack: arena.buy(40_000_000).await,
        url: node.url(),
        done: AtomicUsize::new(0),
        arena,
    });
    let ask = async || -> Answer {
        let body = request(8, false);
        let signed = place.arena.sign(place.header(&body));
        place.arena.send_signed(&place.url, &signed, &body).await
    };
    let calm = join_all((0..HONEST).map(|_| ask())).await;
    assert!(calm.iter().all(|answer| answer.status() == StatusCode::OK));
    let before = peak_kib();

    let mut attackers = attackers(&place);
    eventually("the attackers are at it", async || {
        place.done.load(SeqCst) > SILENT + SLOW_BODIES + LIARS + LEAVERS
    })
    .await;
    for round in 0..ROUNDS {
        let answers = join_all((0..HONEST).map(|_| ask())).await;
        let failed = answers
            .iter()
            .filter(|answer| answer.status() != StatusCode::OK);
        let failed: Vec<_> = failed.map(Answer::code).collect();
        assert!(failed.is_empty(), "round {round}: {failed:?}");
    }
    // none of them has died of a failed assertion
    while let Some(ended) = attackers.try_join_next() {
        ended.unwrap();
    }
    attackers.shutdown().await;
    let grown = peak_kib() - before;
    assert!(grown <= MOST_KIB, "{grown} KiB, {MOST_KIB} KiB at most");
    node.drain_and_stop().await;
    let Some(place) = Arc::into_inner(place) else {
        panic!("the attackers are gone");
    };
    place.arena.network.stop().await;
}
