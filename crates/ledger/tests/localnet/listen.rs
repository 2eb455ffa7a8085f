//! Who listens hears for good, whatever is said before the ledger, and is told where the ledger has forgotten something.

use atoma_ledger::{EventStart, Listener, Told};
use atoma_network::testing::World;
use atoma_runtime::Runtime;
use atoma_types::{TimestampMs, chain::Event};
use futures::StreamExt;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// What a proxy's 403, 404 and 401 are in gRPC: the stream of events has ended for whoever takes them at their word.
const DEFINITE: [i32; 3] = [7, 12, 16];
/// What a ledger says of a place that it doesn't have.
const OUT_OF_RANGE: i32 = 11;
/// Longer than pauses grow for.
const LONG: Duration = Duration::from_secs(600);

async fn world() -> World {
    let runtime = Runtime::simulated(1, TimestampMs(1_767_225_600_000));
    World::start_with(|config| config.runtime = runtime).await
}

/// The next task that was created, and how often it failed before; `None` if the place was lost first.
async fn next_task(listener: &mut Listener, failures: &mut u32) -> Option<String> {
    loop {
        match listener.next().await.expect("it never ends") {
            Told::Frame(frame) => match frame.event.map(|event| event.event) {
                Some(Event::TaskCreated(task)) => return Some(task.model_name),
                _ => continue,
            },
            Told::Failed(_) => *failures += 1,
            Told::Lost => return None,
        }
    }
}

#[tokio::test(start_paused = true)]
async fn no_refusal_is_the_last_word_and_nothing_is_missed() {
    let world = world().await;
    let key = world.party().await;
    let listening = world.ledger.listen_from_now(EventStart::Now);
    let mut listener = listening.await.unwrap();
    for code in DEFINITE {
        world.localnet().refuse_events(code);
        let model = format!("created under {code}");
        world.task(&key, &model).await;
        let mut failures = 0;
        let deaf = timeout(LONG, next_task(&mut listener, &mut failures)).await;
        assert!(deaf.is_err(), "{deaf:?}");
        // each time from a short one on
        assert!((12..20).contains(&failures), "pauses grow: {failures}");
        world.localnet().tell_events();
        let told = Instant::now();
        let heard = next_task(&mut listener, &mut failures).await;
        assert_eq!(heard, Some(model));
        assert!(told.elapsed() <= Duration::from_secs(61));
    }
}

#[tokio::test(start_paused = true)]
async fn a_place_that_is_refused_twice_now_and_twice_later_is_kept() {
    let world = world().await;
    let key = world.party().await;
    let listening = world.ledger.listen_from_now(EventStart::Beginning);
    let mut listener = listening.await.unwrap();
    for time in 1..=3 {
        world.localnet().refuse_events(OUT_OF_RANGE);
        let mut refused = 0;
        while refused < 2 {
            let told = listener.next().await.unwrap();
            refused += u32::from(matches!(told, Told::Failed(_)));
        }
        world.localnet().tell_events();
        let model = format!("created {time}");
        world.task(&key, &model).await;
        let heard = next_task(&mut listener, &mut refused).await;
        assert_eq!(heard, Some(model));
    }
}

#[tokio::test(start_paused = true)]
async fn who_stands_at_a_forgotten_place_is_told_so_and_hears_from_then_on_or_from_the_beginning() {
    for (anew, heard_then) in [
        (EventStart::Now, &["after"][..]),
        (EventStart::Beginning, &["first", "missed", "after"]),
    ] {
        let world = world().await;
        let key = world.party().await;
        world.task(&key, "first").await;
        let mut listener = world.ledger.listen_from_now(anew).await.unwrap();
        world.localnet().refuse_events(DEFINITE[0]);
        world.task(&key, "missed").await;
        world.localnet().forget_places();
        let mut failures = 0;
        assert_eq!(next_task(&mut listener, &mut failures).await, None);
        assert!(failures >= 3, "one refusal says nothing of the place");
        // it listens by now: whatever happens after the loss was told is heard
        world.task(&key, "after").await;
        for model in heard_then {
            let heard = next_task(&mut listener, &mut failures).await;
            assert_eq!(heard.as_deref(), Some(*model));
        }
    }
}
