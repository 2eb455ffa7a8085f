//! How a model is loaded.

use super::kern::{Isa, Simd};
use crate::Numerics;
use crate::checkpoint::Checkpoint;
use crate::unsupported::Unsupported;
use atoma_runtime::Threads;

/// How weights are kept in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightType {
    /// Weights are kept as f32: exact, and twice the memory of bf16.
    F32,
    /// As bf16, half the memory; weights stored more finely are rounded.
    Bf16,
}

/// How a model is loaded and run. None of it changes a bit of an answer but `weights`, and
/// what shortens the context, memory among it: then the revision is another one.
#[derive(Debug, Clone)]
pub struct EmbeddedOptions {
    /// The name to serve it under; the folder's name if none.
    pub id: Option<String>,
    /// Threads; all processors but one, if there are more than two, if none.
    pub threads: Option<usize>,
    /// Rows of a step: more make prefill faster and others wait longer for their next token.
    pub token_budget: usize,
    /// Most sequences worked on at a time.
    pub max_running: usize,
    /// Most requests in the queue; more are refused as overload.
    pub max_waiting: usize,
    /// Most bytes for keys and values; a context that doesn't fit is shortened, with a warning, and
    /// makes another model of it to whoever compares answers.
    pub kv_bytes: usize,
    /// Blocks of 32 tokens for keys and values; what `kv_bytes` allows and the running sequences can
    /// use if none.
    pub kv_blocks: Option<usize>,
    /// Tokens of prompt and output together, where they are to be fewer than the model can hold.
    pub context: Option<usize>,
    /// Instruction set; the best there is if none.
    pub isa: Option<Isa>,
    /// How weights are kept; as the checkpoint has them if none.
    pub weights: Option<WeightType>,
    /// Whether the worker has a thread of its own. Steps are computed on `threads` threads either way;
    /// in line, whoever polls waits for them.
    pub worker: Threads,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self {
            id: None,
            threads: None,
            token_budget: 128,
            max_running: 64,
            max_waiting: 256,
            // leaves a laptop room for other things
            kv_bytes: 2 << 30,
            kv_blocks: None,
            context: None,
            isa: None,
            weights: None,
            worker: Threads::Real,
        }
    }
}

impl EmbeddedOptions {
    /// The kernels to use.
    pub(crate) fn simd(&self) -> Result<Simd, Unsupported> {
        match self.isa {
            Some(isa) => Simd::new(Some(isa)).ok_or(Unsupported::Processor(isa)),
            None => Ok(Simd::best()),
        }
    }

    /// How a checkpoint's weights are kept, and the arithmetic that makes of it.
    pub(crate) fn kept(&self, checkpoint: &Checkpoint) -> (WeightType, Numerics) {
        let stored = if checkpoint.is_bf16() {
            WeightType::Bf16
        } else {
            WeightType::F32
        };
        let kept = self.weights.unwrap_or(stored);
        // bf16 weights widened to f32 are the same numbers.
        let numerics = match [stored, kept].contains(&WeightType::Bf16) {
            true => Numerics::DetBf16V1,
            false => Numerics::DetF32V1,
        };
        (kept, numerics)
    }
}
