//! Walrus's coding: ids, encoding and decoding on one core and on all, beside Mysten's own encoder
//! (`@mysten/walrus-wasm`, if node is there) and beside what bare Reed-Solomon coding of the whole
//! matrix plus as many hashes cost, one after the other, with the same two crates.
//!
//! CPU time of one core, but for the column "id, all", which is wall time on all. The allocator is
//! the one of `atoma`. Arguments choose cases, as `shards:bytes`; after `--report`, a folder for the
//! figures' table.

use anyhow::{Context, Result, ensure};
use atoma_bench_report::{Report, Table};
use atoma_walrus::coding::{Params, Sliver, decode_primary, encode, metadata_of};
use blake2b_simd::many::{HashManyJob, hash_many};
use reed_solomon_simd::{ReedSolomonDecoder, ReedSolomonEncoder};
use std::{
    collections::HashMap,
    hint::black_box,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
    time::{Duration, Instant},
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Shards and bytes. Ten shards hold at most 1,834,952 bytes.
const CASES: [(usize, usize); 9] = [
    (10, 2 << 10),
    (10, 64 << 10),
    (10, 1 << 20),
    (10, 1_834_952),
    (1000, 2 << 10),
    (1000, 445_556),
    (1000, 1 << 20),
    (1000, 16 << 20),
    (1000, 64 << 20),
];
/// Mysten's encoder keeps the whole matrix in a memory of 4 GiB, several times.
const PEER_BYTES: usize = 16 << 20;
/// At least so many runs of each, and at least for so long.
const RUNS: u32 = 3;
const ENOUGH: Duration = Duration::from_millis(500);
/// What the report says of the figures.
const SETUP: &str = "CPU time of one core; × is how many times faster than `@mysten/walrus-wasm`, goal 5; decoding from the last primary slivers, the worst case";
/// The report's columns.
const COLUMNS: [&str; 8] = [
    "Shards",
    "Bytes",
    "id, ms",
    "×",
    "encode, ms",
    "×",
    "decode, ms",
    "×",
];
/// Hashes prepared together in the limit's figure.
const GROUP: usize = 64;
/// What an inner node hashes.
const INNER: usize = 65;

#[derive(Clone, Copy, Default)]
struct Figures {
    blob_id: [u8; 32],
    id: Duration,
    encode: Duration,
    decode: Duration,
}

fn main() -> Result<()> {
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
    let Asked { cases, report } = asked()?;
    let peers = peers(&cases).unwrap_or_else(|error| {
        println!("(no figures of @mysten/walrus-wasm: {error:#})");
        HashMap::new()
    });
    let mut table = Table::new(&[], &COLUMNS);
    heading();
    for case in cases {
        let ours = one.install(|| measure(case))?;
        let blob = content(case.1);
        let params = Params::new(case.0)?;
        let all = mean(wall, || drop(black_box(metadata_of(params, &blob))));
        let bare = bare(params, &blob)?;
        let peer = peers.get(&case);
        table.row(row(case, &ours, peer));
        ensure!(
            peer.is_none_or(|peer| peer.blob_id == ours.blob_id),
            "the peer's blob id is another"
        );
        print_line(case, (&ours, all), peer, &bare);
    }
    println!("goals: x 5 or more; id of 445,556 bytes at n = 1000 on two cores in 250 ms");
    match report {
        Some(folder) => Report::of_today("walrus", SETUP.to_owned(), table).write(&folder),
        None => Ok(()),
    }
}

fn heading() {
    println!("Walrus coding, ms; decoding from the last p primary slivers, the worst case");
    println!(
        "{:>5} {:>10} | {:>9} {:>9} {:>9} | {:>9} | {:>9} {:>9} {:>9} | {:>6} {:>6} {:>6} | {:>9} {:>9}",
        "n",
        "bytes",
        "id",
        "encode",
        "decode",
        "id, all",
        "wasm id",
        "encode",
        "decode",
        "x id",
        "encode",
        "decode",
        "bare enc",
        "bare dec"
    );
}

/// A case on the screen; `all` is the id's time on all cores.
fn print_line(
    (shards, bytes): (usize, usize),
    (ours, all): (&Figures, Duration),
    peer: Option<&Figures>,
    bare: &Figures,
) {
    print!(
        "{shards:>5} {bytes:>10} | {} {} {} | {}",
        ms(ours.id),
        ms(ours.encode),
        ms(ours.decode),
        ms(all)
    );
    match peer {
        Some(peer) => print!(
            " | {} {} {} | {} {} {}",
            ms(peer.id),
            ms(peer.encode),
            ms(peer.decode),
            times(peer.id, ours.id),
            times(peer.encode, ours.encode),
            times(peer.decode, ours.decode)
        ),
        None => print!(" | {:>29} | {:>20}", "", ""),
    }
    println!(" | {} {}", ms(bare.encode), ms(bare.decode));
}

/// What the command line says.
struct Asked {
    /// Those of the arguments, or all.
    cases: Vec<(usize, usize)>,
    /// Where the table goes, besides the screen.
    report: Option<PathBuf>,
}

fn asked() -> Result<Asked> {
    let mut asked = Asked {
        cases: Vec::new(),
        report: None,
    };
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--report" {
            let folder = arguments.next().context("--report needs a folder")?;
            asked.report = Some(folder.into());
        } else {
            let (shards, bytes) = argument.split_once(':').context("a case is shards:bytes")?;
            asked.cases.push((shards.parse()?, bytes.parse()?));
        }
    }
    if asked.cases.is_empty() {
        asked.cases = CASES.to_vec();
    }
    Ok(asked)
}

