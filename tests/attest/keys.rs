//! A node changes its response key after it has settled: what was sealed for the old one is still shown.

use crate::world::Told;
use atoma_keys::{SigningKey, read_private};
use atoma_runtime::SystemRandom;
use atoma_runtime::files::write_private;
use atoma_types::chain::{Event, calls};

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_changed_its_response_key_shows_what_was_sealed_for_the_old_one() {
    let mut told = Told::start(None).await;
    told.ask("What is the sun?").await;
    told.user.begin_close().await.unwrap();
    told.until(|event| matches!(event, Event::SettlementOpened(_)))
        .await;
    let (server, folder) = (told.server(), told.network.folder().join("node-1"));
    drop(told.network.nodes.remove(0));
    let wallet = read_private(&folder.join("wallet.key")).unwrap().unwrap();
    let wallet = SigningKey::from_suiprivkey(wallet.trim()).unwrap();
    let key = SigningKey::generate(&SystemRandom);
    let set = calls::SetNodeKeys {
        node: server.into(),
        response_key: key.public_key(),
        sealing_key: None,
    };
    let ledger = &told.network.ledger;
    ledger.execute(&wallet, vec![set.into()]).await.unwrap();
    let secret = key.to_suiprivkey().unwrap();
    write_private(&folder.join("response.key"), secret.as_bytes()).unwrap();
    told.starts_again(1).await;
    let paid = |event: &Event| matches!(event, Event::AttesterPaid(_));
    let events = told.until(paid).await;
    let place = |is: fn(&Event) -> bool| events.iter().position(is);
    let changed = place(|event| matches!(event, Event::NodeKeysChanged(_)));
    let shown = place(|event| matches!(event, Event::Disclosed(_)));
    assert!(changed.is_some() && changed < shown, "{events:#?}");
    let said = |event: &Event| matches!(event, Event::VerdictGiven(e) if !e.bad);
    assert!(events.iter().any(said));
    told.network.stop().await;
}
