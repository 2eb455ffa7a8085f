//! Both legs of an answer are paid, as far as it came.

use super::pair::{Behind, Pair, always, exact, node, units_of};
use crate::common::walrus::Walrus;
use atoma_client::{Client, ClientConfig, RequestOptions, RequestTry};
use atoma_engine::{BadRequest, EngineError, testing::Altered};
use atoma_node::ForwardConfig;
use atoma_types::{ComputeUnits, message::Endpoint};
use bytes::Bytes;
use http::StatusCode;
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

#[tokio::test(flavor = "multi_thread")]
async fn both_legs_are_paid_and_the_client_sees_both() {
    let pair = Pair::start([exact(), exact()], always()).await;
    let (first, second) = (pair.first().node_id(), pair.second().node_id());
    let mut units = 0;
    for more in ["", r#","stream":true"#, r#","temperature":0.9"#] {
        let whole = pair.whole(more).await;
        assert_eq!(whole.status, StatusCode::OK, "{whole:?}");
        let receipt = whole.receipt.unwrap();
        let record = receipt.second().expect("it was passed on");
        assert_eq!(receipt.node, first);
        assert_eq!((record.node(), record.stack()), (second, pair.between));
        pair.stack.client().check_second(record).await.unwrap();
        assert!(receipt.output_fingerprint.is_some());
        // the node shows both later, too
        let shown = pair.shown(receipt.request_id).await;
        assert_eq!(units_of(&shown), (receipt.units, receipt.units));
        units += receipt.units.0;
    }
    assert_eq!(pair.forwarded("answered").await, 3);

    // the user keeps both
    let receipts = pair.stack.client().receipts();
    receipts.flush().await.unwrap();
    let kept = receipts.list(Some(pair.stack.id())).unwrap();
    assert_eq!(kept.len(), 3);
    assert!(
        kept.iter()
            .all(|kept| kept.second_record().unwrap().is_some())
    );
    let units = ComputeUnits(units);
    assert_eq!(pair.paid().await, (units, units));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_leaves_a_stream_stops_the_other_node_and_pays_what_it_says() {
    let (own, other) = (
        Behind::quick().await,
        Behind::slow(Duration::from_millis(20)).await,
    );
    let engines = [own.engine.clone(), other.engine.clone()];
    let pair = Pair::start(engines, always()).await;
    let mut answer = pair.begun(400).await;
    let (id, receipt) = (answer.request_id, answer.receipt());
    drop(answer);

    // both receipts are for what had come by then, and the user's client finds them
    let (by_user, by_first) = units_of(&pair.shown(id).await);
    assert_eq!(by_user, by_first);
    assert!(by_user > ComputeUnits::ZERO);
    let found = receipt.await.expect("the client asks for what it left");
    assert_eq!(found.units, by_user);
    assert!(found.second().is_some(), "with the second record");
    crate::common::eventually("the other node's server stops", || async {
        other.server.cancelled() == 1
    })
    .await;
    assert!(other.server.frames() < 400, "long before its end");
    assert_eq!(own.server.requests(), 0);
    assert_eq!(
        (pair.forwarded("left").await, pair.forwarded("broken").await),
        (1, 0)
    );
    assert_eq!(pair.paid().await, (by_user, by_first));
}

/// Its word ended the passing on, so that the cheapest seller could switch it off.
#[tokio::test(flavor = "multi_thread")]
async fn what_the_cheapest_finds_fault_with_another_node_answers() {
    let pair = Pair::start([exact(), exact()], always()).await;
    let refused = Arc::new(AtomicUsize::new(0));
    let count = refused.clone();
    let finds_fault = Altered::new(exact()).refusing(move || {
        count.fetch_add(1, SeqCst);
        Some(EngineError::BadRequest(BadRequest::EmptyPrompt))
    });
    let cheap = |config: &mut atoma_node::NodeConfig| config.subscriptions[0].price.0 /= 2;
    let (cheapest, _) = node(&pair.world, 3, Arc::new(finds_fault), cheap).await;
    let (ledger, cheapest) = (&pair.world.ledger, cheapest.node_id());
    crate::common::eventually("the cheapest has units", || async {
        let stack = ledger.stack(pair.between).await.unwrap();
        stack.lease(cheapest).is_some()
    })
    .await;
    let before = refused.load(SeqCst);
    crate::common::eventually("the cheapest is asked", || async {
        let whole = pair.whole("").await;
        let receipt = whole.receipt.expect("an answer");
        let record = receipt.second().expect("it was passed on");
        assert_eq!(record.node(), pair.second().node_id());
        refused.load(SeqCst) > before
    })
    .await;
}

/// An embedding is computed to its end, whoever has left. Its receipt came too late, and the first node paid it alone.
#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_leaves_pays_what_the_other_node_says_however_late() {
    let (own, other) = (
        Behind::quick().await,
        // longer than ten seconds
        Behind::slow(Duration::from_secs(11)).await,
    );
    let engines = [own.engine.clone(), other.engine.clone()];
    let pair = Pair::start(engines, always()).await;
    let input = vec!["some words that take their time"; 16];
    let body = json!({ "model": pair.world.task.model_name, "input": input }).to_string();
    let id = pair.stack.client().runtime().request_id();
    let request = RequestTry::new(
        id,
        Endpoint::Embeddings,
        Bytes::from(body),
        ComputeUnits(5_000),
    );
    let (receipt, asked) = pair
        .stack
        .try_once_watched(pair.first().node_id(), &request);
    tokio::select! {
        biased;
        answer = asked => panic!("{answer:?}"),
        () = crate::common::eventually("the other node is at it", || async {
            other.server.embeddings() == 1
        }) => {}
    }

    // nothing was sent here, so that the first node's receipt stands alone
    let found = receipt.await.expect("the client asks for what it left");
    assert!(found.units > ComputeUnits::ZERO && found.second().is_none());
    assert_eq!(own.server.embeddings(), 0);
    assert_eq!(pair.forwarded("left").await, 1);
    assert_eq!(pair.paid().await, (found.units, found.units));
}

