//! Answers that never come and are charged all the same.

use crate::{scripted::COST, world::World};
use atoma_client::{
    Client, ClientError, ReceiptError, ReceiptWait, RequestOptions, RequestTry, StackHandle,
};
use atoma_types::{ComputeUnits, message::Endpoint};
use futures::StreamExt;
use http::StatusCode;
use std::time::Duration;
use tokio::time::{sleep, timeout};

async fn ask(stack: &StackHandle, world: &World, act: &str) -> Result<StatusCode, ClientError> {
    let body = format!(r#"{{"act":"{act}","max_tokens":10}}"#);
    let options = RequestOptions {
        max_units: Some(ComputeUnits(40)),
        ..RequestOptions::default()
    };
    let endpoint = Endpoint::ChatCompletions;
    let answer = stack.request(world.node.id, endpoint, body.into(), options);
    let whole = answer.await?.whole().await?;
    // what it cost is found out meanwhile
    sleep(Duration::from_millis(200)).await;
    Ok(whole.status)
}

async fn opened(world: &World) -> (Client, StackHandle) {
    let client = world.client();
    let stack = world.leased(&client).await;
    (client, stack)
}

/// Each of them was paid like an answer that was lost on the way, any number of times.
#[tokio::test(start_paused = true)]
async fn a_node_that_says_that_it_failed_and_has_receipts_for_it_is_soon_signed_nothing_more() {
    let world = World::simulated().await;
    let node = world.node.id;
    let (client, stack) = opened(&world).await;
    let mut charged = 0;
    let stopped = loop {
        match ask(&stack, &world, "fail_and_serve").await {
            Ok(status) => assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR),
            Err(error) => break error,
        }
        charged += COST.0;
        assert_eq!(stack.charged_unanswered(node), ComputeUnits(charged));
    };
    // more than four, and more than the window of a hundred
    assert_eq!(charged, 5 * COST.0);
    let ClientError::NeverCame { allowed, .. } = stopped else {
        panic!("{stopped}");
    };
    assert_eq!(allowed, ComputeUnits(100));
    // nor does the next program begin anew
    let id = stack.id();
    drop((stack, client));
    let client = world.client();
    let stack = client.open(id).await.unwrap();
    let refused = ask(&stack, &world, "plain").await.unwrap_err();
    assert!(
        matches!(refused, ClientError::NeverCame { .. }),
        "{refused}"
    );
    // it is the lease that is at its end, and not its node
    let other = world.leased(&client).await;
    ask(&other, &world, "plain").await.unwrap();
}

/// Its user took each for no receipt, which it is on the ledger: so nothing was counted, and all of it paid.
#[tokio::test(start_paused = true)]
async fn receipts_of_one_unit_too_few_are_counted_like_others() {
    let world = World::simulated().await;
    let node = world.node.id;
    let (_client, stack) = opened(&world).await;
    let mut charged = 0;
    let stopped = loop {
        let error = ask(&stack, &world, "undercharge_and_cut")
            .await
            .unwrap_err();
        if !matches!(error, ClientError::Broken { .. }) {
            break error;
        }
        // what it cost is found out meanwhile
        sleep(Duration::from_millis(200)).await;
        charged += COST.0 - 1;
        assert_eq!(stack.charged_unanswered(node), ComputeUnits(charged));
    };
    assert_eq!(charged, 5 * (COST.0 - 1));
    assert!(
        matches!(stopped, ClientError::NeverCame { .. }),
        "{stopped}"
    );
}

#[tokio::test(start_paused = true)]
async fn a_program_that_ends_before_it_is_known_what_a_failure_cost_has_it_counted_by_the_next() {
    let world = World::simulated().await;
    let node = world.node.id;
    let (client, stack) = opened(&world).await;
    let id = stack.id();
    drop((stack, client));
    let refused = loop {
        let client = world.client();
        let stack = client.open(id).await.unwrap();
        if let Err(refused) = ask(&stack, &world, "plain").await {
            break refused;
        }
        // it shows what the last program never heard of
        assert_eq!(stack.fill_gaps(node).await.unwrap(), None);
        let body = r#"{"act":"fail_and_serve","max_tokens":10}"#;
        if let Err(refused) = stack.chat(node, body).await {
            break refused;
        }
    };
    let ClientError::NeverCame { charged, .. } = refused else {
        panic!("{refused}");
    };
    assert_eq!(charged, ComputeUnits(5 * COST.0));
}

