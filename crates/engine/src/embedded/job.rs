//! What the worker works on: sequences of tokens and what is wanted of them.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use tokio::sync::oneshot;
use tracing::Span;

use super::kern::{BLOCK, Simd, digest_row};
use super::kv::BlockHash;
use crate::deltas::Deltas;
use crate::fingerprint::{Fingerprint, RowDigest};
use crate::format::{Guide, Mask};
use crate::loose;
use crate::sample::{self, Counts};
use crate::text::TextModel;
use crate::tool_calls::ToolCalls;
use crate::unit::unit;
use crate::{
    AnswerDelta, CacheDomain, Completion, EVENT_CAPACITY, EngineError, Event, EventSender, Finish,
    Logprob, OutputLimit, Piece, Sampling, Score, TokenEvent, TokenScore, ToolCallDelta, Usage,
};

/// A sequence, waiting or running.
pub(super) struct Job {
    /// Prompt and what was generated; of a claimed output, all but the last token.
    pub(super) tokens: Vec<u32>,
    /// How many tokens' keys and values are in the blocks.
    pub(super) done: usize,
    pub(super) table: Vec<u32>,
    /// Hashes of the full blocks in `table`.
    pub(super) chain: Vec<BlockHash>,
    /// Who shares its blocks.
    domain: CacheDomain,
    pub(super) work: Work,
    /// Within the span of whoever asked: what the worker says of it is found by the request's id.
    pub(super) span: Span,
}

/// What is wanted of a sequence.
pub(super) enum Work {
    Generate(Box<Generation>),
    Score(Box<Scoring>),
    Embed(Embedding),
}

impl Work {
    /// As its span calls it.
    fn name(&self) -> &'static str {
        match self {
            Self::Generate(_) => "generate",
            Self::Score(_) => "score",
            Self::Embed(_) => "embed",
        }
    }
}

/// An answer in the making.
pub(super) struct Generation {
    pub(super) sampling: Sampling,
    pub(super) logprobs: Option<u8>,
    pub(super) limit: Arc<OutputLimit>,
    pub(super) events: EventSender,
    /// Events that the stream had no room for; the sequence rests until they are gone.
    pub(super) pending: VecDeque<Result<Event, EngineError>>,
    pub(super) deltas: Deltas,
    pub(super) counts: Counts,
    pub(super) guide: Option<Guide>,
    /// What may come next, while a step is judged.
    pub(super) mask: Option<Mask>,
    pub(super) calls: Option<ToolCalls>,
    pub(super) fingerprint: Fingerprint,
    pub(super) usage: Usage,
    pub(super) started: bool,
}

/// A claimed answer being checked.
pub(super) struct Scoring {
    /// Length of the prompt.
    pub(super) prompt: usize,
    pub(super) output: Vec<u32>,
    pub(super) sampling: Sampling,
    pub(super) guide: Option<Guide>,
    /// What might have come at each index, while a step is judged.
    pub(super) masks: HashMap<usize, Mask>,
    pub(super) scores: Vec<TokenScore>,
    pub(super) fingerprint: Fingerprint,
    pub(super) reply: oneshot::Sender<Result<Score, EngineError>>,
}

/// A text being embedded: the mean of its final hidden states.
pub(super) struct Embedding {
    pub(super) sum: Vec<f32>,
    pub(super) reply: oneshot::Sender<Result<Vec<f32>, EngineError>>,
}

/// What one row of logits led to.
pub(super) enum Verdict {
    Chosen {
        id: u32,
        digest: RowDigest,
        logprob: Option<f32>,
        top: Vec<(u32, f32)>,
    },
    Scored {
        score: TokenScore,
        digest: RowDigest,
    },
}

impl Job {
    pub(super) fn new(tokens: Vec<u32>, domain: CacheDomain, work: Work) -> Self {
        let tokens_given = tokens.len();
        Self {
            tokens,
            done: 0,
            table: Vec::new(),
            chain: Vec::new(),
            domain,
            span: tracing::info_span!("engine", work = work.name(), tokens = tokens_given),
            work,
        }
    }

    /// It leaves the queue: its first tokens are in the next step.
    pub(super) fn begin(&mut self) {
        let _in = self.span.enter();
        tracing::debug!(cached_tokens = self.done, "computing begins");
        if let Work::Generate(generation) = &mut self.work {
            generation.start(self.done);
        }
    }

    /// What the next full block's hash begins with.
    pub(super) fn before(&self) -> &BlockHash {
        self.chain.last().unwrap_or(self.domain.as_bytes())
    }

    /// Tokens that have to go through the model before something comes out.
    pub(super) fn remaining(&self) -> usize {
        self.tokens.len() - self.done
    }

