//! A node that is away, as nodes are: it is asked until it is back, and what it hasn't shown by then isn't forgiven.

use crate::{scripted::COST, world::World};
use atoma_client::{ClientError, StackHandle, lane::LaneError, request_key};
use atoma_types::ComputeUnits;
use std::time::Duration;
use tokio::time::sleep;

const MINUTES: Duration = Duration::from_secs(15 * 60);

async fn ask(stack: &StackHandle, world: &World, act: &str) -> Result<(), ClientError> {
    let body = format!(r#"{{"act":"{act}","max_tokens":500}}"#);
    let answer = stack.chat(world.node.id, body).await?;
    answer.whole().await.map(|_| ())
}

/// Questions used to end six minutes after the request, and its lane then stayed shut until the next program.
#[tokio::test(start_paused = true)]
async fn a_node_that_is_away_for_minutes_has_its_lane_back_a_minute_after_it() {
    let world = World::simulated().await;
    let node = world.node.id;
    let client = world.client();
    let stack = world.leased(&client).await;
    ask(&stack, &world, "cut").await.unwrap_err();
    world.leaves().await;
    sleep(MINUTES).await;
    world.comes_back().await;
    // what it was paid for isn't known yet
    let shut = ask(&stack, &world, "plain").await.unwrap_err();
    let ClientError::Lane(LaneError::Unanswered { .. }) = shut else {
        panic!("{shut}");
    };
    sleep(Duration::from_secs(61)).await;
    ask(&stack, &world, "plain").await.unwrap();
    assert_eq!(stack.room(node), ComputeUnits(10_000 - 2 * COST.0));
}

#[tokio::test(start_paused = true)]
async fn a_gap_of_a_node_that_is_away_for_minutes_is_filled_seconds_after_it() {
    let world = World::simulated().await;
    let client = world.client();
    let stack = world.leased(&client).await;
    ask(&stack, &world, "plain").await.unwrap();
    let key = request_key(&world.user);
    world.node.serves_unseen(&stack.view(), &key);
    ask(&stack, &world, "plain").await.unwrap();
    world.leaves().await;
    sleep(MINUTES).await;
    world.comes_back().await;
    let shut = ask(&stack, &world, "plain").await.unwrap_err();
    assert!(
        matches!(shut, ClientError::Unshown { seq: 2, .. }),
        "{shut}"
    );
    sleep(Duration::from_secs(11)).await;
    ask(&stack, &world, "plain").await.unwrap();
}

/// A gap used to be excused as long as its node couldn't be reached just when it was asked.
#[tokio::test(start_paused = true)]
async fn a_node_that_is_away_whenever_it_is_asked_for_a_record_is_signed_nothing() {
    let world = World::simulated().await;
    let node = world.node.id;
    let client = world.client();
    let stack = world.leased(&client).await;
    ask(&stack, &world, "plain").await.unwrap();
    world.node.skips(1);
    ask(&stack, &world, "plain").await.unwrap();
    let before = world.node.highest_ceiling();
    for says_so in [false, true, false, true] {
        match says_so {
            true => world.node.is_away(true),
            false => world.leaves().await,
        }
        assert_eq!(stack.fill_gaps(node).await.unwrap(), Some(2));
        match says_so {
            true => world.node.is_away(false),
            false => world.comes_back().await,
        }
        let shut = ask(&stack, &world, "plain").await.unwrap_err();
        assert!(
            matches!(shut, ClientError::Unshown { seq: 2, .. }),
            "{shut}"
        );
    }
    assert_eq!(world.node.highest_ceiling(), before);
}
