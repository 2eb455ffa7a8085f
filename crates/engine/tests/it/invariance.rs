//! The engine's promise: an answer, with every bit of every logit, is a function of the weights, the
//! prompt and the sampling parameters alone. Fingerprints cover all logits, so comparing them
//! compares every bit.

use crate::common::{answer, options, random, sampled, tokens};
use atoma_engine::testing::RandomModel;
use atoma_engine::{EmbeddedOptions, Engine, Isa};
use proptest::prelude::*;

/// How an engine is set up; nothing of it may show in an answer.
#[derive(Debug, Clone)]
struct Setup {
    threads: usize,
    token_budget: usize,
    max_running: usize,
    spare_blocks: usize,
    isa: Option<Isa>,
    shared_prefix: usize,
    companions: usize,
}

fn setups() -> impl Strategy<Value = Setup> {
    let isa = prop_oneof![
        Just(None),
        Just(Some(Isa::Avx512)),
        Just(Some(Isa::Avx2)),
        Just(Some(Isa::Portable))
    ];
    (
        1..4usize,
        1..80usize,
        1..6usize,
        0..12usize,
        isa,
        0..100usize,
        0..6usize,
    )
        .prop_map(
            |(threads, token_budget, max_running, spare_blocks, isa, shared_prefix, companions)| {
                let sizes = (shared_prefix, companions);
                Setup {
                    threads,
                    token_budget,
                    max_running,
                    spare_blocks,
                    isa,
                    shared_prefix: sizes.0,
                    companions: sizes.1,
                }
            },
        )
}

fn families() -> Vec<RandomModel> {
    let small = RandomModel::small();
    vec![
        small.clone(),
        RandomModel {
            family: "qwen2",
            tied: false,
            heads: 6,
            head_dim: 8,
            ..small.clone()
        },
        RandomModel {
            family: "qwen3",
            bf16: true,
            kv_heads: 4,
            head_dim: 24,
            ..small.clone()
        },
        RandomModel {
            family: "mistral",
            bf16: true,
            kv_heads: 1,
            vocab: 2100,
            ..small
        },
    ]
}

const PROMPT: usize = 90;
const OUTPUT: u32 = 40;

/// One sequential request on one thread, portable code, one token at a time.
fn reference(model: &RandomModel, runtime: &tokio::runtime::Runtime) -> crate::common::Answer {
    let plain = EmbeddedOptions {
        threads: Some(1),
        token_budget: 1,
        max_running: 1,
        isa: Some(Isa::Portable),
        ..options()
    };
    let engine = random(model, plain);
    runtime.block_on(answer(&engine, sampled(tokens(1, PROMPT), OUTPUT, 11)))
}

fn check(
    model: &RandomModel,
    setup: &Setup,
    expected: &crate::common::Answer,
    rt: &tokio::runtime::Runtime,
) {
    // Just enough memory for the longest, and a little more: so that sequences are thrown out.
    let blocks = model
        .context
        .min(PROMPT + OUTPUT as usize + 64)
        .div_ceil(32)
        + setup.spare_blocks;
    let options = EmbeddedOptions {
        threads: Some(setup.threads),
        token_budget: setup.token_budget,
        max_running: setup.max_running,
        kv_blocks: Some(blocks),
        isa: setup.isa,
        ..EmbeddedOptions::default()
    };
    let folder = tempfile::tempdir().expect("a temporary folder");
    model.write(folder.path()).expect("written");
    // Not every machine has every instruction set.
    let Ok(engine) = atoma_engine::Embedded::open(folder.path(), options) else {
        assert!(setup.isa.is_some());
        return;
    };
    rt.block_on(async {
        let prompt = tokens(1, PROMPT);
        // Others that begin alike, run before, beside and after.
        let companion = |i: usize| {
            let mut other = prompt[..setup.shared_prefix.min(PROMPT)].to_vec();
            other.extend(tokens(100 + i as u32, 1 + 7 * i));
            sampled(other, 5 + 9 * i as u32, i as u64)
        };
        let mut streams = Vec::new();
        for i in 0..setup.companions {
            streams.push(engine.generate(companion(i)).await.expect("accepted"));
        }
        streams.push(
            engine
                .generate(sampled(prompt.clone(), OUTPUT, 11))
                .await
                .expect("accepted"),
        );
        let answers = futures::future::join_all(streams.into_iter().map(crate::common::read)).await;
        let got = answers.last().expect("one at least");
        assert_eq!(
            (&got.ids, &got.done.fingerprint),
            (&expected.ids, &expected.done.fingerprint)
        );
        assert_eq!(got.text, expected.text);

        // Once more, now out of the cache.
        let again = answer(&engine, sampled(prompt.clone(), OUTPUT, 11)).await;
        assert_eq!(again.done.fingerprint, expected.done.fingerprint);

        // And as a verifier sees it.
        let request = sampled(Vec::new(), 1, 11);
        let score = engine
            .score(prompt, again.ids, request.sampling(), None)
            .await
            .expect("scored");
        assert_eq!(score.fingerprint, expected.done.fingerprint);
        assert_eq!(score.commitments, expected.done.commitments);
        assert!(
            score
                .tokens
                .iter()
                .all(|t| t.margin == 0.0 && t.reference == Some(t.id))
        );
    });
}

#[test]
fn no_bit_depends_on_how_the_work_is_done() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    for model in families() {
        let expected = reference(&model, &runtime);
        assert_eq!(expected.done.usage.output, u64::from(OUTPUT));
        let config = ProptestConfig {
            cases: 12,
            failure_persistence: None,
            ..Default::default()
        };
        let mut runner = proptest::test_runner::TestRunner::new(config);
        let result = runner.run(&setups(), |setup| {
            check(&model, &setup, &expected, &runtime);
            Ok(())
        });
        result.unwrap_or_else(|e| panic!("{}: {e}", model.family));
    }
}

#[test]
fn golden_fingerprint_of_a_random_model() {
    // Changes when the arithmetic does: then the numeric class needs a new version.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    let answer = reference(&RandomModel::small(), &runtime);
    let hex: String = answer
        .done
        .fingerprint
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    assert_eq!(
        hex,
        "63c83875d7385d0c3a7fa4dffa4ea43c1dae414aa7ccaa08044727a2b4ee1834"
    );
}