/// Its first node's patience was over before its receipt came, and five of these had nothing more signed for it.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_slower_than_anothers_patience_is_paid_what_it_computed_and_not_blamed() {
    let (own, other) = (
        Behind::quick().await,
        Behind::slow(Duration::from_secs(1)).await,
    );
    let engines = [own.engine.clone(), other.engine.clone()];
    let impatient = ForwardConfig {
        answer_begins_timeout_ms: 300,
        ..always()
    };
    let pair = Pair::start(engines, impatient).await;
    let (first, second) = (pair.first().node_id(), pair.second().node_id());
    let body = json!({ "model": pair.world.task.model_name, "input": "some words" }).to_string();
    let asked = pair.stack.request(
        first,
        Endpoint::Embeddings,
        Bytes::from(body),
        RequestOptions::default(),
    );
    let receipt = asked.await.unwrap().whole().await.unwrap().receipt.unwrap();
    assert!(receipt.second().is_none(), "the user has it from here");
    assert_eq!(own.server.embeddings(), 1);

    // what the first node's client knows, read by another program of its folder
    let config = ClientConfig {
        data_dir: Some(pair.first_folder().join("forward")),
        ..ClientConfig::default()
    };
    let wallet = Arc::clone(&pair.wallet);
    let client = Client::with_ledger(pair.world.ledger.clone(), wallet, config).unwrap();
    crate::common::eventually("the other node's receipt has come", || async {
        let kept = client.receipts().list(Some(pair.between)).unwrap();
        kept.iter().any(|kept| kept.fault.is_none())
    })
    .await;
    let between = client.open(pair.between).await.unwrap();
    assert_eq!(between.fill_gaps(second).await.unwrap(), None);
    assert_eq!(between.charged_unanswered(second), ComputeUnits::ZERO);
    assert!(between.signs_for(second));
    drop((between, client));
    let (by_user, by_first) = pair.paid().await;
    assert_eq!(by_user, receipt.units, "once");
    assert!(by_first > ComputeUnits::ZERO);
}

/// Its bytes had no bound but the wallet's share of the evidence log, which this node pays to store.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_no_token_pays_for_are_not_passed_on_either() {
    let folder = tempfile::tempdir().unwrap();
    let walrus = Walrus::start(folder.path()).await;
    let pair = Pair::storing([exact(), exact()], always(), walrus.config()).await;
    for noise in [80_000, 3 << 20] {
        let noise = "x".repeat(noise);
        let more = format!(r#","metadata":{{"noise":"{noise}"}}"#);
        let options = RequestOptions {
            max_units: Some(ComputeUnits(1_000)),
            ..RequestOptions::default()
        };
        let refused = pair.ask(&more, options).await.whole().await.unwrap();
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE, "{refused:?}");
    }
    assert_eq!(pair.signed_by_second().await, 0);
    // words that are some are
    let words = "word ".repeat(200);
    let more = format!(r#","metadata":{{"noise":"{words}"}}"#);
    let whole = pair.whole(&more).await;
    assert!(whole.receipt.unwrap().second().is_some());
    pair.world.audit();
}
