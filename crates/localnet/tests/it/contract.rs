//! The contract's functions through Sui's own builder and client, and its events.

use crate::common::{World, acquire, address, assert_success, created, register, status};
use atoma_localnet::{CheckpointMode, ClockMode, Localnet, LocalnetConfig};
use atoma_types::chain::{AtomaDb, Stack};
use futures::StreamExt;
use sui_rpc::{
    Client,
    client::{EventStreamFrame, EventStreamRequest, EventStreamStart},
    field::{FieldMask, FieldMaskUtil},
    proto::sui::rpc::v2 as pb,
};

/// `floor(2 USDC * 1000 / 1e6)`.
const PRICE_OF_1000: u64 = 2_000;

async fn contents<T: serde::de::DeserializeOwned>(
    world: &mut World,
    id: &sui_sdk_types::Address,
) -> T {
    let request =
        pb::GetObjectRequest::new(id).with_read_mask(FieldMask::from_paths(["contents", "owner"]));
    let object = world
        .client
        .ledger_client()
        .get_object(request)
        .await
        .unwrap();
    let object = object.into_inner().object.unwrap();
    bcs::from_bytes(object.contents().value()).unwrap()
}

#[tokio::test]
async fn a_stack_is_bought() {
    let mut world = World::start().await;
    let (node, buyer) = (world.rich(1).await, world.rich(2).await);
    let task = world.serving_node(&node).await;
    let db = world.localnet.deployment().db;
    let before = world.usdc(address(&buyer)).await;
    let call = acquire(db, task, buyer.public_key(), PRICE_OF_1000);
    let done = world.call(&buyer, &[call]).await;
    let stack = created(&done, "::stack::Stack");
    let stack: Stack = contents(&mut world, &stack).await;
    assert_eq!(stack.owner, address(&buyer));
    assert_eq!((stack.leases.len(), stack.ungranted.0), (0, 1_000));
    assert_eq!(world.usdc(address(&buyer)).await, before - PRICE_OF_1000);
    let names: Vec<_> = done
        .events()
        .events()
        .iter()
        .map(|e| e.event_type())
        .collect();
    assert!(
        names
            .iter()
            .any(|name| name.ends_with("::stack::StackAcquired")),
        "{names:?}"
    );
    assert!(done.events().events()[0].json.is_some());

    // the registries are dynamic fields of their tables
    let registry: AtomaDb = contents(&mut world, &db).await;
    let mut request = pb::ListDynamicFieldsRequest::default();
    request.parent = Some(registry.nodes.id.to_string());
    request.read_mask = Some(FieldMask::from_paths(["*"]));
    let fields = world
        .client
        .state_client()
        .list_dynamic_fields(request)
        .await
        .unwrap();
    let fields = fields.into_inner().dynamic_fields;
    assert_eq!(fields.len(), 1);
    assert_eq!(bcs::from_bytes::<u64>(fields[0].name().value()).unwrap(), 1);
    assert_eq!(fields[0].value().value().len(), 32);
    let audit = world.localnet.audit().unwrap();
    assert_eq!(
        audit.usdc_in_contract,
        100_000_000 + u128::from(PRICE_OF_1000)
    );
}

#[tokio::test]
async fn an_abort_charges_gas_and_changes_nothing() {
    let mut world = World::start().await;
    let (node, buyer) = (world.rich(1).await, world.rich(2).await);
    let task = world.serving_node(&node).await;
    let db = world.localnet.deployment().db;
    // simulation tells it beforehand
    let wrong = acquire(db, task, buyer.public_key(), PRICE_OF_1000 + 1);
    assert!(world.build(&buyer, &[wrong]).await.is_err());
    // two stacks are built on what capacity there is; here the payment is changed after building
    let right = acquire(db, task, buyer.public_key(), PRICE_OF_1000);
    let mut transaction = world.build(&buyer, &[right]).await.unwrap();
    let sui_sdk_types::TransactionKind::ProgrammableTransaction(program) = &mut transaction.kind
    else {
        unreachable!()
    };
    let payment = bcs::to_bytes(&PRICE_OF_1000).unwrap();
    for input in &mut program.inputs {
        if *input == sui_sdk_types::Input::Pure(payment.clone()) {
            *input = sui_sdk_types::Input::Pure(bcs::to_bytes(&(PRICE_OF_1000 - 1)).unwrap());
        }
    }
    let (usdc, sui) = (
        world.usdc(address(&buyer)).await,
        world.sui(address(&buyer)).await,
    );
    let done = world.execute(&buyer, &transaction).await.unwrap();
    assert_eq!(status(&done).success, Some(false));
    let abort = status(&done).error().abort();
    assert!(abort.abort_code() > 0, "{abort:?}");
    assert_eq!(abort.location().module(), "stack");
    assert_eq!(abort.location().function_name(), "acquire");
    assert_eq!(world.usdc(address(&buyer)).await, usdc);
    let charged = done.effects().gas_used().computation_cost();
    assert_eq!(world.sui(address(&buyer)).await, sui - charged);
    world.localnet.audit().unwrap();
}

#[tokio::test]
async fn nothing_but_transfers_and_merges_follows_a_draw() {
    let mut world = World::start().await;
    let (node, buyer) = (world.rich(1).await, world.rich(2).await);
    let task = world.serving_node(&node).await;
    let db = world.localnet.deployment().db;
    let call = acquire(db, task, buyer.public_key(), PRICE_OF_1000);
    let built = world.build(&buyer, &[call, register(db, &buyer)]).await;
    assert!(built.unwrap_err().to_string().contains("draw"));
}

