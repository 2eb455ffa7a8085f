//! The server against clients that mean harm, or are merely slow: real sockets on loopback, and a clock
//! that is paused, so that minutes pass when everything has come to rest.

use atoma_http::server::{BodyError, BodyLimit, Closed, Counters, Limits, Server, read_body};
use axum::{
    Router,
    body::Body,
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use bytes::Bytes;
use futures::{StreamExt, stream};
use std::{convert::Infallible, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
    time::{Instant, sleep},
};

const SECOND: Duration = Duration::from_secs(1);
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const HELLO: &[u8] = b"GET / HTTP/1.1\r\nhost: x\r\n\r\n";

struct World {
    server: Server,
    counters: Arc<Counters>,
    /// Hears when an endless answer is dropped.
    dropped: mpsc::UnboundedReceiver<()>,
}

impl World {
    async fn start(limits: Limits) -> Self {
        let (drops, dropped) = mpsc::unbounded_channel();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let counters = Arc::new(Counters::default());
        let routes = routes(&limits, drops);
        let server = Server::start(listener, routes, limits, Arc::clone(&counters)).unwrap();
        Self {
            server,
            counters,
            dropped,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.server.address()).await.unwrap()
    }

    fn closed(&self, reason: Closed) -> u64 {
        self.counters.closed(reason)
    }
}

fn routes(limits: &Limits, drops: mpsc::UnboundedSender<()>) -> Router {
    let limit = BodyLimit::new(limits);
    Router::new()
        .route("/", get(|| async { "hello" }))
        .route("/body", post(move |request| whole(request, limit)))
        .route(
            "/endless",
            get(move || std::future::ready(endless(drops.clone()))),
        )
        .route(
            "/slow",
            get(|| async {
                sleep(SECOND * 20).await;
                "done"
            }),
        )
}

async fn whole(request: Request, limit: BodyLimit) -> Response {
    let (parts, body) = request.into_parts();
    match read_body(&parts.headers, body, limit, |_| ()).await {
        Ok(body) => body.len().to_string().into_response(),
        Err(BodyError::TooSlow(slow)) => {
            (StatusCode::REQUEST_TIMEOUT, slow.to_string()).into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, error.to_string()).into_response(),
    }
}

struct TellDropped(mpsc::UnboundedSender<()>);

impl Drop for TellDropped {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

fn endless(drops: mpsc::UnboundedSender<()>) -> Body {
    let guard = TellDropped(drops);
    let pieces = stream::repeat(Bytes::from(vec![0; 64 << 10]));
    Body::from_stream(pieces.map(move |piece| {
        let _ = &guard;
        Ok::<_, Infallible>(piece)
    }))
}

/// Waits until the server closes. Says after how many seconds, and what it sent before.
async fn closed(stream: &mut TcpStream) -> (u64, String) {
    let begun = Instant::now();
    let mut text = Vec::new();
    // a reset is as good
    let _ = stream.read_to_end(&mut text).await;
    let text = String::from_utf8_lossy(&text).into_owned();
    (begun.elapsed().as_secs(), text)
}

/// Reads an answer over HTTP/1.1 that ends with `end`.
async fn answer(stream: &mut TcpStream, end: &str) -> String {
    let mut text = Vec::new();
    while !text.ends_with(end.as_bytes()) {
        let read = stream.read_buf(&mut text).await.unwrap();
        assert_ne!(read, 0, "closed after {:?}", String::from_utf8_lossy(&text));
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test(start_paused = true)]
async fn a_silent_socket_is_dropped() {
    let world = World::start(Limits::default()).await;
    let mut silent = world.connect().await;
    assert_eq!(closed(&mut silent).await, (10, String::new()));
    assert_eq!(world.closed(Closed::FirstByteTimeout), 1);
    assert_eq!(world.counters.open(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_head_that_trickles_is_cut_off() {
    let world = World::start(Limits::default()).await;
    let (mut reader, mut writer) = world.connect().await.into_split();
    let trickle = tokio::spawn(async move {
        for byte in HELLO {
            if writer.write_all(&[*byte]).await.is_err() {
                break;
            }
            sleep(SECOND * 4).await;
        }
    });
    let begun = Instant::now();
    // a reset is as good as an end
    let _ = reader.read_to_end(&mut Vec::new()).await;
    assert!((15..=16).contains(&begun.elapsed().as_secs()));
    trickle.abort();
    assert_eq!(world.closed(Closed::HeaderTimeout), 1);
}

#[tokio::test(start_paused = true)]
async fn half_a_preface_is_a_head_that_never_ends() {
    for begun in [&PREFACE[..10], PREFACE] {
        let world = World::start(Limits::default()).await;
        let mut stream = world.connect().await;
        stream.write_all(begun).await.unwrap();
        let (after, _) = closed(&mut stream).await;
        assert!((15..=16).contains(&after), "{after}");
        assert_eq!(world.closed(Closed::HeaderTimeout), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_request_is_closed_after_a_while() {
    let world = World::start(Limits::default()).await;
    let mut stream = world.connect().await;
    for _ in 0..3 {
        sleep(SECOND * 9).await;
        stream.write_all(HELLO).await.unwrap();
        answer(&mut stream, "hello").await;
    }
    assert_eq!(closed(&mut stream).await, (60, String::new()));
    assert_eq!(world.closed(Closed::IdleTimeout), 1);
}

#[tokio::test(start_paused = true)]
async fn a_request_may_take_longer_than_any_timeout_of_idleness() {
    let limits = Limits {
        first_byte_timeout_ms: 1_000,
        header_timeout_ms: 1_000,
        idle_timeout_ms: 1_000,
        ..Limits::default()
    };
    let world = World::start(limits).await;
    let mut stream = world.connect().await;
    let slow = b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(slow).await.unwrap();
    answer(&mut stream, "done").await;
    assert_eq!(closed(&mut stream).await, (1, String::new()));
}

#[tokio::test(start_paused = true)]
async fn a_body_must_keep_coming_and_come_to_its_end() {
    let head = b"POST /body HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n";
    let world = World::start(Limits::default()).await;
    // nothing comes any more
    let mut silent = world.connect().await;
    silent.write_all(head).await.unwrap();
    silent.write_all(b"0123456789").await.unwrap();
    let begun = Instant::now();
    let refused = answer(&mut silent, "nothing came for 10000 ms").await;
    assert!(refused.starts_with("HTTP/1.1 408"), "{refused}");
    assert_eq!(begun.elapsed().as_secs(), 10);
    // it comes, but when will it end?
    let mut trickling = world.connect().await;
    trickling.write_all(head).await.unwrap();
    let begun = Instant::now();
    let (mut reader, mut writer) = trickling.split();
    let trickle = async {
        while writer.write_all(b"0").await.is_ok() {
            sleep(SECOND * 4).await;
        }
    };
    let mut text = vec![0; 12];
    tokio::select! {
        read = reader.read_exact(&mut text) => drop(read.unwrap()),
        () = trickle => panic!("closed without a word"),
    }
    assert_eq!(text, b"HTTP/1.1 408");
    assert_eq!(begun.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_reader_that_sleeps_loses_its_answer() {
    let mut world = World::start(Limits::default()).await;
    let mut stream = world.connect().await;
    let begun = Instant::now();
    let endless = b"GET /endless HTTP/1.1\r\nhost: x\r\n\r\n";
    stream.write_all(endless).await.unwrap();
    world.dropped.recv().await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 60);
    while world.counters.open() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.closed(Closed::WriteTimeout), 1);
}

#[tokio::test(start_paused = true)]
async fn more_from_one_address_than_allowed_are_closed_at_once() {
    let limits = Limits {
        max_connections_per_address: 2,
        ..Limits::default()
    };
    let world = World::start(limits).await;
    let mut first = world.connect().await;
    let _second = world.connect().await;
    let mut third = world.connect().await;
    assert_eq!(closed(&mut third).await, (0, String::new()));
    assert_eq!(world.closed(Closed::AddressFull), 1);
    // those that are in stay in, and make room when they leave
    first.write_all(HELLO).await.unwrap();
    answer(&mut first, "hello").await;
    drop(first);
    while world.counters.open() > 1 {
        tokio::task::yield_now().await;
    }
    let mut fourth = world.connect().await;
    fourth.write_all(HELLO).await.unwrap();
    answer(&mut fourth, "hello").await;
}

#[tokio::test(start_paused = true)]
async fn more_in_all_than_allowed_are_closed_at_once() {
    let limits = Limits {
        max_connections: 1,
        ..Limits::default()
    };
    let world = World::start(limits).await;
    let mut first = world.connect().await;
    let mut second = world.connect().await;
    assert_eq!(closed(&mut second).await, (0, String::new()));
    assert_eq!(world.closed(Closed::Full), 1);
    first.write_all(HELLO).await.unwrap();
    answer(&mut first, "hello").await;
}

#[tokio::test(start_paused = true)]
async fn closing_lets_requests_end_within_the_grace() {
    for (grace, ended) in [(30, true), (10, false)] {
        let world = World::start(Limits::default()).await;
        let mut idle = world.connect().await;
        idle.write_all(HELLO).await.unwrap();
        answer(&mut idle, "hello").await;
        let mut busy = world.connect().await;
        let slow = b"GET /slow HTTP/1.1\r\nhost: x\r\n\r\n";
        busy.write_all(slow).await.unwrap();
        sleep(SECOND).await;
        let (address, counters) = (world.server.address(), world.counters);
        let begun = Instant::now();
        let ((idle_closed, _), (_, text), ()) = tokio::join!(
            closed(&mut idle),
            closed(&mut busy),
            world.server.close(SECOND * grace)
        );
        assert_eq!(idle_closed, 0);
        assert_eq!(text.ends_with("done"), ended, "{text}");
        assert_eq!(begun.elapsed().as_secs(), if ended { 19 } else { 10 });
        assert_eq!(counters.closed(Closed::Stopped), u64::from(!ended));
        assert_eq!(counters.open(), 0);
        assert!(TcpStream::connect(address).await.is_err());
    }
}

/// HTTP/2 by hand, because well-behaved clients can't be made to misbehave.
mod http2 {
    use super::*;

    const HEADERS: u8 = 1;
    const RST_STREAM: u8 = 3;
    const SETTINGS: u8 = 4;
    const PING: u8 = 6;
    const WINDOW_UPDATE: u8 = 8;
    const ACK: u8 = 1;
    const END_STREAM_AND_HEADERS: u8 = 5;
    /// The setting `SETTINGS_INITIAL_WINDOW_SIZE` with the value 0: no byte of an answer may be sent.
    const NO_WINDOW: [u8; 6] = [0, 4, 0, 0, 0, 0];

    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let mut frame = length[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        frame
    }

    /// `GET` of a path, in HPACK without its tables.
    fn get(stream: u32, path: &str) -> Vec<u8> {
        let mut head = vec![0x82, 0x86, 0x44, u8::try_from(path.len()).unwrap()];
        head.extend(path.as_bytes());
        head.extend([0x41, 1, b'x']);
        frame(HEADERS, END_STREAM_AND_HEADERS, stream, &head)
    }

    struct Client(TcpStream);

    impl Client {
        async fn connect(world: &World, settings: &[u8]) -> Self {
            let mut stream = world.connect().await;
            stream.write_all(PREFACE).await.unwrap();
            let settings = frame(SETTINGS, 0, 0, settings);
            stream.write_all(&settings).await.unwrap();
            Self(stream)
        }

        async fn send(&mut self, frame: Vec<u8>) {
            self.0.write_all(&frame).await.unwrap();
        }

        /// The next frame: kind, flags, stream, payload. Nothing once the server has closed.
        async fn next(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
            let mut head = [0; 9];
            self.0.read_exact(&mut head).await.ok()?;
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
            let mut payload = vec![0; length as usize];
            self.0.read_exact(&mut payload).await.ok()?;
            Some((head[3], head[4], stream, payload))
        }

        /// Waits for a frame of this kind on this stream, and answers pings until then.
        async fn until(&mut self, kind: u8, stream: u32) -> Vec<u8> {
            loop {
                let (seen, flags, on, payload) = self.next().await.expect("closed");
                if (seen, on) == (kind, stream) {
                    return payload;
                }
                if seen == PING && flags == 0 {
                    self.send(frame(PING, ACK, 0, &payload)).await;
                }
            }
        }

        /// Answers pings until the server closes.
        async fn outlast(&mut self) {
            while let Some((kind, flags, _, payload)) = self.next().await {
                if kind == PING && flags == 0 {
                    let pong = frame(PING, ACK, 0, &payload);
                    // closing already
                    let _ = self.0.write_all(&pong).await;
                }
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_without_window_is_reset_and_no_other() {
        let mut world = World::start(Limits::default()).await;
        let mut client = Client::connect(&world, &NO_WINDOW).await;
        let begun = Instant::now();
        client.send(get(1, "/endless")).await;
        client.until(RST_STREAM, 1).await;
        assert_eq!(begun.elapsed().as_secs(), 60);
        world.dropped.recv().await.unwrap();
        assert_eq!(world.closed(Closed::StreamWriteTimeout), 1);
        // the connection goes on
        client.send(get(3, "/")).await;
        let window = 1_000u32.to_be_bytes();
        client.send(frame(WINDOW_UPDATE, 0, 3, &window)).await;
        assert_eq!(client.until(0, 3).await, b"hello");
    }

    #[tokio::test(start_paused = true)]
    async fn a_stream_that_takes_something_now_and_then_goes_on() {
        let world = World::start(Limits::default()).await;
        let mut client = Client::connect(&world, &NO_WINDOW).await;
        client.send(get(1, "/endless")).await;
        for _ in 0..4 {
            let reading = tokio::time::timeout(SECOND * 40, client.until(RST_STREAM, 1));
            assert!(reading.await.is_err());
            // more than one frame of the body, so that the next one is asked for
            let window = (100u32 << 10).to_be_bytes();
            for on in [0, 1] {
                client.send(frame(WINDOW_UPDATE, 0, on, &window)).await;
            }
        }
        assert_eq!(world.closed(Closed::StreamWriteTimeout), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_handler_is_not_taken_for_a_slow_reader() {
        let limits = Limits {
            write_timeout_ms: 1_000,
            ..Limits::default()
        };
        let world = World::start(limits).await;
        let mut client = Client::connect(&world, &[]).await;
        client.send(get(1, "/slow")).await;
        assert_eq!(client.until(0, 1).await, b"done");
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_idle_is_sent_away_and_whoever_is_dead_is_found_out() {
        let world = World::start(Limits::default()).await;
        let mut alive = Client::connect(&world, &[]).await;
        alive.send(get(1, "/")).await;
        assert_eq!(alive.until(0, 1).await, b"hello");
        let begun = Instant::now();
        alive.outlast().await;
        assert!((60..=61).contains(&begun.elapsed().as_secs()));
        assert_eq!(world.closed(Closed::IdleTimeout), 1);
        // a request under way keeps a connection, unless pings go unanswered
        let limits = Limits {
            ping_interval_ms: 2_000,
            ..Limits::default()
        };
        let world = World::start(limits).await;
        let mut dead = Client::connect(&world, &[]).await;
        dead.send(get(1, "/slow")).await;
        let begun = Instant::now();
        while dead.next().await.is_some() {}
        assert_eq!(begun.elapsed().as_secs(), 4);
    }
}