    /// Blocks that could come from the cache: the rows that are wanted must be computed.
    pub(super) fn cacheable_blocks(&self) -> usize {
        match &self.work {
            Work::Generate(_) => (self.tokens.len() - 1) / BLOCK,
            Work::Score(scoring) => (scoring.prompt + scoring.scores.len() - 1) / BLOCK,
            Work::Embed(_) => 0,
        }
    }

    /// Whether the logits after the token at `position` are wanted.
    pub(super) fn wants_logits(&self, position: usize) -> bool {
        match &self.work {
            Work::Generate(_) => position + 1 == self.tokens.len(),
            Work::Score(scoring) => position + 1 >= scoring.prompt + scoring.scores.len(),
            Work::Embed(_) => false,
        }
    }

    /// Nobody listens any more.
    pub(super) fn is_cancelled(&self) -> bool {
        match &self.work {
            Work::Generate(generation) => generation.events.is_cancelled(),
            Work::Score(scoring) => scoring.reply.is_closed(),
            Work::Embed(embedding) => embedding.reply.is_closed(),
        }
    }

    /// Sends what the listener has room for; false while the listener is behind.
    pub(super) fn is_flushed(&mut self) -> bool {
        match &mut self.work {
            Work::Generate(generation) => generation.flush(),
            _ => true,
        }
    }

    /// As [`is_flushed`](Self::is_flushed), and with room for many more: a sequence that gave its
    /// blocks back isn't taken up again for a single event.
    pub(super) fn is_caught_up(&mut self) -> bool {
        match &mut self.work {
            Work::Generate(generation) => {
                generation.flush() && generation.events.has_room(EVENT_CAPACITY / 2)
            }
            _ => true,
        }
    }

    /// Forgets what was computed; the caller has released the blocks.
    pub(super) fn restart(&mut self) {
        self.done = 0;
        self.chain.clear();
        if let Work::Embed(embedding) = &mut self.work {
            embedding.sum.fill(0.0);
        }
    }

    /// Works out what the answer's form allows after the token at `position`, before that is judged.
    pub(super) fn prepare(&mut self, position: usize) -> Result<(), EngineError> {
        match &mut self.work {
            Work::Generate(generation) => {
                let mask = generation.guide.as_mut().map(Guide::mask);
                generation.mask = mask.transpose()?;
            }
            Work::Score(scoring) => {
                let index = position + 1 - scoring.prompt;
                if let Some(guide) = &mut scoring.guide {
                    scoring.masks.insert(index, guide.mask()?);
                    // Beyond a token that the form forbids, or its end, there is no form.
                    if guide.push(scoring.output[index]) {
                        scoring.guide = None;
                    }
                }
            }
            Work::Embed(_) => {}
        }
        Ok(())
    }

    /// Tells whoever asked that it can't be done.
    pub(super) fn fail(self, error: EngineError) {
        let _in = self.span.enter();
        // an error may quote what the model wrote: whoever asked gets it, the log doesn't
        tracing::debug!("computing failed");
        match self.work {
            Work::Generate(mut generation) => {
                generation.pending.push_back(Err(error));
                generation.flush();
            }
            // Whoever asked may be gone.
            Work::Score(scoring) => drop(scoring.reply.send(Err(error))),
            Work::Embed(embedding) => drop(embedding.reply.send(Err(error))),
        }
    }

    /// Judges the logits after the token at `position`. Pure, so that rows are judged in parallel.
    pub(super) fn judge(&self, simd: Simd, position: usize, logits: &mut [f32]) -> Option<Verdict> {
        let digest = digest_row(simd, logits);
        let next = position + 1;
        match &self.work {
            Work::Generate(generation) => {
                let plain = generation.logprobs.map(|_| logits.to_vec());
                let sampling = &generation.sampling;
                let mask = generation.mask.as_ref();
                let id = sample::choose(simd, logits, sampling, &generation.counts, next, mask);
                let top = match (&plain, generation.logprobs) {
                    (Some(plain), Some(count)) => sample::top(simd, plain, usize::from(count)),
                    _ => Vec::new(),
                };
                let logprob = plain.map(|plain| sample::log_probability(simd, &plain, id));
                Some(Verdict::Chosen {
                    id,
                    digest,
                    logprob,
                    top,
                })
            }
            Work::Score(scoring) => {
                let index = next - scoring.prompt;
                let so_far = &scoring.output[..index];
                let counts = sample::occurrences(so_far, &scoring.sampling);
                let claimed = scoring.output[index];
                let sampling = &scoring.sampling;
                let mask = scoring.masks.get(&index);
                let score = loose::score(simd, logits, sampling, &counts, next, mask, claimed);
                Some(Verdict::Scored { score, digest })
            }
            Work::Embed(_) => None,
        }
    }
}

