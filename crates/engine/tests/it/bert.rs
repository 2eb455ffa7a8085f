//! Embeddings by BERTs with random weights, held to themselves.

use std::path::Path;

use atoma_engine::testing::RandomBert;
use atoma_engine::{
    Bert, EmbeddedOptions, Engine, GenerateRequest, Isa, LoadError, Numerics, Prompt, Unsupported,
};

use crate::common::options;

/// A text of many words.
fn text(words: usize) -> String {
    let words = (0..words).map(|i| ["The", "sun", "is", "a", "star", "moons"][i * i % 6]);
    words.collect::<Vec<_>>().join(" ")
}

pub(crate) fn open(model: &RandomBert, options: EmbeddedOptions) -> Bert {
    let folder = tempfile::tempdir().expect("a temporary folder");
    model.write(folder.path()).expect("written");
    Bert::open(folder.path(), options).expect("loaded")
}

#[tokio::test]
async fn no_bit_depends_on_threads_steps_companions_or_the_processor() {
    let prompts: Vec<Prompt> = (1..20).map(|n| Prompt::Text(text(n * 3))).collect();
    let expected = open(&RandomBert::small(), options());
    let (expected, usage) = expected.embed(prompts.clone()).await.expect("embedded");
    assert_eq!((expected.len(), usage.output), (19, 0));
    for (threads, token_budget, isa) in [
        (1, 1, None),
        (3, 40, Some(Isa::Avx512)),
        (2, 100_000, Some(Isa::Avx2)),
        (1, 77, Some(Isa::Portable)),
    ] {
        let options = EmbeddedOptions {
            threads: Some(threads),
            token_budget,
            isa,
            ..EmbeddedOptions::default()
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        RandomBert::small().write(folder.path()).expect("written");
        let engine = match Bert::open(folder.path(), options) {
            Err(LoadError::Unsupported(Unsupported::Processor(_))) => continue,
            engine => engine.expect("loaded"),
        };
        let (together, _) = engine.embed(prompts.clone()).await.expect("embedded");
        assert_eq!(together, expected, "{threads} {token_budget} {isa:?}");
        for (prompt, vector) in prompts.iter().zip(&expected) {
            let (alone, _) = engine.embed(vec![prompt.clone()]).await.expect("embedded");
            assert_eq!(&alone[0], vector);
        }
    }
}

#[tokio::test]
async fn golden_bits_of_a_random_model() {
    // The same on every processor: whoever changes these changes every embedding.
    let engine = open(&RandomBert::small(), options());
    let prompt = Prompt::Text("The sun is a star.".into());
    let (vectors, usage) = engine.embed(vec![prompt]).await.expect("embedded");
    // The first components, computed apart, in f64, from the same weights.
    let reference = [
        -0.095_660_7_f32,
        0.171_104_3,
        0.063_952,
        0.057_021,
        0.067_552_2,
        0.300_018_9,
    ];
    for (seen, expected) in vectors[0].iter().zip(reference) {
        assert!((seen - expected).abs() < 1e-6, "{seen} {expected}");
    }
    let fold = |hash: u64, v: &f32| (hash ^ u64::from(v.to_bits())).wrapping_mul(0x0100_0000_01b3);
    let bits = vectors[0].iter().fold(0xcbf2_9ce4_8422_2325, fold);
    let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
    let revision = hex(&engine.info().revision[..8]);
    assert_eq!(
        (usage.input, bits, &revision[..]),
        (8, 0x3410_670f_e887_a016, "550c23f5b916c381")
    );
}

#[tokio::test]
async fn texts_are_read_as_the_folder_says() {
    let model = RandomBert::small();
    let engine = open(&model, options());
    let embed = async |text: &str| {
        let (mut vectors, usage) = engine
            .embed(vec![Prompt::Text(text.into())])
            .await
            .expect("embedded");
        (vectors.remove(0), usage.input)
    };
    // [CLS] the sun ##s [SEP], whatever the case; the tokenizer's own limit and padding don't count.
    assert_eq!(embed("The Suns").await, embed("the suns").await);
    assert_eq!(embed("the suns").await.1, 5);
    assert_eq!(engine.info().context, 64);
    let (vector, tokens) = embed(&text(50)).await;
    assert_eq!(
        tokens as usize,
        engine
            .count_tokens(&Prompt::Text(text(50)))
            .expect("counted")
    );
    assert!((vector.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-5);
    assert_eq!(engine.info().numerics, Numerics::DetF32V1);

    let other = RandomBert {
        pooling: "cls_token",
        ..model
    };
    assert_ne!(
        open(&other, options()).info().revision,
        engine.info().revision
    );
}

#[tokio::test]
async fn what_it_cant_do_is_refused() {
    let engine = open(&RandomBert::small(), options());
    let code = async |prompt: Prompt| {
        let error = engine.embed(vec![prompt]).await.expect_err("refused");
        error.code()
    };
    assert_eq!(
        code(Prompt::Tokens(vec![5; 65])).await,
        "context_length_exceeded"
    );
    assert_eq!(code(Prompt::Tokens(vec![4096])).await, "bad_request");
    assert_eq!(code(Prompt::Tokens(vec![])).await, "bad_request");
    let request = GenerateRequest::new(Prompt::Text("x".into()), 1);
    let talks = engine.generate(request).await.expect_err("refused");
    assert_eq!(talks.code(), "bad_request");
    let full = EmbeddedOptions {
        max_waiting: 1,
        token_budget: 1,
        ..options()
    };
    let engine = open(&RandomBert::small(), full);
    // More steps than tokio lets a task take at once.
    let mut first = engine.embed(vec![Prompt::Text(text(1)); 300]);
    assert!(futures::poll!(&mut first).is_pending());
    let second = engine.embed(vec![Prompt::Text(text(1))]).await;
    assert_eq!(second.expect_err("refused").code(), "overloaded");
    first.await.expect("embedded");
}

#[test]
fn a_folder_is_opened_by_the_engine_of_its_kind() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let load = |path: &Path| atoma_engine::open(path, options());
    RandomBert::small().write(folder.path()).expect("written");
    let embeds = load(folder.path()).expect("loaded");
    assert!(embeds.info().only_embeds);
    atoma_engine::testing::RandomModel::small()
        .write(folder.path())
        .expect("written");
    assert!(!load(folder.path()).expect("loaded").info().only_embeds);
    std::fs::write(folder.path().join("config.json"), r#"{"model_type":"t5"}"#).expect("written");
    let refused = load(folder.path()).err().expect("refused").to_string();
    assert!(
        refused.contains("t5") && refused.contains("bert"),
        "{refused}"
    );
}
