//! Whether an engine of an exact class gives the same bits however the work is done: asked before anybody is served.
//!
//! The same prompt is answered alone and as often at once as fills a step, with the prefix cache cold and warm, on one thread and
//! on all; at last its answer is scored by one prefill. A fingerprint covers every bit of every logit, so
//! comparing fingerprints compares all of them. A memory that loses bits, a processor that errs in one of its cores, or a
//! library that was built wrongly shows here, and not in a jury's verdict.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use futures::StreamExt;
use futures::future::{BoxFuture, FutureExt, try_join_all};

use crate::embedded::kern::BLOCK;
use crate::fingerprint::{digest, new_state};
use crate::known_bits::known;
pub use crate::probed::{By, ProbeFault, Probed, Way};
use crate::{
    CacheDomain, Engine, EngineError, EngineFault, Event, GenerateRequest, ModelInfo, Prompt,
};

/// Sequences at once, where the engine has room for them: their prompts fill a step of 128 rows.
pub const MOST_AT_ONCE: usize = 4;
/// Tokens of the prompt: its first block of 32 can come from the cache, the rest can't.
const PROMPT: usize = 33;
/// Tokens of an answer: the first comes from the prefill, the second of a step of its own.
const OUTPUT: usize = 2;
/// Of the noise.
const SEED: u64 = 1;
/// No probe computes more tokens: two rounds of a full batch and five alone, all of them cold. Each node's start pays
/// for them.
pub const MOST_TOKENS: u64 = ((2 * MOST_AT_ONCE + 5) * (PROMPT + OUTPUT)) as u64;

/// Probes since the start of the process.
static ROUNDS: AtomicU64 = AtomicU64::new(0);
const DOMAIN: &[u8] = b"atoma/engine/probe/v1";

/// Probes an engine; none if its class promises no bits.
///
/// # Errors
/// If it must not serve an exact class.
pub(crate) fn probe<E: Engine + ?Sized>(
    engine: &E,
) -> BoxFuture<'_, Result<Option<Probed>, ProbeFault>> {
    async move {
        if !engine.info().numerics.is_exact() {
            return Ok(None);
        }
        let mut probe = Probe::of(engine);
        let done = probe.run().await;
        // whatever came of it, those who are served have all threads
        let reset = engine.on_one_thread(false).map_err(EngineError::from);
        done?;
        reset?;
        probe.end().map(Some)
    }
    .boxed()
}

/// A probe under way.
struct Probe<'a, E: ?Sized> {
    engine: &'a E,
    prompt: Vec<u32>,
    /// Another one for each probe, so that none finds what another has left in the cache.
    round: u64,
    /// The first way and its bits; the others are held against them.
    first: Option<(Way, Bits)>,
    probed: Probed,
}

/// What one prompt gave.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Bits {
    digest: [u8; 32],
    ids: Vec<u32>,
}

impl<'a, E: Engine + ?Sized> Probe<'a, E> {
    fn of(engine: &'a E) -> Self {
        let probed = Probed {
            ways: 0,
            at_once: at_once(engine),
            answers: 0,
            tokens: 0,
            cached_tokens: 0,
            known: false,
            digest: [0; 32],
        };
        Self {
            engine,
            prompt: prompt(engine.info()),
            round: ROUNDS.fetch_add(1, Relaxed),
            first: None,
            probed,
        }
    }

    async fn run(&mut self) -> Result<(), ProbeFault> {
        for way in self.ways() {
            self.try_way(way).await?;
        }
        Ok(())
    }

    /// All ways, the one first that the others are held against.
    fn ways(&self) -> Vec<Way> {
        let many = self.probed.at_once;
        let by = |at_once, by, one_thread| Way {
            at_once,
            by,
            one_thread,
        };
        let only_embeds = self.engine.info().only_embeds;
        let (mut ways, batches, last) = match only_embeds {
            true => (
                vec![by(1, By::Vector, true), by(1, By::Vector, false)],
                vec![by(many, By::Vector, false)],
                None,
            ),
            false => (
                vec![
                    Way::FIRST,
                    by(1, By::Warm, true),
                    by(1, By::Cold, false),
                    by(1, By::Warm, false),
                ],
                vec![by(many, By::Cold, false), by(many, By::Warm, true)],
                Some(by(1, By::Prefill, false)),
            ),
        };
        // a batch of one is no other way
        ways.extend(batches.into_iter().filter(|way| way.at_once > 1));
        ways.extend(last);
        ways
    }

    /// Does the work in one way, and holds it against the first.
    async fn try_way(&mut self, way: Way) -> Result<(), ProbeFault> {
        let set = self.engine.on_one_thread(way.one_thread);
        set.map_err(EngineError::from)?;
        let all = self.answers(way).await?;
        self.probed.ways += 1;
        self.probed.answers += all.len();
        let Some(bits) = all.first() else {
            return Err(EngineError::from(EngineFault::Stopped).into());
        };
        let (than, first) = self.first.get_or_insert_with(|| (way, bits.clone()));
        match all.iter().any(|bits| bits != first) {
            true => Err(ProbeFault::Differs { way, than: *than }),
            false => Ok(()),
        }
    }

