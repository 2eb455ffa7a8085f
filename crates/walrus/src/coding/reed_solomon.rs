//! The Reed-Solomon code over packed symbols: extending `k` symbols to `k + m`, and restoring what
//! is missing of the first `k` from any `k`.

use super::{
    error::CodingError,
    lanes::{CHUNK, Lanes},
};
use rayon::prelude::*;
use reed_solomon_simd::{ReedSolomonDecoder, ReedSolomonEncoder};
use std::ops::Range;

/// What an encoding works on at once, in bytes: fits into a core's second cache.
const ENCODE_BYTES: usize = 512 * 1024;
/// The same of a decoding, whose first step costs a fixed 0.2 ms: so much that this doesn't matter.
const DECODE_BYTES: usize = 8 * 1024 * 1024;

/// Extends symbols, piece by piece.
pub(crate) struct Extender {
    lanes: Lanes,
    originals: usize,
    encoder: ReedSolomonEncoder,
    recovery: usize,
    most: usize,
    packed: Vec<u8>,
}

impl Extender {
    /// Extends `originals` symbols by `recovery`, in each lane.
    pub(crate) fn new(
        lanes: Lanes,
        originals: usize,
        recovery: usize,
    ) -> Result<Self, CodingError> {
        let most = chunks_within(ENCODE_BYTES, originals + recovery).min(lanes.chunks());
        Ok(Self {
            lanes,
            originals,
            encoder: ReedSolomonEncoder::new(originals, recovery, most * CHUNK)?,
            recovery,
            most,
            packed: vec![0; most * CHUNK],
        })
    }

    pub(crate) fn pieces(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        self.lanes.pieces(self.most)
    }

    /// Takes in a piece of all originals; `symbol` gives them by index and lane.
    pub(crate) fn load<'a>(
        &mut self,
        piece: &Range<usize>,
        symbol: impl Fn(usize, usize) -> &'a [u8],
    ) -> Result<(), CodingError> {
        let bytes = piece.len() * CHUNK;
        if bytes != self.packed.len() {
            self.packed.resize(bytes, 0);
            self.encoder.reset(self.originals, self.recovery, bytes)?;
        }
        if let Some((lane, from)) = self.lanes.within_one(piece) {
            for original in 0..self.originals {
                let symbol = symbol(original, lane);
                self.encoder
                    .add_original_shard(&symbol[from..from + bytes])?;
            }
            return Ok(());
        }
        for original in 0..self.originals {
            self.lanes
                .gather(piece, &mut self.packed, |lane| symbol(original, lane));
            self.encoder.add_original_shard(&self.packed)?;
        }
        Ok(())
    }

    /// Writes that piece of all recovery symbols to where `at` says by index (from 0) and lane.
    pub(crate) fn store(
        &mut self,
        piece: &Range<usize>,
        out: &mut [u8],
        at: impl Fn(usize, usize) -> usize,
    ) -> Result<(), CodingError> {
        let encoded = self.encoder.encode()?;
        for (index, packed) in encoded.recovery_iter().enumerate() {
            self.lanes
                .scatter(piece, packed, out, |lane| at(index, lane));
        }
        Ok(())
    }
}

/// Chunks per shard so that `shards` of them take about `bytes`.
fn chunks_within(bytes: usize, shards: usize) -> usize {
    (bytes / CHUNK / shards.next_power_of_two()).max(1)
}

/// One sliver: where it stands in the code, and its symbols one after the other.
pub(crate) type Received<'a> = (usize, &'a [u8]);

/// The missing ones of the first `originals` slivers, from any `originals` of all `total`; each
/// sliver has the lanes' symbols one after the other. Repeated indexes count once.
pub(crate) fn restore(
    lanes: Lanes,
    originals: usize,
    total: usize,
    received: &[Received<'_>],
) -> Result<Vec<(usize, Vec<u8>)>, CodingError> {
    let mut present = vec![None; total];
    for (index, sliver) in received {
        present[*index] = Some(*sliver);
    }
    // slivers of the source first: they need no decoding
    let chosen: Vec<Received<'_>> = (0..)
        .zip(&present)
        .filter_map(|(index, sliver)| sliver.map(|sliver| (index, sliver)))
        .take(originals)
        .collect();
    if chosen.len() < originals {
        return Err(CodingError::TooFew {
            what: "slivers",
            found: chosen.len(),
            needed: originals,
        });
    }
    let missing: Vec<usize> = (0..originals).filter(|i| present[*i].is_none()).collect();
    if missing.is_empty() {
        return Ok(Vec::new());
    }
    let pieces: Vec<_> = lanes.pieces(chunks_within(DECODE_BYTES, total)).collect();
    let one = |piece: &Range<usize>| restore_piece(lanes, originals, total, &chosen, piece);
    let restored: Vec<Vec<u8>> = if let [piece] = pieces.as_slice() {
        vec![one(piece)?]
    } else {
        pieces.par_iter().map(one).collect::<Result<_, _>>()?
    };
    let mut slivers: Vec<(usize, Vec<u8>)> = missing
        .iter()
        .map(|index| (*index, vec![0; lanes.symbol * lanes.count]))
        .collect();
    slivers
        .par_iter_mut()
        .with_min_len(SLIVERS_PER_TASK)
        .enumerate()
        .for_each(|(place, (_, sliver))| {
            for (piece, packed) in pieces.iter().zip(&restored) {
                let bytes = piece.len() * CHUNK;
                let packed = &packed[place * bytes..(place + 1) * bytes];
                lanes.scatter(piece, packed, sliver, |lane| lane * lanes.symbol);
            }
        });
    Ok(slivers)
}

/// Fewer aren't worth another thread.
const SLIVERS_PER_TASK: usize = 16;

/// One piece of all missing slivers, in order.
fn restore_piece(
    lanes: Lanes,
    originals: usize,
    total: usize,
    chosen: &[Received<'_>],
    piece: &Range<usize>,
) -> Result<Vec<u8>, CodingError> {
    let mut packed = vec![0; piece.len() * CHUNK];
    let mut decoder = ReedSolomonDecoder::new(originals, total - originals, packed.len())?;
    for (index, sliver) in chosen {
        lanes.gather(piece, &mut packed, |lane| {
            &sliver[lane * lanes.symbol..(lane + 1) * lanes.symbol]
        });
        if *index < originals {
            decoder.add_original_shard(*index, &packed)?;
        } else {
            decoder.add_recovery_shard(*index - originals, &packed)?;
        }
    }
    let decoded = decoder.decode()?;
    Ok(decoded
        .restored_original_iter()
        .flat_map(|(_, bytes)| bytes.iter().copied())
        .collect())
}
