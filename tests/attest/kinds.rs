//! Every way to cheat is found by whoever computes the answer again, and honest answers are found honest.

use atoma_audit::{Body, Exchange, Finding, Promised, Reason, Signers, Work, examine};
use atoma_client::{BuyRequest, Client, ClientConfig, WholeAnswer};
use atoma_engine::{Engine, builtin};
use atoma_keys::SigningKey;
use atoma_network::{
    Network, POCKET_MONEY, Silent,
    cheat::{Cheat, cheating},
    engine_class, fund,
};
use atoma_runtime::SystemRandom;
use atoma_types::{ComputeUnits, DurationMs, Price, UnitWeights};
use bytes::Bytes;
use serde_json::json;
use std::sync::Arc;

const PRICE: Price = Price(1_000_000);
/// For each node.
const UNITS: u64 = 8_000;

/// What whoever looks must find.
fn expected(cheat: Cheat) -> &'static [Reason] {
    match cheat {
        Cheat::EditedTokens => &[Reason::Text],
        Cheat::Truncated => &[Reason::Finish, Reason::Limit],
        Cheat::Padded => &[Reason::Scores, Reason::Output, Reason::Text],
        Cheat::Overcounted => &[Reason::Prompt],
        // a shorter or longer prompt is counted as it should be, and its scores are others
        _ => &[Reason::Scores, Reason::Prompt, Reason::Output],
    }
}

async fn found(
    engine: &Arc<dyn Engine>,
    signers: &Signers,
    body: &str,
    answer: &WholeAnswer,
) -> Finding {
    let receipt = answer.receipt.as_ref().unwrap();
    let [request, answer] =
        [Bytes::copy_from_slice(body.as_bytes()), answer.body.clone()].map(|bytes| Body {
            salt: answer.salt.clone(),
            bytes,
        });
    let (header, signed) = (receipt.request().clone(), receipt.signed().clone());
    let work = Work {
        exchange: Exchange::checked(header, signed, signers).unwrap(),
        task: Promised {
            engine: engine_class(engine.info()),
            model: Some(builtin::NAME.to_owned()),
            weights: Some(UnitWeights::TEXT),
        },
        bodies: Some([request, answer]),
    };
    examine(&**engine, &work).await.unwrap().finding
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_cheat_is_found_and_honest_answers_are_honest() {
    let folder = tempfile::tempdir().unwrap();
    let engine: Arc<dyn Engine> = Arc::new(builtin::load().unwrap());
    let mut builder = Network::builder(folder.path())
        .serving(engine.clone())
        .node(PRICE);
    for &cheat in Cheat::ALL {
        let weights = folder.path().join(cheat.as_str());
        let engine = cheating(cheat, &engine, &weights).unwrap();
        builder = builder.node(PRICE).computing_with(engine);
    }
    let network = builder.start().await.unwrap();
    let key = SigningKey::generate(&SystemRandom);
    let address = key.public_key().address();
    fund(&network.ledger, "user", address, POCKET_MONEY, &Silent)
        .await
        .unwrap();
    let client = Client::with_ledger(network.ledger.clone(), key, ClientConfig::default()).unwrap();
    let order = BuyRequest {
        task: network.task.unwrap(),
        units: ComputeUnits(UNITS * network.nodes.len() as u64),
        max_price: Some(PRICE),
        nodes: 0,
        lifetime: DurationMs(3_600_000),
    };
    let stack = client.buy(order).await.unwrap();
    let ask = json!({
        "model": builtin::NAME,
        "messages": [{ "role": "user", "content": "What is the sun?" }],
        "max_tokens": 60,
        "temperature": 2.0,
        "seed": 7,
    });
    let body = ask.to_string();
    let cheats = std::iter::once(None).chain(Cheat::ALL.iter().copied().map(Some));
    for (node, cheat) in network.nodes.iter().zip(cheats) {
        stack
            .grant_some(node.id, ComputeUnits(UNITS))
            .await
            .unwrap();
        let answer = stack.chat(node.id, body.clone()).await.unwrap();
        let answer = answer.whole().await.unwrap();
        let signers = Signers {
            request: client.request_key(),
            receipt: network.ledger.node(node.id).await.unwrap().response_key,
        };
        let found = found(&engine, &signers, &body, &answer).await;
        let right = match (cheat, found) {
            (None, found) => found == Finding::Honest,
            (Some(cheat), Finding::Guilty(reason)) => expected(cheat).contains(&reason),
            (Some(_), _) => false,
        };
        assert!(right, "{cheat:?}: {found}");
    }
    network.stop().await;
}
