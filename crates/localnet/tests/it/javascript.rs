//! Sui's official JavaScript SDK against localnet, where Node.js and the SDK are installed
//! (`npm ci` in `tests/sdk-js-sui`); elsewhere this says so and passes.

use crate::common::World;
use std::path::Path;

#[tokio::test(flavor = "multi_thread")]
async fn the_javascript_sdk_reads_transfers_and_buys() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sdk-js-sui");
    if !folder.join("node_modules").is_dir() {
        eprintln!("skipped: run `npm ci` in tests/sdk-js-sui first");
        return;
    }
    let mut world = World::start().await;
    let node = world.rich(1).await;
    let task = world.serving_node(&node).await;
    let deployment = world.localnet.deployment();
    let output = tokio::process::Command::new("node")
        .arg("purchase.mjs")
        .current_dir(folder)
        .env("LOCALNET_URL", world.localnet.url())
        .env("LOCALNET_TASK", task.to_string())
        .env("LOCALNET_DB", deployment.db.to_string())
        .env("LOCALNET_USDC", deployment.usdc.to_string())
        .env("LOCALNET_PACKAGE", deployment.package.to_string())
        .kill_on_drop(true)
        .output()
        .await
        .expect("node runs");
    let text =
        [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    assert!(output.status.success(), "{}\n{}", text[0], text[1]);
    world.localnet.audit().unwrap();
}

#[tokio::test]
async fn the_javascript_sdk_builds_the_same_transactions() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/sdk-js-sui");
    if !folder.join("node_modules").is_dir() {
        eprintln!("skipped: run `npm ci` in tests/sdk-js-sui first");
        return;
    }
    let output = tokio::process::Command::new("node")
        .arg("golden.mjs")
        .current_dir(folder)
        .kill_on_drop(true)
        .output()
        .await
        .expect("node runs");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
}