impl Generation {
    /// Tells the listener that the request left the queue; once.
    pub(super) fn start(&mut self, cached_tokens: usize) {
        if !std::mem::replace(&mut self.started, true) {
            let prompt_tokens = self.usage.prompt_tokens();
            self.usage = Usage::of_text(prompt_tokens, cached_tokens as u64, self.usage.output);
            self.emit(Event::Started {
                prompt_tokens: prompt_tokens as u32,
                cached_tokens: cached_tokens as u32,
            });
        }
    }

    /// Takes a chosen token; says why the answer ends, if it does. `full` is whether the context
    /// has no room for another.
    pub(super) fn push(
        &mut self,
        text: &TextModel,
        chosen: (u32, &RowDigest),
        logprob: Option<f32>,
        top: &[(u32, f32)],
        full: bool,
        eos: &[u32],
    ) -> Option<Finish> {
        let (id, digest) = chosen;
        self.usage.output += 1;
        self.fingerprint.push(id, digest);
        *self.counts.entry(id).or_default() += 1;
        let is_end = eos.contains(&id);
        let offset = self.deltas.made();
        // An end token has no text, whatever the tokenizer says.
        let (mut delta, stopped) = if is_end {
            (String::new(), false)
        } else {
            self.deltas.push(text, id)
        };
        let formed = !is_end && self.guide.as_mut().is_some_and(|guide| guide.push(id));
        let finish = if is_end || stopped || formed {
            Some(Finish::Stop)
        } else if full || self.usage.output >= u64::from(self.limit.get()) {
            Some(Finish::Length)
        } else {
            None
        };
        if finish.is_some() && !stopped {
            delta.push_str(&self.deltas.finish(text));
        }
        let found = self.sort(&mut delta, finish.is_some());
        let name = |(id, logprob): (u32, f32)| {
            let bytes = text.bytes(id);
            Logprob {
                id,
                token: String::from_utf8_lossy(&bytes).into_owned(),
                bytes,
                logprob,
            }
        };
        self.emit(Event::Token(TokenEvent {
            id: Some(id),
            text: delta,
            offset,
            logprob: logprob.map(|logprob| name((id, logprob))),
            top: top.iter().copied().map(name).collect(),
        }));
        if !found.is_empty() {
            let delta = AnswerDelta {
                tool_calls: found,
                ..AnswerDelta::default()
            };
            // Its tokens were told one by one.
            self.emit(Event::Piece(Piece {
                deltas: vec![delta],
                tokens: 0,
            }));
        }
        let called = self.calls.as_ref().is_some_and(ToolCalls::any);
        match finish {
            Some(Finish::Stop) if called => Some(Finish::ToolCalls),
            finish => finish,
        }
    }

    /// Takes calls of tools out of a piece of text.
    fn sort(&mut self, text: &mut String, last: bool) -> Vec<ToolCallDelta> {
        let Some(calls) = &mut self.calls else {
            return Vec::new();
        };
        let mut sorted = calls.push(text);
        if last {
            let rest = calls.finish();
            sorted.text.push_str(&rest.text);
            sorted.calls.extend(rest.calls);
        }
        *text = sorted.text;
        sorted.calls
    }

    /// The last event.
    pub(super) fn end(&mut self, finish: Finish) {
        let (fingerprint, commitments) = std::mem::take(&mut self.fingerprint).finish();
        let (usage, seed) = (self.usage, self.sampling.seed);
        self.emit(Event::Done(Completion {
            finish,
            usage,
            fingerprint,
            commitments,
            seed,
        }));
    }

    fn emit(&mut self, event: Event) {
        if !self.pending.is_empty() {
            self.pending.push_back(Ok(event));
        } else if let Err(event) = self.events.try_send(Ok(event)) {
            self.pending.push_back(event);
        }
    }

    /// Sends what the stream has room for by now; true when nothing is left.
    pub(super) fn flush(&mut self) -> bool {
        while let Some(event) = self.pending.pop_front() {
            if let Err(event) = self.events.try_send(event) {
                self.pending.push_front(event);
                return false;
            }
        }
        true
    }
}

impl Scoring {
    /// The answer to whoever asked.
    pub(super) fn end(self) {
        let (fingerprint, commitments) = self.fingerprint.finish();
        let score = Score {
            tokens: self.scores,
            fingerprint,
            commitments,
        };
        // Whoever asked may be gone.
        let _ = self.reply.send(Ok(score));
    }
}

impl Embedding {
    /// Adds a final hidden state.
    pub(super) fn add(&mut self, hidden: &[f32]) {
        self.sum
            .iter_mut()
            .zip(hidden)
            .for_each(|(sum, h)| *sum += h);
    }

    /// The direction of the sum, which is that of the mean.
    pub(super) fn end(self) {
        // Whoever asked may be gone.
        let _ = self.reply.send(Ok(unit(&self.sum)));
    }
}
