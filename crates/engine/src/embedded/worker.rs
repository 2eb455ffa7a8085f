//! The one thread that owns a model's state: admit, step, choose, tell; again.
//!
//! A step takes at most `token_budget` rows: first one row of every sequence that is generating, then
//! pieces of prompts, divided between the oldest and the shortest ([`super::shares`]). Sequences whose
//! listener is behind give their blocks back and rest. When blocks run out, the youngest sequence
//! gives its blocks back and is computed anew later. None of this can change a bit of any answer, as
//! rows don't depend on each other.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use rayon::prelude::*;

use super::job::{Generation, Job, Verdict, Work};
use super::kern::{BLOCK, Weight};
use super::kv::{BlockPool, block_hash};
use super::mailbox::Mailbox;
use super::model::{Model, Row, Scratch};
use super::shares::{divide, left_for_prompts};
use crate::Finish;
use crate::text::TextModel;

/// Rows of logits computed at a time: bounds the memory of re-scoring with a large vocabulary.
const LOGIT_ROWS: usize = 32;

/// How much the worker takes on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) token_budget: usize,
    pub(super) max_running: usize,
    pub(super) max_waiting: usize,
    pub(super) context: usize,
}

/// A part of a step: the next `len` tokens of a running sequence.
struct Planned {
    job: usize,
    len: usize,
}

/// A row whose logits are wanted.
struct Wanted {
    job: usize,
    row: usize,
    position: usize,
}

/// What a turn of the worker came to.
enum Turn {
    /// There may be more to do at once.
    Busy,
    /// Nothing can be done until there is news.
    Idle,
}

/// The state of the thread.
pub(super) struct Worker<T> {
    model: Model<T>,
    text: Arc<TextModel>,
    eos: Vec<u32>,
    limits: Limits,
    shared: Arc<Mailbox>,
    kv: BlockPool,
    waiting: VecDeque<Job>,
    running: Vec<Job>,
    /// Sequences whose listener is behind, without blocks.
    paused: Vec<Job>,
    /// Finished answers whose last events the stream had no room for.
    draining: Vec<Generation>,
    scratch: Scratch,
    logits: Vec<f32>,
}

impl<T: Weight> Worker<T> {
    pub(super) fn new(
        model: Model<T>,
        text: Arc<TextModel>,
        eos: Vec<u32>,
        limits: Limits,
        blocks: usize,
        shared: Arc<Mailbox>,
    ) -> Self {
        let kv = BlockPool::new(blocks, Model::<T>::block_len(&model.config));
        shared.stats.blocks_free.store(blocks, Relaxed);
        Self {
            model,
            text,
            eos,
            limits,
            shared,
            kv,
            waiting: VecDeque::new(),
            running: Vec::new(),
            paused: Vec::new(),
            draining: Vec::new(),
            scratch: Scratch::default(),
            logits: Vec::new(),
        }
    }

    /// Works until the engine is dropped.
    pub(super) fn run(mut self) {
        let mut jobs = self.shared.collect();
        while let Some(new) = jobs {
            jobs = match self.turn(new) {
                Turn::Busy => self.shared.collect(),
                Turn::Idle => self.shared.wait(),
            };
        }
    }

    /// As [`run`](Self::run), in a task: whoever polls it waits for the steps, which `pool` computes.
    pub(super) async fn run_in_task(mut self, pool: rayon::ThreadPool) {
        let mut jobs = self.shared.collect();
        while let Some(new) = jobs {
            jobs = match pool.install(|| self.turn(new)) {
                Turn::Busy => {
                    tokio::task::yield_now().await;
                    self.shared.collect()
                }
                Turn::Idle => self.shared.wait_in_task().await,
            };
        }
    }

    /// Takes in new jobs, and does one step if there is anything to compute.
    fn turn(&mut self, new: Vec<Job>) -> Turn {
        self.waiting.extend(new);
        self.look_at_streams();
        self.admit();
        let plan = self.plan();
        let idle = plan.is_empty();
        if !idle {
            // held by nobody while it computes
            let one_thread = self.shared.one_thread.lock().clone();
            match one_thread {
                Some(thread) => thread.install(|| self.step(&plan)),
                None => self.step(&plan),
            }
        }
        self.publish_stats();
        if idle { Turn::Idle } else { Turn::Busy }
    }

