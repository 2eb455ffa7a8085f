//! Answers whose form is given.

use atoma_engine::testing::RandomModel;
use atoma_engine::{Engine, Finish, Format, GenerateRequest, RawJson};
use serde_json::Value;

use crate::common::{answer, options, random, sampled, tokens};

fn schema(text: &str) -> Option<Format> {
    let schema: RawJson = serde_json::from_str(text).expect("JSON");
    Some(Format::JsonSchema(schema))
}

const PLACE: &str = r#"{"type":"object","properties":{
    "town":{"enum":["Zürich","Bern"]},"hot":{"type":"boolean"},
    "degrees":{"type":"array","items":{"type":"integer","minimum":0,"maximum":99},"maxItems":3}},
    "required":["town","hot","degrees"],"additionalProperties":false}"#;

#[tokio::test]
async fn every_answer_fits_the_schema_and_can_be_checked_exactly() {
    let engine = random(&RandomModel::small(), options());
    for (seed, temperature) in [(1, 0.0), (2, 0.9), (3, 2.0), (4, 1.0), (5, 1e-39)] {
        let request = GenerateRequest {
            format: schema(PLACE),
            temperature,
            top_p: 0.95,
            ..sampled(tokens(seed, 20), 200, seed.into())
        };
        let (sampling, format) = (request.sampling(), request.format.clone());
        let answer = answer(&engine, request).await;
        assert_eq!(answer.done.finish, Finish::Stop);
        let json: Value = serde_json::from_str(&answer.text).expect("JSON");
        let keys: Vec<&String> = json.as_object().expect("an object").keys().collect();
        assert_eq!(keys, ["town", "hot", "degrees"], "{}", answer.text);
        assert!(json["hot"].is_boolean() && json["degrees"].is_array());

        let score = engine
            .score(tokens(seed, 20), answer.ids.clone(), sampling, format)
            .await
            .expect("scored");
        assert_eq!(score.fingerprint, answer.done.fingerprint);
        let honest = |score: &atoma_engine::TokenScore| score.reference == Some(score.id);
        assert!(score.tokens.iter().all(honest));
        let free = engine.score(tokens(seed, 20), answer.ids, sampling, None).await;
        assert!(!free.expect("scored").tokens.iter().all(honest));
    }
}

#[tokio::test]
async fn formed_and_free_answers_do_not_touch_each_other() {
    let engine = random(&RandomModel::small(), options());
    let formed = || GenerateRequest {
        format: schema(PLACE),
        ..sampled(tokens(1, 20), 100, 7)
    };
    let free = || sampled(tokens(2, 40), 60, 8);
    let (a, b, c) = futures::join!(
        answer(&engine, formed()),
        answer(&engine, free()),
        answer(&engine, formed()),
    );
    assert_eq!((&a.text, a.done.fingerprint), (&c.text, c.done.fingerprint));
    assert_eq!(answer(&engine, formed()).await.done.fingerprint, a.done.fingerprint);
    assert_eq!(answer(&engine, free()).await.done.fingerprint, b.done.fingerprint);
}

#[tokio::test]
async fn an_object_is_an_object_and_a_schema_that_makes_no_sense_is_refused() {
    let engine = random(&RandomModel::small(), options());
    let with = |format| GenerateRequest {
        format,
        ..sampled(tokens(1, 20), 30, 7)
    };
    let object = answer(&engine, with(Some(Format::JsonObject))).await;
    assert!(object.text.starts_with('{'), "{}", object.text);
    for wrong in [r#"{"type":"nonsense"}"#, r#"{"$ref":"https://elsewhere.example/x"}"#, "[]"] {
        let refused = engine.generate(with(schema(wrong))).await.expect_err("refused");
        assert_eq!((refused.code(), refused.status()), ("bad_request", 400), "{wrong}");
    }
    let long = format!(r#"{{"description":"{}"}}"#, "x".repeat(70_000));
    assert!(engine.generate(with(schema(&long))).await.is_err());
}
