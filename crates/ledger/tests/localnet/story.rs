use atoma_keys::SigningKey;
use atoma_ledger::{
    CompiledPackage, ConnectError, ExecuteError, Ledger, PublishError, ReadError, required_escrow,
};
use atoma_network::testing::{PRICE, World, event};
use atoma_runtime::SystemRandom;
use atoma_types::{
    ComputeUnits, MicroUsdc, NetworkId, NodeId, StackId,
    chain::{AbortCode, Deployment, Event, NodeStatus, calls},
};

#[tokio::test]
async fn a_node_a_task_and_a_stack() {
    let world = World::start().await;
    let ledger = &world.ledger;
    let operator = world.party().await;
    let before = ledger.usdc(operator.public_key().address()).await.unwrap();
    assert!(ledger.gas(operator.public_key().address()).await.unwrap() > 0);

    // the operator registers and offers, in two transactions
    let node = world.node(&operator).await;
    let task = world.task(&operator, "model-a").await;
    let after = ledger.usdc(operator.public_key().address()).await.unwrap();
    assert_eq!(before.checked_sub(after), Some(world.collateral));
    ledger
        .execute(&operator, vec![world.subscribe(task, node)])
        .await
        .unwrap();

    // what was written can be read
    let read = ledger.node(node).await.unwrap();
    assert_eq!(read.owner, operator.public_key().address());
    assert_eq!(
        (read.status, read.collateral),
        (NodeStatus::Active, world.collateral)
    );
    // others may be there too
    assert!(ledger.all_nodes().await.unwrap().contains(&read));
    let second = world.task(&operator, "model-b").await;
    let tasks = ledger.all_tasks().await.unwrap();
    let mine = |id| tasks.iter().position(|task| task.id == id).unwrap();
    assert!(mine(task) < mine(second));
    let offered = &tasks[mine(task)];
    assert_eq!(offered.subscriptions[0].node, node);
    let db = ledger.db().await.unwrap();
    assert!(db.nodes.size >= 1 && db.tasks.size >= 2);

    // a user buys
    let user = world.party().await;
    let units = ComputeUnits(5_000);
    let escrow = required_escrow(units, PRICE).unwrap();
    assert_eq!(escrow, MicroUsdc(5_000));
    let executed = ledger
        .execute(&user, vec![world.acquire(task, units.0, &user)])
        .await
        .unwrap();
    assert!(executed.gas_used > 0);
    let stack = event(&executed, |event| match event {
        Event::StackAcquired(e) => Some(e.stack),
        _ => None,
    });
    let stack = ledger.stack(stack).await.unwrap();
    assert_eq!((stack.escrow, stack.ungranted), (escrow, units));
    let lease = world.lease((task, stack.id), node, units.0, &user);
    ledger.execute(&operator, vec![lease]).await.unwrap();
    let stack = ledger.stack(stack.id).await.unwrap();
    assert_eq!(
        (stack.escrow, stack.ungranted),
        (escrow, ComputeUnits::ZERO)
    );
    assert_eq!(stack.lease(node).unwrap().units, units);
    assert!(ledger.clock().await.unwrap() >= stack.created_at_ms);
    let again = ledger.transaction(executed.digest).await.unwrap();
    assert_eq!(again.events, executed.events);
}