/// A case in the report's table: each time, and how many times faster than the peer.
fn row((shards, bytes): (usize, usize), ours: &Figures, peer: Option<&Figures>) -> Vec<String> {
    let mut row = vec![shards.to_string(), bytes.to_string()];
    for of in [
        |figures: &Figures| figures.id,
        |figures: &Figures| figures.encode,
        |figures: &Figures| figures.decode,
    ] {
        row.push(ms(of(ours)));
        row.push(peer.map_or_else(String::new, |peer| times(of(peer), of(ours))));
    }
    row.iter().map(|cell| cell.trim().to_owned()).collect()
}

fn measure((shards, bytes): (usize, usize)) -> Result<Figures> {
    let params = Params::new(shards)?;
    let blob = content(bytes);
    let encoded = encode(params, &blob)?;
    let slivers: Vec<&Sliver> = encoded.pairs[shards - params.primary()..]
        .iter()
        .map(|pair| &pair.primary)
        .collect();
    let decoded = decode_primary(params, bytes as u64, slivers.iter().copied())?;
    ensure!(decoded == blob, "decoding gave other bytes");
    Ok(Figures {
        blob_id: encoded.metadata.blob_id().0,
        id: mean(cpu, || drop(black_box(metadata_of(params, &blob)))),
        encode: mean(cpu, || drop(black_box(encode(params, &blob)))),
        decode: mean(cpu, || {
            let slivers = slivers.iter().copied();
            drop(black_box(decode_primary(params, bytes as u64, slivers)));
        }),
    })
}

