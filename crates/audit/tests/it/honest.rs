//! An honest answer is never found guilty, however it was asked for, computed, sent or broken off.

use atoma_audit::Finding;
use atoma_audit::testing::{
    Answer, Provider, SignedRequest, TOOLS, asked, caller, chat, completion, cut, found, options,
    sign, tiny, write,
};
use atoma_engine::{EmbeddedOptions, Event, testing::RandomBert};
use atoma_openai::frames::Kind;
use atoma_types::{Usage, message::Endpoint};
use bytes::Bytes;
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use serde_json::{Value, json};

/// Answers that are looked at in each run; the variable asks for more.
const CASES: usize = 240;
const MORE: &str = "ATOMA_HONEST_ANSWERS";
/// Answers that are computed side by side.
const BATCH: usize = 12;

/// Engines that differ in all that must not show.
fn setups() -> [EmbeddedOptions; 3] {
    let isa = Some(atoma_engine::Isa::Portable);
    [
        options(2, 128),
        EmbeddedOptions {
            max_running: 3,
            ..options(1, 7)
        },
        EmbeddedOptions {
            isa,
            ..options(2, 33)
        },
    ]
}

#[tokio::test]
async fn honest_answers_are_never_guilty() {
    let cases = std::env::var(MORE)
        .ok()
        .and_then(|cases| cases.parse().ok());
    let cases = cases.unwrap_or(CASES);
    let [mine, theirs, portable] = setups();
    let models = [tiny, caller].map(|load| {
        let provider = Provider::new(load(theirs.clone()));
        (provider, [load(mine.clone()), load(portable.clone())])
    });
    let mut runner = TestRunner::deterministic();
    let lefts = prop::option::weighted(0.15, 0usize..1_000);
    let (mut looked, mut broken, mut tokens) = (0, 0, 0);
    let told = |looked: usize, tokens: u64, broken: usize| {
        println!("{looked} honest answers of {tokens} tokens, {broken} broken off: none guilty");
    };
    while looked < cases {
        // every third batch by the model that calls tools
        let calls = looked / BATCH % 3 == 2;
        let (provider, auditors) = &models[usize::from(calls)];
        let mut draw = || {
            let tree = (asked(calls), &lefts)
                .new_tree(&mut runner)
                .expect("a case");
            tree.current()
        };
        let drawn: Vec<_> = (0..BATCH).map(|_| draw()).collect();
        let requests: Vec<SignedRequest> =
            drawn.iter().map(|(asked, _)| sign(asked.clone())).collect();
        let served = requests.iter().map(|signed| provider.serve(signed));
        let answers = futures::future::join_all(served).await;
        for ((signed, answer), (_, left)) in requests.iter().zip(&answers).zip(&drawn) {
            let work = match left {
                Some(left) => provider.work_left(signed, answer, *left),
                None => provider.work(signed, answer),
            };
            // one in twelve by the slow one
            let auditor = &auditors[usize::from(looked % BATCH == 0)];
            let finding = found(&**auditor, &work).await;
            let body = String::from_utf8_lossy(&signed.body);
            assert_eq!(finding, Finding::Honest, "{left:?} {body}\n{answer:?}");
            looked += 1;
            broken += usize::from(left.is_some());
            tokens += answer.usage.output;
        }
        if looked % (BATCH * 100) == 0 {
            told(looked, tokens, broken);
        }
    }
    told(looked, tokens, broken);
}

#[tokio::test]
async fn an_answer_that_its_client_left_is_honest_wherever_it_broke_off() {
    let provider = Provider::new(tiny(options(2, 64)));
    for kind in [Kind::Chat, Kind::Completion] {
        let more = json!({ "max_tokens": 30, "stream": true, "stop": ["zz"], "seed": 4, "logprobs":
            if kind == Kind::Chat { json!(true) } else { json!(1) } });
        let signed = sign(match kind {
            Kind::Chat => chat("Tell me 🙂 a story.", more),
            Kind::Completion => completion("And the LORD", more),
        });
        let whole = provider.serve(&signed).await;
        let tokens = |events: &[Event]| {
            let is = |event: &&Event| matches!(event, Event::Token(_));
            events.iter().filter(is).count() as u64
        };
        for end in 2..whole.events.len() {
            let events = &whole.events[..end];
            let left = Answer {
                usage: Usage {
                    output: tokens(events),
                    ..whole.usage
                },
                fingerprint: None,
                events: whole.events.clone(),
            };
            let body = cut(kind, events);
            for missing in [0, 1, 20] {
                let sent = Bytes::from(body[..body.len().saturating_sub(missing)].to_vec());
                let work = provider.work_of(&signed, sent, &left);
                assert_eq!(
                    found(&*provider.engine, &work).await,
                    Finding::Honest,
                    "{end}"
                );
            }
        }
        // it left between the last frame and the receipt
        let last = Answer {
            fingerprint: None,
            ..whole.clone()
        };
        let work = provider.work(&signed, &last);
        assert_eq!(found(&*provider.engine, &work).await, Finding::Honest);
    }
}

