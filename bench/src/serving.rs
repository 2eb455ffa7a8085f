//! The serving path over an instant upstream: what node and gateway add.

use crate::{
    load::{self, Outcome, Prepared},
    network::{Bench, Evidence, MODEL},
    process::Process,
};
use anyhow::{Context, Result};
use atoma_types::{
    ComputeUnits, DurationMs, NetworkId, NodeId, RequestId, SigningKey, StackId, TaskId,
    TimestampMs,
    hash::Hash32,
    http,
    message::{Endpoint, RequestHeader, Signed},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body_util::Full;
use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Goals of the project, in CPU-microseconds per request.
const NODE_GOAL: u128 = 80;
const BOTH_GOAL: u128 = 150;
/// More than any request of the bench costs.
const MAX_UNITS: ComputeUnits = ComputeUnits(4_096);
/// Connections of the throughput cells.
pub(crate) const CONNECTIONS: usize = 64;
/// And of the memory cell.
const WIDE: usize = 256;
/// Added time to the first token.
const TTFT_GOAL_US: i128 = 1_000;
/// A quick model's pace.
const PACE: Duration = Duration::from_millis(5);
/// Passes of each cell.
const PASSES: usize = 3;
/// Requests before a cell is measured: connections, caches and the allocator are warm then.
const WARM_UP: usize = 2_000;
/// Signatures that time the cryptography alone.
const SIGNATURES: u32 = 2_000;
/// A prompt of about 0.8 KB, as in the published comparisons.
const PROMPT_WORDS: usize = 130;

pub(crate) async fn run(atoma: &Path, requests: usize) -> Result<()> {
    let bench = Bench::start(atoma, None, Evidence::None).await?;
    let plain = body(false);
    let signer = Signer::new(&bench);
    let ed25519 = signatures(&signer);

    println!(
        "instant upstream, {CONNECTIONS} connections, {requests} requests a pass, the best of {PASSES} passes"
    );
    println!(
        "{:34} {:>10} {:>8} {:>10} {:>10} {:>10}",
        "", "CPU-us/req", "goal", "p50 us", "p99 us", "req/s"
    );
    let direct = best(&[], &bench.upstream_address, requests, || {
        relay(&plain, None)
    })
    .await?;
    row("direct", None, &direct);
    let (floor, address) = bench.floor()?;
    let bare = best(&[&floor], &address, requests, || relay(&plain, None)).await?;
    row("bare hyper proxy", None, &bare);
    println!(
        "{:34} {ed25519:>10}   one strict verification, one signature",
        "ed25519"
    );
    let node = best(&[&bench.node], &bench.node_address, requests, || {
        signer.requests(&plain, requests)
    })
    .await?;
    row("node", Some(NODE_GOAL), &node);

    let (gateway, address, key) = bench.gateway().await?;
    let both = best(&[&gateway, &bench.node], &address, requests, || {
        relay(&plain, Some(&key))
    })
    .await?;
    row("gateway + node", Some(BOTH_GOAL), &both);
    println!("{:34} {:>10}", "  of which gateway", both.cpu[0]);
    let limit = bare.total() + ed25519;
    println!(
        "beside proxy + ed25519: node {}, gateway + node {}",
        ratio(node.total(), limit),
        ratio(both.total(), 2 * limit),
    );

    let wide = load::run(
        &bench.node_address,
        WIDE,
        requests / 4,
        signer.requests(&plain, requests / 4),
    )
    .await?;
    println!(
        "memory at {WIDE} connections: node {} MiB, gateway {} MiB ({} requests answered)",
        bench.node.memory_kib()? / 1_024,
        gateway.memory_kib()? / 1_024,
        wide.ok,
    );
    drop((bench, gateway, floor));
    streams(atoma, requests / 5).await
}

/// Time to the first token at 64 streams, at the pace of a model: what the node adds is its own
/// work and not the queue before a saturated core.
async fn streams(atoma: &Path, requests: usize) -> Result<()> {
    let bench = Bench::start(atoma, Some(PACE), Evidence::None).await?;
    let (signer, body) = (Signer::new(&bench), body(true));
    let direct = best(&[], &bench.upstream_address, requests, || {
        relay(&body, None)
    })
    .await?;
    let node = best(&[&bench.node], &bench.node_address, requests, || {
        signer.requests(&body, requests)
    })
    .await?;
    let first =
        |cell: &Cell, quantile| Outcome::micros(&cell.outcome.first_byte, quantile).cast_signed();
    println!(
        "\n{CONNECTIONS} streams, a token every {} ms, {requests} streams a pass",
        PACE.as_millis()
    );
    for (name, quantile) in [("p50", 0.5), ("p99", 0.99)] {
        let (direct, node) = (first(&direct, quantile), first(&node, quantile));
        println!(
            "time to first token {name}: direct {direct} us, node {node} us, added {} us (goal {TTFT_GOAL_US})",
            node - direct
        );
    }
    println!(
        "CPU-us per stream of 16 tokens at the node: {}",
        node.total()
    );
    Ok(())
}

/// The best of several passes: other work on the machine only adds.
pub(crate) async fn best<P>(
    measured: &[&Process],
    address: &str,
    requests: usize,
    prepare: impl Fn() -> P,
) -> Result<Cell>
where
    P: Fn(usize) -> Prepared + Send + Sync + 'static,
{
    load::run(address, CONNECTIONS, WARM_UP.min(requests), prepare()).await?;
    let mut best: Option<Cell> = None;
    for _ in 0..PASSES {
        let cell = pass(measured, address, requests, prepare()).await?;
        if best.as_ref().is_none_or(|b| cell.total() < b.total()) {
            best = Some(cell);
        }
    }
    best.context("there is at least one pass")
}

async fn pass(
    measured: &[&Process],
    address: &str,
    requests: usize,
    prepare: impl Fn(usize) -> Prepared + Send + Sync + 'static,
) -> Result<Cell> {
    let used = || {
        measured
            .iter()
            .map(|process| process.cpu())
            .collect::<Result<Vec<_>>>()
    };
    let before = used()?;
    let outcome = load::run(address, CONNECTIONS, requests, prepare).await?;
    let cpu = used()?
        .iter()
        .zip(before)
        .map(|(after, before)| after.saturating_sub(before).as_micros() / requests as u128)
        .collect();
    Ok(Cell { cpu, outcome })
}

/// One pass: the load's outcome, and what each measured process used for a request.
pub(crate) struct Cell {
    cpu: Vec<u128>,
    outcome: Outcome,
}

impl Cell {
    /// CPU of all measured processes; without any, the median time.
    pub(crate) fn total(&self) -> u128 {
        if self.cpu.is_empty() {
            return Outcome::micros(&self.outcome.total, 0.5);
        }
        self.cpu.iter().sum()
    }
}

pub(crate) fn row(name: &str, goal: Option<u128>, cell: &Cell) {
    let text = |value: Option<u128>| value.map_or_else(|| "-".to_owned(), |v| v.to_string());
    let outcome = &cell.outcome;
    println!(
        "{name:34} {:>10} {:>8} {:>10} {:>10} {:>10}",
        text((!cell.cpu.is_empty()).then(|| cell.total())),
        text(goal),
        Outcome::micros(&outcome.total, 0.5),
        Outcome::micros(&outcome.total, 0.99),
        (outcome.ok as u128 * 1_000_000)
            .checked_div(outcome.wall.as_micros())
            .unwrap_or(0),
    );
}

/// Two decimals of a quotient.
pub(crate) fn ratio(a: u128, b: u128) -> String {
    let hundredths = (a * 100).checked_div(b).unwrap_or(0);
    format!("{}.{:02}x", hundredths / 100, hundredths % 100)
}

/// Microseconds of what ed25519 alone costs here: one strict verification and one signature by the
/// implementations that the node uses.
fn signatures(signer: &Signer) -> u128 {
    let (header, key) = (signer.header(&Bytes::new()), signer.key.public_key());
    let signed = Signed::new(header, &signer.key);
    // the bench's own key is a valid point
    let Ok(verifier) = key.verifier() else {
        return 0;
    };
    (0..PASSES)
        .map(|_| {
            let started = Instant::now();
            for _ in 0..SIGNATURES {
                std::hint::black_box(signed.verify_with(&verifier).is_ok());
                std::hint::black_box(signer.key.sign(signed.bytes()));
            }
            started.elapsed().as_micros() / u128::from(SIGNATURES)
        })
        .min()
        .unwrap_or_default()
}

pub(crate) fn body(stream: bool) -> Bytes {
    let prompt = "word ".repeat(PROMPT_WORDS);
    let body = serde_json::json!({
        "model": MODEL,
        "messages": [{ "role": "user", "content": prompt }],
        "max_tokens": 128,
        "stream": stream,
    });
    Bytes::from(body.to_string())
}

/// Unsigned requests, for what isn't a node.
fn relay(body: &Bytes, key: Option<&str>) -> impl Fn(usize) -> Prepared + Send + Sync + 'static {
    let (body, key) = (body.clone(), key.map(str::to_owned));
    move |_| unsigned(&body, key.as_deref())
}

