//! Who leaves an answer pays for what was served of it: until the receipt is here, as much as that can be is not shown as
//! left, in the next program either.

use crate::{scripted::COST, world::World};
use atoma_types::ComputeUnits;

#[tokio::test(start_paused = true)]
async fn what_a_left_answer_may_cost_is_no_units_that_are_left() {
    let world = World::simulated().await;
    let (node, client) = (world.node.id, world.client());
    let stack = world.leased(&client).await;
    let view = stack.view();
    let answer = stack.chat(node, r#"{"act":"stall","max_tokens":500}"#);
    let answer = answer.await.unwrap();
    let open = stack.open_requests(node);
    let [(_, most)] = open[..] else {
        panic!("{open:?}")
    };
    assert!(most >= ComputeUnits(500));
    // nobody waits for it any more, and the program ends
    drop(answer);
    client.receipts().flush().await.unwrap();
    let of = |used: ComputeUnits, open: ComputeUnits| {
        let left = ComputeUnits(10_000 - used.0 - open.0);
        (used, open, left)
    };
    drop((stack, client));
    let client = world.client();
    let units = client.units(&view).unwrap();
    let none = ComputeUnits::ZERO;
    assert_eq!((units.used, units.open, units.left), of(none, most));

    // of another one the receipt is shown within moments
    let stack = client.open(view.id).await.unwrap();
    let answer = stack.chat(node, r#"{"act":"cut","max_tokens":500}"#);
    let answer = answer.await.unwrap();
    let open = stack.open_requests(node);
    assert_eq!(open.len(), 1);
    drop(answer);
    stack.settled(node, &open).await;
    client.receipts().flush().await.unwrap();
    assert!(stack.open_requests(node).is_empty());
    let units = client.units(&view).unwrap();
    assert!(units.used >= COST && units.open <= most, "{units:?}");
    assert_eq!(units.left.0, 10_000 - units.used.0 - units.open.0);
}
