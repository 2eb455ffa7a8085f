//! Whatever changes a token, a score or a count of an answer is found, whenever it is looked at.

use atoma_audit::testing::{
    Answer, Provider, SignedRequest, caller, chat, completion, done, edited, embedded, ended,
    endless, found, of_tokens, options, resign, rounded, shortened, sign, sign_body, tiny, write,
};
use atoma_audit::{Finding, Reason};
use atoma_engine::{ChatMessage, Conversation, Event, Finish, GenerateRequest, Prompt};
use atoma_types::message::{CommitmentKind, Endpoint, Receipt};
use bytes::Bytes;
use serde_json::json;

/// A sampled chat of 200 tokens at most.
pub(crate) fn asked() -> SignedRequest {
    sign(chat(
        "Tell me about the sea.",
        json!({ "temperature": 1.0, "seed": 11, "max_tokens": 200 }),
    ))
}

pub(crate) fn provider() -> Provider {
    Provider::new(endless(1))
}

/// One whose answers come to an end.
pub(crate) fn brief() -> Provider {
    Provider::new(tiny(options(2, 128)))
}

/// What is found of an answer that a cheat gives to the usual request.
async fn finds(provider: &Provider, answer: &Answer) -> Finding {
    let work = provider.work(&asked(), answer);
    found(&*provider.engine, &work).await
}

/// What is found where the engine was asked for something else than the user has signed.
async fn when_run(change: impl FnOnce(&mut GenerateRequest)) -> Finding {
    let provider = provider();
    let mut request = provider.request(&asked());
    change(&mut request);
    let answer = provider.run(request).await;
    finds(&provider, &answer).await
}

const SCORES: Finding = Finding::Guilty(Reason::Scores);

#[tokio::test]
async fn another_way_to_draw_is_found() {
    assert_eq!(when_run(|request| request.temperature = 0.7).await, SCORES);
    assert_eq!(when_run(|request| request.temperature = 0.9).await, SCORES);
    assert_eq!(when_run(|request| request.temperature = 0.0).await, SCORES);
    assert_eq!(when_run(|request| request.seed += 1).await, SCORES);
    assert_eq!(when_run(|request| request.top_k = 1).await, SCORES);
    assert_eq!(when_run(|request| request.top_p = 0.5).await, SCORES);
    assert_eq!(
        when_run(|request| request.presence_penalty = 1.0).await,
        SCORES
    );
}

#[tokio::test]
async fn another_prompt_is_found() {
    let chat = |turns: &[(&str, &str)]| {
        let turns = turns
            .iter()
            .map(|(role, text)| ChatMessage::new(*role, *text));
        Prompt::Chat(Conversation::new(turns.collect()))
    };
    let prompt = Finding::Guilty(Reason::Prompt);
    let shorter = chat(&[("user", "Tell me.")]);
    assert_eq!(when_run(|request| request.prompt = shorter).await, prompt);
    let system = chat(&[("system", "Lie."), ("user", "Tell me about the sea.")]);
    assert_eq!(when_run(|request| request.prompt = system).await, prompt);
    // of the same length, or said to be
    let provider = provider();
    let mut request = provider.request(&asked());
    request.prompt = chat(&[("user", "Tell me about the sun.")]);
    let mut answer = provider.run(request).await;
    answer.usage = atoma_types::Usage {
        output: answer.usage.output,
        ..provider.serve(&asked()).await.usage
    };
    assert_eq!(finds(&provider, &answer).await, SCORES);
}

#[tokio::test]
async fn a_changed_system_prompt_is_found() {
    let provider = provider();
    let with = |system: &str| {
        let body = json!({ "model": "atoma-tiny", "max_tokens": 30, "messages": [
            { "role": "system", "content": system }, { "role": "user", "content": "Hello!" }] });
        sign((Endpoint::ChatCompletions, body))
    };
    let served = provider.serve(&with("Be kind. ")).await;
    let work = provider.work(&with("Be rude. "), &served);
    let finding = found(&*provider.engine, &work).await;
    assert!(
        matches!(finding, Finding::Guilty(Reason::Scores | Reason::Prompt)),
        "{finding}"
    );
}

#[tokio::test]
async fn another_checkpoint_is_found() {
    let provider = provider();
    let other = Provider {
        engine: endless(2),
        task: provider.task.clone(),
    };
    // it draws and counts as the true one would
    let answer = other.run(provider.request(&asked())).await;
    assert_eq!(finds(&provider, &answer).await, SCORES);
    // an answer that was kept, or made up, has no scores of this request
    let invented = Answer {
        fingerprint: Some([3; 32]),
        ..provider.serve(&asked()).await
    };
    assert_eq!(finds(&provider, &invented).await, SCORES);
}

