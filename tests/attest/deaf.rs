//! Nobody hears what happens: the ledger has forgotten the places at which all of them stand.

use crate::world::{PATIENCE, Told};
use atoma_types::chain::{Event, Exam};
use std::time::Duration;

/// What a proxy's 404 is in gRPC.
const UNIMPLEMENTED: i32 = 12;

impl Told {
    /// Waits until the ticket's examiner is drawn, of which no event tells.
    async fn is_drawn(&self) {
        let drawn = async {
            loop {
                let stack = self.network.ledger.stack(self.user.id()).await.unwrap();
                let ticket = &stack.lease(self.server()).unwrap().tickets[0];
                if matches!(ticket.exam, Exam::Hit(_)) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let drawn = tokio::time::timeout(PATIENCE, drawn).await;
        drawn.expect("an examiner is drawn");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_and_its_attesters_miss_nothing_that_the_ledger_still_has_where_their_place_is_forgotten()
 {
    let told = Told::start(None).await;
    told.ask("What is the sun?").await;
    told.user.begin_close().await.unwrap();
    told.until(|event| matches!(event, Event::SettlementOpened(_)))
        .await;
    told.network.localnet.refuse_events(UNIMPLEMENTED);
    told.is_drawn().await;
    told.network.localnet.forget_places();
    let paid = |event: &Event| matches!(event, Event::AttesterPaid(_));
    let events = told.until(paid).await;
    let verdict = events.iter().find_map(|event| match event {
        Event::VerdictGiven(e) => Some(e.bad),
        _ => None,
    });
    assert_eq!(verdict, Some(false), "{events:#?}");
    told.network.stop().await;
}
