//! What counts as too much to do: requests, the engine's queue, and what its server says.

use super::pair::{Behind, Pair, always, when_full};
use atoma_client::RequestOptions;
use atoma_engine::{
    Embeddings, Engine, EngineError, EventStream, Format, GenerateRequest, Load, Measured,
    ModelInfo, Prompt, Sampling, Score, ServerFields,
};
use atoma_node::ForwardConfig;
use futures::future::BoxFuture;
use http::StatusCode;
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::SeqCst},
};

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_has_no_room_for_is_passed_on() {
    let (own, other) = (Behind::busy().await, Behind::quick().await);
    let engines = [own.engine.clone(), other.engine.clone()];
    let pair = Pair::start(engines, when_full()).await;
    for (n, more) in ["", r#","stream":true"#].into_iter().enumerate() {
        let whole = pair.whole(more).await;
        assert_eq!(whole.status, StatusCode::OK, "{whole:?}");
        assert!(whole.receipt.unwrap().second().is_some());
        assert_eq!(own.server.requests(), n as u64 + 1, "it was asked first");
    }
    // what may not go, its user hears of
    let kept = RequestOptions {
        no_forward: true,
        ..RequestOptions::default()
    };
    let refused = pair.ask("", kept).await.whole().await.unwrap();
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(other.server.requests(), 2);
    let (by_user, by_first) = pair.paid().await;
    assert_eq!(by_user, by_first);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_other_has_room_for_either_is_refused_and_costs_nothing() {
    let (own, other) = (Behind::busy().await, Behind::busy().await);
    let engines = [own.engine.clone(), other.engine.clone()];
    let pair = Pair::start(engines, always()).await;
    let refused = pair.whole("").await;
    assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
    let said: serde_json::Value = serde_json::from_slice(&refused.body).unwrap();
    assert_eq!(said["error"]["code"], "overloaded");
    assert_eq!(
        (pair.forwarded("nobody").await, other.server.requests()),
        (1, 1),
        "others are asked once"
    );
    let room = pair.stack.room(pair.first().node_id());
    assert_eq!(room.0, 20_000);
    assert_eq!(pair.signed_by_second().await, 0);
}

/// An engine that says how many wait before it.
struct Queued {
    engine: Arc<dyn Engine>,
    waiting: AtomicUsize,
}

impl Engine for Queued {
    fn info(&self) -> &ModelInfo {
        self.engine.info()
    }

    fn count_tokens(&self, prompt: &Prompt) -> Result<usize, EngineError> {
        self.engine.count_tokens(prompt)
    }

    fn has_tokenizer(&self) -> bool {
        self.engine.has_tokenizer()
    }

    fn measure<'a>(
        &'a self,
        prompt: &'a Prompt,
        server: &'a ServerFields,
    ) -> BoxFuture<'a, Result<Measured, EngineError>> {
        self.engine.measure(prompt, server)
    }

    fn bound(&self, prompt: &Prompt, server: &ServerFields) -> Result<Measured, EngineError> {
        self.engine.bound(prompt, server)
    }

    fn generate(
        &self,
        request: GenerateRequest,
    ) -> BoxFuture<'_, Result<EventStream, EngineError>> {
        self.engine.generate(request)
    }

    fn embed(&self, prompts: Vec<Prompt>) -> BoxFuture<'_, Result<Embeddings, EngineError>> {
        self.engine.embed(prompts)
    }

    fn score(
        &self,
        prompt: Vec<u32>,
        output: Vec<u32>,
        sampling: Sampling,
        format: Option<Format>,
    ) -> BoxFuture<'_, Result<Score, EngineError>> {
        self.engine.score(prompt, output, sampling, format)
    }

    fn load(&self) -> Load {
        Load {
            waiting: self.waiting.load(SeqCst),
            most_waiting: 4,
            ..self.engine.load()
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_before_the_engine_counts_as_work() {
    let (own, other) = (Behind::quick().await, Behind::quick().await);
    let queued = Arc::new(Queued {
        engine: own.engine.clone(),
        waiting: AtomicUsize::new(0),
    });
    let above_half = ForwardConfig {
        above_permille: 500,
        ..when_full()
    };
    let engines = [queued.clone() as Arc<dyn Engine>, other.engine.clone()];
    let pair = Pair::start(engines, above_half).await;
    for (waiting, passed_on) in [(0, false), (2, false), (3, true), (0, false)] {
        queued.waiting.store(waiting, SeqCst);
        let receipt = pair.whole("").await.receipt.unwrap();
        assert_eq!(receipt.second().is_some(), passed_on, "{waiting} of 4 wait");
    }
    assert_eq!((own.server.requests(), other.server.requests()), (3, 1));
}