    /// What the prompt gives, so often at once.
    async fn answers(&mut self, way: Way) -> Result<Vec<Bits>, EngineError> {
        match way.by {
            By::Vector => self.vectors(way.at_once).await,
            By::Prefill => self.score().await,
            By::Cold | By::Warm => {
                let asked = (0..way.at_once).map(|place| self.request(way, place));
                let answers = asked.map(|request| answer(self.engine, request));
                let answers = try_join_all(answers).await?;
                Ok(answers
                    .into_iter()
                    .map(|answer| self.count(answer))
                    .collect())
            }
        }
    }

    fn request(&self, way: Way, place: usize) -> GenerateRequest {
        GenerateRequest {
            temperature: 1.0,
            seed: SEED,
            cache_domain: way.domain(self.round, place),
            ..GenerateRequest::new(Prompt::Tokens(self.prompt.clone()), OUTPUT as u32)
        }
    }

    fn count(&mut self, answer: Answer) -> Bits {
        self.probed.tokens += answer.computed;
        self.probed.cached_tokens += answer.cached;
        answer.bits
    }

    async fn vectors(&mut self, count: usize) -> Result<Vec<Bits>, EngineError> {
        let prompts = vec![Prompt::Tokens(self.prompt.clone()); count];
        let (vectors, usage) = self.engine.embed(prompts).await?;
        self.probed.tokens += usage.input;
        let bits = vectors.iter().map(|vector| {
            let mut state = new_state();
            for number in vector {
                state.update(&number.to_le_bytes());
            }
            Bits {
                digest: digest(&state),
                ids: Vec::new(),
            }
        });
        Ok(bits.collect())
    }

    /// The first way's answer, as an audit sees it.
    async fn score(&mut self) -> Result<Vec<Bits>, EngineError> {
        let ids = self.first.iter().flat_map(|(_, first)| first.ids.clone());
        let ids: Vec<u32> = ids.collect();
        let tokens = self.prompt.len() + ids.len();
        let sampling = self.request(Way::FIRST, 0).sampling();
        let score = self.engine.score(self.prompt.clone(), ids, sampling, None);
        let score = score.await?;
        self.probed.tokens += tokens as u64;
        let ids = score.tokens.iter().filter_map(|token| token.reference);
        Ok(vec![Bits {
            digest: score.fingerprint,
            ids: ids.collect(),
        }])
    }

    /// What was found, held against what is known of the model.
    fn end(mut self) -> Result<Probed, ProbeFault> {
        let mut state = new_state();
        state.update(DOMAIN);
        if let Some((_, bits)) = &self.first {
            state.update(&bits.digest);
        }
        self.probed.digest = digest(&state);
        let info = self.engine.info();
        if let Some(known) = known(info) {
            if known != hex::encode(self.probed.digest) {
                return Err(ProbeFault::Unknown);
            }
            self.probed.known = true;
        }
        Ok(self.probed)
    }
}

impl Way {
    /// What the others are held against.
    const FIRST: Self = Self {
        at_once: 1,
        by: By::Cold,
        one_thread: true,
    };

    /// Where nothing is cached but by the same sequence: a warm way finds what its cold one has left there.
    fn domain(self, round: u64, place: usize) -> CacheDomain {
        let mut state = new_state();
        state.update(DOMAIN).update(&round.to_le_bytes());
        state.update(&[u8::from(self.at_once > 1)]);
        state.update(&[u8::from(self.at_once == 1 && self.one_thread)]);
        state.update(&(place as u64).to_le_bytes());
        CacheDomain::new(digest(&state))
    }
}

/// One prompt's answer.
struct Answer {
    bits: Bits,
    /// Tokens that were computed for it, and those that came from the cache.
    computed: u64,
    cached: u64,
}

async fn answer<E: Engine + ?Sized>(
    engine: &E,
    request: GenerateRequest,
) -> Result<Answer, EngineError> {
    let mut stream = engine.generate(request).await?;
    let mut ids = Vec::new();
    while let Some(event) = stream.next().await {
        match event? {
            Event::Token(token) => ids.extend(token.id),
            Event::Done(done) => {
                let bits = Bits {
                    digest: done.fingerprint,
                    ids,
                };
                return Ok(Answer {
                    bits,
                    computed: done.usage.input + done.usage.output,
                    cached: done.usage.cached_input,
                });
            }
            Event::Started { .. } | Event::Piece(_) => {}
        }
    }
    Err(EngineFault::Stopped.into())
}

/// As many sequences as keys and values, and the queue, have room for.
fn at_once<E: Engine + ?Sized>(engine: &E) -> usize {
    let load = engine.load();
    let blocks = (PROMPT + OUTPUT).div_ceil(BLOCK);
    let room = match load.kv_blocks_total {
        // of a model that has none
        0 => MOST_AT_ONCE,
        total => total / blocks,
    };
    MOST_AT_ONCE.min(room).min(load.most_waiting).max(1)
}

/// Token ids that look random, as many as the context has room for.
fn prompt(model: &ModelInfo) -> Vec<u32> {
    let vocab = u32::try_from(model.vocab).unwrap_or(u32::MAX).max(1);
    let mut state = 1u32;
    let next = |_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) % vocab
    };
    let room = model.context.saturating_sub(OUTPUT).max(1);
    (0..PROMPT.min(room)).map(next).collect()
}
