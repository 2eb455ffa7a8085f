//! Somebody reads a pack on Walrus, which is public, and has an idea of what was asked: few prompts are
//! possible, and for each the answer can be computed. Does anything in the pack tell which it was?

use crate::arena::{Arena, chat, eventually, salt};
use atoma_engine::Event;
use atoma_evidence::{
    pack::{Pack, ReceiptProof, StorageProof},
    receipt::proof_path,
};
use atoma_runtime::Runtime;
use atoma_types::{
    hash::Hash32,
    message::{CommitmentKind, RequestHeader, Signed},
};
use atoma_walrus::client::{ClientConfig, WalrusClient};
use bytes::Bytes;
use futures::StreamExt;
use http::StatusCode;
use std::cell::RefCell;

/// What the engine commits to when it computes the answer to a guess.
async fn scores(arena: &Arena, header: &Signed<RequestHeader>, body: &str) -> Hash32 {
    let request = atoma_openai::replay(header, body.as_bytes(), arena.engine.info()).unwrap();
    let request = atoma_engine::GenerateRequest {
        max_tokens: 2,
        ..request
    };
    let mut events = arena.engine.generate(request).await.unwrap();
    while let Some(event) = events.next().await {
        if let Event::Done(completion) = event.unwrap() {
            return Hash32(completion.fingerprint);
        }
    }
    panic!("the engine ended without an answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_guesses_a_prompt_right_learns_it_from_no_public_pack() {
    let arena = Arena::start_with_walrus().await;
    let node = arena.node_with(arena.config_with_evidence(0)).await;
    let stack = arena.buy(100_000).await;
    let body = chat(2, false).replace("Say hello.", "Am I ill? Say yes or no.");
    let now = Runtime::system().now();
    let header = arena.header(node.node_id(), stack, body.as_bytes(), now);
    let signed = arena.sign(header);
    let answer = arena.send_signed(&node.url(), &signed, &body).await;
    assert_eq!(answer.status(), StatusCode::OK, "{answer:?}");

    // all that is public: the pack, and what the node shows to whoever knows the request's id
    let id = signed.message().request_id;
    let (shown, storage) = (RefCell::default(), RefCell::new(None::<StorageProof>));
    eventually("the record is stored", async || {
        let url = node.url() + &proof_path(stack, id);
        let proof = arena.get(&url).await;
        let read = serde_json::from_slice::<ReceiptProof>(proof.0.body());
        *storage.borrow_mut() = read.ok().and_then(|proof| proof.storage);
        *shown.borrow_mut() = proof.0.into_body();
        storage.borrow().is_some()
    })
    .await;
    let walrus = arena.network.walrus.as_ref().unwrap();
    let config = ClientConfig::new(None, walrus.url().parse().unwrap(), walrus.shards());
    let client = WalrusClient::new(config).unwrap();
    let blob = storage.into_inner().unwrap().blob_id;
    let pack = client.read(blob).await.unwrap();
    let shown: Bytes = shown.into_inner();

    // the attacker is right about every byte, and has the model
    let said = answer.0.body();
    let scores = scores(&arena, &signed, &body).await;
    let guesses = [
        (CommitmentKind::Request, body.as_bytes()),
        (CommitmentKind::Answer, &said[..]),
        (CommitmentKind::Fingerprint, &scores.0[..]),
    ];
    let public = |hash: Hash32| {
        let text = hash.to_string();
        let in_pack = pack.windows(32).any(|bytes| bytes == hash.0);
        in_pack || shown.windows(64).any(|bytes| bytes == text.as_bytes())
    };
    for (part, guess) in guesses {
        assert!(!public(Hash32::of(guess)), "the {part:?} is told");
        let known = salt().commit(part, guess);
        assert!(public(known), "its parties know the {part:?} again");
    }
    assert!(!public(scores), "the scores are told");
    assert!(!public(Hash32(*salt().reveal())), "the salt is told");
    assert!(Pack::from_bytes(pack.clone()).is_ok());
    node.drain_and_stop().await;
    arena.network.stop().await;
}