#[tokio::test(start_paused = true)]
async fn an_honest_node_on_a_bad_connection_is_signed_for_and_paid_on_and_on() {
    let world = World::simulated().await;
    let node = world.node.id;
    let (_client, stack) = opened(&world).await;
    for number in 0..200 {
        let act = if number % 10 == 9 { "cut" } else { "plain" };
        let asked = ask(&stack, &world, act).await;
        assert_eq!(asked.is_ok(), act == "plain", "{asked:?}");
    }
    sleep(Duration::from_secs(1)).await;
    assert_eq!(stack.charged_unanswered(node), ComputeUnits(20 * COST.0));
    assert_eq!(stack.room(node), ComputeUnits(10_000 - 200 * COST.0));
}

#[tokio::test(start_paused = true)]
async fn who_leaves_before_the_end_pays_and_nobody_counts_it() {
    let world = World::simulated().await;
    let node = world.node.id;
    let (_client, stack) = opened(&world).await;
    for _ in 0..20 {
        let body = r#"{"act":"stream","max_tokens":10}"#;
        drop(stack.chat(node, body).await.unwrap());
        sleep(Duration::from_secs(1)).await;
    }
    assert_eq!(stack.room(node), ComputeUnits(10_000 - 20 * COST.0));
    assert_eq!(stack.charged_unanswered(node), ComputeUnits::ZERO);
}

/// A request that was lost on its way can be sent again by whoever has seen it: its node serves it in good faith.
#[tokio::test(start_paused = true)]
async fn of_what_a_node_had_nothing_it_may_have_a_record_until_the_request_expires_and_not_later() {
    for expired in [false, true] {
        let world = World::simulated().await;
        let node = world.node.id;
        let (client, stack) = opened(&world).await;
        ask(&stack, &world, "plain").await.unwrap();
        let room = stack.room(node);
        ask(&stack, &world, "vanish_for_now").await.unwrap_err();
        // it says twice that there is nothing, and that it isn't at it
        while stack.room(node) != room {
            sleep(Duration::from_millis(10)).await;
        }
        // sixty seconds, and thirty for clocks; then it is asked twice
        sleep(Duration::from_secs(if expired { 120 } else { 1 })).await;
        world.node.serves_denied();
        ask(&stack, &world, "plain").await.unwrap();
        let shown = stack.fill_gaps(node).await.unwrap();
        if expired {
            assert_eq!(shown, Some(2));
            assert_eq!(client.distrusted(node), Some(ReceiptError::Refused));
            assert!(ask(&stack, &world, "plain").await.is_err());
        } else {
            assert_eq!(shown, None);
            assert_eq!(client.distrusted(node), None);
            assert_eq!(stack.charged_unanswered(node), COST);
            ask(&stack, &world, "plain").await.unwrap();
        }
        client.receipts().flush().await.unwrap();
        let kept = client.receipts().list(Some(stack.id())).unwrap();
        let faulty = kept.iter().filter(|kept| kept.fault.is_some()).count();
        assert_eq!(faulty, usize::from(expired));
    }
}

/// Asks until nothing more is signed, or a hundred times; what ended it, if something did.
async fn until_stopped(
    (stack, world): (&StackHandle, &World),
    acts: &[&str],
    each: Duration,
) -> Option<ClientError> {
    for _ in 0..100 {
        for act in acts {
            if let Err(error @ ClientError::NeverCame { .. }) = ask(stack, world, act).await {
                return Some(error);
            }
        }
        sleep(each).await;
    }
    None
}

