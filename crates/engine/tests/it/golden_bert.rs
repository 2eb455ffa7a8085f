//! Embeddings against an independent implementation (candle).

use atoma_engine::testing::RandomBert;
use atoma_engine::{Engine, Prompt};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config};

use crate::bert::open;
use crate::common::options;

/// Far above what rounding does (4e-7), far below what any mistake does.
const TOLERANCE: f32 = 1e-5;

/// The vector of a text of tokens, by candle.
fn candle(model: &RandomBert, tokens: &[u32]) -> candle_core::Result<Vec<f32>> {
    let device = Device::Cpu;
    let tensors = model.tensors().into_iter().map(|(name, shape, values)| {
        let name = name.strip_prefix(model.prefix).unwrap_or(&name).to_owned();
        Ok((name, Tensor::from_vec(values, shape, &device)?))
    });
    let tensors = tensors.collect::<candle_core::Result<_>>()?;
    let vars = VarBuilder::from_tensors(tensors, DType::F32, &device);
    let config: Config = serde_json::from_value(model.config()).expect("candle reads it");
    let ids = Tensor::new(tokens, &device)?.unsqueeze(0)?;
    let hidden = BertModel::load(vars, &config)?.forward(&ids, &ids.zeros_like()?, None)?;
    let hidden = hidden.squeeze(0)?;
    let pooled = match model.pooling {
        "mean_tokens" => hidden.mean(0)?,
        "max_tokens" => hidden.max(0)?,
        _ => hidden.get(0)?,
    };
    let pooled: Vec<f32> = pooled.to_vec1()?;
    let length = pooled.iter().map(|v| v * v).sum::<f32>().sqrt();
    Ok(pooled.iter().map(|v| v / length).collect())
}

#[tokio::test]
async fn vectors_are_those_of_an_independent_implementation() {
    for (pooling, prefix, heads) in [
        ("mean_tokens", "", 4),
        ("cls_token", "bert.", 3),
        ("max_tokens", "", 1),
    ] {
        let model = RandomBert {
            pooling,
            prefix,
            heads,
            ..RandomBert::small()
        };
        let engine = open(&model, options());
        for length in [1, 2, 31, 32, 33, 64] {
            let tokens: Vec<u32> = (0..length).map(|i| 5 + i * i * 7 % 50).collect();
            let prompt = Prompt::Tokens(tokens.clone());
            let (vectors, _) = engine.embed(vec![prompt]).await.expect("embedded");
            let expected = candle(&model, &tokens).expect("candle runs it");
            for (seen, wanted) in vectors[0].iter().zip(&expected) {
                let why = format!("{pooling} {length}: {seen} {wanted}");
                assert!((seen - wanted).abs() < TOLERANCE, "{why}");
            }
        }
    }
}
