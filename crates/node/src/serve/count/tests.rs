use super::*;
use atoma_engine::{
    Embeddings, Engine, EngineError, EventStream, Format, GenerateRequest, Load, ModelInfo,
    Sampling, Score,
};
use atoma_types::{
    ComputeUnits, EngineClass, Numerics, Price, Role, Rule, SecurityLevel, TaskId, UnitWeights,
    hash::Hash32,
};
use futures::future::{BoxFuture, FutureExt, join_all, pending, ready};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use tokio::time::Instant;

/// How a server counts.
#[derive(Clone, Copy)]
enum Counts {
    /// A token for four bytes.
    Well,
    /// It refuses to count.
    Not,
    /// It never says.
    Never,
}

/// An engine outside, which has no tokenizer here.
struct Outside {
    info: ModelInfo,
    counts: Counts,
    /// How often it was asked.
    asked: AtomicUsize,
}

impl Engine for Outside {
    fn info(&self) -> &ModelInfo {
        &self.info
    }

    fn has_tokenizer(&self) -> bool {
        false
    }

    fn count_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        Ok(pieces::bytes(prompt))
    }

    fn measure<'a>(
        &'a self,
        prompt: &'a Prompt,
        server: &'a ServerFields,
    ) -> BoxFuture<'a, Result<Measured, EngineError>> {
        self.asked.fetch_add(1, SeqCst);
        match self.counts {
            Counts::Well => ready(Ok(Measured::exactly(pieces::bytes(prompt) / 4))).boxed(),
            Counts::Not => ready(self.bound(prompt, server)).boxed(),
            Counts::Never => pending().boxed(),
        }
    }

    fn bound(&self, prompt: &Prompt, _: &ServerFields) -> Result<Measured, EngineError> {
        let most = pieces::bytes(prompt);
        Ok(Measured {
            most,
            likely: most / 4,
        })
    }

    fn generate(&self, _: GenerateRequest) -> BoxFuture<'_, Result<EventStream, EngineError>> {
        unreachable!("nothing is generated")
    }

    fn embed(&self, _: Vec<Prompt>) -> BoxFuture<'_, Result<Embeddings, EngineError>> {
        unreachable!("nothing is embedded")
    }

    fn score(
        &self,
        _: Vec<u32>,
        _: Vec<u32>,
        _: Sampling,
        _: Option<Format>,
    ) -> BoxFuture<'_, Result<Score, EngineError>> {
        unreachable!("nothing is scored")
    }

    fn load(&self) -> Load {
        Load::default()
    }
}

/// A task of an engine outside with this context, and the engine.
fn outside(counts: Counts, context: usize) -> (Arc<ServedTask>, Arc<Outside>) {
    let info = ModelInfo {
        id: "outside".to_owned(),
        revision: [0; 32],
        numerics: Numerics::Tolerant,
        context,
        vocab: 0,
        max_output: 0,
        only_embeds: false,
        defaults: atoma_engine::SamplingDefaults::default(),
    };
    let engine = Arc::new(Outside {
        info,
        counts,
        asked: AtomicUsize::new(0),
    });
    let task = ServedTask {
        id: TaskId(atoma_types::Address::ZERO),
        security: SecurityLevel::None,
        role: Role::ChatCompletion,
        model: "outside".to_owned(),
        weights: UnitWeights::TEXT,
        class: EngineClass {
            model: Hash32::ZERO,
            numerics: Numerics::Tolerant,
            rule: Rule::Tolerant,
        },
        engine: engine.clone(),
        price: Price(1),
        counting: Semaphore::new(crate::tasks::COUNTED_AT_ONCE),
    };
    (Arc::new(task), engine)
}

fn long() -> Prompt {
    Prompt::Text("word ".repeat(100_000))
}

