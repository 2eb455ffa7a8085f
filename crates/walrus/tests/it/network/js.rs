//! Mysten's own JavaScript packages and plain `fetch`. `cargo xtask test` installs the packages.

use super::server::Server;
use std::path::Path;
use tokio::process::Command;

#[tokio::test]
async fn fetch_and_mystens_own_packages_agree_with_the_store() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/walrus-js");
    let server = Server::start().await;
    let output = Command::new("node")
        .arg(folder.join("run.mjs"))
        .env("WALRUS_URL", server.url.as_str().trim_end_matches('/'))
        .env("WALRUS_SHARDS", "10")
        .output()
        .await
        .unwrap_or_else(|e| panic!("cannot start node: {e}; run `cargo xtask test`"));
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{complained}");
}
