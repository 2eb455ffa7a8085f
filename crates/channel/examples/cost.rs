//! What the sealed channel costs both ends, on one processor: `cargo run --release -p atoma-channel --example cost
//! --features testing`. The goal stands beside it: 1 ms for a request of 4 KiB to one node and an answer of 1,000
//! chunks.

use atoma_channel::{
    AnswerPart, VerifiedKeyset, seal_request,
    testing::{NOW, TestNode, order, window},
};
use atoma_runtime::SystemRandom;
use std::{fs, hint::black_box};

const QUESTION_BYTES: usize = 4 << 10;
const CHUNKS: usize = 1_000;
const CHUNK_BYTES: usize = 200;
const ROUNDS: usize = 50;
const GOAL_US: f64 = 1_000.0;

/// The time that this thread has had on a processor, in microseconds.
fn processor_us() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split(' ').next().and_then(|first| first.parse().ok());
    nanoseconds.unwrap_or(0_u64) as f64 / 1_000.0
}

/// What `run` gives, and how long it took.
fn timed<T>(run: impl FnOnce() -> T) -> (T, f64) {
    let before = processor_us();
    let result = run();
    (result, processor_us() - before)
}

struct Cost {
    seal: f64,
    open: f64,
    seal_chunks: f64,
    open_chunks: f64,
}

fn round(nodes: &[TestNode], keysets: &[VerifiedKeyset]) -> Cost {
    let question = vec![b'q'; QUESTION_BYTES];
    let chunk = [b'c'; CHUNK_BYTES];
    let ring = nodes[0].ring();
    let ((sealed, mut opener), seal) =
        timed(|| seal_request(&order(), keysets, &question, &SystemRandom).expect("sealed"));
    let (mut sealer, open) = timed(|| {
        let request = atoma_channel::SealedRequest::read(&sealed).expect("its form");
        let opening = ring.open(&request, NOW).expect("its key");
        let admitted = window().admit(&opening.seen(), NOW).expect("new");
        opening
            .admitted(admitted, &SystemRandom)
            .expect("admitted")
            .1
    });
    let (answer, seal_chunks) = timed(|| {
        let mut answer = Vec::new();
        for _ in 1..CHUNKS {
            sealer.text(&chunk, &mut answer).expect("sealed");
        }
        sealer.finish(&chunk, &mut answer).expect("sealed");
        answer
    });
    let (texts, open_chunks) = timed(|| {
        let mut texts = 0;
        for piece in answer.chunks(281) {
            opener.push(piece);
            while let Some(part) = opener.part().expect("its key") {
                texts += usize::from(matches!(black_box(part), AnswerPart::Text(_)));
            }
        }
        opener.finish().expect("whole");
        texts
    });
    assert_eq!(texts, CHUNKS);
    Cost {
        seal,
        open,
        seal_chunks,
        open_chunks,
    }
}

fn main() {
    let nodes: Vec<TestNode> = (1..=4).map(TestNode::new).collect();
    println!(
        "microseconds of one processor, the best of {ROUNDS}; question {QUESTION_BYTES} bytes, {CHUNKS} chunks of {CHUNK_BYTES}"
    );
    println!("nodes  seal  open  seal chunks  open chunks  all   goal");
    for count in 1..=nodes.len() {
        let keysets: Vec<_> = nodes[..count].iter().map(TestNode::verified).collect();
        let mut best = Cost {
            seal: f64::MAX,
            open: f64::MAX,
            seal_chunks: f64::MAX,
            open_chunks: f64::MAX,
        };
        for _ in 0..ROUNDS {
            let cost = round(&nodes, &keysets);
            best.seal = best.seal.min(cost.seal);
            best.open = best.open.min(cost.open);
            best.seal_chunks = best.seal_chunks.min(cost.seal_chunks);
            best.open_chunks = best.open_chunks.min(cost.open_chunks);
        }
        let all = best.seal + best.open + best.seal_chunks + best.open_chunks;
        let goal = if count == 1 {
            format!("{GOAL_US:.0}")
        } else {
            "-".to_owned()
        };
        println!(
            "{count:5} {:5.0} {:5.0} {:12.0} {:12.0} {all:5.0} {goal:>6}",
            best.seal, best.open, best.seal_chunks, best.open_chunks
        );
    }
}
