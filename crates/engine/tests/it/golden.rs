//! Logits against an independent implementation (candle), for every family of models.
//!
//! candle sums in another order, so equality is up to rounding; that the engine agrees with itself
//! to the bit is tested in `invariance.rs`.

use crate::common::{answer, options, tokens};
use atoma_engine::testing::RandomModel;
use atoma_engine::{Embedded, Engine, GenerateRequest, Prompt, Sampling};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::{llama, mistral, qwen2, qwen3};

/// Far above what rounding does (1e-5), far below what any mistake does.
const TOLERANCE: f32 = 1e-3;

/// Log probabilities of the token after `prompt`, by candle.
fn candle(model: &RandomModel, config: &str, prompt: &[u32]) -> candle_core::Result<Vec<f32>> {
    let device = Device::Cpu;
    let tensors = model
        .tensors()
        .into_iter()
        .map(|(name, shape, values)| Ok((name, Tensor::from_vec(values, shape, &device)?)));
    let tensors = tensors.collect::<candle_core::Result<_>>()?;
    let vars = VarBuilder::from_tensors(tensors, DType::F32, &device);
    let input = Tensor::new(prompt, &device)?.unsqueeze(0)?;
    let json = |e: serde_json::Error| candle_core::Error::Msg(e.to_string());
    let logits = match model.family {
        "mistral" => {
            let config = serde_json::from_str(config).map_err(json)?;
            mistral::Model::new(&config, vars)?.forward(&input, 0)?
        }
        "qwen2" => {
            let config = serde_json::from_str(config).map_err(json)?;
            qwen2::ModelForCausalLM::new(&config, vars)?.forward(&input, 0)?
        }
        "qwen3" => {
            // Only this family's biases are governed by the configuration.
            let config = serde_json::from_str(config).map_err(json)?;
            qwen3::ModelForCausalLM::new(&config, vars)?.forward(&input, 0)?
        }
        _ => {
            let config: llama::LlamaConfig = serde_json::from_str(config).map_err(json)?;
            let config = config.into_config(false);
            let mut cache = llama::Cache::new(false, DType::F32, &config, &device)?;
            llama::Llama::load(vars, &config)?.forward(&input, 0, &mut cache)?
        }
    };
    let logits: Vec<f32> = logits.flatten_all()?.to_vec1()?;
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits.iter().map(|l| f64::from(l - max).exp()).sum();
    Ok(logits.iter().map(|l| l - max - sum.ln() as f32).collect())
}

async fn compare(model: &RandomModel) {
    compare_as(model, &model.config().to_string()).await;
}

/// With another `config.json`.
async fn compare_as(model: &RandomModel, config: &str) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    model.write(folder.path()).expect("written");
    std::fs::write(folder.path().join("config.json"), config).expect("written");
    let engine = Embedded::open(folder.path(), options()).expect("loaded");
    for length in [1, 2, 31, 33, 120] {
        let prompt = tokens(length as u32, length);
        let expected = candle(model, config, &prompt).expect("candle runs it");
        let request = GenerateRequest {
            logprobs: Some(20),
            ..GenerateRequest::new(Prompt::Tokens(prompt.clone()), 1)
        };
        let answer = answer(&engine, request).await;
        let mut seen: Vec<(u32, f32)> = answer.tokens[0]
            .top
            .iter()
            .map(|t| (t.id, t.logprob))
            .collect();
        for id in (0..model.vocab as u32).step_by(97) {
            let score = engine
                .score(prompt.clone(), vec![id], Sampling::GREEDY, None)
                .await;
            seen.push((id, score.expect("scored").tokens[0].logprob));
        }
        let spread = expected.iter().copied().fold(f32::INFINITY, f32::min);
        assert!(spread < -8.0, "the test means nothing on flat logits");
        for (id, logprob) in seen {
            let wanted = expected[id as usize];
            let why = format!(
                "{} length {length} token {id}: {logprob} {wanted}",
                model.family
            );
            assert!((logprob - wanted).abs() < TOLERANCE, "{why}");
        }
    }
}

#[tokio::test]
async fn llama() {
    compare(&RandomModel::small()).await;
    compare(&RandomModel {
        tied: false,
        bf16: true,
        ..RandomModel::small()
    })
    .await;
}

#[tokio::test]
async fn llama_with_stretched_waves() {
    let model = RandomModel::small();
    let mut config = model.config();
    // Short enough that some waves are kept, some blended and some stretched.
    config["rope_scaling"] = serde_json::json!({
        "rope_type": "llama3", "factor": 4.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    });
    compare_as(&model, &config.to_string()).await;
}

#[tokio::test]
async fn mistral() {
    compare(&RandomModel {
        family: "mistral",
        tied: false,
        kv_heads: 1,
        ..RandomModel::small()
    })
    .await;
}

#[tokio::test]
async fn qwen2() {
    compare(&RandomModel {
        family: "qwen2",
        ..RandomModel::small()
    })
    .await;
}

#[tokio::test]
async fn qwen3() {
    let model = RandomModel {
        family: "qwen3",
        head_dim: 32,
        bf16: true,
        ..RandomModel::small()
    };
    compare(&model).await;
}
