//! Symbols side by side in one shard of the Reed-Solomon code.
//!
//! The code works on elements of two bytes, each by itself: within a chunk of 64 bytes, element `k`
//! is bytes `k` and `k + 32`; a symbol's last `t < 64` bytes are the elements of bytes `k` and
//! `k + t/2`. So the whole chunks of many symbols can lie one after the other, and the elements of
//! their last bytes fill further chunks, and one wide encoding does what many narrow ones would.

use std::ops::Range;

/// Bytes of a chunk.
pub(crate) const CHUNK: usize = 64;
/// Elements of a chunk.
const ELEMENTS: usize = CHUNK / 2;

/// `count` symbols of `symbol` bytes each, packed into chunks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lanes {
    pub(crate) symbol: usize,
    pub(crate) count: usize,
}

/// A run of bytes that lie together in a symbol and in the packed chunks.
struct Run {
    lane: usize,
    /// First byte within the symbol.
    from: usize,
    /// First byte within the packed piece.
    to: usize,
    length: usize,
}

impl Lanes {
    /// Whole chunks of a symbol.
    fn whole(self) -> usize {
        self.symbol / CHUNK
    }

    /// Elements in a symbol's last bytes.
    fn tail(self) -> usize {
        self.symbol % CHUNK / 2
    }

    /// How many chunks there are in all.
    pub(crate) fn chunks(self) -> usize {
        self.count * self.whole() + (self.count * self.tail()).div_ceil(ELEMENTS)
    }

    /// All chunks in pieces of at most `most`.
    pub(crate) fn pieces(self, most: usize) -> impl Iterator<Item = Range<usize>> {
        let (chunks, most) = (self.chunks(), most.max(1));
        (0..chunks)
            .step_by(most)
            .map(move |start| start..chunks.min(start + most))
    }

    fn each_run(self, piece: &Range<usize>, mut run: impl FnMut(Run)) {
        let (whole, tail) = (self.whole(), self.tail());
        let first_tail = self.count * whole;
        let mut chunk = piece.start;
        while chunk < piece.end.min(first_tail) {
            let (lane, within) = (chunk / whole, chunk % whole);
            let chunks = (whole - within).min(piece.end - chunk);
            run(Run {
                lane,
                from: within * CHUNK,
                to: (chunk - piece.start) * CHUNK,
                length: chunks * CHUNK,
            });
            chunk += chunks;
        }
        if tail == 0 || piece.end <= first_tail {
            return;
        }
        let start = (piece.start.max(first_tail) - first_tail) * ELEMENTS;
        let end = ((piece.end - first_tail) * ELEMENTS).min(self.count * tail);
        let (mut element, mut lane, mut within) = (start, start / tail, start % tail);
        while element < end {
            let place = element % ELEMENTS;
            let length = (tail - within).min(ELEMENTS - place).min(end - element);
            let to = (first_tail + element / ELEMENTS - piece.start) * CHUNK + place;
            let from = whole * CHUNK + within;
            run(Run {
                lane,
                from,
                to,
                length,
            });
            run(Run {
                lane,
                from: from + tail,
                to: to + ELEMENTS,
                length,
            });
            element += length;
            within += length;
            if within == tail {
                (lane, within) = (lane + 1, 0);
            }
        }
    }

    /// If a piece is nothing but whole chunks of one symbol: whose, and from which of its bytes.
    pub(crate) fn within_one(self, piece: &Range<usize>) -> Option<(usize, usize)> {
        let whole = self.whole();
        let lane = piece.start.checked_div(whole)?;
        let within = piece.end <= (lane + 1) * whole && lane < self.count;
        within.then_some((lane, (piece.start - lane * whole) * CHUNK))
    }

    /// Packs a piece; `symbol` gives each lane's symbol.
    pub(crate) fn gather<'a>(
        self,
        piece: &Range<usize>,
        packed: &mut [u8],
        symbol: impl Fn(usize) -> &'a [u8],
    ) {
        self.each_run(piece, |run| {
            let source = symbol(run.lane);
            // one byte at a time is the common case of two-byte symbols, and faster by itself
            if run.length == 1 {
                packed[run.to] = source[run.from];
            } else {
                packed[run.to..run.to + run.length]
                    .copy_from_slice(&source[run.from..run.from + run.length]);
            }
        });
    }

    /// Unpacks a piece; `at` says where each lane's symbol begins in `out`.
    pub(crate) fn scatter(
        self,
        piece: &Range<usize>,
        packed: &[u8],
        out: &mut [u8],
        at: impl Fn(usize) -> usize,
    ) {
        self.each_run(piece, |run| {
            let start = at(run.lane) + run.from;
            if run.length == 1 {
                out[start] = packed[run.to];
            } else {
                out[start..start + run.length]
                    .copy_from_slice(&packed[run.to..run.to + run.length]);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_packed_is_unpacked(half in 1_usize..150, count in 1_usize..40, most in 1_usize..9) {
            let lanes = Lanes { symbol: 2 * half, count };
            let symbols: Vec<u8> = (0..lanes.symbol * count).map(|i| (i * 31 % 251) as u8).collect();
            let mut out = vec![0; symbols.len()];
            let mut chunks = 0;
            for piece in lanes.pieces(most) {
                chunks += piece.len();
                let mut packed = vec![0; piece.len() * CHUNK];
                lanes.gather(&piece, &mut packed, |lane| &symbols[lane * lanes.symbol..]);
                lanes.scatter(&piece, &packed, &mut out, |lane| lane * lanes.symbol);
            }
            prop_assert_eq!(chunks, lanes.chunks());
            prop_assert_eq!(out, symbols);
        }
    }
}
