//! The look-out for receipts that are lacking: when it asks, and what goes on meanwhile.

use crate::{scripted::COST, world::World};
use atoma_client::{ClientError, RequestOptions, StackHandle, request_key};
use atoma_types::{ComputeUnits, message::Endpoint};
use futures::future::join_all;
use std::time::Duration;
use tokio::time::sleep;

async fn ask(stack: &StackHandle, world: &World, act: &str) -> Result<(), ClientError> {
    let body = format!(r#"{{"act":"{act}","max_tokens":10}}"#);
    let options = RequestOptions {
        max_units: Some(ComputeUnits(40)),
        ..RequestOptions::default()
    };
    let endpoint = Endpoint::ChatCompletions;
    let answer = stack.request(world.node.id, endpoint, body.into(), options);
    answer.await?.whole().await.map(|_| ())
}

async fn passes(tenths: u64) {
    sleep(Duration::from_millis(100 * tenths)).await;
}

#[tokio::test(start_paused = true)]
async fn a_number_that_is_lacking_for_five_seconds_costs_its_node_one_question() {
    let world = World::simulated().await;
    let client = world.client();
    let stack = world.leased(&client).await;
    ask(&stack, &world, "plain").await.unwrap();
    passes(100).await;
    assert_eq!(world.node.pages(), 0, "nothing is lacking");
    let key = request_key(&world.user);
    for asked in 1..=3 {
        world.node.serves_unseen(&stack.view(), &key);
        ask(&stack, &world, "plain").await.unwrap();
        passes(48).await;
        assert_eq!(world.node.pages(), asked - 1);
        ask(&stack, &world, "plain").await.unwrap();
        passes(3).await;
        assert_eq!(world.node.pages(), asked);
        passes(600).await;
        assert_eq!(world.node.pages(), asked, "it is there");
    }
    client.receipts().flush().await.unwrap();
    let kept = client.receipts().list(Some(stack.id())).unwrap();
    assert_eq!(kept.len(), 10);
    assert!(kept.iter().all(|kept| kept.fault.is_none()));
}

#[tokio::test(start_paused = true)]
async fn a_node_that_does_not_show_it_is_asked_every_ten_seconds_by_one_for_all() {
    let world = World::simulated().await;
    let client = world.client();
    let stack = world.leased(&client).await;
    ask(&stack, &world, "plain").await.unwrap();
    world.node.withholds(true);
    world.node.skips(1);
    for _ in 0..20 {
        ask(&stack, &world, "plain").await.unwrap();
    }
    passes(49).await;
    assert_eq!(world.node.pages(), 0);
    for asked in 1..=10 {
        passes(2).await;
        assert_eq!(world.node.pages(), asked);
        let refused = ask(&stack, &world, "plain").await.unwrap_err();
        assert!(
            matches!(refused, ClientError::Unshown { seq: 2, .. }),
            "{refused}"
        );
        passes(98).await;
    }
    // nobody asks for a client that is gone
    let asked = world.node.pages();
    drop((stack, client));
    passes(600).await;
    assert!(world.node.pages() <= asked + 1);
}

#[tokio::test(start_paused = true)]
async fn sixty_four_requests_at_once_in_one_lane_go_on_over_a_gap_and_are_counted_right() {
    for withholds in [false, true] {
        let world = World::simulated().await;
        let node = world.node.id;
        let client = world.client();
        let stack = world.leased(&client).await;
        ask(&stack, &world, "plain").await.unwrap();
        let asked = (0..64).map(|number| {
            let act = match number {
                31 => "skip",
                _ if number % 3 == 0 => "stream",
                _ => "plain",
            };
            ask(&stack, &world, act)
        });
        world.node.withholds(withholds);
        for asked in join_all(asked).await {
            asked.unwrap();
        }
        assert_eq!(world.node.highest_lane(), Some(0));
        assert_eq!(stack.room(node), ComputeUnits(10_000 - 65 * COST.0));
        passes(52).await;
        assert_eq!(world.node.pages(), 1);
        // what it lets pass has the header of another, and is no record: so it isn't shown in either case
        let refused = ask(&stack, &world, "plain").await.unwrap_err();
        assert!(matches!(refused, ClientError::Unshown { .. }), "{refused}");
        client.receipts().flush().await.unwrap();
        let kept = client.receipts().list(Some(stack.id())).unwrap();
        let good = kept.iter().filter(|kept| kept.fault.is_none());
        assert_eq!(good.count(), 65);
    }
}

#[tokio::test(start_paused = true)]
async fn sixty_four_requests_at_once_find_what_another_machine_asked_for_between_them() {
    let world = World::simulated().await;
    let node = world.node.id;
    let client = world.client();
    let stack = world.leased(&client).await;
    let key = request_key(&world.user);
    let asked = (0..64).map(|number| {
        let (stack, world, key) = (&stack, &world, &key);
        async move {
            if number % 16 == 7 {
                world.node.serves_unseen(&stack.view(), key);
            }
            ask(stack, world, "plain").await
        }
    });
    for asked in join_all(asked).await {
        asked.unwrap();
    }
    passes(52).await;
    assert_eq!(world.node.pages(), 1, "one page has all four");
    ask(&stack, &world, "plain").await.unwrap();
    assert_eq!(stack.room(node), ComputeUnits(10_000 - 69 * COST.0));
    client.receipts().flush().await.unwrap();
    let kept = client.receipts().list(Some(stack.id())).unwrap();
    assert_eq!(kept.len(), 69);
    assert!(kept.iter().all(|kept| kept.fault.is_none()));
}