    /// Drops what nobody listens to and sends what had to wait.
    fn look_at_streams(&mut self) {
        let before = self.waiting.len();
        self.waiting.retain(|job| !job.is_cancelled());
        self.shared
            .stats
            .waiting
            .fetch_sub(before - self.waiting.len(), Relaxed);
        let kv = &mut self.kv;
        self.running.retain_mut(|job| {
            let stays = !job.is_cancelled();
            if !stays {
                kv.release(&mut job.table);
            }
            stays
        });
        for mut job in self.running.extract_if(.., |job| !job.is_flushed()) {
            kv.release(&mut job.table);
            job.restart();
            self.paused.push(job);
        }
        self.paused.retain(|job| !job.is_cancelled());
        for job in self.paused.extract_if(.., Job::is_caught_up) {
            self.shared.stats.waiting.fetch_add(1, Relaxed);
            self.waiting.push_front(job);
        }
        self.draining
            .retain_mut(|generation| !generation.flush() && !generation.events.is_cancelled());
    }

    /// Takes waiting sequences in as long as their tokens find room.
    fn admit(&mut self) {
        while self.running.len() < self.limits.max_running {
            let Some(mut job) = self.waiting.pop_front() else {
                return;
            };
            if !self.find_blocks(&mut job) {
                self.waiting.push_front(job);
                return;
            }
            self.shared.stats.waiting.fetch_sub(1, Relaxed);
            job.begin();
            self.running.push(job);
        }
    }

    /// Blocks for all tokens there are, from the cache as far as it reaches; none if not all.
    fn find_blocks(&mut self, job: &mut Job) -> bool {
        debug_assert!(job.table.is_empty() && job.done == 0);
        let blocks = job.tokens.chunks_exact(BLOCK).take(job.cacheable_blocks());
        for tokens in blocks {
            let hash = block_hash(job.before(), tokens);
            let Some(id) = self.kv.find(&hash) else { break };
            job.table.push(id);
            job.chain.push(hash);
        }
        let needed = job.tokens.len().div_ceil(BLOCK) - job.table.len();
        if needed > self.kv.free() {
            self.kv.release(&mut job.table);
            job.chain.clear();
            return false;
        }
        job.done = job.table.len() * BLOCK;
        job.table
            .extend((0..needed).map_while(|_| self.kv.allocate()));
        true
    }

    /// Chooses the rows of the next step.
    fn plan(&mut self) -> Vec<Planned> {
        let mut budget = self.limits.token_budget;
        let mut plan = Vec::new();
        let mut job = 0;
        while job < self.running.len() && budget > 0 {
            if self.running[job].remaining() == 1 && self.grow(job) {
                plan.push(Planned { job, len: 1 });
                budget -= 1;
            }
            job += 1;
        }
        let rows = left_for_prompts(self.limits.token_budget, plan.len());
        let is_prompt = |job: &Job| job.remaining() > 1;
        let prompts = self
            .running
            .iter()
            .enumerate()
            .filter(|(_, job)| is_prompt(job));
        let (jobs, left): (Vec<_>, Vec<_>) = prompts.map(|(at, job)| (at, job.remaining())).unzip();
        let shares = jobs.into_iter().zip(divide(rows, &left));
        plan.extend(
            shares
                .filter(|(_, len)| *len > 0)
                .map(|(job, len)| Planned { job, len }),
        );
        plan
    }

    /// Room for one more token of a running sequence; the youngest give way. False when the
    /// sequence itself was the youngest.
    fn grow(&mut self, job: usize) -> bool {
        while self.running[job].table.len() * BLOCK < self.running[job].tokens.len() {
            if let Some(block) = self.kv.allocate() {
                self.running[job].table.push(block);
                continue;
            }
            let Some(mut youngest) = self.running.pop() else {
                return false;
            };
            self.kv.release(&mut youngest.table);
            youngest.restart();
            self.shared.stats.waiting.fetch_add(1, Relaxed);
            self.waiting.push_front(youngest);
            if self.running.len() == job {
                return false;
            }
        }
        true
    }

    /// One pass through the model, and what follows from it.
    fn step(&mut self, plan: &[Planned]) {
        let threads = rayon::current_num_threads();
        self.shared.stats.threads.store(threads, Relaxed);
        let mut rows = Vec::new();
        let mut wanted = Vec::new();
        for (table, planned) in plan.iter().enumerate() {
            let job = &self.running[planned.job];
            for position in job.done..job.done + planned.len {
                if job.wants_logits(position) {
                    wanted.push(Wanted {
                        job: planned.job,
                        row: rows.len(),
                        position,
                    });
                }
                rows.push(Row {
                    token: job.tokens[position],
                    position,
                    table,
                });
            }
        }
        let tables: Vec<&[u32]> = plan
            .iter()
            .map(|planned| &self.running[planned.job].table[..])
            .collect();
        self.model
            .forward(&rows, &tables, &mut self.kv, &mut self.scratch);

        self.embed(plan);
        for planned in plan {
            self.advance(planned);
        }
        let (mut finished, mut failed) = (Vec::new(), BTreeMap::new());
        for wanted in wanted.chunks(LOGIT_ROWS) {
            for wanted in wanted {
                let prepared = self.running[wanted.job].prepare(wanted.position);
                failed.extend(prepared.err().map(|error| (wanted.job, error)));
            }
            let verdicts = self.judge(wanted);
            for (wanted, verdict) in wanted.iter().zip(verdicts) {
                if let Some(verdict) = verdict {
                    self.apply(wanted.job, verdict, &mut finished);
                }
            }
        }
        for (job, running) in self.running.iter().enumerate() {
            let embedded = matches!(running.work, Work::Embed(_)) && running.remaining() == 0;
            if embedded {
                finished.push((job, Finish::Stop));
            }
        }
        finished.extend(failed.keys().map(|job| (*job, Finish::Cancelled)));
        finished.sort_unstable_by_key(|(job, _)| std::cmp::Reverse(*job));
        finished.dedup_by_key(|(job, _)| *job);
        for (index, finish) in finished {
            let mut job = self.running.remove(index);
            self.kv.release(&mut job.table);
            match failed.remove(&index) {
                Some(error) => job.fail(error),
                None => self.finish(job, finish),
            }
        }
    }

