//! What is found without a model, and where nothing can be found.

use crate::cheats::{asked, brief, provider};
use atoma_audit::testing::{SignedRequest, caller, look, options, resign, sign_body, tiny};
use atoma_audit::{Body, Finding, Reason, Work};
use atoma_engine::WeightType;
use atoma_types::{
    EngineClass, Numerics, Rule,
    hash::Hash32,
    message::{Endpoint, Receipt},
};
use bytes::Bytes;

#[tokio::test]
async fn what_needs_no_model_is_found_without_one() {
    let provider = provider();
    let signed = asked();
    let answer = provider.serve(&signed).await;
    let honest = provider.work(&signed, &answer);
    let changed = |change: &dyn Fn(&mut Receipt)| {
        let mut work = honest.clone();
        let mut receipt = work.exchange.receipt().message().clone();
        change(&mut receipt);
        resign(&mut work, receipt);
        work
    };
    let finds = async |work: Work, expected: Finding| {
        let examined = look(&*provider.engine, &work).await;
        assert_eq!((examined.finding, examined.computed), (expected, None));
    };
    let guilty = Finding::Guilty;
    finds(changed(&|r| r.units.0 += 1), guilty(Reason::Units)).await;
    finds(
        changed(&|r| r.usage.audio_seconds = 1),
        guilty(Reason::NotServed),
    )
    .await;
    finds(changed(&|r| r.usage.input -= 1), guilty(Reason::Units)).await;
    finds(
        changed(&|r| r.engine.model = Hash32([1; 32])),
        guilty(Reason::Class),
    )
    .await;
    finds(
        changed(&|r| r.usage.cached_input += 1),
        guilty(Reason::Told),
    )
    .await;
    finds(
        changed(&|r| r.response_hash = Hash32::ZERO),
        Finding::Withheld,
    )
    .await;
    let unread = Work {
        bodies: None,
        ..honest.clone()
    };
    finds(unread, Finding::Withheld).await;

    let with = |signed: &SignedRequest, body: &[u8]| {
        provider.work_of(signed, Bytes::copy_from_slice(body), &answer)
    };
    finds(with(&signed, b"{\"choices\":"), guilty(Reason::Form)).await;
    let two = r#"{"choices":[{"index":0,"finish_reason":"stop","finish_reason":"length"}]}"#;
    finds(with(&signed, two.as_bytes()), guilty(Reason::Form)).await;
    for body in [
        r#"{"model":"atoma-tiny"}"#,
        r#"{"model":"another","messages":[{"role":"user","content":"a"}]}"#,
        r#"{"model":"atoma-tiny","n":2,"messages":[{"role":"user","content":"a"}]}"#,
        "no JSON",
    ] {
        let refused = sign_body(Endpoint::ChatCompletions, body.into());
        finds(with(&refused, b"{}"), guilty(Reason::Request)).await;
    }
}

#[tokio::test]
async fn an_engine_of_another_class_says_nothing() {
    let provider = brief();
    let answer = provider.serve(&asked()).await;
    let work = provider.work(&asked(), &answer);
    let f32s = atoma_engine::EmbeddedOptions {
        weights: Some(WeightType::F32),
        ..options(2, 64)
    };
    let able = atoma_audit::examine(&*tiny(f32s), &work).await;
    // bf16 weights widened to f32 are the same numbers
    assert_eq!(able.expect("the same class").finding, Finding::Honest);
    let other = caller(options(1, 64));
    assert!(atoma_audit::examine(&*other, &work).await.is_err());
    let tolerant = EngineClass {
        numerics: Numerics::Tolerant,
        rule: Rule::Tolerant,
        ..work.task.engine
    };
    let mut work = work;
    work.task.engine = tolerant;
    assert!(
        atoma_audit::examine(&*provider.engine, &work)
            .await
            .is_err()
    );
}

#[test]
fn bodies_are_not_shown() {
    let body = Body {
        salt: atoma_audit::testing::salt(),
        bytes: Bytes::from_static(b"secret"),
    };
    assert_eq!(format!("{body:?}"), "body of 6 bytes");
}
