//! The official OpenAI SDKs, unchanged, against the gateway over real nodes. `cargo xtask test`
//! installs them and says where Python is; without that variable there is nothing to run.

use crate::common::{DEAD_MODEL, MODEL, Network};
use std::path::PathBuf;
use tokio::process::Command;

#[tokio::test(flavor = "multi_thread")]
async fn python_and_javascript() {
    let Ok(python) = std::env::var("ATOMA_TEST_PYTHON") else {
        println!("ATOMA_TEST_PYTHON is not set: `cargo xtask test` sets it");
        return;
    };
    let network = Network::start(&[1_000_000, 1_500_000, 2_000_000]).await;
    let gateway = network.gateway(network.config()).await;
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/sdk");
    for (program, script) in [(python.as_str(), "python/run.py"), ("node", "js/run.mjs")] {
        let status = Command::new(program)
            .arg(folder.join(script))
            .env("ATOMA_BASE_URL", format!("{}/v1", gateway.url()))
            .env("ATOMA_API_KEY", network.key.reveal())
            .env("ATOMA_POOR_KEY", network.poor.reveal())
            .env("ATOMA_NARROW_KEY", network.narrow.reveal())
            .env("ATOMA_MODEL", MODEL)
            .env("ATOMA_DEAD_MODEL", DEAD_MODEL)
            .status()
            .await
            .unwrap();
        assert!(status.success(), "{script}: {status}");
    }
    gateway.shutdown().await;
    network.parts.localnet.audit().unwrap();
}
