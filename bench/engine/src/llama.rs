//! The same work by llama.cpp, called directly.

use std::num::NonZeroU32;
use std::path::Path;
use std::time::Instant;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::{KvCacheType, LlamaContextParams};
use llama_cpp_2::llama_backend::LlamaBackend;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::model::params::LlamaModelParams;
use llama_cpp_2::token::LlamaToken;

use crate::{Failure, Shape, Times};
use atoma_bench_report::cpu_used;

/// Rows of a step, as for the embedded engine.
const BATCH: u32 = 256;

/// A loaded model.
pub struct Llama {
    backend: LlamaBackend,
    model: LlamaModel,
    threads: usize,
}

impl Llama {
    /// Loads a GGUF file.
    pub fn load(file: &Path, threads: usize) -> Result<Self, Failure> {
        let mut backend = LlamaBackend::init()?;
        backend.void_logs();
        let model = LlamaModel::load_from_file(&backend, file, &LlamaModelParams::default())?;
        Ok(Self {
            backend,
            model,
            threads,
        })
    }

    /// A context for one shape, ready to be measured round by round.
    pub fn run(&self, shape: Shape) -> Result<impl FnMut(u32) -> Result<Times, Failure>, Failure> {
        let threads = self.threads as i32;
        let total: usize = shape.lengths().map(|length| length + shape.output).sum();
        let params = LlamaContextParams::default()
            .with_n_ctx(NonZeroU32::new((total as u32).next_multiple_of(256) * 2))
            .with_n_seq_max(shape.requests as u32)
            .with_n_batch(BATCH)
            .with_n_ubatch(BATCH)
            .with_n_threads(threads)
            .with_n_threads_batch(threads)
            .with_type_k(KvCacheType::F32)
            .with_type_v(KvCacheType::F32);
        let mut context = self.model.new_context(&self.backend, params)?;
        Ok(move |round| {
            context.clear_kv_cache();
            self.measure(&mut context, shape, round)
        })
    }

    fn measure(
        &self,
        context: &mut LlamaContext<'_>,
        shape: Shape,
        round: u32,
    ) -> Result<Times, Failure> {
        let prompts = shape.prompts(round, self.model.n_vocab() as u32);
        let mut batch = LlamaBatch::new(BATCH as usize, shape.requests as i32);
        let mut next = Vec::new();
        let started = Instant::now();
        for (sequence, prompt) in prompts.iter().enumerate() {
            for (i, part) in prompt.chunks(BATCH as usize).enumerate() {
                batch.clear();
                for (j, token) in part.iter().enumerate() {
                    let at = i * BATCH as usize + j;
                    let last = at + 1 == prompt.len();
                    batch.add(
                        LlamaToken(*token as i32),
                        at as i32,
                        &[sequence as i32],
                        last,
                    )?;
                }
                context.decode(&mut batch)?;
            }
            next.push(argmax(context.get_logits_ith(batch.n_tokens() - 1)));
        }
        let prefill = started.elapsed();
        let (started, cpu) = (Instant::now(), cpu_used());
        for step in 0..shape.output - 1 {
            batch.clear();
            for (sequence, (token, prompt)) in next.iter().zip(&prompts).enumerate() {
                let at = (prompt.len() + step) as i32;
                batch.add(LlamaToken(*token), at, &[sequence as i32], true)?;
            }
            context.decode(&mut batch)?;
            for (sequence, token) in next.iter_mut().enumerate() {
                *token = argmax(context.get_logits_ith(sequence as i32));
            }
        }
        let decode = started.elapsed();
        let decoded = shape.requests * (shape.output - 1);
        Ok(Times {
            prefill,
            decode,
            decode_cpu: cpu_used() - cpu,
            decoded,
        })
    }
}

fn argmax(logits: &[f32]) -> i32 {
    let largest = |best: usize, i: usize| if logits[i] > logits[best] { i } else { best };
    (0..logits.len()).reduce(largest).unwrap_or(0) as i32
}
