//! A wallet whose money lies in the address and in no coin, as exchanges and gasless transfers leave it.

use crate::atoma::{Process, objects, run};
use serde_json::Value;
use std::path::Path;

/// A command in a data folder: what it printed.
fn does(home: &Path, args: &[&str]) -> Vec<Value> {
    let output = run(&[&["--home", home.to_str().unwrap()], args].concat());
    let said = objects(&output.stdout);
    assert!(output.status.success(), "{args:?}: {said:?}");
    said
}

#[test]
fn money_in_the_address_is_shown_and_pays_and_pays_for_gas() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("ledger");
    let localnet = [
        "localnet",
        "run",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        data.to_str().unwrap(),
    ];
    let mut ledger = Process::start(&localnet);
    let url = ledger.text("ledger").to_owned();
    let home = folder.path().join("home");
    let with = |args: &[&str]| does(&home, &[&["--ledger", &url], args].concat());

    with(&["wallet", "new"]);
    let funded = with(&["wallet", "fund", "--usdc", "12", "--to-balance"]);
    assert_eq!(funded[0]["balance_micro_usdc"], 12_000_000);
    assert_eq!(funded[0]["in_address_micro_usdc"], 12_000_000);
    assert_eq!(funded[0]["gas_mist"], funded[0]["gas_in_address_mist"]);

    let to = format!("0x{}", "7".repeat(64));
    let sent = with(&["wallet", "send", &to, "5"]);
    let gas = sent[0]["gas_mist"].as_u64().unwrap();
    assert!(gas > 0);
    let listed = with(&["wallet", "list"]);
    assert_eq!(listed[0]["in_address_micro_usdc"], 7_000_000);
    let before = funded[0]["gas_in_address_mist"].as_u64().unwrap();
    assert_eq!(listed[0]["gas_in_address_mist"], before - gas);

    // coins come beside it, and both pay
    with(&["wallet", "fund", "--usdc", "3"]);
    let listed = with(&["wallet", "list"]);
    assert_eq!(listed[0]["balance_micro_usdc"], 10_000_000);
    with(&["wallet", "send", &to, "9.5"]);
    let listed = with(&["wallet", "list"]);
    assert_eq!(listed[0]["balance_micro_usdc"], 500_000);
    assert_eq!(listed[0]["in_address_micro_usdc"], 500_000);

    // nothing is on its way
    let left = std::fs::read_dir(home.join("in-flight"))
        .into_iter()
        .flatten();
    for network in left {
        let files = std::fs::read_dir(network.unwrap().path()).unwrap();
        assert_eq!(files.count(), 0);
    }
    ledger.terminate();
}