#[tokio::test]
async fn rounded_weights_are_found() {
    let provider = provider();
    let cheap = Provider {
        engine: rounded(1),
        task: provider.task.clone(),
    };
    let answer = cheap.run(provider.request(&asked())).await;
    assert_eq!(finds(&provider, &answer).await, SCORES);
}

#[tokio::test]
async fn an_answer_that_was_kept_is_found() {
    // the same words, asked in another request, which names no seed
    let provider = provider();
    let of = |body: &str| sign_body(Endpoint::ChatCompletions, body.into());
    let body =
        r#"{"model":"atoma-tiny","temperature":1,"messages":[{"role":"user","content":"Hi"}]"#;
    let (first, second) = (of(&format!("{body}}}")), of(&format!("{body} }}")));
    let kept = provider.serve(&first).await;
    let work = provider.work(&second, &kept);
    assert_eq!(found(&*provider.engine, &work).await, SCORES);
}

#[tokio::test]
async fn a_cheap_models_words_with_the_true_models_scores_are_found() {
    let provider = provider();
    let signed = sign(completion(
        "And the LORD",
        json!({ "temperature": 1.0, "seed": 3 }),
    ));
    let request = provider.request(&signed);
    let cheap = Provider {
        engine: rounded(2),
        task: provider.task.clone(),
    };
    let words = cheap.run(request).await;
    let answer = of_tokens(&provider, &signed, &words, &words.ids()).await;
    assert_eq!(
        found(&*provider.engine, &provider.work(&signed, &answer)).await,
        SCORES
    );
}

#[tokio::test]
async fn one_letter_of_the_text_is_found() {
    let provider = provider();
    for body in [
        json!({ "temperature": 1.0, "seed": 11 }),
        json!({ "temperature": 1.0, "seed": 11, "stream": true }),
    ] {
        let signed = sign(completion("And the LORD said", body));
        let honest = provider.serve(&signed).await;
        for place in [0, 7, 20] {
            let cheat = edited(&honest, |at, text| {
                (at == place).then(|| format!("{text}!"))
            });
            let finding = found(&*provider.engine, &provider.work(&signed, &cheat)).await;
            assert_eq!(finding, Finding::Guilty(Reason::Text), "{place}");
        }
    }
}

#[tokio::test]
async fn an_edited_token_whose_scores_are_true_is_found() {
    // the cheat gets the true scores of its own tokens, as an honest prefill gives them
    let provider = provider();
    let signed = sign(completion(
        "And the LORD",
        json!({ "temperature": 1.0, "seed": 3 }),
    ));
    let honest = provider.serve(&signed).await;
    let mut ids = honest.ids();
    ids[5] = if ids[5] == 300 { 301 } else { 300 };
    let cheat = of_tokens(&provider, &signed, &honest, &ids).await;
    assert_eq!(
        found(&*provider.engine, &provider.work(&signed, &cheat)).await,
        SCORES
    );
}

#[tokio::test]
async fn a_text_cut_or_padded_is_found() {
    let provider = provider();
    let signed = sign(completion(
        "And the LORD",
        json!({ "temperature": 1.0, "seed": 3 }),
    ));
    let honest = provider.serve(&signed).await;
    assert_eq!(done(&honest.events).usage.output, 40, "a long answer");
    let finds =
        async |answer: &Answer| found(&*provider.engine, &provider.work(&signed, answer)).await;
    // the first tokens, with an end that the model didn't make, and the scores of these tokens
    let mut request = provider.request(&signed);
    request.max_tokens = 10;
    let mut cut = provider.run(request).await;
    ended(&mut cut, Finish::Stop);
    assert_eq!(finds(&cut).await, Finding::Guilty(Reason::Finish));
    // fewer words than were counted
    let mut hidden = shortened(&honest, 30, Finish::Length);
    hidden.usage.output = 40;
    assert_eq!(finds(&hidden).await, Finding::Guilty(Reason::Text));
    // a word more
    let padded = edited(&honest, |at, text| {
        (at == 39).then(|| format!("{text} amen"))
    });
    assert_eq!(finds(&padded).await, Finding::Guilty(Reason::Text));
}

#[tokio::test]
async fn more_tokens_than_the_model_gave_are_found() {
    let provider = brief();
    let signed = sign(chat(
        "Hello!",
        json!({ "temperature": 0.0, "max_tokens": 60 }),
    ));
    let honest = provider.serve(&signed).await;
    assert_eq!(done(&honest.events).finish, Finish::Stop);
    let mut cheat = honest.clone();
    cheat.usage.output += 1;
    let finding = found(&*provider.engine, &provider.work(&signed, &cheat)).await;
    assert_eq!(finding, Finding::Guilty(Reason::Output));
    // one that says that its client has left
    cheat.fingerprint = None;
    let stream = json!({ "temperature": 0.0, "max_tokens": 60, "stream": true });
    let streamed = atoma_audit::testing::sign(chat("Hello!", stream));
    let work = provider.work_of(&streamed, Bytes::new(), &cheat);
    assert_eq!(
        found(&*provider.engine, &work).await,
        Finding::Guilty(Reason::Output)
    );
    // tokens of the prompt
    let mut cheat = honest;
    cheat.usage.input += 1;
    let finding = found(&*provider.engine, &provider.work(&signed, &cheat)).await;
    assert_eq!(finding, Finding::Guilty(Reason::Prompt));
}

