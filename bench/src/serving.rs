//! Whole answers over an instant upstream: what node and gateway add.

mod figures;

use self::figures::Figures;
use crate::{
    load::{self, Prepared},
    network::{Bench, Evidence, MODEL},
    rounds::{self, Lane, Requests, Size, per},
};
use anyhow::{Result, anyhow};
use atoma_bench_report::Report;
use atoma_keys::{SigningKey, Verifier};
use atoma_runtime::Runtime;
use atoma_types::{
    ComputeUnits, DurationMs, NetworkId, NodeId, Sign, StackId, TaskId, http,
    message::{CommitmentKind, Draft, Endpoint, Origin, RequestHeader, Salt, Signed},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http_body_util::Full;
use std::{
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

/// Goals of the project, in CPU-microseconds per request.
const NODE_GOAL: f64 = 80.0;
const BOTH_GOAL: f64 = 150.0;
/// More than any request of the bench costs.
const MAX_UNITS: ComputeUnits = ComputeUnits(4_096);
/// Connections of the memory cell.
const WIDE: usize = 256;
/// Requests in one signature: of users with few of them, and as busy gateways sign them.
pub(crate) const ALONE: usize = 1;
const TOGETHER: usize = 8;
/// Signatures that time the cryptography alone.
const SIGNATURES: usize = 1_000;
/// A prompt of about 0.8 KB, as in the published comparisons.
const PROMPT_WORDS: usize = 130;

pub(crate) async fn run(atoma: &Path, size: Size) -> Result<Report> {
    let bench = Bench::start(atoma, None, Evidence::None).await?;
    let (plain, signer) = (&body(false), &Signer::new(&bench));
    let (floor, floor_address) = bench.floor()?;
    let (gateway, gateway_address, key) = bench.gateway().await?;
    let lanes = [
        Lane {
            name: "direct",
            goal: None,
            measured: Vec::new(),
            address: bench.upstream_address.clone(),
            prepare: Box::new(move |_| relay(plain, None)),
        },
        Lane {
            name: "bare hyper proxy",
            goal: None,
            measured: vec![&floor],
            address: floor_address,
            prepare: Box::new(move |_| relay(plain, None)),
        },
        Lane {
            name: "node",
            goal: Some(NODE_GOAL),
            measured: vec![&bench.node],
            address: bench.node_address.clone(),
            prepare: Box::new(move |count| Box::new(signer.requests(plain, count, ALONE))),
        },
        Lane {
            name: "node, requests signed 8 at once",
            goal: Some(NODE_GOAL),
            measured: vec![&bench.node],
            address: bench.node_address.clone(),
            prepare: Box::new(move |count| Box::new(signer.requests(plain, count, TOGETHER))),
        },
        Lane {
            name: "gateway + node",
            goal: Some(BOTH_GOAL),
            measured: vec![&gateway, &bench.node],
            address: gateway_address,
            prepare: Box::new(|_| relay(plain, Some(&key))),
        },
    ];
    let mut ed25519 = Vec::new();
    let turns = rounds::run(&lanes, size, || ed25519.push(signatures(signer))).await?;
    let wide = load::run(
        &bench.node_address,
        WIDE,
        size.requests,
        signer.requests(plain, size.requests, ALONE),
    )
    .await?;
    let figures = Figures {
        turns: turns
            .try_into()
            .map_err(|_| anyhow!("there are five lanes"))?,
        ed25519,
        memory_mib: [
            bench.node.memory_kib()? / 1_024,
            gateway.memory_kib()? / 1_024,
        ],
        wide_answers: wide.ok,
    };
    rounds::head(size);
    figures.print();
    Ok(Report::of_today("serving", size.setup(), figures.table()))
}

/// Microseconds of what ed25519 alone costs here: one strict verification and one signature by the
/// implementations that the node uses.
fn signatures(signer: &Signer) -> f64 {
    let (header, key) = (signer.header(&Bytes::new()), signer.key.public_key());
    let signed = Signed::new(header, &signer.key);
    // the bench's own key is a valid point
    let Ok(verifier) = Verifier::new(&key) else {
        return 0.0;
    };
    let pass = |count| {
        for _ in 0..count {
            std::hint::black_box(signed.verify(&verifier).is_ok());
            std::hint::black_box(signer.key.sign(signed.bytes()));
        }
    };
    // the key's table is there after these
    pass(SIGNATURES);
    let started = Instant::now();
    pass(SIGNATURES);
    per(started.elapsed(), SIGNATURES)
}

pub(crate) fn body(stream: bool) -> Bytes {
    chat(&"word ".repeat(PROMPT_WORDS), stream)
}

pub(crate) fn chat(prompt: &str, stream: bool) -> Bytes {
    let body = serde_json::json!({
        "model": MODEL,
        "messages": [{ "role": "user", "content": prompt }],
        "max_tokens": 128,
        "stream": stream,
    });
    Bytes::from(body.to_string())
}

/// Unsigned requests, for what isn't a node.
pub(crate) fn relay(body: &Bytes, key: Option<&str>) -> Requests {
    let (body, key) = (body.clone(), key.map(str::to_owned));
    Box::new(move |_| unsigned(&body, key.as_deref()))
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

/// The three headers of a signed request.
struct SignedHeaders {
    header: String,
    signature: String,
    salt: String,
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
        at_once: usize,
    ) -> impl Fn(usize) -> Prepared + Send + Sync + 'static {
        let drafts: Vec<_> = (0..count).map(|_| Draft::new(self.header(body))).collect();
        let batches = drafts.chunks(at_once);
        let signed = batches.flat_map(|batch| Draft::sign_all(batch.to_vec(), &self.key));
        let signed: Vec<_> = signed
            .map(|signed| SignedHeaders {
                header: BASE64_STANDARD.encode(signed.bytes()),
                signature: BASE64_STANDARD.encode(signed.signature().to_bytes()),
                salt: salt().to_text().to_string(),
            })
            .collect();
        let body = body.clone();
        move |number| signed[number].request(&body)
    }

    fn header(&self, body: &Bytes) -> RequestHeader {
        let now = Runtime::system().now();
        let rise = MAX_UNITS.0;
        let ceiling = self.ceiling.fetch_add(rise, Ordering::Relaxed) + rise * 1_024;
        RequestHeader {
            domain: Default::default(),
            network: self.network,
            stack: self.stack,
            node: self.node,
            task: self.task,
            request_id: Runtime::system().request_id(),
            endpoint: Endpoint::ChatCompletions,
            body_hash: salt().commit(CommitmentKind::Request, body),
            lane: 0,
            ceiling: ComputeUnits(ceiling),
            max_units: MAX_UNITS,
            issued_at_ms: now,
            expires_at_ms: now.saturating_add(DurationMs(115_000)),
            origin: Origin::Own,
        }
    }
}

/// Of every request here: nothing is measured by it.
fn salt() -> Salt {
    Salt::new([9; 32])
}

impl SignedHeaders {
    fn request(&self, body: &Bytes) -> Prepared {
        let mut request = unsigned(body, None);
        let headers = request.headers_mut();
        // base64 is valid in headers
        let values = [&self.header, &self.signature, &self.salt].map(|value| value.parse());
        if let [Ok(header), Ok(signature), Ok(salt)] = values {
            headers.insert(http::REQUEST, header);
            headers.insert(http::SIGNATURE, signature);
            headers.insert(http::SALT, salt);
        }
        request
    }
}
