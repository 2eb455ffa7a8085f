//! What is signed where no price is named.

use crate::{
    scripted::ENGINE,
    world::{PRICE, World},
};
use atoma_client::{BuyRequest, ClientError};
use atoma_network::create_task;
use atoma_types::{ComputeUnits, DurationMs, Price, TaskId, chain::NewTask};

#[tokio::test(start_paused = true)]
async fn who_names_no_price_signs_the_fair_one_and_buys_nothing_where_nobody_sells() {
    let world = World::simulated().await;
    let client = world.client();
    let order = |task: TaskId| BuyRequest {
        task,
        units: ComputeUnits(1_000),
        max_price: None,
        nodes: 0,
        lifetime: DurationMs(3_600_000),
    };
    let stack = client.buy(order(world.task)).await.unwrap();
    assert_eq!(stack.view().max_price, PRICE);
    assert_eq!(client.fair_price(world.task).await.unwrap(), PRICE);
    // its ceiling is nobody's price
    let unsold = NewTask::chat("unsold", ENGINE, Price(9 * PRICE.0));
    let unsold = create_task(&world.ledger, &world.node.owner, unsold);
    let unsold = unsold.await.unwrap();
    let refused = client.buy(order(unsold)).await.unwrap_err();
    assert!(
        matches!(refused, ClientError::NotOnSale { task } if task == unsold),
        "{refused}"
    );
}
