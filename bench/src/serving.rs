//! The serving path over an instant upstream: what node and gateway add.

use crate::{
    load::{self, Outcome, Prepared},
    network::{Bench, MODEL},
    process::Process,
};
use anyhow::Result;
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
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Goals of the project, in CPU-microseconds per request.
const NODE_GOAL: u128 = 80;
const BOTH_GOAL: u128 = 150;
/// More than any request of the bench costs.
const MAX_UNITS: ComputeUnits = ComputeUnits(4_096);
/// Connections of the throughput cells.
const CONNECTIONS: usize = 64;
/// A prompt of about 0.8 KB, as in the published comparisons.
const PROMPT_WORDS: usize = 130;

pub(crate) async fn run(atoma: &Path, requests: usize) -> Result<()> {
    let bench = Bench::start(atoma).await?;
    let plain = body(false);
    let stream = body(true);
    let signer = Arc::new(Signer::new(&bench));

    println!("instant upstream, {CONNECTIONS} connections, {requests} requests a cell");
    println!(
        "{:34} {:>10} {:>8} {:>10} {:>10} {:>10}",
        "", "CPU-us/req", "goal", "p50 us", "p99 us", "req/s"
    );
    let direct = {
        let body = plain.clone();
        load::run(&bench.upstream_address, CONNECTIONS, requests, move |_| {
            unsigned(&body, None)
        })
        .await?
    };
    row("direct", None, None, &direct);

    warm_up(&bench, &signer, &plain).await?;
    let node = {
        let (signer, body) = (Arc::clone(&signer), plain.clone());
        // signed before the clock starts: the client's signatures are not the node's cost
        let prepared = signer.prepare(&body, requests);
        measured(&bench.node, &bench.node_address, requests, move |i| {
            prepared[i].request(&body)
        })
        .await?
    };
    row("node", Some(node.0), Some(NODE_GOAL), &node.1);

    let (gateway, gateway_address, key) = bench.gateway().await?;
    let ask = |body: Bytes, key: String| move |_| unsigned(&body, Some(&key));
    load::run(
        &gateway_address,
        CONNECTIONS,
        2_000,
        ask(plain.clone(), key.clone()),
    )
    .await?;
    let before = bench.node.cpu()?;
    let both = measured(
        &gateway,
        &gateway_address,
        requests,
        ask(plain.clone(), key.clone()),
    )
    .await?;
    let node_part = per_request(bench.node.cpu()?.saturating_sub(before), requests);
    row(
        "gateway + node",
        Some(both.0 + node_part),
        Some(BOTH_GOAL),
        &both.1,
    );
    println!("{:34} {:>10}", "  of which gateway", both.0);

    let streams = requests / 10;
    let direct = {
        let body = stream.clone();
        load::run(&bench.upstream_address, CONNECTIONS, streams, move |_| {
            unsigned(&body, None)
        })
        .await?
    };
    let through = {
        let (signer, body) = (Arc::clone(&signer), stream.clone());
        let prepared = signer.prepare(&body, streams);
        measured(&bench.node, &bench.node_address, streams, move |i| {
            prepared[i].request(&body)
        })
        .await?
    };
    let first = |outcome: &Outcome| Outcome::micros(&outcome.first_byte, 0.5);
    println!(
        "\nfirst token at {CONNECTIONS} streams: direct {} us, node {} us, added {} us (goal: under 1000)",
        first(&direct),
        first(&through.1),
        first(&through.1).saturating_sub(first(&direct)),
    );
    println!("CPU per stream at the node: {} us", through.0);
    let wide = {
        let (signer, body) = (Arc::clone(&signer), plain.clone());
        let prepared = signer.prepare(&body, requests / 4);
        load::run(&bench.node_address, 256, requests / 4, move |i| {
            prepared[i].request(&body)
        })
        .await?
    };
    println!(
        "memory at 256 connections: node {} MiB, gateway {} MiB ({} requests answered)",
        bench.node.memory_kib()? / 1_024,
        gateway.memory_kib()? / 1_024,
        wide.ok,
    );
    Ok(())
}

async fn warm_up(bench: &Bench, signer: &Arc<Signer>, body: &Bytes) -> Result<()> {
    let prepared = signer.prepare(body, 2_000);
    let body = body.clone();
    load::run(&bench.node_address, CONNECTIONS, 2_000, move |i| {
        prepared[i].request(&body)
    })
    .await?;
    Ok(())
}

/// CPU of a process per request, and the load's own outcome.
async fn measured(
    process: &Process,
    address: &str,
    requests: usize,
    prepare: impl Fn(usize) -> Prepared + Send + Sync + 'static,
) -> Result<(u128, Outcome)> {
    let before = process.cpu()?;
    let outcome = load::run(address, CONNECTIONS, requests, prepare).await?;
    Ok((
        per_request(process.cpu()?.saturating_sub(before), requests),
        outcome,
    ))
}

fn per_request(cpu: std::time::Duration, requests: usize) -> u128 {
    cpu.as_micros() / requests as u128
}

fn row(name: &str, cpu: Option<u128>, goal: Option<u128>, outcome: &Outcome) {
    let text = |value: Option<u128>| value.map_or_else(|| "-".to_owned(), |v| v.to_string());
    println!(
        "{name:34} {:>10} {:>8} {:>10} {:>10} {:>10}",
        text(cpu),
        text(goal),
        Outcome::micros(&outcome.total, 0.5),
        Outcome::micros(&outcome.total, 0.99),
        (outcome.ok as u128 * 1_000_000)
            .checked_div(outcome.wall.as_micros())
            .unwrap_or(0),
    );
}

fn body(stream: bool) -> Bytes {
    let prompt = "word ".repeat(PROMPT_WORDS);
    let body = serde_json::json!({
        "model": MODEL,
        "messages": [{ "role": "user", "content": prompt }],
        "max_tokens": 128,
        "stream": stream,
    });
    Bytes::from(body.to_string())
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
struct Signer {
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
    fn new(bench: &Bench) -> Self {
        Self {
            network: bench.ledger.network(),
            stack: bench.stack,
            node: bench.node_id,
            task: bench.task,
            key: SigningKey::from_seed(&bench.request_key.to_seed()),
            ceiling: AtomicU64::new(0),
        }
    }

    fn prepare(&self, body: &Bytes, count: usize) -> Vec<SignedHeaders> {
        let now = TimestampMs::now();
        (0..count)
            .map(|_| {
                let rise = MAX_UNITS.0;
                let ceiling = self.ceiling.fetch_add(rise, Ordering::Relaxed) + rise * 1_024;
                let header = RequestHeader {
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
                };
                let signed = Signed::new(header, &self.key);
                SignedHeaders {
                    header: BASE64_STANDARD.encode(signed.bytes()),
                    signature: BASE64_STANDARD.encode(signed.signature().0),
                }
            })
            .collect()
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
