//! The way onto another network, taken with a ledger and a Walrus that the stories know only from a
//! `networks.toml`, and one funded key.

use crate::atoma::Process;
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_network::testing::{KEY, NETWORK};
use atoma_runtime::SystemRandom;
use atoma_types::MicroUsdc;
use std::process::Command;

/// Stories that any network must tell.
const ANYWHERE: [&str; 4] = ["evidence::", "overspend::", "--test-threads", "1"];

#[tokio::test]
async fn the_stories_run_on_a_network_of_a_file_with_one_funded_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    // what `cargo xtask test` sets on a network
    let params = "[params]\nmin_collateral = 100000\ndispute_window_ms = 15000\n\
                  answer_window_ms = 5000\nsettle_grace_ms = 60000\ndemand_fee = 10000\n";
    std::fs::write(path("ledger.toml"), params).unwrap();
    let listen = ["--listen", "127.0.0.1:0", "--data-dir"];
    let (config, data) = (path("ledger.toml"), path("ledger"));
    let run = ["localnet", "run", "--config", &config];
    let localnet = Process::start(&[&run[..], &listen, &[&data]].concat());
    let url = localnet.text("ledger");
    let (admin, data) = (path("ledger/admin.keystore"), path("walrus"));
    let serve = ["--ledger", url, "--keystore", &admin, "walrus", "serve"];
    let serve = [&serve[..], &["--on-ledger"], &listen, &[&data]].concat();
    let walrus = Process::start(&serve);

    let key = SigningKey::generate(&SystemRandom);
    let ledger = Ledger::connect(url).await.unwrap();
    for _ in 0..3 {
        ledger.faucet(key.public_key().address()).await.unwrap();
    }
    let money = MicroUsdc(3_000_000_000);
    ledger
        .mint_usdc(key.public_key().address(), money)
        .await
        .unwrap();
    // a faucet that isn't there: the key pays for everything
    let deployment = toml::to_string(ledger.deployment()).unwrap();
    let networks = format!(
        "active = \"mine\"\n[networks.mine]\nledger = {url:?}\nfaucet = \"http://127.0.0.1:9\"\n\
         [networks.mine.walrus]\npublisher = {0:?}\naggregator = {0:?}\nshards = 10\n\
         [networks.mine.deployment]\n{1}",
        walrus.text("url"),
        deployment.replace("[walrus]", "[networks.mine.deployment.walrus]"),
    );
    std::fs::write(path("networks.toml"), networks).unwrap();
    let told = Command::new(std::env::current_exe().unwrap())
        .args(ANYWHERE)
        .env(NETWORK, path("networks.toml"))
        .env(KEY, key.to_suiprivkey().unwrap().as_str())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&told.stdout);
    assert!(told.status.success(), "{text}");
    // a filter that matches nothing passes as well
    assert!(text.contains("3 passed"), "{text}");
}
