//! Nodes that attest look at another's answers by themselves: nine of them, and one that they may be drawn to examine.

mod deaf;
mod jury;
mod keys;
mod kinds;
mod late;
mod leaving;
mod world;

use crate::world::Told;
use atoma_network::cheat::Cheat;
use atoma_types::{
    MicroUsdc,
    chain::{Event, Outcome, Params, events::Charge},
};

#[tokio::test(flavor = "multi_thread")]
async fn an_innocent_node_is_examined_and_paid_and_its_examiner_takes_its_fee() {
    let told = Told::start(None).await;
    told.ask("What is the sun?").await;
    told.user.begin_close().await.unwrap();
    let paid = |event: &Event| matches!(event, Event::AttesterPaid(_));
    let events = told.until(paid).await;
    let verdict = events.iter().find_map(|event| match event {
        Event::VerdictGiven(e) => Some((e.examiner, e.bad)),
        _ => None,
    });
    let (examiner, bad) = verdict.expect("somebody examined it");
    assert!(!bad);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::Claimed(_)))
    );
    let fee = MicroUsdc(Params::default().attest_fee);
    assert!(events.iter().any(|event| {
        matches!(event, Event::AttesterPaid(e) if e.node == examiner && e.amount == fee)
    }));
    told.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_takes_the_likeliest_token_where_it_should_draw_is_convicted() {
    let told = Told::start(Some(Cheat::GreedyForSampled)).await;
    told.ask("What is the sun?").await;
    told.user.begin_close().await.unwrap();
    let convicted = |event: &Event| matches!(event, Event::NodeConvicted(_));
    let events = told.until(convicted).await;
    let Some(Event::NodeConvicted(e)) = events.last() else {
        unreachable!("it was waited for");
    };
    assert_eq!((e.node, e.charge), (told.server(), Charge::Examined));
    assert_eq!(e.fine.0, 10 * e.value.0);
    let decided = events
        .iter()
        .any(|event| matches!(event, Event::JuryDecided(e) if e.outcome == Outcome::Guilty));
    assert!(decided, "{events:#?}");
    // seven looked for themselves, and all found the same
    all_seven_found_the_same(&events);
    told.network.stop().await;
}

/// Seven jurors have revealed, and all the same.
fn all_seven_found_the_same(events: &[Event]) {
    let found = events.iter().filter_map(|event| match event {
        Event::Revealed(e) => Some(e.verdict),
        _ => None,
    });
    let found: Vec<_> = found.collect();
    assert!(found.len() == 7 && found.iter().all(|verdict| *verdict == found[0]));
}

/// An attester dies once in each step: as it is drawn, as it is shown the record, as it has said or committed, and
/// before it reveals.
#[tokio::test(flavor = "multi_thread")]
async fn attesters_that_are_killed_in_every_step_go_on_where_they_were() {
    let mut told = Told::start(Some(Cheat::OtherTemperature)).await;
    told.ask("What is the sun?").await;
    told.user.begin_close().await.unwrap();
    let drawn = |event: &Event| matches!(event, Event::ExaminerDrawn(_));
    let Some(Event::ExaminerDrawn(e)) = told.until(drawn).await.pop() else {
        unreachable!("it was waited for");
    };
    let examiner = e.examiner;
    told.kill(examiner).await;
    told.until(|event| matches!(event, Event::Disclosed(_)))
        .await;
    told.kill(examiner).await;
    told.until(|event| matches!(event, Event::VerdictGiven(_)))
        .await;
    told.kill(examiner).await;
    let drawn = |event: &Event| matches!(event, Event::JuryDrawn(_));
    let Some(Event::JuryDrawn(jury)) = told.until(drawn).await.pop() else {
        unreachable!("it was waited for");
    };
    told.kill(jury.nodes[0]).await;
    told.until(|event| matches!(event, Event::DisclosedToJury(_)))
        .await;
    for &juror in &jury.nodes[1..3] {
        told.kill(juror).await;
    }
    let first = |event: &Event| matches!(event, Event::Committed(_));
    let Some(Event::Committed(e)) = told.until(first).await.pop() else {
        unreachable!("it was waited for");
    };
    told.kill(e.juror).await;
    let mut committed = 0;
    let all = |event: &Event| {
        committed += usize::from(matches!(event, Event::Committed(_)));
        committed == jury.nodes.len()
    };
    told.until_mut(all).await;
    for &juror in &jury.nodes[3..5] {
        told.kill(juror).await;
    }
    let convicted = |event: &Event| matches!(event, Event::NodeConvicted(_));
    let events = told.until(convicted).await;
    all_seven_found_the_same(&events);
    told.network.stop().await;
}
