//! Several programs that use one data folder at once: `atoma chat` in three windows. Clients in one
//! process stand for programs: the locks between them are the same.

use crate::world::World;
use atoma_client::{KeptReceipt, known_networks};
use futures::future::join_all;
use http::StatusCode;
use serde_json::json;
use std::collections::BTreeMap;

/// Requests of each program.
const EACH: usize = 5;

#[tokio::test]
async fn three_programs_use_one_stack_at_once() {
    let world = World::start().await;
    let node = world.node.id;
    let clients = [world.client(), world.client(), world.client()];
    let id = world.leased(&clients[0]).await.id();
    let programs = clients.iter().map(|client| async move {
        let stack = client.open(id).await.unwrap();
        let body = json!({ "act": "plain", "max_tokens": 50 }).to_string();
        let asked = (0..EACH).map(|_| async {
            let answer = stack.chat(node, body.clone()).await.unwrap();
            assert_eq!(answer.whole().await.unwrap().status, StatusCode::OK);
        });
        join_all(asked).await;
        client.receipts().flush().await.unwrap();
    });
    join_all(programs).await;

    // every receipt is good, is kept once, and each program had a lane of its own
    let mut kept = clients[2].receipts().list(Some(id)).unwrap();
    assert!(kept.iter().all(|receipt| receipt.fault.is_none()));
    kept.sort_by_key(|receipt| receipt.seq);
    let places = kept.iter().map(|receipt| receipt.seq);
    assert!(places.eq(1..=3 * EACH as u64));
    let mut lanes: BTreeMap<u16, Vec<&KeptReceipt>> = BTreeMap::new();
    for receipt in &kept {
        lanes.entry(receipt.lane).or_default().push(receipt);
    }
    assert!(lanes.values().all(|of_lane| of_lane.len() == EACH));
    assert_eq!(lanes.into_keys().collect::<Vec<_>>(), [0, 1, 2]);

    // the next one goes on in a lane that was given up
    drop(clients);
    let next = world.client();
    let stack = next.open(id).await.unwrap();
    let body = json!({ "act": "plain", "max_tokens": 50 }).to_string();
    let answer = stack.chat(node, body).await.unwrap();
    let receipt = answer.whole().await.unwrap().receipt.unwrap();
    assert_eq!(receipt.seq, 3 * EACH as u64 + 1);
    assert_eq!(world.node.highest_lane(), Some(2));

    let networks = known_networks(&world.folder.path().join("client")).unwrap();
    assert_eq!(networks.len(), 1);
    assert_eq!(networks[0].network, world.ledger.network());
    assert_eq!(networks[0].stacks, [id]);
}