/// A node whose receipts can't be read, or are signed by another key, took a whole lease uncounted.
#[tokio::test(start_paused = true)]
async fn receipts_that_are_bad_and_good_ones_shown_later_are_answers_that_never_came() {
    for act in ["garbage_receipt", "other_key"] {
        let world = World::simulated().await;
        let node = world.node.id;
        let (_client, stack) = opened(&world).await;
        let error = ask(&stack, &world, act).await.unwrap_err();
        assert!(matches!(error, ClientError::Receipt { .. }), "{error}");
        // its node is asked meanwhile, and shows a good one
        sleep(Duration::from_secs(1)).await;
        assert_eq!(stack.charged_unanswered(node), COST, "{act}");
        assert_eq!(stack.room(node), ComputeUnits(10_000 - COST.0));
        let stopped = until_stopped((&stack, &world), &[act], Duration::from_secs(1)).await;
        assert!(stopped.is_some(), "{act}");
        let charged = stack.charged_unanswered(node);
        assert_eq!(charged, ComputeUnits(5 * COST.0), "{act}");
    }
}

/// The same of a node that shows no receipt to who asks for it, and its records where a number is lacking.
#[tokio::test(start_paused = true)]
async fn what_a_gap_shows_of_bad_receipts_and_broken_answers_counts() {
    for act in ["garbage_receipt", "other_key"] {
        let world = World::simulated().await;
        let node = world.node.id;
        let (_client, stack) = opened(&world).await;
        world.node.answers_sealed(axum::body::Bytes::new());
        let acts = [act, "plain"];
        let stopped = until_stopped((&stack, &world), &acts, Duration::from_secs(12)).await;
        assert!(stopped.is_some(), "{act}");
        let charged = stack.charged_unanswered(node);
        assert_eq!(charged, ComputeUnits(5 * COST.0), "{act}");
    }
}

/// The record is shown to whoever fills a gap, and the answer breaks off after that.
#[tokio::test(start_paused = true)]
async fn a_record_that_is_shown_before_its_answer_breaks_off_counts() {
    let world = World::simulated().await;
    let node = world.node.id;
    let (_client, stack) = opened(&world).await;
    world.node.answers_sealed(axum::body::Bytes::new());
    for broken in 1..=5 {
        let (hangs, other) = tokio::join!(ask(&stack, &world, "hang_then_cut"), async {
            sleep(Duration::from_secs(1)).await;
            ask(&stack, &world, "plain").await
        });
        other.unwrap();
        let error = hangs.unwrap_err();
        assert!(matches!(error, ClientError::Broken { .. }), "{error}");
        let charged = stack.charged_unanswered(node);
        assert_eq!(charged, ComputeUnits(broken * COST.0));
    }
    let stopped = ask(&stack, &world, "plain").await.unwrap_err();
    assert!(
        matches!(stopped, ClientError::NeverCame { .. }),
        "{stopped}"
    );
}

/// Its user leaves a long stream when the request could not be begun any more; its receipt is on the disk a moment later.
#[tokio::test(start_paused = true)]
async fn an_honest_node_with_a_slow_disk_is_not_distrusted() {
    for (seconds, late) in [(40, 500), (100, 50), (100, 500), (100, 5_000)] {
        let world = World::simulated().await;
        let node = world.node.id;
        let (client, stack) = opened(&world).await;
        ask(&stack, &world, "plain").await.unwrap();
        let body = r#"{"act":"long","max_tokens":10}"#;
        let mut answer = stack.chat(node, body).await.unwrap();
        let left = timeout(Duration::from_secs(seconds), async {
            while let Some(item) = answer.body.next().await {
                item.unwrap();
            }
        });
        assert!(left.await.is_err());
        drop(answer);
        sleep(Duration::from_millis(late)).await;
        world.node.serves_denied();
        sleep(Duration::from_secs(2)).await;
        ask(&stack, &world, "plain").await.unwrap();
        assert_eq!(stack.fill_gaps(node).await.unwrap(), None);
        assert_eq!(client.distrusted(node), None);
        ask(&stack, &world, "plain").await.unwrap();
        // a moment is nothing; who has said twice that there is none, and isn't at it, is taken at its word
        let counted = if late < 100 { ComputeUnits::ZERO } else { COST };
        assert_eq!(stack.charged_unanswered(node), counted, "{late} ms");
    }
}