/// The matrix's Reed-Solomon work in whole rows of chunks, and the hashes' in groups: no trees, no
/// slivers, nothing put anywhere.
fn bare(params: Params, blob: &[u8]) -> Result<Figures> {
    let symbol = usize::from(params.symbol_size(blob.len() as u64)?);
    let (n, p, s) = (
        usize::from(params.shards()),
        params.primary(),
        params.secondary(),
    );
    let wide = |lanes: usize| (lanes * symbol).next_multiple_of(64);
    let zeros = vec![0; wide(n)];
    let message = vec![0; symbol + 1];
    let encode = mean(cpu, || {
        for (k, lanes) in [(s, p), (p, n)] {
            let Ok(mut coder) = ReedSolomonEncoder::new(k, n - k, wide(lanes)) else {
                return;
            };
            for _ in 0..k {
                let _ = coder.add_original_shard(&zeros[..wide(lanes)]);
            }
            drop(black_box(coder.encode()));
        }
        let leaves = if symbol == 2 {
            (n * n).min(1 << 16)
        } else {
            n * n
        };
        hashes(&message, leaves);
        hashes(&[1; INNER], 2 * n * n);
    });
    let row = vec![0; wide(s)];
    let decode = mean(cpu, || {
        let Ok(mut decoder) = ReedSolomonDecoder::new(p, n - p, row.len()) else {
            return;
        };
        for index in n - 2 * p..n - p {
            let _ = decoder.add_recovery_shard(index, &row);
        }
        drop(black_box(decoder.decode()));
    });
    Ok(Figures {
        encode,
        decode,
        ..Figures::default()
    })
}

fn hashes(message: &[u8], count: usize) {
    let mut params = blake2b_simd::Params::new();
    params.hash_length(32);
    for _ in 0..count.div_ceil(GROUP) {
        let mut jobs: Vec<_> = (0..GROUP)
            .map(|_| HashManyJob::new(&params, message))
            .collect();
        hash_many(jobs.iter_mut());
        black_box(jobs);
    }
}

/// Mysten's figures, from a script beside this crate.
fn peers(cases: &[(usize, usize)]) -> Result<HashMap<(usize, usize), Figures>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("wasm");
    let install = Command::new("npm")
        .args(["ci", "--silent", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .status()
        .context("cannot run npm")?;
    ensure!(install.success(), "npm ci failed");
    let cases = cases.iter().filter(|(_, bytes)| *bytes <= PEER_BYTES);
    let output = Command::new("node")
        .arg(folder.join("bench.mjs"))
        .args(cases.map(|(shards, bytes)| format!("{shards}:{bytes}")))
        .output()
        .context("cannot run node")?;
    let mut figures = HashMap::new();
    for line in String::from_utf8(output.stdout)?.lines() {
        let line: serde_json::Value = serde_json::from_str(line)?;
        let number = |field: &str| line[field].as_u64().context("the script prints numbers");
        let time = |field: &str| number(field).map(Duration::from_micros);
        let case = (number("shards")? as usize, number("bytes")? as usize);
        let blob_id = serde_json::from_value(line["blobId"].clone())?;
        let peer = Figures {
            blob_id,
            id: time("id")?,
            encode: time("encode")?,
            decode: time("decode")?,
        };
        figures.insert(case, peer);
    }
    ensure!(
        !figures.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(figures)
}

/// The mean of several runs by a clock. The kernel's books are kept in steps of milliseconds, so a
/// single run can't be looked at.
fn mean(clock: fn() -> Duration, mut run: impl FnMut()) -> Duration {
    run();
    let started = clock();
    let mut runs = 0;
    loop {
        run();
        runs += 1;
        let total = clock().saturating_sub(started);
        if runs >= RUNS && total >= ENOUGH {
            return total / runs;
        }
    }
}

/// What this thread has used, by the kernel's books; the wall clock where there are none.
fn cpu() -> Duration {
    let books = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = books.split(' ').next().and_then(|field| field.parse().ok());
    nanoseconds.map_or_else(wall, Duration::from_nanos)
}

fn wall() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

fn content(bytes: usize) -> Vec<u8> {
    (0..bytes)
        .map(|i| ((i as u32 + 1).wrapping_mul(0x9e37_79b1) >> 24) as u8)
        .collect()
}

fn ms(time: Duration) -> String {
    format!("{:>9.3}", time.as_secs_f64() * 1e3)
}

fn times(theirs: Duration, ours: Duration) -> String {
    format!("{:>6.1}", theirs.as_secs_f64() / ours.as_secs_f64())
}
