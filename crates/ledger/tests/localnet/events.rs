use atoma_ledger::{Cursor, LedgerEvent};
use atoma_network::testing::World;
use atoma_types::chain::Event;
use futures::StreamExt;

async fn names(
    stream: &mut (impl StreamExt<Item = Result<LedgerEvent, atoma_ledger::ReadError>> + Unpin),
    count: usize,
) -> Vec<(&'static str, Cursor)> {
    let mut found = Vec::new();
    while found.len() < count {
        let event = stream.next().await.unwrap().unwrap();
        found.push((event.event.name(), event.cursor));
    }
    found
}

#[tokio::test]
async fn history_and_what_comes_are_one_stream() {
    let world = World::own().await;
    let key = world.party().await;
    let node = world.node(&key).await;
    let task = world.task(&key, "model").await;

    // from the beginning, then live
    let mut all = world.ledger.events(None);
    let old = names(&mut all, 2).await;
    assert_eq!([old[0].0, old[1].0], ["NodeRegistered", "TaskCreated"]);
    let calls = vec![world.subscribe(task, node)];
    let executed = world.ledger.execute(&key, calls).await.unwrap();
    let live = all.next().await.unwrap().unwrap();
    assert_eq!(live.event.name(), "Subscribed");
    assert_eq!(live.transaction, executed.digest);

    // a restart resumes after the stored cursor: nothing twice, nothing lost
    let kept = Cursor::from_bytes(old[0].1.as_bytes()).unwrap();
    let mut resumed = world.ledger.events(Some(kept));
    let rest = names(&mut resumed, 2).await;
    assert_eq!([rest[0].0, rest[1].0], ["TaskCreated", "Subscribed"]);
    assert_eq!(rest[0].1, old[1].1);
}

#[tokio::test]
async fn a_subscription_stands_when_it_says_so() {
    let world = World::own().await;
    let key = world.party().await;
    world.task(&key, "before").await;
    for model in ["a", "b", "c"] {
        let mut stream = world.ledger.subscribe().await.unwrap();
        world.task(&key, model).await;
        let event = stream.next().await.unwrap().unwrap();
        let Event::TaskCreated(created) = event.event else {
            panic!("{event:?}");
        };
        assert_eq!(created.model_name, model);
    }
}

#[tokio::test]
async fn the_stream_outlives_the_ledgers_restart() {
    let world = World::own().await;
    let key = world.party().await;
    let mut stream = world.ledger.events(None);
    world.task(&key, "before").await;
    assert_eq!(names(&mut stream, 1).await[0].0, "TaskCreated");

    let world = world.restart().await;
    world.task(&key, "after").await;
    let event = stream.next().await.unwrap().unwrap();
    assert!(matches!(event.event, Event::TaskCreated(e) if e.model_name == "after"));
}
