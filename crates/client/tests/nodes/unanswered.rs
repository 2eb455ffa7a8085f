//! A node that answers and gives no receipts: what it can make its user sign.

use crate::{scripted::COST, world::World};
use atoma_client::{
    ClientConfig, ClientError, ReceiptError, RequestOptions, StackHandle, lane::LaneError,
};
use atoma_types::{ComputeUnits, NodeId, message::Endpoint};
use http::StatusCode;
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// What each request may cost.
const MAX: ComputeUnits = ComputeUnits(696);
/// Answers without receipts.
const TRIES: usize = 62;
/// Honest answers before: they come to 20,010 units.
const HONEST: usize = 667;

async fn ask(stack: &StackHandle, node: NodeId, act: &str) -> Result<(), ClientError> {
    let options = RequestOptions {
        max_units: Some(MAX),
        ..RequestOptions::default()
    };
    let body = json!({ "act": act, "max_tokens": 50 }).to_string();
    let answer = stack.request(node, Endpoint::ChatCompletions, body.into(), options);
    answer.await?.whole().await?;
    Ok(())
}

/// How many of so many tries the node could answer without a receipt before nothing more was signed.
async fn unanswered(stack: &StackHandle, node: NodeId, window: ComputeUnits) -> u64 {
    let mut answered = 0;
    for _ in 0..TRIES {
        match ask(stack, node, "no_receipt").await.unwrap_err() {
            ClientError::Receipt { reason, .. } => {
                assert_eq!(reason, ReceiptError::Missing);
                answered += 1;
            }
            ClientError::Lane(LaneError::Unanswered {
                doubtful,
                wanted,
                window: allowed,
            }) => {
                assert_eq!(doubtful, ComputeUnits(answered * MAX.0));
                assert_eq!((wanted, allowed), (MAX, window));
            }
            other => panic!("{other}"),
        }
    }
    answered
}

/// When what was unanswered didn't end the signing, these tries raised the ceiling from 20,000 to 63,177.
#[tokio::test]
async fn sixty_two_answers_without_receipts_do_not_raise_the_ceiling_beyond_the_window() {
    let window = ClientConfig::default().window;
    let world = World::start().await;
    let client = world.client_with(window);
    let node = world.node.id;
    let stack = world.buy_units(&client, ComputeUnits(100_000)).await;
    stack.grant(node, stack.ungranted_units()).await.unwrap();
    // one after the other: what runs at once is signed for as well
    for _ in 0..HONEST {
        ask(&stack, node, "plain").await.unwrap();
    }
    let settled = HONEST as u64 * COST.0;
    let before = world.node.highest_ceiling().0;
    assert!((20_000..20_010 + MAX.0).contains(&before), "{before}");

    let answered = unanswered(&stack, node, window).await;
    assert_eq!(answered, window.0 / MAX.0, "as many as the window holds");
    let ceiling = world.node.highest_ceiling().0;
    assert_eq!(ceiling, before.max(settled + answered * MAX.0));
    // edition 1 signed for each of them
    assert!(ceiling < settled + TRIES as u64 * MAX.0 / 2, "{ceiling}");

    // an honest answer is no way out of it either
    let refused = ask(&stack, node, "plain").await.unwrap_err();
    assert!(
        matches!(refused, ClientError::Lane(LaneError::Unanswered { .. })),
        "{refused}"
    );
    // and what the node can take by what was signed is the receipts' sum and the window
    assert!(ceiling - settled <= window.0, "{}", ceiling - settled);
}

/// What is signed for one request is what its node can take. Where the caller named no limit it was all that the lease had,
/// if the node only said that it needs it.
#[tokio::test]
async fn a_node_has_no_more_signed_by_its_own_count_than_the_body_explains() {
    let world = World::start().await;
    let client = world.client();
    let node = world.node.id;
    let stack = world.leased(&client).await;
    let ask = async |needed: u64| {
        let body = json!({ "act": "max_units", "n_units": needed, "max_tokens": 50 });
        let answer = stack.chat(node, body.to_string()).await.unwrap();
        answer.whole().await.unwrap().status
    };
    for needed in [9_000, 5_500] {
        assert_eq!(ask(needed).await, StatusCode::PAYMENT_REQUIRED);
    }
    // a template as long as the longest in use
    assert_eq!(ask(4_500).await, StatusCode::OK);
    assert_eq!(world.node.highest_ceiling(), ComputeUnits(4_500));
}

/// The next request is covered by the ceiling that what was denied leaves: so a node that says each time that it has nothing, and
/// claims at the end, takes the window, or one request where that is more.
#[tokio::test(start_paused = true)]
async fn a_node_that_denies_all_that_it_is_asked_is_signed_for_once() {
    let world = World::simulated().await;
    let client = world.client_with(ComputeUnits(1_000));
    let node = world.node.id;
    let stack = world.leased(&client).await;
    let ask = async |act: &str, max: u64| {
        let room = stack.room(node);
        let options = RequestOptions {
            max_units: Some(ComputeUnits(max)),
            ..RequestOptions::default()
        };
        let body = json!({ "act": act, "max_tokens": 50 }).to_string();
        let answer = stack.request(node, Endpoint::ChatCompletions, body.into(), options);
        let whole = answer.await.unwrap().whole().await;
        // until it is denied
        while act == "vanish" && stack.room(node) != room {
            sleep(Duration::from_millis(10)).await;
        }
        whole.is_ok()
    };
    let ceiling = || world.node.highest_ceiling().0;
    for _ in 0..20 {
        assert!(!ask("vanish", MAX.0).await);
    }
    assert_eq!(ceiling(), MAX.0);
    assert!(!ask("vanish", 5_000).await);
    for _ in 0..20 {
        assert!(!ask("vanish", MAX.0).await);
    }
    assert_eq!(ceiling(), 5_000);
    // nor is it more once other requests are served: what they cost is of these
    for _ in 0..100 {
        assert!(ask("plain", MAX.0).await);
    }
    assert_eq!(ceiling(), 5_000);
    assert_eq!(stack.room(node), ComputeUnits(10_000 - 100 * COST.0));
}

/// Each run of a program was taken for one after a crash: its node was granted a window anew, and the step that the bound was ahead.
#[tokio::test]
async fn programs_that_end_well_are_signed_for_like_one() {
    let world = World::start().await;
    let node = world.node.id;
    let id = {
        let client = world.client();
        world.leased(&client).await.id()
    };
    let mut settled = 0;
    for _ in 0..5 {
        let client = world.client();
        let stack = client.open(id).await.unwrap();
        let options = RequestOptions {
            max_units: Some(ComputeUnits(40)),
            ..RequestOptions::default()
        };
        // as much as it may hope for
        let needed = world.node.highest_ceiling().0 + 100;
        let body = json!({ "act": "ceiling", "n_units": needed, "max_tokens": 10 }).to_string();
        let asked = stack.request(node, Endpoint::ChatCompletions, body.into(), options);
        if let Ok(answer) = asked.await {
            answer.whole().await.unwrap();
            settled += COST.0;
        }
        client.receipts().flush().await.unwrap();
    }
    let ceiling = world.node.highest_ceiling().0;
    assert!(ceiling - settled <= 100, "{ceiling} for {settled}");
}