/// Events of the package, from a start on.
fn our_events(start: EventStreamStart) -> EventStreamRequest {
    let mut type_filter = pb::EventTypeFilter::default();
    type_filter.event_type = Some(atoma_types::chain::LOCALNET_PACKAGE.to_string());
    let mut literal = pb::EventLiteral::default();
    literal.predicate = Some(pb::event_literal::Predicate::EventType(type_filter));
    let mut term = pb::EventTerm::default();
    term.literals = vec![literal];
    let mut filter = pb::EventFilter::default();
    filter.terms = vec![term];
    EventStreamRequest::new()
        .with_filter(filter)
        .with_read_mask(FieldMask::from_paths(["*"]))
        .with_start(start)
}

/// The next event's name and its cursor, passing over frames without one.
async fn next(
    stream: &mut (impl futures::Stream<Item = Result<EventStreamFrame, tonic::Status>> + Unpin),
) -> (String, bytes::Bytes) {
    loop {
        let wait = std::time::Duration::from_secs(20);
        let frame = tokio::time::timeout(wait, stream.next())
            .await
            .expect("an event");
        let frame = frame.expect("an endless stream").expect("a healthy stream");
        if let Some(event) = frame.event {
            let name = event.event_type().rsplit("::").next().unwrap().to_owned();
            return (name, frame.cursor);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_replayed_then_followed_then_resumed() {
    let mut world = World::start().await;
    let (node, buyer) = (world.rich(1).await, world.rich(2).await);
    let task = world.serving_node(&node).await;
    let client = Client::new(world.localnet.url()).unwrap();
    let start = EventStreamStart::Checkpoint(0);
    let mut stream = Box::pin(client.stream_events(our_events(start)));
    // replay
    assert_eq!(next(&mut stream).await.0, "NodeRegistered");
    let (name, cursor) = next(&mut stream).await;
    assert_eq!(name, "TaskCreated");
    assert_eq!(next(&mut stream).await.0, "Subscribed");
    // live
    let db = world.localnet.deployment().db;
    let call = acquire(db, task, buyer.public_key(), PRICE_OF_1000);
    assert_success(&world.call(&buyer, &[call]).await);
    let live = next(&mut stream).await.0;
    assert_eq!(live, "StackAcquired");
    // resume behind a cursor: what was seen doesn't come again
    let start = EventStreamStart::Resume(cursor);
    let mut again = Box::pin(client.stream_events(our_events(start)));
    assert_eq!(next(&mut again).await.0, "Subscribed");
    assert_eq!(next(&mut again).await.0, live);
    // and the live part goes on after that
    let call = acquire(db, task, buyer.public_key(), PRICE_OF_1000);
    assert_success(&world.call(&buyer, &[call]).await);
    assert_eq!(next(&mut again).await.0, live);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_survives_a_restart() {
    let mut world = World::start().await;
    let node = world.rich(1).await;
    let db = world.localnet.deployment().db;
    world.call(&node, &[register(db, &node)]).await;
    let client = Client::new(world.localnet.url()).unwrap();
    let start = EventStreamStart::Checkpoint(0);
    let mut stream = Box::pin(client.stream_events(our_events(start)));
    assert_eq!(next(&mut stream).await.0, "NodeRegistered");
    let (network, listen) = (world.localnet.network(), world.localnet.address());
    world.localnet.shutdown().await;
    let mut config = LocalnetConfig::new(world.dir.path());
    config.listen = listen;
    world.localnet = Localnet::start(config).await.unwrap();
    assert_eq!(world.localnet.network(), network);
    world.client = Client::new(world.localnet.url()).unwrap();
    world.call(&node, &[crate::common::create_task(db)]).await;
    assert_eq!(next(&mut stream).await.0, "TaskCreated");
    world.localnet.audit().unwrap();
}

#[tokio::test]
async fn two_localnets_do_not_share_a_folder() {
    let world = World::start().await;
    let second = Localnet::start(LocalnetConfig::new(world.dir.path())).await;
    assert!(matches!(
        second,
        Err(atoma_localnet::LocalnetError::Open(
            atoma_store::OpenError::InUse { .. }
        ))
    ));
}

#[tokio::test]
async fn checkpoints_by_time_hold_many_transactions() {
    let mut world = World::start_with(|c| c.checkpoint = CheckpointMode::EveryMs(300)).await;
    let (alice, client) = (world.rich(1).await, world.client.clone());
    let request =
        pb::SubscribeCheckpointsRequest::default().with_read_mask(FieldMask::from_paths([
            "sequence_number",
            "transactions.digest",
        ]));
    let mut subscription = client.clone().subscription_client();
    let mut sealed = subscription
        .subscribe_checkpoints(request)
        .await
        .unwrap()
        .into_inner();
    for seed in 2..6 {
        world.rich(seed).await;
    }
    let mut seen = 0;
    while seen < 4 {
        let checkpoint = sealed.next().await.unwrap().unwrap().checkpoint.unwrap();
        seen += checkpoint.transactions.len();
    }
    assert!(world.sui(address(&alice)).await > 0);
}

#[tokio::test]
async fn the_clock_moves_by_hand_where_it_may() {
    let mut world = World::start_with(|c| c.clock = ClockMode::Manual(1_000)).await;
    let clock: (sui_sdk_types::Address, u64) =
        contents(&mut world, &atoma_types::chain::CLOCK_OBJECT).await;
    assert_eq!(clock.1, 1_000);
    let body = r#"{"advance_ms":500}"#;
    let (status, text) =
        crate::common::post(world.localnet.address(), "/localnet/clock", body).await;
    assert_eq!((status, text.as_str()), (200, r#"{"now_ms":1500}"#));
    let real = World::start().await;
    let (status, _) = crate::common::post(real.localnet.address(), "/localnet/clock", body).await;
    assert_eq!(status, 403);
}