    /// Adds final hidden states to the embeddings among the rows.
    fn embed(&mut self, plan: &[Planned]) {
        let mut row = 0;
        let mut hidden = Vec::new();
        for planned in plan {
            if let Work::Embed(embedding) = &mut self.running[planned.job].work {
                for row in row..row + planned.len {
                    hidden.clear();
                    self.model.hidden(&self.scratch, row, &mut hidden);
                    embedding.add(&hidden);
                }
            }
            row += planned.len;
        }
    }

    /// Notes what a sequence has computed and makes full blocks known.
    fn advance(&mut self, planned: &Planned) {
        let job = &mut self.running[planned.job];
        job.done += planned.len;
        if job.remaining() > 0 || planned.len > 1 {
            self.shared
                .stats
                .prefill_tokens
                .fetch_add(planned.len as u64, Relaxed);
        }
        while (job.chain.len() + 1) * BLOCK <= job.done {
            let block = job.chain.len();
            let tokens = &job.tokens[block * BLOCK..][..BLOCK];
            let hash = block_hash(job.before(), tokens);
            self.kv.publish(job.table[block], hash);
            job.chain.push(hash);
        }
    }

    /// Logits of the wanted rows, and what they say; rows are judged in parallel.
    fn judge(&mut self, wanted: &[Wanted]) -> Vec<Option<Verdict>> {
        let mut hidden = Vec::with_capacity(wanted.len() * self.model.config.hidden);
        for wanted in wanted {
            self.model.hidden(&self.scratch, wanted.row, &mut hidden);
        }
        self.model.logits(&hidden, &mut self.logits);
        let (simd, running) = (self.model.simd, &self.running);
        self.logits
            .par_chunks_exact_mut(self.model.config.vocab)
            .zip(wanted)
            .map(|(logits, wanted)| running[wanted.job].judge(simd, wanted.position, logits))
            .collect()
    }

    fn apply(&mut self, index: usize, verdict: Verdict, finished: &mut Vec<(usize, Finish)>) {
        let job = &mut self.running[index];
        match (&mut job.work, verdict) {
            (
                Work::Generate(generation),
                Verdict::Chosen {
                    id,
                    digest,
                    logprob,
                    top,
                },
            ) => {
                job.tokens.push(id);
                let full = job.tokens.len() >= self.limits.context;
                let chosen = (id, &digest);
                let finish = generation.push(&self.text, chosen, logprob, &top, full, &self.eos);
                self.shared.stats.output_tokens.fetch_add(1, Relaxed);
                finished.extend(finish.map(|finish| (index, finish)));
            }
            (Work::Score(scoring), Verdict::Scored { score, digest }) => {
                scoring.fingerprint.push(score.id, &digest);
                scoring.masks.remove(&scoring.scores.len());
                scoring.scores.push(score);
                if scoring.scores.len() == scoring.output.len() {
                    finished.push((index, Finish::Stop));
                }
            }
            _ => debug_assert!(false, "a verdict fits its job"),
        }
    }

    /// Says the last word.
    fn finish(&mut self, job: Job, finish: Finish) {
        let _in = job.span.enter();
        tracing::debug!(tokens = job.tokens.len(), ?finish, "computed");
        match job.work {
            Work::Generate(mut generation) => {
                generation.end(finish);
                if !generation.pending.is_empty() {
                    self.draining.push(*generation);
                }
            }
            Work::Score(scoring) => scoring.end(),
            Work::Embed(embedding) => embedding.end(),
        }
    }

    fn publish_stats(&self) {
        self.shared.stats.running.store(self.running.len(), Relaxed);
        self.shared.stats.blocks_free.store(self.kv.free(), Relaxed);
    }
}
