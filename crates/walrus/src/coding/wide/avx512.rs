//! The function itself: words of eight messages lie side by side in a register, and all eight are
//! computed by the same instructions.

use super::super::node::{Node, WIDTH};
use std::arch::x86_64::*;

/// Bytes that are mixed in at once.
const BLOCK: usize = 128;
/// As much of it as a register holds.
const HALF: usize = BLOCK / 2;
const WORD: usize = 8;

const IV: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// The parameters, which go into the first word: digests of 32 bytes, no key, one leaf of one level.
const PARAMETERS: u64 = 0x0101_0020;

/// Which words of the block a round mixes in.
const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// The digests of messages, which must be of one length.
#[target_feature(enable = "avx512f")]
pub(super) fn hash(messages: &[&[u8]; WIDTH], digests: &mut [Node; WIDTH]) {
    let length = messages[0].len();
    assert!(
        messages.iter().all(|message| message.len() == length),
        "messages of several lengths"
    );
    let mut state = [_mm512_setzero_si512(); 8];
    for (word, initial) in state.iter_mut().zip(IV) {
        *word = _mm512_set1_epi64(initial as i64);
    }
    state[0] = _mm512_xor_si512(state[0], _mm512_set1_epi64(PARAMETERS as i64));
    let mut start = 0;
    loop {
        let end = length.min(start + BLOCK);
        let mut block = [_mm512_setzero_si512(); 16];
        let middle = end.min(start + HALF);
        let (first, second) = block.split_at_mut(8);
        words(messages, start, middle, first);
        words(messages, middle, end, second);
        compress(&mut state, &block, end as u64, end == length);
        if end == length {
            break;
        }
        start = end;
    }
    let zero = _mm512_setzero_si512();
    let mut rows = [
        state[0], state[1], state[2], state[3], zero, zero, zero, zero,
    ];
    transpose(&mut rows);
    for (digest, row) in digests.iter_mut().zip(rows) {
        let row = _mm512_castsi512_si256(row);
        let words = [
            _mm256_extract_epi64::<0>(row),
            _mm256_extract_epi64::<1>(row),
            _mm256_extract_epi64::<2>(row),
            _mm256_extract_epi64::<3>(row),
        ];
        for (bytes, word) in digest.as_chunks_mut::<WORD>().0.iter_mut().zip(words) {
            *bytes = word.to_le_bytes();
        }
    }
}

/// Bytes of each message as words, filled up with zeros: word by word, one message in each lane.
#[inline]
#[target_feature(enable = "avx512f")]
fn words(messages: &[&[u8]; WIDTH], start: usize, end: usize, words: &mut [__m512i]) {
    let mut rows = [_mm512_setzero_si512(); 8];
    let length = end - start;
    if length <= WORD {
        // what an inner node has beyond half a block is one byte
        let mut lanes = [0; WIDTH];
        for (lane, message) in lanes.iter_mut().zip(messages) {
            let bytes = message[start..end].iter().rev();
            *lane = bytes.fold(0, |word, byte| word << 8 | i64::from(*byte));
        }
        words[0] = from_lanes(&lanes);
        return;
    }
    for (row, message) in rows.iter_mut().zip(messages) {
        let bytes = &message[start..end];
        *row = match bytes.as_array::<HALF>() {
            Some(half) => load(half),
            None => {
                let mut half = [0; HALF];
                half[..length].copy_from_slice(bytes);
                load(&half)
            }
        };
    }
    transpose(&mut rows);
    words.copy_from_slice(&rows);
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(half: &[u8; HALF]) -> __m512i {
    let mut lanes = [0; WIDTH];
    for (lane, bytes) in lanes.iter_mut().zip(half.as_chunks::<WORD>().0) {
        *lane = i64::from_le_bytes(*bytes);
    }
    from_lanes(&lanes)
}

/// The compiler makes one load of it.
#[inline]
#[target_feature(enable = "avx512f")]
fn from_lanes(lanes: &[i64; WIDTH]) -> __m512i {
    let [a, b, c, d, e, f, g, h] = *lanes;
    _mm512_setr_epi64(a, b, c, d, e, f, g, h)
}

/// Rows become columns.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(rows: &mut [__m512i; 8]) {
    let [a, b, c, d, e, f, g, h] = *rows;
    let even = quarters([
        _mm512_unpacklo_epi64(a, b),
        _mm512_unpacklo_epi64(c, d),
        _mm512_unpacklo_epi64(e, f),
        _mm512_unpacklo_epi64(g, h),
    ]);
    let odd = quarters([
        _mm512_unpackhi_epi64(a, b),
        _mm512_unpackhi_epi64(c, d),
        _mm512_unpackhi_epi64(e, f),
        _mm512_unpackhi_epi64(g, h),
    ]);
    *rows = [
        even[0], odd[0], even[1], odd[1], even[2], odd[2], even[3], odd[3],
    ];
}