#[tokio::test]
async fn refusals_are_told_apart_and_cost_nothing() {
    let world = World::start().await;
    let ledger = &world.ledger;
    let user = world.party().await;
    let address = user.public_key().address();
    let task = world.task(&user, "nobody-serves-it").await;
    let (gas, usdc) = (
        ledger.gas(address).await.unwrap(),
        ledger.usdc(address).await.unwrap(),
    );

    let abort = ledger
        .execute(&user, vec![world.acquire(task, 5, &user)])
        .await
        .unwrap_err();
    assert_eq!(abort.abort_code(), Some(AbortCode::NobodyEligible.code()));
    let ExecuteError::Abort { name, function, .. } = &abort else {
        panic!("{abort}");
    };
    assert_eq!(*name, AbortCode::NobodyEligible.name());
    assert!(function.starts_with("stack::"), "{function}");

    let dear = ledger
        .execute(&user, vec![world.acquire(task, 1 << 40, &user)])
        .await;
    assert!(
        matches!(dear, Err(ExecuteError::InsufficientFunds { .. })),
        "{dear:?}"
    );
    let poor = SigningKey::generate(&SystemRandom);
    let broke = ledger
        .execute(&poor, vec![world.subscribe(task, NodeId(address))])
        .await;
    assert!(
        matches!(broke, Err(ExecuteError::InsufficientFunds { .. })),
        "{broke:?}"
    );
    let missing = ledger.stack(StackId(address)).await;
    assert!(
        matches!(missing, Err(ReadError::NotFound { .. })),
        "{missing:?}"
    );
    let mistaken = ledger.stack(StackId(task.0)).await;
    assert!(
        matches!(mistaken, Err(ReadError::WrongType { .. })),
        "{mistaken:?}"
    );
    assert!(ledger.execute(&user, Vec::new()).await.is_err());

    assert_eq!(ledger.gas(address).await.unwrap(), gas);
    assert_eq!(ledger.usdc(address).await.unwrap(), usdc);
}

#[tokio::test]
async fn the_administrator_finds_the_capability() {
    let world = World::own().await;
    let (ledger, admin) = (&world.ledger, world.localnet().admin_key());
    let address = admin.public_key().address();
    ledger.faucet(address).await.unwrap();
    let cap = ledger.admin_cap(address).await.unwrap().unwrap();
    let call = calls::SetParam {
        cap: cap.id.into(),
        db: ledger.deployment().db.into(),
        name: "protocol_fee_permille".to_owned(),
        value: 7,
    };
    ledger.execute(admin, vec![call.into()]).await.unwrap();
    assert_eq!(ledger.db().await.unwrap().params.protocol_fee_permille, 7);
    let other = world.party().await.public_key().address();
    assert_eq!(ledger.admin_cap(other).await.unwrap(), None);
}

#[tokio::test]
async fn only_the_ledger_that_is_meant_is_taken() {
    let world = World::own().await;
    let url = world.localnet().url();
    let deployment = world.localnet().deployment();
    assert!(Ledger::connect_with(&url, deployment.clone()).await.is_ok());
    let other = Deployment {
        network: NetworkId([9; 32]),
        ..deployment
    };
    let refused = Ledger::connect_with(&url, other).await;
    assert!(matches!(refused, Err(ConnectError::WrongNetwork { .. })));
    world.shutdown().await;
    let gone = Ledger::connect(&url).await;
    assert!(
        matches!(gone, Err(ConnectError::Read(ReadError::Unreachable { .. }))),
        "{gone:?}"
    );
}

/// All of it but the execution: a localnet that was born with the package takes no other.
#[tokio::test]
async fn a_package_is_made_ready_and_localnet_says_that_it_takes_no_other() {
    let world = World::own().await;
    let ledger = &world.ledger;
    let owner = world.party().await.public_key().address();
    let deployment = ledger.deployment();
    let standing = ledger.published(deployment.package).await.unwrap().unwrap();
    assert_eq!(
        (standing.original, standing.version),
        (deployment.package, 1)
    );
    assert_eq!(standing.differences(deployment), Vec::<String>::new());
    assert_eq!(standing.is_ours(ledger.surroundings()).unwrap(), None);
    let other = Deployment {
        usdc: "0x2::sui::SUI".parse().unwrap(),
        ..deployment.clone()
    };
    assert!(!standing.differences(&other).is_empty());
    assert!(ledger.published(owner).await.unwrap().is_none());

    let package = CompiledPackage::for_network(ledger.surroundings()).unwrap();
    let dependencies = ledger.dependencies().await.unwrap();
    assert_eq!(dependencies.len(), 4);
    assert!(dependencies.contains(&deployment.walrus.package));
    assert_eq!(ledger.upgrade_caps(owner).await.unwrap(), []);
    assert_eq!(ledger.publication_of(owner, &package).await.unwrap(), None);
    let refused = ledger.preview_publish(owner, &package).await;
    let Err(PublishError::Execute(ExecuteError::Rejected(status))) = refused else {
        panic!("{refused:?}");
    };
    assert!(status.to_string().contains("has it already"), "{status}");
}
