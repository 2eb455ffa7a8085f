//! Records of the tolerant class: a server's, that tells ids of tokens, and an engine that looks at them.

use atoma_audit::testing::{
    Answer, Provider, SignedRequest, chat, completion, endless, resign, sign,
};
use atoma_audit::tolerant::{Honest, Looked, Odd, Seen, Sums, Verdict, judge, look};
use atoma_audit::{Finding, Reason, Unable, Work};
use atoma_engine::{AnswerDelta, Event, GenerateRequest, Piece, TokenEvent, TokenLogprob};
use atoma_types::{Numerics, Rule};
use serde_json::json;

/// A provider in front of a server, by an engine of the same model.
fn provider() -> Provider {
    let mut provider = Provider::new(endless(5));
    provider.task.engine.numerics = Numerics::Tolerant;
    provider.task.engine.rule = Rule::Tolerant;
    provider
}

/// What honest tokens are like: in f32, and in bf16 as they were on a real server.
fn classes() -> [Honest; 2] {
    let f32s = |at: usize| Seen {
        apart: Some(1e-6 * (at % 50) as f32),
        ..Seen::default()
    };
    let bf16s = |at: usize| Seen {
        short: if at.is_multiple_of(50) {
            1e-4 * (at % 1_000) as f32
        } else {
            0.0
        },
        apart: Some(1e-3 * (at % 60) as f32),
        ..Seen::default()
    };
    let tokens = 0..50_000;
    let f32s: Vec<Seen> = tokens.clone().map(f32s).collect();
    let bf16s: Vec<Seen> = tokens.map(bf16s).collect();
    [Honest::fit(&f32s), Honest::fit(&bf16s)]
}

fn asked(stream: bool, is_chat: bool) -> SignedRequest {
    let logprobs = if is_chat { json!(true) } else { json!(0) };
    let more = json!({ "temperature": 0.9, "top_p": 0.95, "max_tokens": 120, "seed": 4, "stream": stream, "logprobs": logprobs });
    sign(match is_chat {
        true => chat("Tell me about the sea.", more),
        false => completion("The sea", more),
    })
}

/// As a server outside tells it.
fn told(mut answer: Answer) -> Answer {
    for event in &mut answer.events {
        if let Event::Token(token) = event {
            *event = Event::Piece(Piece {
                deltas: vec![delta(token)],
                tokens: 1,
            });
        }
    }
    answer.fingerprint = None;
    answer
}

fn delta(token: &TokenEvent) -> AnswerDelta {
    let logprob = token.logprob.iter().map(|told| TokenLogprob {
        token: told.token.clone(),
        logprob: told.logprob,
        bytes: None,
        offset: None,
        top: Vec::new(),
    });
    AnswerDelta {
        text: token.text.clone(),
        logprobs: logprob.collect(),
        token_ids: token.id.into_iter().collect(),
        ..AnswerDelta::default()
    }
}

async fn seen(provider: &Provider, work: &Work) -> Sums {
    match look(&*provider.engine, work).await.expect("able") {
        Looked::Seen(sums) => sums,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn an_honest_record_departs_by_nothing_in_whatever_form_it_is_told() {
    let provider = provider();
    for (stream, is_chat) in [(true, true), (true, false), (false, true), (false, false)] {
        let signed = asked(stream, is_chat);
        let answer = told(provider.serve(&signed).await);
        let sums = seen(&provider, &provider.work(&signed, &answer)).await;
        assert_eq!(sums.tokens, answer.usage.output);
        assert_eq!((sums.others, sums.gross, sums.short), (0, 0, 0.0));
        assert_eq!((sums.reported, sums.apart), (sums.tokens, 0.0));
        for honest in classes() {
            assert_eq!(judge(&honest, &sums, Some(&sums)), Verdict::Ok);
        }
    }
}

#[tokio::test]
async fn another_seed_temperature_or_rule_is_guilty_in_either_class_and_never_by_one_look() {
    let provider = provider();
    let signed = asked(true, true);
    let due = provider.request(&signed);
    for cheat in [
        GenerateRequest {
            seed: 5,
            ..due.clone()
        },
        GenerateRequest {
            temperature: 0.0,
            ..due.clone()
        },
        GenerateRequest {
            temperature: 2.0,
            ..due.clone()
        },
    ] {
        let answer = told(provider.run(cheat).await);
        let sums = seen(&provider, &provider.work(&signed, &answer)).await;
        for honest in classes() {
            let verdict = judge(&honest, &sums, Some(&sums));
            assert!(matches!(verdict, Verdict::Guilty(_)), "{sums:?}");
            let once = judge(&honest, &sums, None);
            assert!(matches!(once, Verdict::Unsure(_)), "{once:?}");
        }
    }
}

#[tokio::test]
async fn a_record_whose_parts_do_not_fit_is_odd_and_nobody_is_guilty_of_it() {
    let provider = provider();
    let signed = asked(false, true);
    let whole = provider.serve(&signed).await;
    let honest = told(whole.clone());
    let odd = async |answer: &Answer| {
        let work = provider.work(&signed, answer);
        match look(&*provider.engine, &work).await.expect("able") {
            Looked::Odd(odd) => odd,
            other => panic!("{other:?}"),
        }
    };
    let with = |change: &dyn Fn(&mut AnswerDelta)| {
        let mut answer = honest.clone();
        let mut pieces = answer.events.iter_mut().filter_map(|event| match event {
            Event::Piece(piece) => Some(piece),
            _ => None,
        });
        let piece = pieces.nth(3).expect("a fourth token");
        change(&mut piece.deltas[0]);
        answer
    };
    let charged = honest.usage.output;
    let none = Odd::Ids { ids: 0, charged };
    assert_eq!(odd(&whole).await, none);
    let ids = charged - 1;
    let fewer = with(&|delta| delta.token_ids.clear());
    assert_eq!(odd(&fewer).await, Odd::Ids { ids, charged });
    let words = with(&|delta| delta.text.push_str(" cheese"));
    assert_eq!(odd(&words).await, Odd::Words);
    let other = with(&|delta| delta.token_ids = vec![1_000]);
    assert_eq!(odd(&other).await, Odd::Words);
}

#[tokio::test]
async fn what_needs_no_model_is_found_in_this_class_too_and_the_exact_class_is_not_judged_so() {
    let provider = provider();
    let signed = asked(true, true);
    let answer = told(provider.serve(&signed).await);
    let mut work = provider.work(&signed, &answer);
    let mut receipt = work.exchange.receipt().message().clone();
    receipt.units.0 += 1;
    resign(&mut work, receipt);
    let found = look(&*provider.engine, &work).await.expect("able");
    assert_eq!(found, Looked::Found(Finding::Guilty(Reason::Units)));
    let exact = Provider::new(provider.engine.clone());
    let work = exact.work(&signed, &answer);
    let unable = look(&*provider.engine, &work).await;
    assert!(matches!(unable, Err(Unable::NotTolerant)));
}
