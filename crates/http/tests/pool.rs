//! The pool against real servers on loopback: what is reused, what is replaced, what is cancelled.

use atoma_http::client::{Body, Error, Pool, PoolOptions};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

const OPTIONS: PoolOptions = PoolOptions {
    connect_timeout: Duration::from_secs(5),
    idle_timeout: Duration::from_secs(60),
    idle_per_server: 2,
    keepalive: None,
};
/// Longer than anything here takes; a test that waits so long has failed.
const PATIENCE: Duration = Duration::from_secs(20);
const HELLO: &str = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello";

/// A server whose connections are handled by hand, in the order in which they come.
struct Server {
    listener: TcpListener,
    url: String,
}

impl Server {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/path?query", listener.local_addr().unwrap());
        Self { listener, url }
    }

    async fn accept(&self) -> TcpStream {
        within(self.listener.accept()).await.unwrap().0
    }

    /// Whether somebody else connects, now that everything else has come to rest.
    async fn nobody_connects(&self) -> bool {
        tokio::select! {
            biased;
            _ = self.listener.accept() => false,
            () = tokio::task::yield_now() => true,
        }
    }
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap()
}

fn post(url: &str, body: &'static str) -> Request<Full<Bytes>> {
    Request::post(url)
        .body(Full::from(body.as_bytes()))
        .unwrap()
}

/// Reads one request whose body ends with a full stop.
async fn read(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while text.last() != Some(&b'.') {
        let read = within(stream.read_buf(&mut text)).await.unwrap();
        assert_ne!(read, 0, "the connection was closed");
    }
    String::from_utf8(text).unwrap()
}

async fn text(response: Response<Body>) -> String {
    let body = within(response.into_body().collect()).await.unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}

