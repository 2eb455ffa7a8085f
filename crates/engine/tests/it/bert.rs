//! Embeddings by a BERT with random weights, through candle.

use std::collections::HashMap;
use std::path::Path;

use atoma_engine::testing::RandomModel;
use atoma_engine::{Bert, Engine, GenerateRequest, Prompt};
use candle_core::{Device, Tensor};

const HIDDEN: usize = 16;

/// A folder as sentence-transformers writes it, small.
fn write(folder: &Path, pooling: &str) {
    RandomModel::small()
        .write(folder)
        .expect("its tokenizer serves");
    let config = serde_json::json!({
        "model_type": "bert", "vocab_size": 4096, "hidden_size": HIDDEN, "num_hidden_layers": 2,
        "num_attention_heads": 2, "intermediate_size": 32, "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1, "max_position_embeddings": 64, "type_vocab_size": 2,
        "initializer_range": 0.02, "layer_norm_eps": 1e-12, "pad_token_id": 0,
        "position_embedding_type": "absolute", "use_cache": true,
    });
    std::fs::write(folder.join("config.json"), config.to_string()).expect("written");
    std::fs::create_dir_all(folder.join("1_Pooling")).expect("created");
    std::fs::write(folder.join("1_Pooling/config.json"), pooling).expect("written");
    let mut tensors: HashMap<String, Tensor> = HashMap::new();
    let mut add = |name: String, shape: &[usize]| {
        let tensor = Tensor::randn(0f32, 0.5, shape, &Device::Cpu).expect("random");
        tensors.insert(name, tensor);
    };
    for (name, rows) in [("word", 4096), ("position", 64), ("token_type", 2)] {
        add(
            format!("embeddings.{name}_embeddings.weight"),
            &[rows, HIDDEN],
        );
    }
    let mut layers = vec![("embeddings.LayerNorm".to_owned(), HIDDEN, 0)];
    for layer in 0..2 {
        let name = |part: &str| format!("encoder.layer.{layer}.{part}");
        for part in ["self.query", "self.key", "self.value", "output.dense"] {
            layers.push((name(&format!("attention.{part}")), HIDDEN, HIDDEN));
        }
        layers.push((name("attention.output.LayerNorm"), HIDDEN, 0));
        layers.push((name("intermediate.dense"), 32, HIDDEN));
        layers.push((name("output.dense"), HIDDEN, 32));
        layers.push((name("output.LayerNorm"), HIDDEN, 0));
    }
    for (name, rows, cols) in layers {
        let shape = if cols == 0 {
            vec![rows]
        } else {
            vec![rows, cols]
        };
        add(format!("{name}.weight"), &shape);
        add(format!("{name}.bias"), &[rows]);
    }
    candle_core::safetensors::save(&tensors, folder.join("model.safetensors")).expect("written");
}

#[tokio::test]
async fn texts_become_vectors_of_unit_length_whatever_their_companions() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), r#"{"pooling_mode_mean_tokens": true}"#);
    let engine = Bert::open(folder.path()).expect("loaded");
    let prompts = ["one text", "another, longer text", "a third"].map(|t| Prompt::Text(t.into()));
    let (vectors, usage) = engine.embed(prompts.to_vec()).await.expect("embedded");
    let counted: usize = prompts
        .iter()
        .map(|p| engine.count_tokens(p).expect("counted"))
        .sum();
    assert_eq!((usage.input as usize, vectors.len()), (counted, 3));
    for (prompt, vector) in prompts.into_iter().zip(&vectors) {
        assert_eq!(vector.len(), HIDDEN);
        assert!((vector.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-5);
        let (alone, _) = engine.embed(vec![prompt]).await.expect("embedded");
        assert_eq!(&alone[0], vector);
    }
    assert_ne!(vectors[0], vectors[1]);

    // The same weights, pooled otherwise.
    std::fs::write(
        folder.path().join("1_Pooling/config.json"),
        r#"{"pooling_mode_cls_token": true}"#,
    )
    .expect("written");
    let first = Bert::open(folder.path()).expect("loaded");
    let (other, _) = first
        .embed(vec![Prompt::Text("one text".into())])
        .await
        .expect("embedded");
    assert_ne!(other[0], vectors[0]);
    assert_eq!(first.info().revision, engine.info().revision);
}

#[tokio::test]
async fn what_it_cant_do_is_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    write(folder.path(), r#"{"pooling_mode_mean_tokens": true}"#);
    let engine = Bert::open(folder.path()).expect("loaded");
    let request = GenerateRequest::new(Prompt::Text("x".into()), 1);
    assert_eq!(
        engine.generate(request).await.expect_err("refused").code(),
        "bad_request"
    );
    let long = vec![Prompt::Tokens(vec![5; 65])];
    assert_eq!(
        engine.embed(long).await.expect_err("refused").code(),
        "context_length_exceeded"
    );
    let unknown = vec![Prompt::Tokens(vec![4096])];
    assert_eq!(
        engine.embed(unknown).await.expect_err("refused").code(),
        "bad_request"
    );
    write(folder.path(), r#"{"pooling_mode_max_tokens": true}"#);
    assert!(Bert::open(folder.path()).is_err());
}
