//! What a cheat does to an answer that was computed.

use super::{Answer, Provider, SignedRequest};
use atoma_engine::{Event, Finish, TokenEvent};

/// The answer with other texts in place of some tokens'.
pub fn edited(answer: &Answer, edit: impl Fn(usize, &str) -> Option<String>) -> Answer {
    let mut edited = answer.clone();
    let mut place = 0;
    for event in &mut edited.events {
        if let Event::Token(token) = event {
            if let Some(text) = edit(place, &token.text) {
                token.text = text;
            }
            place += 1;
        }
    }
    edited
}

/// Has it end in another way.
pub fn ended(answer: &mut Answer, finish: Finish) {
    if let Some(Event::Done(done)) = answer.events.last_mut() {
        done.finish = finish;
    }
}

/// The first so many tokens alone, said to end so, and counted as so many.
#[must_use]
pub fn shortened(answer: &Answer, tokens: usize, finish: Finish) -> Answer {
    let mut short = answer.clone();
    let mut place = 0;
    short.events.retain(|event| {
        place += usize::from(matches!(event, Event::Token(_)));
        !matches!(event, Event::Token(_)) || place <= tokens
    });
    ended(&mut short, finish);
    short.usage.output = tokens as u64;
    short
}

/// An answer of these tokens, with the scores that the true model gives them: the provider's engine has read them, as an
/// honest prefill does. It ends, and is charged, as the answer does whose place it takes.
pub async fn of_tokens(
    provider: &Provider,
    signed: &SignedRequest,
    instead: &Answer,
    ids: &[u32],
) -> Answer {
    let request = provider.request(signed);
    let engine = &provider.engine;
    let prompt = engine.tokenize(&request.prompt).expect("tokens");
    let sampling = request.sampling();
    let score = engine.score(prompt, ids.to_vec(), sampling, request.format);
    let mut answer = instead.clone();
    let is_token = |event: &Event| matches!(event, Event::Token(_));
    answer.events.retain(|event| !is_token(event));
    let all = Event::Token(TokenEvent {
        text: engine.detokenize(ids),
        ..TokenEvent::default()
    });
    let end = answer.events.len() - 1;
    answer.events.insert(end, all);
    answer.usage.output = ids.len() as u64;
    answer.fingerprint = Some(score.await.expect("scored").fingerprint);
    answer
}