/// One request and its answer on a connection that is there.
async fn exchange(pool: &Pool, url: &str, stream: &mut TcpStream, answer: &str) -> String {
    let served = async {
        read(stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
    };
    let (response, ()) = tokio::join!(within(pool.send(post(url, "ask."))), served);
    text(response.unwrap()).await
}

#[tokio::test]
async fn one_connection_serves_one_request_after_the_other() {
    let (server, pool) = (Server::start().await, Pool::new(OPTIONS).unwrap());
    let first = pool.send(post(&server.url, "first."));
    let serve = async {
        let mut stream = server.accept().await;
        let request = read(&mut stream).await;
        stream.write_all(HELLO.as_bytes()).await.unwrap();
        (stream, request)
    };
    let (response, (mut stream, request)) = tokio::join!(within(first), serve);
    let request = request.to_lowercase();
    assert!(
        request.starts_with("post /path?query http/1.1\r\n"),
        "{request}"
    );
    let host = format!("host: {}\r\n", server.listener.local_addr().unwrap());
    assert!(request.contains(&host), "{request}");
    assert_eq!(text(response.unwrap()).await, "hello");
    let chunked =
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n";
    let empty = "HTTP/1.1 204 No Content\r\n\r\n";
    for (answer, expected) in [(chunked, "abc"), (empty, ""), (HELLO, "hello")] {
        assert_eq!(
            exchange(&pool, &server.url, &mut stream, answer).await,
            expected
        );
    }
    assert!(server.nobody_connects().await);
}

#[tokio::test]
async fn a_connection_that_the_server_closed_is_replaced() {
    let (server, pool) = (Server::start().await, Pool::new(OPTIONS).unwrap());
    for _ in 0..3 {
        let serve = async {
            let mut stream = server.accept().await;
            read(&mut stream).await;
            stream.write_all(HELLO.as_bytes()).await.unwrap();
            // closed as soon as it is idle
        };
        let (response, ()) = tokio::join!(within(pool.send(post(&server.url, "ask."))), serve);
        assert_eq!(text(response.unwrap()).await, "hello");
    }
}

#[tokio::test]
async fn an_answer_that_says_close_is_the_last_one() {
    let (server, pool) = (Server::start().await, Pool::new(OPTIONS).unwrap());
    for _ in 0..2 {
        let asked = pool.send(post(&server.url, "ask."));
        let serve = async {
            let mut stream = server.accept().await;
            let last = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok";
            read(&mut stream).await;
            stream.write_all(last.as_bytes()).await.unwrap();
            stream
        };
        let (response, _stream) = tokio::join!(within(asked), serve);
        assert_eq!(text(response.unwrap()).await, "ok");
    }
}

#[tokio::test]
async fn who_leaves_before_the_end_closes_the_connection() {
    let (server, pool) = (Server::start().await, Pool::new(OPTIONS).unwrap());
    // before the head
    let (url, asker) = (server.url.clone(), pool.clone());
    let asked = tokio::spawn(async move { asker.send(post(&url, "ask.")).await.is_ok() });
    let mut stream = server.accept().await;
    read(&mut stream).await;
    asked.abort();
    assert_eq!(within(stream.read(&mut [0; 8])).await.unwrap(), 0);
    // in the middle of the body, of which pieces are passed on as they come
    let asked = pool.send(post(&server.url, "ask."));
    let serve = async {
        let mut stream = server.accept().await;
        read(&mut stream).await;
        let begun = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\none";
        stream.write_all(begun.as_bytes()).await.unwrap();
        stream
    };
    let (response, mut stream) = tokio::join!(within(asked), serve);
    let mut body = response.unwrap().into_body();
    for (piece, next) in [("one", "two"), ("two", "")] {
        let frame = within(body.frame()).await.unwrap().unwrap();
        assert_eq!(frame.into_data().unwrap(), piece);
        stream.write_all(next.as_bytes()).await.unwrap();
    }
    drop(body);
    assert_eq!(within(stream.read(&mut [0; 8])).await.unwrap(), 0);
}

#[tokio::test]
async fn a_body_that_breaks_off_is_an_error() {
    let (server, pool) = (Server::start().await, Pool::new(OPTIONS).unwrap());
    let serve = async {
        let mut stream = server.accept().await;
        read(&mut stream).await;
        let begun = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\none";
        stream.write_all(begun.as_bytes()).await.unwrap();
    };
    let (response, ()) = tokio::join!(within(pool.send(post(&server.url, "ask."))), serve);
    assert!(
        within(response.unwrap().into_body().collect())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn errors_say_whether_anything_was_sent() {
    let pool = Pool::new(OPTIONS).unwrap();
    for url in ["/path", ""] {
        let mut request = post("/", "ask.");
        *request.uri_mut() = url.parse().unwrap_or_default();
        let error = pool.send(request).await.unwrap_err();
        assert!(matches!(error, Error::Url) && error.is_connect());
    }
    let server = Server::start().await;
    let url = server.url.clone();
    let serve = async {
        let mut stream = server.accept().await;
        read(&mut stream).await;
    };
    let (response, ()) = tokio::join!(within(pool.send(post(&url, "ask."))), serve);
    assert!(matches!(response, Err(Error::Broken(_))));
    drop(server);
    let error = within(pool.send(post(&url, "ask."))).await.unwrap_err();
    assert!(matches!(error, Error::Connect(_)) && error.is_connect());
}

#[tokio::test]
async fn as_many_stay_open_as_allowed_and_only_so_long() {
    let server = Server::start().await;
    let pool = Pool::new(PoolOptions {
        idle_timeout: Duration::from_millis(50),
        ..OPTIONS
    })
    .unwrap();
    let (ended, mut ends) = mpsc::unbounded_channel();
    let serve = async {
        let mut streams = Vec::new();
        for _ in 0..3 {
            streams.push(server.accept().await);
        }
        // all are open before the first is answered
        for stream in &mut streams {
            read(stream).await;
            stream.write_all(HELLO.as_bytes()).await.unwrap();
        }
        for mut stream in streams {
            let ended = ended.clone();
            tokio::spawn(async move {
                let read = stream.read(&mut [0; 8]).await.unwrap();
                ended.send(read).unwrap();
            });
        }
    };
    let ask = || async {
        let response = pool.send(post(&server.url, "ask.")).await.unwrap();
        text(response).await
    };
    let asked = async { tokio::join!(ask(), ask(), ask(), serve) };
    let (a, b, c, ()) = within(asked).await;
    assert_eq!([a, b, c], ["hello"; 3]);
    // one at once, because two are enough; the others when their time is over
    for _ in 0..3 {
        assert_eq!(within(ends.recv()).await, Some(0));
    }
    assert!(format!("{pool:?}").contains("idle: 0"));
}

/// A server that answers a long upload before it has read it.
#[tokio::test]
async fn an_early_answer_does_not_confuse_the_next_one() {
    let (server, pool) = (Server::start().await, Pool::new(OPTIONS).unwrap());
    let long = Request::post(&server.url)
        .body(Full::from(vec![b'x'; 64 << 20]))
        .unwrap();
    let serve = async {
        let mut stream = server.accept().await;
        stream.read_exact(&mut [0; 64]).await.unwrap();
        let refused = "HTTP/1.1 413 Payload Too Large\r\ncontent-length: 3\r\n\r\nno!";
        stream.write_all(refused.as_bytes()).await.unwrap();
        stream
    };
    let (response, _stream) = tokio::join!(within(pool.send(long)), serve);
    assert_eq!(text(response.unwrap()).await, "no!");
    let serve = async {
        let mut stream = server.accept().await;
        read(&mut stream).await;
        stream.write_all(HELLO.as_bytes()).await.unwrap();
        stream
    };
    let (response, _stream) = tokio::join!(within(pool.send(post(&server.url, "ask."))), serve);
    assert_eq!(text(response.unwrap()).await, "hello");
}

/// Who has heard the last word of a stream reads on to the end of the body, whenever that comes.
#[tokio::test]
async fn a_finished_answer_leaves_its_connection() {
    const STREAM: &str = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nlast\r\n";
    const END: &str = "0\r\n\r\n";
    let (server, pool) = (Server::start().await, Pool::new(OPTIONS).unwrap());
    let ask = async |begun: String, stream: Option<TcpStream>| {
        let serve = async {
            let mut stream = match stream {
                Some(stream) => stream,
                None => server.accept().await,
            };
            read(&mut stream).await;
            stream.write_all(begun.as_bytes()).await.unwrap();
            stream
        };
        let asked = within(pool.send(post(&server.url, "ask.")));
        let (response, stream) = tokio::join!(asked, serve);
        let mut body = response.unwrap().into_body();
        let last = within(body.frame()).await.unwrap().unwrap();
        assert_eq!(last.into_data().unwrap(), "last");
        (body, stream)
    };
    let idle = async || {
        while !format!("{pool:?}").contains("idle: 1") {
            tokio::task::yield_now().await;
        }
    };
    // the end comes later
    let (body, mut stream) = ask(STREAM.to_owned(), None).await;
    body.finish();
    stream.write_all(END.as_bytes()).await.unwrap();
    within(idle()).await;
    // the end is here
    let (body, stream) = ask(format!("{STREAM}{END}"), Some(stream)).await;
    body.finish();
    within(idle()).await;
    // this is no end
    let (body, mut stream) = ask(STREAM.to_owned(), Some(stream)).await;
    body.finish();
    stream
        .write_all("1\r\nx\r\n".repeat(64).as_bytes())
        .await
        .unwrap();
    let closed = within(stream.read(&mut [0; 8])).await;
    assert!(matches!(closed, Ok(0) | Err(_)), "{closed:?}");
}
