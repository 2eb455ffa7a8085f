//! Exact commitments to an answer: what was computed, not only what was said.
//!
//! Every token contributes its id and a digest of the complete row of logits it was chosen from.
//! Per chunk of [`CHUNK`] tokens (the last may be shorter):
//!
//! ```text
//! chunk_i = BLAKE2b-256(CHUNK_TAG | i as u32 LE | { id as u32 LE | row digest, 128 bytes } ...)
//! fold_0  = BLAKE2b-256(FOLD_TAG)
//! fold_i  = BLAKE2b-256(FOLD_TAG | fold_(i-1) | chunk_i)
//! ```
//!
//! The fingerprint is the last fold. A verifier of the same numeric class gets the same bits from
//! one prefill; the chunks tell where an answer departs.

/// So many generated tokens share a commitment: an audit can tell in which chunk an answer departs.
pub const CHUNK: usize = 32;
/// Lanes of a row digest.
pub const LANES: usize = 32;

const CHUNK_TAG: &[u8] = b"atoma/engine/chunk/v1";
const FOLD_TAG: &[u8] = b"atoma/engine/fingerprint/v1";

/// Digest of a row of logits: lane `j` folds the IEEE bits of the logits `j`, `j + 32`, ... in
/// order: `lane = rotl(lane ^ bits, 5) * 0x9E3779B1` (mod 2^32), from `j + 1`.
pub type RowDigest = [u32; LANES];

/// Collects the commitments of one answer.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    chunk: blake2b_simd::State,
    in_chunk: usize,
    commitments: Vec<[u8; 32]>,
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self {
            chunk: chunk_state(0),
            in_chunk: 0,
            commitments: Vec::new(),
        }
    }
}

impl Fingerprint {
    /// Adds a token and the digest of the logits it was chosen from.
    pub fn push(&mut self, id: u32, row: &RowDigest) {
        self.chunk.update(&id.to_le_bytes());
        for lane in row {
            self.chunk.update(&lane.to_le_bytes());
        }
        self.in_chunk += 1;
        if self.in_chunk == CHUNK {
            self.close_chunk();
        }
    }

    /// The fingerprint and the commitments it folds.
    pub fn finish(mut self) -> ([u8; 32], Vec<[u8; 32]>) {
        if self.in_chunk > 0 {
            self.close_chunk();
        }
        (fold(&self.commitments), self.commitments)
    }

    fn close_chunk(&mut self) {
        self.commitments.push(digest(&self.chunk));
        self.chunk = chunk_state(self.commitments.len());
        self.in_chunk = 0;
    }
}

/// The fingerprint that a list of commitments gives.
pub fn fold(commitments: &[[u8; 32]]) -> [u8; 32] {
    let mut state = new_state();
    let mut folded = digest(state.update(FOLD_TAG));
    for commitment in commitments {
        let mut state = new_state();
        folded = digest(state.update(FOLD_TAG).update(&folded).update(commitment));
    }
    folded
}

fn chunk_state(index: usize) -> blake2b_simd::State {
    let mut state = new_state();
    state
        .update(CHUNK_TAG)
        .update(&(index as u32).to_le_bytes());
    state
}

/// A BLAKE2b state with 32 bytes of output.
pub(crate) fn new_state() -> blake2b_simd::State {
    blake2b_simd::Params::new().hash_length(32).to_state()
}

/// The 32 bytes of a state made by [`new_state`].
pub(crate) fn digest(state: &blake2b_simd::State) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(state.finalize().as_bytes());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_fold_to_the_fingerprint_and_order_matters() {
        let row = |seed: u32| std::array::from_fn(|j| seed.wrapping_mul(77) ^ j as u32);
        let of = |ids: &[u32]| {
            let mut fingerprint = Fingerprint::default();
            ids.iter().for_each(|&id| fingerprint.push(id, &row(id)));
            fingerprint.finish()
        };
        let ids: Vec<u32> = (0..70).collect();
        let (whole, commitments) = of(&ids);
        assert_eq!(commitments.len(), 3);
        assert_eq!(fold(&commitments), whole);
        assert_eq!(of(&ids[..64]).1, commitments[..2]);
        let mut swapped = ids;
        swapped.swap(0, 1);
        assert_ne!(of(&swapped).0, whole);
        assert_eq!(of(&[]).1.len(), 0);
    }

    #[test]
    fn golden_vector() {
        let mut fingerprint = Fingerprint::default();
        fingerprint.push(7, &[1; LANES]);
        assert_eq!(hex::encode(fingerprint.finish().0), GOLDEN);
    }

    // Computed apart, by Python's hashlib.
    const GOLDEN: &str = "8aea2a58a7f04064e35c479e1ee8e64effcf547d1a2aa50a0e3824b19d497017";
}
