//! One data folder: over a network that is started anew, and with several commands at once.

use crate::atoma::{Process, command, objects, run};
use serde_json::Value;
use std::{path::Path, process::Stdio};

fn devnet() -> Process {
    Process::start(&["devnet", "--any-port"])
}

/// What a command of the folder's owner prints, which must go well.
fn well(home: &Path, devnet: &Process, args: &[&str]) -> Vec<Value> {
    let place = ["--home", home.to_str().unwrap(), "--ledger"];
    let output = run(&[&place[..], &[devnet.text("ledger")], args].concat());
    let printed = objects(&output.stdout);
    assert!(output.status.success(), "{args:?}: {printed:?}");
    printed
}

fn buy(home: &Path, devnet: &Process) -> String {
    well(home, devnet, &["wallet", "fund", "--usdc", "10"]);
    let units = ["--units", "100000", "--max-price", "10"];
    let buy = [&["stack", "buy", devnet.text("task")][..], &units].concat();
    let bought = well(home, devnet, &buy);
    bought[0]["stack"].as_str().unwrap().to_owned()
}

/// The stacks in a list: those of this network, and those of others.
fn listed(home: &Path, devnet: &Process) -> (Vec<String>, Vec<String>) {
    let rows = well(home, devnet, &["stack", "list", "--all"]);
    let (others, own): (Vec<Value>, Vec<Value>) = rows
        .into_iter()
        .partition(|row| row["state"] == "of another network");
    let ids = |rows: Vec<Value>| {
        let id = |row: Value| row["stack"].as_str().unwrap().to_owned();
        rows.into_iter().map(id).collect()
    };
    (ids(own), ids(others))
}

#[test]
fn after_a_devnet_was_started_anew_old_stacks_are_shown_as_another_networks() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let mut first = devnet();
    well(home, &first, &["wallet", "new"]);
    let old = buy(home, &first);
    let answer = well(
        home,
        &first,
        &["chat", "What is the sun?", "--max-tokens", "8"],
    );
    assert!(answer[0]["receipt"].is_string());
    assert_eq!(listed(home, &first), (vec![old.clone()], vec![]));
    first.terminate();

    let second = devnet();
    assert_ne!(first.text("network"), second.text("network"));
    assert_eq!(listed(home, &second), (vec![], vec![old.clone()]));
    let new = buy(home, &second);
    let answer = well(
        home,
        &second,
        &["chat", "What is the sun?", "--max-tokens", "8"],
    );
    assert_eq!(answer[0]["stack"], new);
    assert_eq!(listed(home, &second), (vec![new], vec![old.clone()]));
    // the receipts of both stay; those of the network in use are shown
    let shown = well(home, &second, &["receipt", "list"]);
    assert_eq!(shown.len(), 1);
    assert_eq!(shown[0]["network"], second.ready["network"]);
    assert_eq!(well(home, &second, &["receipt", "list", "--all"]).len(), 2);
    let of_old = ["receipt", "list", "--stack", &old];
    let request = well(home, &second, &of_old)[0]["request"].clone();
    // one of another network isn't forged
    let place = [
        "--home",
        home.to_str().unwrap(),
        "--ledger",
        second.text("ledger"),
    ];
    let verify = ["verify", request.as_str().unwrap()];
    let output = run(&[&place[..], &verify].concat());
    let error = objects(&output.stdout)[0]["error"].to_string();
    assert!(
        !output.status.success() && error.contains("is of another network"),
        "{error}"
    );
}

/// The command died without saying what it knew.
#[test]
fn what_is_known_of_stacks_is_listed_while_the_ledger_is_away() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let mut devnet = devnet();
    well(home, &devnet, &["wallet", "new"]);
    let stack = buy(home, &devnet);
    devnet.terminate();
    let rows = well(home, &devnet, &["stack", "list"]);
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(rows[0]["stack"], stack);
    assert_eq!(rows[0]["state"], "not looked at");
}

#[test]
fn three_chats_at_once_are_all_answered() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path();
    let devnet = devnet();
    well(home, &devnet, &["wallet", "new"]);
    buy(home, &devnet);
    let place = ["--home", home.to_str().unwrap(), "--ledger"];
    let ask = ["chat", "What is the sun?", "--max-tokens", "8"];
    let args = [&place[..], &[devnet.text("ledger")], &ask].concat();
    let chats: Vec<_> = (0..3)
        .map(|_| command(&args).stdout(Stdio::piped()).spawn().unwrap())
        .collect();
    for chat in chats {
        let output = chat.wait_with_output().unwrap();
        let printed = objects(&output.stdout);
        assert!(output.status.success(), "{printed:?}");
        assert!(printed[0]["receipt"].is_string());
    }
    assert_eq!(well(home, &devnet, &["receipt", "list"]).len(), 3);
}
