//! A relay that a dishonest operator puts before a node: users reach the node only through it, and it lies about what the
//! node has answered. It is a program of its own: the node behind it is as honest as any.

use atoma_keys::{SigningKey, read_private};
use atoma_runtime::Threads;
use atoma_types::{
    ComputeUnits,
    http::RECEIPT,
    message::{Receipt, Signed},
    refusal::{Refusal, RefusalCode},
};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

/// The requests that it lies about.
const LIED_ABOUT: &str = "POST /v1/chat/completions ";

/// What it does with an answer.
#[derive(Clone)]
pub(crate) enum Lie {
    /// It keeps every other one from the second on, and says that the node failed; the node's receipt says that it didn't.
    SaysThatItFailed,
    /// It charges a thousand units more than were used, and signs that with the node's key, which is in this file.
    ChargesMore(PathBuf),
}

/// One that runs, until the test ends.
pub(crate) struct Liar {
    /// Where users are to ask.
    pub(crate) url: String,
    /// Where the node is to listen: nobody else does, for the port is the liar's.
    pub(crate) node: SocketAddr,
    asked: Arc<AtomicUsize>,
}

impl Liar {
    /// Stands before a node that isn't there yet.
    pub(crate) fn start(lie: Lie) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let node = SocketAddr::from(([127, 0, 0, 2], address.port()));
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let serve = move || {
            for user in listener.incoming().map_while(Result::ok) {
                let (lie, asked) = (lie.clone(), Arc::clone(&counted));
                let one = move || relay(user, node, &lie, &asked);
                Threads::Real.spawn("liar's user", one).unwrap();
            }
        };
        Threads::Real.spawn("liar", serve).unwrap();
        let url = format!("http://{address}");
        Self { url, node, asked }
    }

    /// How many answers it could lie about so far.
    pub(crate) fn asked(&self) -> usize {
        self.asked.load(SeqCst)
    }
}

/// One request and its answer; nothing, where one side hangs up.
fn relay(mut user: TcpStream, node: SocketAddr, lie: &Lie, asked: &AtomicUsize) -> Option<()> {
    let (head, body) = request(&user)?;
    let mut behind = TcpStream::connect(node).ok()?;
    behind.write_all(head.as_bytes()).ok()?;
    behind.write_all(&body).ok()?;
    let mut answer = Vec::new();
    behind.read_to_end(&mut answer).ok()?;
    if head.starts_with(LIED_ABOUT) {
        let number = asked.fetch_add(1, SeqCst);
        answer = told(answer, lie, number);
    }
    user.write_all(&answer).ok()
}

/// A request's head, by which the connection ends after it, and its body.
fn request(user: &TcpStream) -> Option<(String, Vec<u8>)> {
    let mut reader = BufReader::new(user);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let (name, value) = line.split_once(':').unwrap_or_default();
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
        match line.trim_end() {
            "" if line.is_empty() => return None,
            "" => break,
            _ if name.eq_ignore_ascii_case("connection") => {}
            _ => head.push_str(&line),
        }
    }
    head.push_str("connection: close\r\n\r\n");
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}

/// What the user is told instead of an answer.
fn told(answer: Vec<u8>, lie: &Lie, number: usize) -> Vec<u8> {
    match lie {
        // who has only ever failed is asked last
        Lie::SaysThatItFailed if number.is_multiple_of(2) => answer,
        Lie::SaysThatItFailed => failure(),
        Lie::ChargesMore(file) => charged_more(&answer, file).unwrap_or(answer),
    }
}

/// What is said instead of an answer.
fn failure() -> Vec<u8> {
    let refusal = Refusal::new(RefusalCode::Internal, "the engine failed").to_json();
    let length = refusal.len();
    let head = "HTTP/1.1 500 Internal Server Error\r\ncontent-type: application/json";
    format!("{head}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{refusal}").into()
}

/// The same answer with another receipt in its head; none, if it has no receipt there.
fn charged_more(answer: &[u8], file: &Path) -> Option<Vec<u8>> {
    let key = read_private(file).ok()??;
    let key = SigningKey::from_suiprivkey(key.trim()).ok()?;
    let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n")?;
    let (head, rest) = answer.split_at(end);
    let head = std::str::from_utf8(head).ok()?;
    let name = format!("{RECEIPT}: ");
    let line = head.lines().find_map(|line| line.strip_prefix(&name))?;
    let receipt: Signed<Receipt> = Signed::from_text(line).ok()?;
    let more = |units: ComputeUnits| units.saturating_add(ComputeUnits(1_000));
    let receipt = Receipt {
        units: more(receipt.message().units),
        cumulative_units: more(receipt.message().cumulative_units),
        ..receipt.message().clone()
    };
    let head = head.replace(line, &Signed::new(receipt, &key).to_text());
    Some([head.as_bytes(), rest].concat())
}
