//! Answers whose form is given.

use atoma_engine::testing::RandomModel;
use atoma_engine::{
    ChatMessage, Conversation, Embedded, Engine, Event, Finish, Format, GenerateRequest, Prompt,
    RawJson, ToolCallDelta, ToolChoice,
};
use futures::StreamExt;
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
        let free = engine
            .score(tokens(seed, 20), answer.ids, sampling, None)
            .await;
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
    assert_eq!(
        answer(&engine, formed()).await.done.fingerprint,
        a.done.fingerprint
    );
    assert_eq!(
        answer(&engine, free()).await.done.fingerprint,
        b.done.fingerprint
    );
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
    for wrong in [
        r#"{"type":"nonsense"}"#,
        r#"{"$ref":"https://elsewhere.example/x"}"#,
        "[]",
    ] {
        let refused = engine
            .generate(with(schema(wrong)))
            .await
            .expect_err("refused");
        assert_eq!(
            (refused.code(), refused.status()),
            ("bad_request", 400),
            "{wrong}"
        );
    }
    let long = format!(r#"{{"description":"{}"}}"#, "x".repeat(70_000));
    assert!(engine.generate(with(schema(&long))).await.is_err());
}

/// A model whose template calls tools in tags.
fn caller() -> Embedded {
    let folder = tempfile::tempdir().expect("a folder");
    let model = RandomModel {
        vocab: 4096,
        ..RandomModel::small()
    };
    model.write(folder.path()).expect("written");
    let template =
        "{{ messages[0].content }}{% if tools %} <tool_call>{{ tools|tojson }}{% endif %}";
    std::fs::write(folder.path().join("chat_template.jinja"), template).expect("written");
    Embedded::open(folder.path(), options()).expect("loaded")
}

const TOOLS: &str = r#"[{"type":"function","function":{"name":"turn","parameters":{"type":"object",
    "properties":{"left":{"type":"boolean"}},"required":["left"],"additionalProperties":false}}},
    {"type":"function","function":{"name":"stop","parameters":{"type":"object","additionalProperties":false}}}]"#;

fn asked(tool_choice: ToolChoice, seed: u64) -> GenerateRequest {
    let conversation = Conversation {
        tools: serde_json::from_str(TOOLS).expect("JSON"),
        ..Conversation::new(vec![ChatMessage::new("user", "go")])
    };
    GenerateRequest {
        tool_choice,
        temperature: 0.9,
        seed,
        ..GenerateRequest::new(Prompt::Chat(conversation), 60)
    }
}

/// Text, calls and end of an answer.
async fn called(
    engine: &Embedded,
    request: GenerateRequest,
) -> (String, Vec<ToolCallDelta>, Finish) {
    let mut stream = engine.generate(request).await.expect("accepted");
    let (mut text, mut calls) = (String::new(), Vec::new());
    loop {
        match stream
            .next()
            .await
            .expect("ends with Done")
            .expect("no error")
        {
            Event::Token(token) => text.push_str(&token.text),
            Event::Piece(piece) => {
                assert_eq!(piece.tokens, 0, "tokens are told one by one");
                calls.extend(piece.deltas.into_iter().flat_map(|delta| delta.tool_calls));
            }
            Event::Done(done) => return (text, calls, done.finish),
            Event::Started { .. } => {}
        }
    }
}

#[tokio::test]
async fn a_model_that_must_call_a_tool_calls_one() {
    let engine = caller();
    let stop = ToolChoice::Named("stop".to_owned());
    for (choice, names) in [
        (ToolChoice::Required, &["turn", "stop"][..]),
        (stop, &["stop"]),
    ] {
        for seed in 0..3 {
            let (text, calls, finish) = called(&engine, asked(choice.clone(), seed)).await;
            assert_eq!((&*text, finish, calls.len()), ("", Finish::ToolCalls, 1));
            let name = calls[0].name.as_deref().expect("named");
            assert!(names.contains(&name));
            let arguments: Value = serde_json::from_str(&calls[0].arguments).expect("JSON");
            assert_eq!(arguments["left"].is_boolean(), name == "turn");
            let again = called(&engine, asked(choice.clone(), seed)).await.1;
            assert_eq!(again, calls, "its id follows from the seed");
        }
    }
    let (_, calls, finish) = called(&engine, asked(ToolChoice::Auto, 1)).await;
    assert!(calls.is_empty() && finish != Finish::ToolCalls);
}

#[tokio::test]
async fn calls_that_cannot_be_made_are_refused() {
    let engine = caller();
    let code = |engine: Embedded, request| async move {
        let refused = engine.generate(request).await.expect_err("refused");
        (refused.code(), refused.status())
    };
    let unknown = asked(ToolChoice::Named("fly".to_owned()), 1);
    assert_eq!(code(engine, unknown).await, ("bad_request", 400));
    let without = GenerateRequest {
        tool_choice: ToolChoice::Required,
        ..GenerateRequest::new(Prompt::Text("go".to_owned()), 5)
    };
    assert_eq!(code(caller(), without).await, ("bad_request", 400));
    let both = GenerateRequest {
        format: Some(Format::JsonObject),
        ..asked(ToolChoice::Required, 1)
    };
    assert_eq!(code(caller(), both).await, ("bad_request", 400));
    let plain = random(&RandomModel::small(), options());
    assert_eq!(
        code(plain, asked(ToolChoice::Required, 1)).await,
        ("bad_request", 400)
    );
}
