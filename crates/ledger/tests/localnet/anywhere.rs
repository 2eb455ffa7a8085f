//! The way onto another network, taken with a localnet that the tests only know by its URL.

use atoma_keys::SigningKey;
use atoma_network::testing::World;
use tokio::process::Command;

/// Tests that any network must pass.
const ANYWHERE: [&str; 6] = [
    "gas::",
    "wallets::",
    "story::a_node_a_task_and_a_stack",
    "story::refusals_are_told_apart_and_cost_nothing",
    "--test-threads",
    "1",
];

async fn pass(network: &str, key: Option<&SigningKey>) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(ANYWHERE)
        .env("ATOMA_TEST_NETWORK", network)
        .kill_on_drop(true);
    match key {
        Some(key) => command.env("ATOMA_TEST_KEY", key.to_suiprivkey().unwrap().as_str()),
        None => command.env_remove("ATOMA_TEST_KEY"),
    };
    let output = command.output().await.unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    // a filter that matches nothing passes as well
    assert!(text.contains("10 passed"), "{text}");
}

#[tokio::test]
async fn the_suite_runs_on_a_network_given_by_its_url() {
    let world = World::own().await;
    pass(&world.localnet().url(), None).await;
    world.audit();
}

#[tokio::test]
async fn the_suite_runs_on_a_network_of_a_file_with_one_funded_key() {
    let world = World::own().await;
    let key = world.party().await;
    let address = key.public_key().address();
    for _ in 0..5 {
        world.ledger.faucet(address).await.unwrap();
    }
    let deployment = toml::to_string(world.ledger.deployment()).unwrap();
    let file = world.folder.path().join("networks.toml");
    // a faucet that isn't there: the key pays for everything
    let text = format!(
        "active = \"mine\"\n[networks.mine]\nledger = \"{}\"\nfaucet = \"http://127.0.0.1:9\"\n\
         [networks.mine.deployment]\n{}",
        world.localnet().url(),
        deployment.replace("[walrus]", "[networks.mine.deployment.walrus]"),
    );
    std::fs::write(&file, text).unwrap();
    pass(file.to_str().unwrap(), Some(&key)).await;
    world.audit();
}