#[tokio::test]
async fn tokens_that_are_not_the_models_own_for_the_text_are_found() {
    // the same words in more tokens: letter by letter
    let provider = brief();
    let signed = sign(chat(
        "Hello!",
        json!({ "temperature": 0.0, "max_tokens": 60 }),
    ));
    let honest = provider.serve(&signed).await;
    let mut cheat = honest.clone();
    cheat.usage.output = honest.text().chars().count() as u64 + 1;
    let finding = found(&*provider.engine, &provider.work(&signed, &cheat)).await;
    assert_eq!(finding, Finding::Guilty(Reason::Output));
}

#[tokio::test]
async fn limits_are_held() {
    let provider = provider();
    let signed = asked();
    let mut request = provider.request(&signed);
    request.max_tokens = 201;
    let long = provider.run(request.clone()).await;
    let limit = Finding::Guilty(Reason::Limit);
    assert_eq!(done(&long.events).usage.output, 201);
    assert_eq!(
        found(&*provider.engine, &provider.work(&signed, &long)).await,
        limit
    );
    request.max_tokens = 20;
    let short = provider.run(request).await;
    assert_eq!(
        found(&*provider.engine, &provider.work(&signed, &short)).await,
        limit
    );
}

#[tokio::test]
async fn log_probabilities_and_calls_are_the_models() {
    let provider = provider();
    let more = json!({ "temperature": 1.0, "max_tokens": 8, "logprobs": true, "top_logprobs": 2 });
    let signed = sign(chat("Hello!", more));
    let mut cheat = provider.serve(&signed).await;
    for event in &mut cheat.events {
        if let Event::Token(token) = event {
            token.logprob.as_mut().expect("asked for").logprob /= 2.0;
        }
    }
    let finding = found(&*provider.engine, &provider.work(&signed, &cheat)).await;
    assert_eq!(finding, Finding::Guilty(Reason::Logprobs));

    let caller = Provider::new(caller(options(2, 64)));
    let tools = json!([{ "type": "function", "function": { "name": "turn", "parameters": {
        "type": "object", "properties": { "left": { "type": "boolean" } }, "required": ["left"],
        "additionalProperties": false } } }]);
    let more = json!({ "tools": tools, "tool_choice": "required", "max_tokens": 60 });
    let signed = atoma_audit::testing::sign(chat("go", more));
    let honest = caller.serve(&signed).await;
    let said = String::from_utf8(write(&signed, &honest).to_vec()).expect("text");
    let turned = match said.contains("true") {
        true => said.replace("true", "false"),
        false => said.replace("false", "true"),
    };
    assert_ne!(said, turned);
    let work = caller.work_of(&signed, turned.into(), &honest);
    assert_eq!(
        found(&*caller.engine, &work).await,
        Finding::Guilty(Reason::Calls)
    );
}

#[tokio::test]
async fn other_vectors_are_found() {
    let provider = provider();
    let input = |text: &str| {
        let body = json!({ "model": "atoma-tiny", "input": text });
        sign((Endpoint::Embeddings, body))
    };
    let other = embedded(&provider, &input("a cat")).await;
    let signed = input("a dog");
    let mut work = embedded(&provider, &signed).await;
    let body = other.bodies.expect("bodies")[1].clone();
    let receipt = Receipt {
        response_hash: body.salt.commit(CommitmentKind::Answer, &body.bytes),
        ..work.exchange.receipt().message().clone()
    };
    resign(&mut work, receipt);
    work.bodies.as_mut().expect("bodies")[1] = body;
    assert_eq!(
        found(&*provider.engine, &work).await,
        Finding::Guilty(Reason::Vectors)
    );
}

#[tokio::test]
async fn a_request_that_no_engine_takes_is_found() {
    let provider = provider();
    let long = "word ".repeat(3_000);
    let signed = sign(chat(&long, json!({ "max_tokens": 5 })));
    let answer = provider.serve(&asked()).await;
    let mut short = shortened(&answer, 5, Finish::Length);
    short.usage.input = 900;
    let finding = found(&*provider.engine, &provider.work(&signed, &short)).await;
    assert_eq!(finding, Finding::Guilty(Reason::Request));
}
