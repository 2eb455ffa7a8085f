//! Nobody hears what happens: the ledger has forgotten the places at which all of them stand.

use crate::world::Told;
use atoma_types::chain::Event;

#[tokio::test(flavor = "multi_thread")]
async fn a_node_and_its_attesters_miss_nothing_that_the_ledger_still_has_where_their_place_is_forgotten()
 {
    let told = Told::start(None).await;
    told.network.localnet.forget_places();
    told.ask("What is the sun?").await;
    told.user.begin_close().await.unwrap();
    let paid = |event: &Event| matches!(event, Event::AttesterPaid(_));
    let events = told.until(paid).await;
    let verdict = events.iter().find_map(|event| match event {
        Event::VerdictGiven(e) => Some(e.bad),
        _ => None,
    });
    assert_eq!(verdict, Some(false), "{events:#?}");
    told.network.stop().await;
}
