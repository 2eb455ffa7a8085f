//! Strangers and bad customers, each at one attack until they are stopped.

use crate::{
    load::{Prepared, connect},
    serving::{self, ALONE, Signer},
};
use anyhow::{Context, Result};
use atoma_types::http::{REQUEST, SIGNATURE};
use bytes::Bytes;
use http::HeaderValue;
use http_body_util::{BodyExt, Full};
use std::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    task::JoinSet,
};

/// Sockets that say little or nothing.
const SILENT: usize = 1_000;
/// Bodies that come byte by byte, under good signatures.
const SLOW: usize = 32;
/// Who send headers that lie.
const LIARS: usize = 4;
/// Who send prompts of 4 MiB that are refused.
const LONG: usize = 2;
/// Who leave their answers.
const LEAVERS: usize = 8;
/// Connections of all of them.
pub(crate) const CONNECTIONS: usize = SILENT + SLOW + LIARS + LONG + LEAVERS;
/// Requests of theirs that the node reads at once.
pub(crate) const REQUESTS: usize = SLOW + LIARS + LONG + LEAVERS;
/// Bytes of long bodies of theirs that it has at once.
pub(crate) const LONG_BYTES: usize = LONG * LONG_PROMPT;
const LONG_PROMPT: usize = 4 << 20;

/// What a connection says before it falls silent: nothing, half of HTTP/2's preface, all of it, half a head.
const SAID: [&str; 4] = [
    "",
    "PRI * HTTP/2.0\r\n",
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "POST /v1/chat/completions HTTP/1.1\r\nhost: ",
];
/// A slow body's next byte.
const SLOWLY: Duration = Duration::from_secs(2);

/// They run until dropped.
pub(crate) struct Attackers {
    _tasks: JoinSet<()>,
    done: Arc<Done>,
}

/// What they did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    silent: AtomicU64,
    slow: AtomicU64,
    lies: AtomicU64,
    refused: AtomicU64,
    left: AtomicU64,
}

impl Attackers {
    pub(crate) fn start(node: &str, signer: &Arc<Signer>) -> Result<Self> {
        let address: SocketAddr = node.parse().context("the node's address")?;
        let (mut tasks, done) = (JoinSet::new(), Arc::new(Done::default()));
        for number in 0..SILENT {
            tasks.spawn(silent(address, number, Arc::clone(&done)));
        }
        for _ in 0..SLOW {
            tasks.spawn(slow(address, Arc::clone(signer), Arc::clone(&done)));
        }
        for number in 0..LIARS {
            tasks.spawn(lie(
                node.to_owned(),
                number,
                Arc::clone(signer),
                Arc::clone(&done),
            ));
        }
        let long = serving::chat(&"word ".repeat(LONG_PROMPT / 5 - 100), false);
        for _ in 0..LONG {
            let (long, done) = (long.clone(), Arc::clone(&done));
            tasks.spawn(refused(node.to_owned(), long, Arc::clone(signer), done));
        }
        for _ in 0..LEAVERS {
            tasks.spawn(leave(
                node.to_owned(),
                Arc::clone(signer),
                Arc::clone(&done),
            ));
        }
        Ok(Self {
            _tasks: tasks,
            done,
        })
    }

    /// Ends them and says what they did.
    pub(crate) fn stop(self) -> Arc<Done> {
        self.done
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [silent, slow, lies, refused, left] = [
            &self.silent,
            &self.slow,
            &self.lies,
            &self.refused,
            &self.left,
        ]
        .map(|count| count.load(Relaxed));
        write!(
            f,
            "attackers: {silent} silent sockets, {slow} slow bodies, {lies} lying headers, {refused} refused prompts \
             of 4 MiB, {left} answers left"
        )
    }
}

/// Silent again and again, from one of four other machines as far as the node sees.
async fn silent(to: SocketAddr, number: usize, done: Arc<Done>) {
    // at most four
    let machine = (number % 4) as u8;
    loop {
        let open = async {
            let socket = TcpSocket::new_v4()?;
            socket.bind((Ipv4Addr::new(127, 0, 1, 1 + machine), 0).into())?;
            let mut stream = socket.connect(to).await?;
            stream
                .write_all(SAID[number / 4 % SAID.len()].as_bytes())
                .await?;
            done.silent.fetch_add(1, Relaxed);
            // until the node has had enough
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).await
        };
        if open.await.is_err() {
            tokio::time::sleep(SLOWLY).await;
        }
    }
}

async fn slow(to: SocketAddr, signer: Arc<Signer>, done: Arc<Done>) {
    let body = serving::body(false);
    loop {
        let mut head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\ncontent-length: {}\r\n",
            body.len()
        );
        for (name, value) in signer.requests(&body, 1, ALONE)(0).headers() {
            let value = value.to_str().unwrap_or_default();
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let send = async {
            let mut stream = TcpStream::connect(to).await?;
            stream.write_all(format!("{head}\r\n").as_bytes()).await?;
            done.slow.fetch_add(1, Relaxed);
            for byte in &body {
                stream.write_all(&[*byte]).await?;
                tokio::time::sleep(SLOWLY).await;
            }
            std::io::Result::Ok(())
        };
        if send.await.is_err() {
            tokio::time::sleep(SLOWLY).await;
        }
    }
}

/// Sends what `next` makes, again and again, over one connection as long as it lives.
async fn again(node: &str, mut next: impl FnMut() -> Prepared, whole: bool, count: &AtomicU64) {
    loop {
        let Ok(mut sender) = connect(node).await else {
            tokio::time::sleep(SLOWLY).await;
            continue;
        };
        while sender.ready().await.is_ok() {
            let Ok(response) = sender.send_request(next()).await else {
                break;
            };
            count.fetch_add(1, Relaxed);
            let mut body = response.into_body();
            if !whole {
                // the first bytes, and the connection with the rest is gone
                let _ = body.frame().await;
                break;
            }
            while let Some(Ok(_)) = body.frame().await {}
        }
    }
}

async fn lie(node: String, number: usize, signer: Arc<Signer>, done: Arc<Done>) {
    let body = serving::body(false);
    let mut turn = number;
    let next = || {
        turn += 1;
        let mut request = signer.requests(&body, 1, ALONE)(0);
        let other = signer.requests(&Bytes::from_static(b"{}"), 1, ALONE)(0);
        // the signature of another header, what is no header, or none
        let (name, lie) = match turn % 3 {
            0 => (SIGNATURE, other.headers().get(SIGNATURE).cloned()),
            1 => (REQUEST, Some(HeaderValue::from_static("AAAA"))),
            _ => (REQUEST, None),
        };
        let headers = request.headers_mut();
        headers.remove(name);
        if let Some(lie) = lie {
            headers.insert(name, lie);
        }
        request
    };
    again(&node, next, true, &done.lies).await;
}

async fn refused(node: String, long: Bytes, signer: Arc<Signer>, done: Arc<Done>) {
    let next = || signer.requests(&long, 1, ALONE)(0);
    again(&node, next, true, &done.refused).await;
}

async fn leave(node: String, signer: Arc<Signer>, done: Arc<Done>) {
    let body = serving::body(true);
    let next = || -> hyper::Request<Full<Bytes>> { signer.requests(&body, 1, ALONE)(0) };
    again(&node, next, false, &done.left).await;
}
