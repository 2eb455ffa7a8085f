//! Networks by name: adding one, using it, having it checked.

use crate::atoma::{Process, command, objects, run};
use serde_json::Value;
use std::path::Path;

/// A command in a data folder: what it printed, and whether it went well.
fn atoma(home: &Path, args: &[&str]) -> (Vec<Value>, bool) {
    let home = home.to_str().unwrap();
    let output = run(&[&["--home", home], args].concat());
    (objects(&output.stdout), output.status.success())
}

fn well(home: &Path, args: &[&str]) -> Vec<Value> {
    let (objects, success) = atoma(home, args);
    assert!(success, "{args:?}: {objects:?}");
    objects
}

/// What the doctor says of one thing.
fn result<'a>(report: &'a [Value], check: &str) -> &'a str {
    let line = report.iter().find(|line| line["check"] == check);
    let line = line.unwrap_or_else(|| panic!("no `{check}` in {report:?}"));
    line["result"].as_str().unwrap()
}

fn localnet(folder: &Path) -> Process {
    let data = folder.join("ledger");
    let data = data.to_str().unwrap();
    Process::start(&[
        "localnet",
        "run",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        data,
    ])
}

#[test]
fn a_network_is_added_used_and_found_healthy() {
    let folder = tempfile::tempdir().unwrap();
    let mut ledger = localnet(folder.path());
    let home = folder.path().join("home");
    let url = ledger.text("ledger").to_owned();

    assert_eq!(well(&home, &["network", "list"]).len(), 4);
    let (refused, success) = atoma(&home, &["network", "use", "mine"]);
    assert!(!success && refused[0]["error"].as_str().unwrap().contains("mine"));
    well(&home, &["--ledger", &url, "network", "add", "mine"]);
    well(&home, &["network", "use", "mine"]);
    let listed = well(&home, &["network", "list"]);
    let used = |line: &&Value| line["used"] == true;
    assert_eq!(listed.iter().find(used).unwrap()["network"], "mine");
    assert_eq!(well(&home, &["network", "show"])[0]["ledger"], url);

    // every command finds it now
    well(&home, &["wallet", "new"]);
    let report = well(&home, &["network", "doctor"]);
    assert_eq!(result(&report, "gas"), "warning");
    well(&home, &["wallet", "fund", "--usdc", "10"]);
    let report = well(&home, &["network", "doctor"]);
    for check in [
        "ledger",
        "latency",
        "chain",
        "server",
        "clock",
        "package",
        "functions",
        "code",
        "database",
        "walrus",
        "wallet",
        "gas",
        "usdc",
    ] {
        assert_eq!(result(&report, check), "ok", "{report:?}");
    }

    // with the package's place written down it must be this ledger and no other
    let deployed = [
        ("--db", ledger.text("db")),
        ("--usdc", "0x5dc::usdc::USDC"),
        ("--walrus-system", "0x3a100575"),
    ];
    let mut add = vec!["--ledger", &url, "network", "add", "fixed"];
    add.extend(deployed.iter().flat_map(|(flag, value)| [*flag, *value]));
    let added = well(&home, &add);
    assert_eq!(added[0]["package"], ledger.text("package"));
    let report = well(&home, &["--network", "fixed", "network", "doctor"]);
    assert_eq!(result(&report, "chain"), "ok");
    let units = ["--network", "fixed", "task", "list"];
    assert!(well(&home, &units).is_empty());

    let other = folder.path().join("other");
    let another = localnet(&other);
    let elsewhere = ["--network", "fixed", "--ledger", another.text("ledger")];
    let (report, success) = atoma(&home, &[&elsewhere[..], &["network", "doctor"]].concat());
    assert!(!success);
    assert_eq!(result(&report, "ledger"), "failed");
    // a URL alone means what is there
    let plain = ["--ledger", another.text("ledger"), "task", "list"];
    assert!(well(&home, &plain).is_empty());

    // its administrator sets a parameter, nobody else does
    let keystore = folder.path().join("ledger/admin.keystore");
    let set = ["network", "set-param", "min_collateral", "1000000"];
    let admin = [&["--keystore", keystore.to_str().unwrap()], &set[..]].concat();
    assert!(!atoma(&home, &set).1);
    well(&home, &admin);
    let params = well(&home, &["network", "params"]);
    assert_eq!(params[0]["min_collateral"], 1_000_000);

    // a localnet takes no package, and says why
    let (refused, success) = atoma(&home, &["network", "publish", "--yes"]);
    assert!(
        !success
            && refused[0]["error"]
                .as_str()
                .unwrap()
                .contains("born with the package")
    );

    ledger.terminate();
    let (report, success) = atoma(&home, &["network", "doctor"]);
    assert!(!success);
    assert_eq!(result(&report, "ledger"), "failed");
    assert!(!report[0]["do"].as_str().unwrap().is_empty());
}

#[test]
fn gas_can_be_limited_and_paid_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = localnet(folder.path());
    let home = folder.path().join("home");
    well(
        &home,
        &["--ledger", ledger.text("ledger"), "network", "add", "mine"],
    );
    well(&home, &["network", "use", "mine"]);
    let new = || {
        let made = well(&home, &["wallet", "new"]);
        made[0]["address"].as_str().unwrap().to_owned()
    };
    let (user, sponsor) = (new(), new());
    for address in [&user, &sponsor] {
        let fund = ["--address", address, "wallet", "fund", "--usdc", "10"];
        well(&home, &fund);
    }
    let gas = |address: &str| {
        let listed = well(&home, &["wallet", "list"]);
        let line = listed.iter().find(|line| line["address"] == address);
        line.unwrap()["gas_mist"].as_u64().unwrap()
    };
    let before = (gas(&user), gas(&sponsor));
    let send = ["--address", &user, "wallet", "send", &sponsor, "1"];
    let (refused, success) = atoma(&home, &[&send[..], &["--gas-budget", "1"]].concat());
    assert!(!success && refused[0]["error"].as_str().unwrap().contains("budget"));
    let mut sponsored = command(&["--home", home.to_str().unwrap()]);
    sponsored.args(send).env("ATOMA_SPONSOR", &sponsor);
    assert!(sponsored.output().unwrap().status.success());
    assert_eq!(gas(&user), before.0);
    assert!(gas(&sponsor) < before.1);
}
