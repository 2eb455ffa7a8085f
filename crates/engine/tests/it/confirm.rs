//! Answers that are confirmed by prefill are those that generating gives, to the bit.

use atoma_engine::testing::RandomModel;
use atoma_engine::{
    ChatMessage, Conversation, Engine, Event, Format, GenerateRequest, Prompt, TokenEvent, builtin,
};
use futures::StreamExt;

use crate::common::{options, random, sampled, tokens};

/// All that an answer's events say, and what they were computed from.
#[derive(Debug, PartialEq)]
struct Whole {
    tokens: Vec<TokenEvent>,
    done: atoma_engine::Completion,
}

fn whole(events: Vec<Event>) -> Whole {
    let mut tokens = Vec::new();
    for event in events {
        match event {
            Event::Token(token) => tokens.push(token),
            Event::Done(mut done) => {
                // what came from a cache is no part of an answer
                let usage = done.usage;
                done.usage = atoma_engine::Usage::of_text(usage.prompt_tokens(), 0, usage.output);
                return Whole { tokens, done };
            }
            Event::Started { .. } | Event::Piece(_) => {}
        }
    }
    panic!("an answer ends with Done")
}

async fn generated(engine: &dyn Engine, request: GenerateRequest) -> Whole {
    let stream = engine.generate(request).await.expect("accepted");
    let events: Vec<_> = stream.collect().await;
    whole(
        events
            .into_iter()
            .collect::<Result<_, _>>()
            .expect("no error"),
    )
}

fn text(whole: &Whole) -> String {
    whole.tokens.iter().map(|token| &*token.text).collect()
}

/// Whether an answer is confirmed; if it is, it must be the same.
async fn is_confirmed(engine: &dyn Engine, request: GenerateRequest) -> bool {
    let answer = generated(engine, request.clone()).await;
    let request = GenerateRequest {
        max_tokens: answer.done.usage.output as u32,
        ..request
    };
    let again = engine.confirm(request, text(&answer)).await.expect("able");
    let Some(again) = again.map(whole) else {
        return false;
    };
    assert_eq!(again, answer);
    true
}

fn chat(text: &str, seed: u64, temperature: f32) -> GenerateRequest {
    let turns = vec![ChatMessage::new("user", text)];
    GenerateRequest {
        temperature,
        seed,
        ..GenerateRequest::new(Prompt::Chat(Conversation::new(turns)), 60)
    }
}

#[tokio::test]
async fn what_a_model_says_is_confirmed_to_the_bit() {
    let engine = builtin::load_with(options()).expect("loaded");
    let prompts = [
        "Hello!",
        "What is the sun?",
        "Tell me a story.",
        "Count to ten.",
    ];
    let (mut confirmed, mut all) = (0, 0);
    for seed in 0..12 {
        for prompt in prompts {
            let temperature = [0.0, 0.3, 0.7][seed as usize % 3];
            all += 1;
            confirmed += u32::from(is_confirmed(&engine, chat(prompt, seed, temperature)).await);
        }
    }
    println!("{confirmed} of {all} answers were confirmed");
    assert!(confirmed * 10 >= all * 9, "{confirmed} of {all}");
}

#[tokio::test]
async fn an_answer_that_a_stop_string_ends_or_that_shows_its_scores_is_confirmed() {
    let engine = builtin::load_with(options()).expect("loaded");
    let (mut confirmed, mut all) = (0, 0);
    for seed in 0..8 {
        for stop in [".", " the", "e", "is a", "\n"] {
            let request = GenerateRequest {
                stop: vec!["zzz".to_owned(), stop.to_owned()],
                logprobs: (seed % 2 == 0).then_some(0),
                ..chat("What is the sun?", seed, 0.9)
            };
            all += 1;
            confirmed += u32::from(is_confirmed(&engine, request).await);
        }
    }
    println!("{confirmed} of {all} answers were confirmed");
    assert!(confirmed * 10 >= all * 8, "{confirmed} of {all}");
}

#[tokio::test]
async fn an_answer_with_a_form_is_confirmed_within_it() {
    let engine = builtin::load_with(options()).expect("loaded");
    let schema = r#"{"type":"object","properties":{"hot":{"type":"boolean"}},"required":["hot"]}"#;
    let format = Some(Format::JsonSchema(
        serde_json::from_str(schema).expect("JSON"),
    ));
    for seed in 0..4 {
        let request = GenerateRequest {
            format: format.clone(),
            ..chat("Is it hot?", seed, 0.9)
        };
        is_confirmed(&engine, request).await;
    }
}

#[tokio::test]
async fn tokens_that_no_tokenizer_would_choose_are_left_to_generating_or_found() {
    // a model that says any token after any other, parts of characters among them
    let engine = random(&RandomModel::small(), options());
    for seed in 0..20 {
        let request = sampled(tokens(seed, 30), 5 + seed, u64::from(seed));
        is_confirmed(&engine, request).await;
    }
}

#[tokio::test]
async fn a_wrong_guess_is_put_right_or_given_up_and_never_believed() {
    let engine = builtin::load_with(options()).expect("loaded");
    let request = chat("What is the sun?", 1, 0.3);
    let honest = generated(&engine, request.clone()).await;
    let (said, length) = (text(&honest), honest.done.usage.output as u32);
    let half: String = said.chars().take(said.len() / 2).collect();
    for (guess, max_tokens, seed) in [
        (said.clone(), length, 1),
        (format!("{said} Not"), length + 5, 1),
        (said.replace("is", "was"), length, 1),
        (said.clone(), length, 2),
        (said.clone(), length - 3, 1),
        (half, length, 1),
        (String::new(), length, 1),
        ("x ".repeat(5_000), 900, 1),
    ] {
        let request = GenerateRequest {
            max_tokens,
            seed,
            ..request.clone()
        };
        let expected = generated(&engine, request.clone()).await;
        let confirmed = engine.confirm(request, guess.clone()).await.expect("able");
        if let Some(events) = confirmed {
            assert_eq!(whole(events), expected, "{guess}");
        }
    }
}
