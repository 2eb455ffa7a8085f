//! One engine, many requests: none waits longer than it must.

use atoma_engine::testing::RandomModel;
use atoma_engine::{EmbeddedOptions, Engine, Event, EventStream, Prompt};
use futures::StreamExt;
use futures::future::{Either, select};

use crate::common::{answer, options, random, read, sampled, tokens};

fn long_context() -> RandomModel {
    RandomModel {
        context: 4096,
        ..RandomModel::small()
    }
}

/// Reads up to the first token.
async fn first_token(stream: &mut EventStream) {
    while let Some(event) = stream.next().await {
        if matches!(event.expect("no error"), Event::Token(_)) {
            return;
        }
    }
}

#[tokio::test]
async fn a_short_prompt_does_not_wait_for_a_long_one_that_came_first() {
    let engine = random(&long_context(), options());
    let (long, short) = (tokens(1, 3000), tokens(2, 20));
    let generate = |prompt, seed| engine.generate(sampled(prompt, 8, seed));
    let mut long_stream = generate(long.clone(), 1).await.expect("accepted");
    let mut short_stream = generate(short.clone(), 2).await.expect("accepted");
    let first = select(
        Box::pin(first_token(&mut long_stream)),
        Box::pin(first_token(&mut short_stream)),
    )
    .await;
    assert!(matches!(first, Either::Right(_)), "the short one is first");
    drop(first);

    // How prompts are divided changes no bit.
    let long_done = last(long_stream).await;
    assert_eq!(
        long_done,
        answer(&engine, sampled(long, 8, 1)).await.done.fingerprint
    );
    let short_done = last(short_stream).await;
    assert_eq!(
        short_done,
        answer(&engine, sampled(short, 8, 2)).await.done.fingerprint
    );
}

/// The fingerprint of an answer whose beginning was read.
async fn last(mut stream: EventStream) -> [u8; 32] {
    loop {
        match stream.next().await.expect("ends with Done") {
            Ok(Event::Done(done)) => return done.fingerprint,
            event => drop(event.expect("no error")),
        }
    }
}

#[tokio::test]
async fn two_thousand_embeddings_are_worked_off_beside_others() {
    let few = EmbeddedOptions {
        max_running: 4,
        max_waiting: 8,
        ..options()
    };
    let engine = random(&RandomModel::small(), few);
    let inputs = (0..2048).map(|i| Prompt::Tokens(tokens(i, 3))).collect();
    let (embedded, other) = futures::join!(
        engine.embed(inputs),
        answer(&engine, sampled(tokens(9, 10), 5, 1)),
    );
    let (vectors, usage) = embedded.expect("worked off");
    assert_eq!((vectors.len(), usage.input), (2048, 3 * 2048));
    assert_eq!(other.done.usage.output, 5);
    let (alone, _) = engine
        .embed(vec![Prompt::Tokens(tokens(77, 3))])
        .await
        .expect("embedded");
    assert_eq!(vectors[77], alone[0]);
}

#[tokio::test]
async fn a_paused_reader_holds_no_blocks() {
    let few = EmbeddedOptions {
        kv_blocks: Some(32),
        ..options()
    };
    let engine = random(&long_context(), few);
    let unread = engine
        .generate(sampled(tokens(1, 10), 900, 1))
        .await
        .expect("accepted");
    // Needs nearly all blocks there are.
    let other = answer(&engine, sampled(tokens(2, 700), 300, 2)).await;
    assert_eq!(other.done.usage.output, 300);
    while engine.load().kv_blocks_free < engine.load().kv_blocks_total {
        tokio::task::yield_now().await;
    }
    let paused = read(unread).await;
    let alone = answer(&engine, sampled(tokens(1, 10), 900, 1)).await;
    assert_eq!(paused.done.fingerprint, alone.done.fingerprint);
}