/// Its user reads a word of a long stream, and leaves.
async fn leaves(stack: &StackHandle, world: &World) -> Result<ReceiptWait, ClientError> {
    let body = r#"{"act":"long","max_tokens":10}"#;
    let id = stack.client().runtime().request_id();
    let endpoint = Endpoint::ChatCompletions;
    let request = RequestTry::new(id, endpoint, body.into(), ComputeUnits(40));
    let (receipt, answer) = stack.try_once_watched(world.node.id, &request);
    let mut answer = answer.await?;
    answer.body.next().await.unwrap()?;
    Ok(receipt)
}

/// Whoever waited for it, as a gateway that holds its user's money does, was told that there is none; and it was paid.
#[tokio::test(start_paused = true)]
async fn a_receipt_that_its_node_has_denied_is_told_to_who_waits_and_counts() {
    let world = World::simulated().await;
    let node = world.node.id;
    let (_client, stack) = opened(&world).await;
    for denied in 1..=5 {
        let receipt = leaves(&stack, &world).await.unwrap();
        // it says twice that it has none, and isn't at it
        sleep(Duration::from_secs(1)).await;
        world.node.serves_denied();
        let receipt = receipt.await.expect("who waits pays for it");
        assert_eq!(receipt.units, COST);
        assert_eq!(
            stack.charged_unanswered(node),
            ComputeUnits(denied * COST.0)
        );
    }
    let stopped = leaves(&stack, &world).await.unwrap_err();
    assert!(
        matches!(stopped, ClientError::NeverCame { .. }),
        "{stopped}"
    );
}

/// The same of a node that shows it where a number is lacking, and to nobody who asks for it.
#[tokio::test(start_paused = true)]
async fn a_record_that_fills_a_gap_is_told_to_who_waits_for_its_receipt() {
    let world = World::simulated().await;
    let node = world.node.id;
    let (_client, stack) = opened(&world).await;
    let receipt = leaves(&stack, &world).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    world.node.hides_receipts();
    world.node.serves_denied();
    ask(&stack, &world, "plain").await.unwrap();
    assert_eq!(stack.fill_gaps(node).await.unwrap(), None);
    let receipt = receipt.await.expect("who waits pays for it");
    assert_eq!(receipt.units, COST);
    assert_eq!(stack.charged_unanswered(node), COST);
    ask(&stack, &world, "plain").await.unwrap();
}

/// As long as it may still be served, whoever waits holds what it may cost; and no longer.
#[tokio::test(start_paused = true)]
async fn what_a_node_has_denied_is_clear_once_it_has_expired() {
    let world = World::simulated().await;
    let (_client, stack) = opened(&world).await;
    let mut receipt = leaves(&stack, &world).await.unwrap();
    let waited = timeout(Duration::from_secs(60), &mut receipt).await;
    assert!(waited.is_err(), "{waited:?}");
    let waited = timeout(Duration::from_secs(120), receipt).await;
    assert_eq!(waited.unwrap(), None);
}

