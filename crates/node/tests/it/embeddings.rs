//! A node whose model only embeds.

use crate::common::{Backend, World, earned};
use atoma_engine::{EmbeddedOptions, Prompt, testing::RandomBert};
use atoma_types::{
    UnitWeights,
    message::{Endpoint, RequestHeader},
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use http::StatusCode;
use serde_json::json;

/// The first components of the vector of [`TEXT`], computed apart, in f64, from the same weights.
const REFERENCE: [f64; 6] = [
    -0.095_660_7,
    0.171_104_3,
    0.063_952,
    0.057_021,
    0.067_552_2,
    0.300_018_9,
];
const TEXT: &str = "The sun is a star.";

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_with_a_bert_serves_embeddings_and_they_are_paid_by_the_token() {
    let folder = tempfile::tempdir().unwrap();
    RandomBert::small().write(folder.path()).unwrap();
    let engine = atoma_engine::open(folder.path(), EmbeddedOptions::default()).unwrap();
    let world = World::start(Backend::Given(engine.clone())).await;
    let node = world.node().await;
    let (id, url) = (node.node_id(), node.url());
    let stack = world.buy(10_000).await;
    let model = &world.task.model_name;
    let ask = async |input: serde_json::Value, more: serde_json::Value| {
        let mut body = json!({"model": model, "input": input});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let body = body.to_string();
        let header = RequestHeader {
            endpoint: Endpoint::Embeddings,
            ..world.header(id, stack, body.as_bytes())
        };
        world.send(&url, header, &body).await
    };

    // the reference's vector, whole or in base64, and the same bits beside others
    let answer = ask(json!(TEXT), json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
    let alone = answer.json()["data"][0]["embedding"].clone();
    for (at, expected) in REFERENCE.iter().enumerate() {
        let seen = alone[at].as_f64().unwrap();
        assert!((seen - expected).abs() < 1e-5, "{seen} {expected}");
    }
    let (receipt, _) = answer.receipt();
    let first = receipt.message();
    assert_eq!((first.usage.input, first.usage.output), (8, 0));
    assert_eq!(UnitWeights::TEXT.units(&first.usage), Some(first.units));
    assert_eq!(first.engine, world.task.engine);
    assert!(first.engine.numerics.is_exact());
    let many = json!(["a moon", TEXT, "the stars, the moons"]);
    let answer = ask(many, json!({"encoding_format": "base64"})).await;
    let text = answer.json()["data"][1]["embedding"]
        .as_str()
        .unwrap()
        .to_owned();
    let bytes = BASE64_STANDARD.decode(text).unwrap();
    let floats = bytes
        .as_chunks::<4>()
        .0
        .iter()
        .map(|b| f32::from_le_bytes(*b));
    let floats: Vec<f32> = floats.collect();
    let (direct, _) = engine.embed(vec![Prompt::Text(TEXT.into())]).await.unwrap();
    assert_eq!(floats, direct[0]);
    let (receipt, _) = answer.receipt();
    let second = receipt.message();

    // what it can't do costs nothing
    let long = "star ".repeat(63);
    let answer = ask(json!(long), json!({})).await;
    assert_eq!(answer.code(), "context_length_exceeded", "{answer:?}");
    let body = world.chat("");
    let answer = world
        .send(&url, world.header(id, stack, body.as_bytes()), &body)
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{answer:?}");
    assert_eq!(first.units.0 + second.units.0, second.cumulative_units.0);

    world.begin_close(stack).await;
    let (units, paid, _) = world.paid(stack, id).await;
    assert_eq!(units, second.cumulative_units);
    assert_eq!(paid, earned(units));
    world.audit();
}