/// The same with quarters of registers.
#[inline]
#[target_feature(enable = "avx512f")]
fn quarters([a, b, c, d]: [__m512i; 4]) -> [__m512i; 4] {
    // quarters 0 and 2 of both, quarters 1 and 3 of both
    const EVEN: i32 = 0x88;
    const ODD: i32 = 0xdd;
    let (ab_even, cd_even) = (
        _mm512_shuffle_i64x2::<EVEN>(a, b),
        _mm512_shuffle_i64x2::<EVEN>(c, d),
    );
    let (ab_odd, cd_odd) = (
        _mm512_shuffle_i64x2::<ODD>(a, b),
        _mm512_shuffle_i64x2::<ODD>(c, d),
    );
    [
        _mm512_shuffle_i64x2::<EVEN>(ab_even, cd_even),
        _mm512_shuffle_i64x2::<EVEN>(ab_odd, cd_odd),
        _mm512_shuffle_i64x2::<ODD>(ab_even, cd_even),
        _mm512_shuffle_i64x2::<ODD>(ab_odd, cd_odd),
    ]
}

/// Mixes a block into the states; `count` bytes of each message were taken in with it.
#[inline]
#[target_feature(enable = "avx512f")]
fn compress(state: &mut [__m512i; 8], block: &[__m512i; 16], count: u64, last: bool) {
    let mut v = [_mm512_setzero_si512(); 16];
    v[..8].copy_from_slice(state);
    for (word, initial) in v[8..].iter_mut().zip(IV) {
        *word = _mm512_set1_epi64(initial as i64);
    }
    v[12] = _mm512_xor_si512(v[12], _mm512_set1_epi64(count as i64));
    if last {
        v[14] = _mm512_xor_si512(v[14], _mm512_set1_epi64(-1));
    }
    round::<0>(&mut v, block);
    round::<1>(&mut v, block);
    round::<2>(&mut v, block);
    round::<3>(&mut v, block);
    round::<4>(&mut v, block);
    round::<5>(&mut v, block);
    round::<6>(&mut v, block);
    round::<7>(&mut v, block);
    round::<8>(&mut v, block);
    round::<9>(&mut v, block);
    round::<0>(&mut v, block);
    round::<1>(&mut v, block);
    for (i, word) in state.iter_mut().enumerate() {
        *word = _mm512_xor_si512(*word, _mm512_xor_si512(v[i], v[i + 8]));
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn round<const R: usize>(v: &mut [__m512i; 16], block: &[__m512i; 16]) {
    let m = |i: usize| block[SIGMA[R][i]];
    mix::<0, 4, 8, 12>(v, m(0), m(1));
    mix::<1, 5, 9, 13>(v, m(2), m(3));
    mix::<2, 6, 10, 14>(v, m(4), m(5));
    mix::<3, 7, 11, 15>(v, m(6), m(7));
    mix::<0, 5, 10, 15>(v, m(8), m(9));
    mix::<1, 6, 11, 12>(v, m(10), m(11));
    mix::<2, 7, 8, 13>(v, m(12), m(13));
    mix::<3, 4, 9, 14>(v, m(14), m(15));
}

#[inline]
#[target_feature(enable = "avx512f")]
fn mix<const A: usize, const B: usize, const C: usize, const D: usize>(
    v: &mut [__m512i; 16],
    x: __m512i,
    y: __m512i,
) {
    v[A] = _mm512_add_epi64(_mm512_add_epi64(v[A], x), v[B]);
    v[D] = _mm512_ror_epi64::<32>(_mm512_xor_si512(v[D], v[A]));
    v[C] = _mm512_add_epi64(v[C], v[D]);
    v[B] = _mm512_ror_epi64::<24>(_mm512_xor_si512(v[B], v[C]));
    v[A] = _mm512_add_epi64(_mm512_add_epi64(v[A], y), v[B]);
    v[D] = _mm512_ror_epi64::<16>(_mm512_xor_si512(v[D], v[A]));
    v[C] = _mm512_add_epi64(v[C], v[D]);
    v[B] = _mm512_ror_epi64::<63>(_mm512_xor_si512(v[B], v[C]));
}