fn unsigned(body: &Bytes, key: Option<&str>) -> Prepared {
    let mut request = hyper::Request::post("/v1/chat/completions")
        .header("host", "bench")
        .header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("authorization", format!("Bearer {key}"));
    }
    // the parts are constants and valid
    request.body(Full::new(body.clone())).unwrap_or_default()
}

/// Signs requests on the bench's stack, all in lane 0 with ceilings that only rise.
pub(crate) struct Signer {
    network: NetworkId,
    stack: StackId,
    node: NodeId,
    task: TaskId,
    key: SigningKey,
    ceiling: AtomicU64,
}

/// The two headers of a signed request.
struct SignedHeaders {
    header: String,
    signature: String,
}

impl Signer {
    pub(crate) fn new(bench: &Bench) -> Self {
        Self {
            network: bench.ledger.network(),
            stack: bench.stack,
            node: bench.node_id,
            task: bench.task,
            key: SigningKey::from_seed(&bench.request_key.to_seed()),
            ceiling: AtomicU64::new(0),
        }
    }

    /// Requests that are signed before the clock starts: the client's signatures are not the
    /// node's cost.
    pub(crate) fn requests(
        &self,
        body: &Bytes,
        count: usize,
    ) -> impl Fn(usize) -> Prepared + Send + Sync + 'static {
        let signed: Vec<_> = (0..count)
            .map(|_| {
                let signed = Signed::new(self.header(body), &self.key);
                SignedHeaders {
                    header: BASE64_STANDARD.encode(signed.bytes()),
                    signature: BASE64_STANDARD.encode(signed.signature().0),
                }
            })
            .collect();
        let body = body.clone();
        move |number| signed[number].request(&body)
    }

    fn header(&self, body: &Bytes) -> RequestHeader {
        let now = TimestampMs::now();
        let rise = MAX_UNITS.0;
        let ceiling = self.ceiling.fetch_add(rise, Ordering::Relaxed) + rise * 1_024;
        RequestHeader {
            domain: Default::default(),
            network: self.network,
            stack: self.stack,
            node: self.node,
            task: self.task,
            request_id: RequestId::random(),
            endpoint: Endpoint::ChatCompletions,
            body_hash: Hash32::of(body),
            lane: 0,
            ceiling: ComputeUnits(ceiling),
            max_units: MAX_UNITS,
            issued_at_ms: now,
            expires_at_ms: now.saturating_add(DurationMs(115_000)),
            evidence: None,
        }
    }
}

impl SignedHeaders {
    fn request(&self, body: &Bytes) -> Prepared {
        let mut request = unsigned(body, None);
        let headers = request.headers_mut();
        // base64 is valid in headers
        if let (Ok(header), Ok(signature)) = (self.header.parse(), self.signature.parse()) {
            headers.insert(http::REQUEST, header);
            headers.insert(http::SIGNATURE, signature);
        }
        request
    }
}
