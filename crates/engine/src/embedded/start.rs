//! Loads the weights and starts the worker on its threads.

use std::io;
use std::sync::Arc;

use atoma_runtime::Threads;

use super::config::ModelConfig;
use super::kern::{BLOCK, Simd, Weight};
use super::mailbox::{DeadOnDrop, Mailbox};
use super::model::Model;
use super::options::EmbeddedOptions;
use super::worker::{Limits, Worker};
use crate::checkpoint::Checkpoint;
use crate::load_error::LoadError;
use crate::text::TextModel;

/// What a worker is started with.
pub(super) struct Start {
    pub(super) config: ModelConfig,
    pub(super) limits: Limits,
    pub(super) blocks: usize,
    pub(super) text: Arc<TextModel>,
}

impl Start {
    /// Loads the weights and starts the thread.
    pub(super) fn run<T: Weight>(
        self,
        checkpoint: &mut Checkpoint,
        simd: Simd,
        options: &EmbeddedOptions,
    ) -> Result<Arc<Mailbox>, LoadError> {
        let pool = thread_pool(options)?;
        let (eos, context) = (self.config.eos.clone(), self.limits.context);
        let model: Model<T> =
            pool.install(|| Model::load(self.config, context, checkpoint, simd))?;
        checkpoint.all_used_but(is_derived)?;
        let shared = Arc::new(Mailbox::default());
        let guard = DeadOnDrop(shared.clone());
        let worker = Worker::new(
            model,
            self.text,
            eos,
            self.limits,
            self.blocks,
            shared.clone(),
        );
        match options.worker {
            // The loop runs on a thread of the pool, so that handing work to the pool costs no switch.
            Threads::Real => {
                let work = move || {
                    let _guard = guard;
                    pool.install(|| worker.run());
                };
                options
                    .worker
                    .spawn("engine", work)
                    .map_err(LoadError::Thread)?;
            }
            Threads::InLine => {
                tokio::spawn(async move {
                    let _guard = guard;
                    worker.run_in_task(pool).await;
                });
            }
        }
        Ok(shared)
    }
}

/// Older files keep what follows from the configuration, and the head beside the embeddings that serve
/// as it.
fn is_derived(name: &str) -> bool {
    const ENDS: [&str; 4] = [
        "rotary_emb.inv_freq",
        "masked_bias",
        "attn.bias",
        "lm_head.weight",
    ];
    ENDS.iter().any(|end| name.ends_with(end))
}

/// The threads that compute.
pub(crate) fn thread_pool(options: &EmbeddedOptions) -> Result<rayon::ThreadPool, LoadError> {
    let threads = options.threads.unwrap_or_else(default_threads).max(1);
    pool_of(threads).map_err(|e| LoadError::Thread(io::Error::other(e)))
}

/// So many threads that compute.
pub(crate) fn pool_of(threads: usize) -> Result<rayon::ThreadPool, rayon::ThreadPoolBuildError> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .thread_name(|i| format!("engine-{i}"))
        .build()
}

fn default_threads() -> usize {
    let all = std::thread::available_parallelism().map_or(1, usize::from);
    if all > 2 { all - 1 } else { all }
}

/// As many blocks as the running sequences could fill, within the bytes that are allowed.
pub(super) fn default_blocks(config: &ModelConfig, options: &EmbeddedOptions) -> usize {
    let block_bytes = Model::<f32>::block_len(config) * size_of::<f32>();
    let wanted = config.context.div_ceil(BLOCK) * options.max_running;
    wanted.min(options.kv_bytes / block_bytes)
}
