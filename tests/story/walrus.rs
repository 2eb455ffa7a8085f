//! A Walrus of one's own, used by hand: what is stored comes back, under Walrus's own ids.

use crate::atoma::{Process, objects, run};
use serde_json::Value;
use std::process::Output;

/// The last object that a command printed; it must have ended well.
fn last(output: &Output) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}");
    objects(&output.stdout).pop().expect("it says something")
}

#[test]
fn blobs_and_quilts_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(path("greeting.txt"), "some other string").unwrap();
    std::fs::write(path("numbers.bin"), [7; 5_000]).unwrap();
    let mut walrus = Process::start(&[
        "walrus",
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data-dir",
        &path("store"),
    ]);
    let url = walrus.text("url").to_owned();
    let there = |command: &str, rest: &[&str]| {
        let at = ["--publisher", &url, "--aggregator", &url];
        let words = ["walrus"].into_iter().chain(command.split(' '));
        run(&words
            .chain(at)
            .chain(rest.iter().copied())
            .collect::<Vec<_>>())
    };
    let said_there = |command: &str, rest: &[&str]| last(&there(command, rest));

    // the id that Walrus's own documentation prints for this text
    let id = last(&run(&["walrus", "blob-id", &path("greeting.txt")]));
    assert_eq!(id["blob_id"], "M4hsZGQ1oCktdzegB6HnI6Mi28S2nqOPHxK-W7_4BUk");

    let stored = said_there("store", &[&path("numbers.bin")]);
    assert_eq!(stored["new"], true);
    let id = stored["blob_id"].as_str().unwrap();
    let local = last(&run(&[
        "walrus",
        "blob-id",
        "--shards",
        "10",
        &path("numbers.bin"),
    ]));
    assert_eq!(local["blob_id"], id);
    assert_eq!(said_there("store", &[&path("numbers.bin")])["new"], false);
    assert_eq!(said_there("status", &[id])["size_bytes"], 5_000);
    assert_eq!(there("read", &[id]).stdout, [7; 5_000]);

    let files = [path("greeting.txt"), path("numbers.bin")];
    let output = there("quilt store", &[&files[0], &files[1]]);
    let lines = objects(&output.stdout);
    assert_eq!(lines[1]["identifier"], "greeting.txt");
    let patch = lines[1]["patch_id"].as_str().unwrap();
    assert_eq!(there("read", &[patch]).stdout, b"some other string");

    // what isn't there is an error that says so
    let unknown = "M4hsZGQ1oCktdzegB6HnI6Mi28S2nqOPHxK-W7_4BUk";
    assert_eq!(said_there("status", &[unknown])["found"], false);
    assert!(!there("read", &[unknown]).status.success());
    walrus.terminate();
}