#[tokio::test]
async fn a_whole_answer_that_its_client_left_is_honest() {
    let provider = Provider::new(tiny(options(2, 64)));
    let signed = sign(chat("What is the moon?", json!({ "max_tokens": 20 })));
    let left = Answer {
        fingerprint: None,
        ..provider.serve(&signed).await
    };
    let work = provider.work_of(&signed, Bytes::new(), &left);
    assert_eq!(found(&*provider.engine, &work).await, Finding::Honest);
}

#[tokio::test]
async fn calls_of_tools_are_honest() {
    let provider = Provider::new(caller(options(2, 64)));
    for (seed, stream, choice) in [
        (1, false, json!("required")),
        (2, true, json!("required")),
        (3, true, json!("auto")),
        (4, false, json!("none")),
        (
            5,
            true,
            json!({ "type": "function", "function": { "name": "turn" } }),
        ),
    ] {
        let tools: Value = serde_json::from_str(TOOLS).expect("JSON");
        let more = json!({ "tools": tools, "tool_choice": choice, "seed": seed, "stream": stream,
            "temperature": 0.9, "max_tokens": 60 });
        let signed = sign(chat("go", more));
        let answer = provider.serve(&signed).await;
        let work = provider.work(&signed, &answer);
        let said = String::from_utf8_lossy(&write(&signed, &answer)).into_owned();
        assert_eq!(
            found(&*provider.engine, &work).await,
            Finding::Honest,
            "{said}"
        );
    }
}

#[tokio::test]
async fn vectors_are_honest() {
    let provider = Provider::new(tiny(options(2, 64)));
    let auditor = tiny(options(1, 5));
    for (input, encoding) in [
        (json!("Hello 🙂"), "float"),
        (json!(["a", "b c d"]), "base64"),
        (json!([[5, 6, 7]]), "float"),
    ] {
        let body = json!({ "model": atoma_audit::testing::MODEL, "input": input, "encoding_format": encoding });
        let signed = sign((Endpoint::Embeddings, body));
        let work = atoma_audit::testing::embedded(&provider, &signed).await;
        assert_eq!(found(&*auditor, &work).await, Finding::Honest);
    }
}

#[tokio::test]
async fn vectors_of_a_model_that_only_embeds_are_honest() {
    let folder = tempfile::tempdir().expect("a folder");
    RandomBert::small().write(folder.path()).expect("written");
    let open = || atoma_engine::open(folder.path(), options(2, 64)).expect("loaded");
    let provider = Provider::new(open());
    let body =
        json!({ "model": atoma_audit::testing::MODEL, "input": ["the sun", "a much longer text"] });
    let work = atoma_audit::testing::embedded(&provider, &sign((Endpoint::Embeddings, body))).await;
    assert_eq!(found(&*open(), &work).await, Finding::Honest);
}

#[tokio::test]
async fn a_request_that_was_passed_on_is_judged_as_the_one_it_stands_for() {
    use atoma_keys::SigningKey;
    use atoma_types::message::{Origin, RequestHeader, Signed};
    let provider = Provider::new(tiny(options(2, 64)));
    let own = sign(chat(
        "Hello!",
        json!({ "max_tokens": 12, "temperature": 1.0 }),
    ));
    let answer = provider.serve(&own).await;
    let header = RequestHeader {
        origin: Origin::Forwarded(own.header.hash()),
        ..own.header.message().clone()
    };
    let passed = SignedRequest {
        header: Signed::new(header, &SigningKey::from_seed(&[1; 32])),
        body: own.body.clone(),
    };
    let work = provider.work(&passed, &answer);
    assert_eq!(found(&*provider.engine, &work).await, Finding::Honest);
    assert!(provider.engine.load().healthy);
}