/// Asks for what comes later than anybody waits.
async fn asks_in_vain(
    stack: &StackHandle,
    world: &World,
    act: &str,
) -> Result<ReceiptWait, ClientError> {
    let patience = Duration::from_secs(30);
    let body = format!(r#"{{"act":"{act}","max_tokens":10}}"#);
    let id = stack.client().runtime().request_id();
    let endpoint = Endpoint::ChatCompletions;
    let request = RequestTry::new(id, endpoint, body.into(), ComputeUnits(40))
        .answered_within(patience)
        .paid_late();
    let (receipt, answer) = stack.try_once_watched(world.node.id, &request);
    let mut answer = match answer.await {
        Ok(answer) => answer,
        Err(ClientError::TimedOut { .. }) => return Ok(receipt),
        Err(error) => return Err(error),
    };
    if answer.body.is_stream() {
        let first = timeout(patience, answer.body.first_event()).await;
        assert!(first.is_err(), "{first:?}");
        answer.body.gave_up_waiting();
    } else {
        let whole = answer.whole_within(patience).await.unwrap();
        assert!(whole.is_none());
    }
    Ok(receipt)
}

/// Whoever waits has patience of their own, as a gateway has. Its node shows a receipt for what nobody ever got.
#[tokio::test(start_paused = true)]
async fn an_answer_that_does_not_come_after_somebody_lost_patience_either_never_came() {
    for act in ["stall", "stall_whole", "stall_head"] {
        let world = World::simulated().await;
        let node = world.node.id;
        let (_client, stack) = opened(&world).await;
        for lost in 1..=5 {
            let receipt = asks_in_vain(&stack, &world, act).await.unwrap();
            assert_eq!(receipt.await.unwrap().units, COST, "{act}");
            let charged = stack.charged_unanswered(node);
            assert_eq!(charged, ComputeUnits(lost * COST.0), "{act}");
        }
        let stopped = asks_in_vain(&stack, &world, act).await.unwrap_err();
        assert!(
            matches!(stopped, ClientError::NeverCame { .. }),
            "{stopped}"
        );
        assert!(!stack.signs_for(node));
    }
}

/// Who asks for more than a node can do in their time would have it blamed, and nothing more signed for it.
#[tokio::test(start_paused = true)]
async fn an_answer_that_comes_after_somebody_lost_patience_is_paid_and_its_node_not_blamed() {
    for act in ["late", "late_whole", "late_head"] {
        let world = World::simulated().await;
        let node = world.node.id;
        let (_client, stack) = opened(&world).await;
        for _ in 0..20 {
            let receipt = asks_in_vain(&stack, &world, act).await.unwrap();
            assert_eq!(receipt.await.unwrap().units, COST, "{act}");
        }
        assert_eq!(stack.charged_unanswered(node), ComputeUnits::ZERO, "{act}");
        assert!(stack.signs_for(node));
        ask(&stack, &world, "plain").await.unwrap();
    }
}

/// A node ends the connection of a reader that takes nothing for a minute.
#[tokio::test(start_paused = true)]
async fn who_reads_nothing_and_finds_the_answer_broken_off_has_left_it() {
    let world = World::simulated().await;
    let node = world.node.id;
    let (_client, stack) = opened(&world).await;
    for rests in [60, 0] {
        for _ in 0..5 {
            let body = r#"{"act":"hang_then_cut","max_tokens":10}"#;
            let mut answer = stack.chat(node, body).await.unwrap();
            answer.body.next().await.unwrap().unwrap();
            sleep(Duration::from_secs(rests)).await;
            let error = answer.body.next().await.unwrap().unwrap_err();
            assert!(matches!(error, ClientError::Broken { .. }), "{error}");
            drop(answer);
            sleep(Duration::from_secs(1)).await;
        }
        // whoever waits for more has been let down
        let counted = if rests > 0 { 0 } else { 5 };
        let charged = stack.charged_unanswered(node);
        assert_eq!(charged, ComputeUnits(counted * COST.0));
    }
}

/// Its record is kept from the answer whose bytes were others, and is good.
#[tokio::test(start_paused = true)]
async fn a_kept_record_that_joins_the_chain_settles_its_request_and_counts() {
    let world = World::simulated().await;
    let node = world.node.id;
    let (_client, stack) = opened(&world).await;
    world.node.answers_sealed(axum::body::Bytes::new());
    world.node.withholds(true);
    ask(&stack, &world, "other_answer").await.unwrap_err();
    ask(&stack, &world, "plain").await.unwrap();
    assert_eq!(stack.fill_gaps(node).await.unwrap(), None);
    assert_eq!(stack.charged_unanswered(node), COST);
    assert_eq!(stack.room(node), ComputeUnits(10_000 - 2 * COST.0));
}
