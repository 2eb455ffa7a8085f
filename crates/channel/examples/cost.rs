//! What the sealed channel costs both ends, on one processor: `cargo run --release -p atoma-channel --example cost
//! --features testing`. The goal stands beside it: 1 ms for a request of 4 KiB to one node and an answer of 1,000
//! chunks. So does what no channel can do without, in the same blocks of the same run: AES-256-GCM alone, over as many
//! bytes in as many frames, at both ends.

use atoma_channel::{
    AnswerOpener, AnswerPart, AnswerSealer, KeyRing, SealedRequest, VerifiedKeyset, seal_request,
    testing::{NOW, TestNode, terms, window},
};
use atoma_runtime::SystemRandom;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::fs;

const QUESTION_BYTES: usize = 4 << 10;
const CHUNKS: usize = 1_000;
const CHUNK_BYTES: usize = 200;
/// A chunk's frame once it is padded, and what its encryption is bound to.
const FRAME_BYTES: usize = 256;
const BOUND_BYTES: usize = 41;
const TAG_BYTES: usize = 16;
/// As the network may hand an answer over: in pieces that are no frames.
const PIECE_BYTES: usize = 1_400;
/// The processor's time is counted in whole ticks of the scheduler: a block of so many takes many of them.
const TIMES: usize = 200;
/// The best of so many blocks: others use the processor's caches, too.
const BLOCKS: usize = 5;
const GOAL_US: f64 = 1_000.0;

/// The time that this thread has had on a processor, in microseconds.
fn processor_us() -> f64 {
    let stat = fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = stat.split(' ').next().and_then(|first| first.parse().ok());
    nanoseconds.unwrap_or(0_u64) as f64 / 1_000.0
}

/// What `run` makes of each of these, and how long one takes.
fn each<T, R>(inputs: Vec<T>, mut run: impl FnMut(T) -> R) -> (Vec<R>, f64) {
    let count = inputs.len() as f64;
    let before = processor_us();
    let results = inputs.into_iter().map(&mut run).collect();
    (results, (processor_us() - before) / count)
}

fn seal(keysets: &[VerifiedKeyset]) -> (Vec<u8>, AnswerOpener) {
    let question = [b'q'; QUESTION_BYTES];
    seal_request(&terms(), keysets, &question, &SystemRandom).expect("sealed")
}

fn open(ring: &KeyRing, sealed: &[u8]) -> AnswerSealer {
    let request = SealedRequest::read(sealed).expect("its form");
    let opening = ring.open(&request, NOW).expect("its key");
    let admitted = window().admit(&opening.seen(), NOW).expect("new");
    let opened = opening.admitted(admitted, &SystemRandom);
    opened.expect("admitted").1
}

fn seal_chunks(mut sealer: AnswerSealer) -> Vec<u8> {
    let chunk = [b'c'; CHUNK_BYTES];
    let mut answer = Vec::new();
    for _ in 1..CHUNKS {
        sealer.text(&chunk, &mut answer).expect("sealed");
    }
    sealer.finish(&chunk, &mut answer).expect("sealed");
    answer
}

fn open_chunks((mut opener, answer): (AnswerOpener, Vec<u8>)) {
    let mut bytes = 0;
    for piece in answer.chunks(PIECE_BYTES) {
        opener.push(piece);
        while let Some(part) = opener.part().expect("its key") {
            if let AnswerPart::Text(text) = part {
                bytes += text.len();
            }
        }
    }
    opener.finish().expect("whole");
    assert_eq!(bytes, CHUNKS * CHUNK_BYTES);
}

/// Encrypts and decrypts the same bytes, and nothing else.
fn bare(key: &LessSafeKey) {
    let nonce = |index: u32| {
        let mut nonce = [0; 12];
        nonce[..4].copy_from_slice(&index.to_le_bytes());
        Nonce::assume_unique_for_key(nonce)
    };
    let (mut question, mut frame) = (
        [b'q'; QUESTION_BYTES + TAG_BYTES],
        [b'c'; FRAME_BYTES + TAG_BYTES],
    );
    let both = |index: u32, bytes: &mut [u8]| {
        let bound = || Aad::from([7; BOUND_BYTES]);
        let (text, tag) = bytes.split_at_mut(bytes.len() - TAG_BYTES);
        let made = key.seal_in_place_separate_tag(nonce(index), bound(), text);
        tag.copy_from_slice(made.expect("sealed").as_ref());
        key.open_in_place(nonce(index), bound(), bytes)
            .expect("its key");
    };
    both(0, &mut question);
    for index in 1..=CHUNKS as u32 {
        both(index, &mut frame);
    }
}

/// Microseconds of: sealing, opening, sealing the chunks, opening them; and of the cipher alone.
fn block(ring: &KeyRing, keysets: &[VerifiedKeyset], key: &LessSafeKey) -> [f64; 5] {
    let (sealed, sealing) = each(vec![(); TIMES], |()| seal(keysets));
    let (sealed, openers): (Vec<_>, Vec<_>) = sealed.into_iter().unzip();
    let (sealers, opening) = each(sealed, |sealed| open(ring, &sealed));
    let (answers, sealing_chunks) = each(sealers, seal_chunks);
    let answers = openers.into_iter().zip(answers).collect();
    let (_, opening_chunks) = each(answers, open_chunks);
    let (_, bare) = each(vec![(); TIMES], |()| bare(key));
    [sealing, opening, sealing_chunks, opening_chunks, bare]
}

fn main() {
    let nodes: Vec<TestNode> = (1..=4).map(TestNode::new).collect();
    let ring = nodes[0].ring();
    let key = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &[1; 32]).expect("a key"));
    println!(
        "microseconds of one processor, the best of {BLOCKS} times {TIMES}: a request of {QUESTION_BYTES} bytes, an answer of {CHUNKS} chunks of {CHUNK_BYTES}"
    );
    println!("nodes   seal   open  seal chunks  open chunks    all   goal  bare cipher");
    for count in 1..=nodes.len() {
        let keysets: Vec<_> = nodes[..count].iter().map(TestNode::verified).collect();
        let mut best = [f64::MAX; 5];
        for _ in 0..BLOCKS {
            let block = block(&ring, &keysets, &key);
            best.iter_mut()
                .zip(block)
                .for_each(|(best, us)| *best = best.min(us));
        }
        let [seal, open, seal_chunks, open_chunks, bare] = best;
        let all = seal + open + seal_chunks + open_chunks;
        let goal = if count == 1 {
            format!("{GOAL_US:.0}")
        } else {
            "-".to_owned()
        };
        println!(
            "{count:5} {seal:6.0} {open:6.0} {seal_chunks:12.0} {open_chunks:12.0} {all:6.0} {goal:>6} {bare:12.0}"
        );
    }
}