async fn measured(task: &ServedTask, max_units: u64, left: u64) -> Result<Measured, RefusalCode> {
    let room = Room::of(task, ComputeUnits(max_units), ComputeUnits(left));
    let (prompt, fields) = (long(), ServerFields::default());
    let measured = measure(task, &prompt, &fields, 500_000, room).await;
    measured.map_err(|refusal| refusal.code)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_never_counts_is_not_waited_for_and_leaves_other_engines_alone() {
    let (hung, _) = outside(Counts::Never, 0);
    let (well, _) = outside(Counts::Well, 0);
    let begun = Instant::now();
    let most = u64::MAX;
    let waiting = join_all((0..16).map(|_| measured(&hung, most, most)));
    tokio::pin!(waiting);
    assert!(futures::poll!(waiting.as_mut()).is_pending());
    let counted = measured(&well, most, most).await.unwrap();
    assert_eq!((counted.most, counted.likely), (125_000, 125_000));
    assert_eq!(begun.elapsed(), Duration::ZERO);
    for bound in waiting.await {
        let bound = bound.unwrap();
        assert_eq!((bound.most, bound.likely), (500_000, 125_000), "by bytes");
    }
    assert!(begun.elapsed() <= OUTSIDE_TIMEOUT + Duration::from_secs(1));
}

#[tokio::test]
async fn what_the_bytes_alone_rule_out_is_not_asked() {
    let (task, engine) = outside(Counts::Well, 0);
    let most = u64::MAX;
    let refused = [
        (
            measured(&task, 1_900, most).await,
            RefusalCode::MaxUnitsTooLow,
        ),
        (
            measured(&task, most, 1_900).await,
            RefusalCode::LeaseExhausted,
        ),
    ];
    for (found, code) in refused {
        assert_eq!(found, Err(code));
    }
    let (small, _) = outside(Counts::Well, 1_900);
    let found = measured(&small, most, most).await;
    assert_eq!(found, Err(RefusalCode::ContextTooLong));
    assert_eq!(engine.asked.load(SeqCst), 0);
    // what may fit is asked, until it can't
    assert_eq!(
        measured(&task, most, 20_000).await,
        Err(RefusalCode::LeaseExhausted)
    );
    assert_eq!(engine.asked.load(SeqCst), 3);
}

#[tokio::test]
async fn nobody_is_asked_again_who_could_not_count_the_first_piece() {
    let (task, engine) = outside(Counts::Not, 0);
    let bound = measured(&task, u64::MAX, u64::MAX).await.unwrap();
    assert_eq!((bound.most, bound.likely), (500_000, 125_000));
    assert_eq!(engine.asked.load(SeqCst), 1);
    let room = Room::of(&task, ComputeUnits(u64::MAX), ComputeUnits(u64::MAX));
    let inputs = vec![long(); 8];
    let counter = Counter::new(Threads::Real);
    let counted = counter.count_inputs(&task, inputs, 4_000_000, room).await;
    assert_eq!(counted.unwrap().1, 4_000_000);
    assert_eq!(engine.asked.load(SeqCst), 2);
}

#[tokio::test]
async fn inputs_that_there_is_no_money_for_are_not_asked() {
    let (task, engine) = outside(Counts::Well, 0);
    let room = Room::of(&task, ComputeUnits(u64::MAX), ComputeUnits(499_999));
    let counter = Counter::new(Threads::Real);
    let counted = counter.count_inputs(&task, vec![long()], 500_000, room);
    // the plan says why not
    assert_eq!(counted.await.unwrap().1, 500_000);
    assert_eq!(engine.asked.load(SeqCst), 0);
}

#[tokio::test]
async fn an_input_whose_bytes_are_few_tokens_is_not_refused_for_its_bytes() {
    // WordPiece drops spaces, and knows a word of any length as one token
    let (task, _) = outside(Counts::Not, 512);
    let room = Room::of(&task, ComputeUnits(u64::MAX), ComputeUnits(u64::MAX));
    let inputs = vec![Prompt::Text(format!("a{}b", " ".repeat(400_000)))];
    let counter = Counter::new(Threads::Real);
    let counted = counter.count_inputs(&task, inputs, 400_002, room).await;
    assert_eq!(counted.unwrap().1, 400_002);
}
