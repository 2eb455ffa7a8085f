//! A healthy engine passes its probe, and one that errs in whatever way doesn't.

use crate::common::{answer, options, random};
use atoma_engine::probe::{By, MOST_TOKENS, ProbeFault, Way};
use atoma_engine::testing::{Erring, Errs, RandomBert, RandomModel};
use atoma_engine::{EmbeddedOptions, Engine, GenerateRequest, Prompt, builtin};
use std::sync::Arc;

#[tokio::test]
async fn the_built_in_model_gives_the_same_bits_in_every_way_and_those_that_are_known() {
    let engine = builtin::load_with(options()).expect("loaded");
    let probed = engine.probe().await.expect("healthy").expect("exact");
    assert!(probed.known, "{probed:?}");
    assert_eq!((probed.ways, probed.at_once), (7, 4));
    assert!(probed.cached_tokens > 0);
    assert!(probed.tokens <= MOST_TOKENS, "{probed:?}");
    // one engine is probed once, and another one that is alike isn't
    let before = engine.load().output_tokens;
    let alike = builtin::load_with(options()).expect("loaded");
    for engine in [&engine, &alike] {
        assert_eq!(engine.probe().await, Ok(Some(probed.clone())));
    }
    assert_eq!(engine.load().output_tokens, before);
    assert_eq!(alike.load().output_tokens, 0);
    // one that is run in another way is
    let other = builtin::load_with(EmbeddedOptions {
        threads: Some(3),
        token_budget: 17,
        ..options()
    });
    let other = other.expect("loaded");
    let again = other.probe().await.expect("healthy").expect("exact");
    assert!(other.load().output_tokens > 0);
    assert_eq!(again.digest, probed.digest);
}

#[tokio::test]
async fn an_engine_that_is_told_so_computes_on_one_thread_and_then_on_all_again() {
    let two = EmbeddedOptions {
        threads: Some(2),
        ..options()
    };
    let engine = builtin::load_with(two).expect("loaded");
    for (one, threads) in [(false, 2), (true, 1), (false, 2)] {
        engine.on_one_thread(one).expect("a thread");
        let request = GenerateRequest::new(Prompt::Text("Hello!".to_owned()), 2);
        answer(&engine, request).await;
        assert_eq!(engine.load().threads, threads);
    }
}

#[tokio::test]
async fn no_room_is_no_fault() {
    // a context without a block to keep, a queue for few, memory for one
    let short = RandomModel {
        context: 24,
        ..RandomModel::small()
    };
    let queue = EmbeddedOptions {
        max_waiting: 3,
        max_running: 2,
        ..options()
    };
    let memory = EmbeddedOptions {
        kv_blocks: Some(2),
        ..options()
    };
    for (model, options, at_once) in [
        (short, options(), 4),
        (RandomModel::small(), queue, 3),
        (RandomModel::small(), memory, 1),
    ] {
        let engine = random(&model, options);
        let probed = engine.probe().await.expect("healthy").expect("exact");
        assert_eq!(probed.at_once, at_once);
        assert!(!probed.known);
    }
}

#[tokio::test]
async fn vectors_are_probed_of_a_model_that_only_embeds() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    RandomBert::small().write(folder.path()).expect("written");
    let engine = atoma_engine::open(folder.path(), options()).expect("loaded");
    let probed = engine.probe().await.expect("healthy").expect("exact");
    assert_eq!(probed.ways, 3);
}

fn erring(errs: Errs) -> Erring {
    let healthy = builtin::load_with(options()).expect("loaded");
    Erring::new(Arc::new(healthy), errs)
}

#[tokio::test]
async fn an_engine_that_errs_is_told_in_which_way() {
    let way = |at_once, by, one_thread| Way {
        at_once,
        by,
        one_thread,
    };
    let first = way(1, By::Cold, true);
    for (errs, at) in [
        (Errs::InBatches, way(4, By::Cold, false)),
        // in the midst of the first batch: four ways came before it
        (Errs::InOne(6), way(4, By::Cold, false)),
        (Errs::OnAllThreads, way(1, By::Cold, false)),
        (Errs::FromTheCache, way(1, By::Warm, true)),
        (Errs::InPrefill, way(1, By::Prefill, false)),
    ] {
        let engine = erring(errs);
        let fault = engine.probe().await.expect_err("it errs");
        let expected = ProbeFault::Differs {
            way: at,
            than: first,
        };
        assert_eq!(fault, expected, "{errs:?}");
        // whatever it came to, all threads are back
        assert!(!engine.is_on_one_thread());
    }
    let engine = erring(Errs::Always);
    assert_eq!(engine.probe().await, Err(ProbeFault::Unknown));
}

#[test]
fn a_way_is_told_in_words() {
    let way = Way {
        at_once: 4,
        by: By::Warm,
        one_thread: false,
    };
    let said = "among 4 at once, with a warm prefix cache, on all threads";
    assert_eq!(way.to_string(), said);
}
