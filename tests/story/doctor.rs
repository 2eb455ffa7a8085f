//! What `atoma network doctor` says of the rules: of a network on which nothing is worth anything, of a node in jail,
//! of dollars that can't be moved.

use crate::{
    atoma,
    case::{Case, settles, types},
};
use atoma_keys::{Keystore, SigningKey};
use atoma_network::testing::DAY;
use atoma_runtime::Threads;
use serde_json::Value;
use std::{
    io::{Read, Write},
    net::TcpStream,
};

impl Case {
    /// What the doctor says to a party.
    async fn doctor(&self, key: &SigningKey) -> Vec<Value> {
        let folder = self.world.folder.path();
        let keystore = folder.join(format!("{}.doctor.keystore", key.public_key()));
        let mut store = Keystore::open(&keystore).unwrap();
        if store.keys().is_empty() {
            store.add(SigningKey::from_seed(&key.to_seed())).unwrap();
        }
        let url = self.world.localnet().url();
        let keystore = keystore.to_string_lossy().into_owned();
        // the ledger runs in this process and must go on meanwhile
        let run = move || {
            let settings = ["--ledger", &url, "--keystore", &keystore];
            atoma::run(&[&settings[..], &["network", "doctor"]].concat())
        };
        let done = Threads::Real.blocking(run).await.unwrap();
        atoma::objects(&done.stdout)
    }

    async fn freeze(&self, key: &SigningKey) {
        let host = self.world.localnet().address().to_string();
        let address = key.public_key().address();
        let body = format!(r#"{{"address":"{address}","frozen":true}}"#);
        let post = move || {
            let request = format!(
                "POST /localnet/freeze HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\
                 content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            );
            let mut stream = TcpStream::connect(&host).unwrap();
            stream.write_all(request.as_bytes()).unwrap();
            let mut text = String::new();
            stream.read_to_string(&mut text).unwrap();
            text
        };
        let answer = Threads::Real.blocking(post).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    }
}

fn found<'a>(report: &'a [Value], check: &str) -> (&'a str, &'a str) {
    let line = report.iter().find(|line| line["check"] == check);
    let line = line.unwrap_or_else(|| panic!("no `{check}` in {report:?}"));
    let text = |name: &str| line[name].as_str().unwrap();
    (text("result"), text("found"))
}

#[tokio::test]
async fn the_doctor_knows_tasks_jail_and_frozen_dollars() {
    let trial = Case::start().await;
    let report = trial.doctor(&trial.operator).await;
    assert_eq!(found(&report, "rules").0, "ok");
    let (result, task) = found(&report, "task");
    assert!(
        result == "ok" && task.contains("1 nodes, not examined"),
        "{task}"
    );
    assert_eq!(found(&report, "node").0, "ok");
    assert_eq!(found(&report, "usdc").0, "ok");
    // a user has no node
    let report = trial.doctor(&trial.user).await;
    assert!(!report.iter().any(|line| line["check"] == "node"));

    settles(&trial).await;
    let receipt = trial.records[1].1.to_text();
    let demand = ["dispute", "demand", "--receipt", &receipt];
    types(&trial.world, &trial.user, &demand).await.unwrap();
    trial.advance(DAY + 1).await;
    let due = ["stack", "due", &trial.stack.to_string()];
    types(&trial.world, &trial.user, &due).await.unwrap();
    let report = trial.doctor(&trial.operator).await;
    let (result, node) = found(&report, "node");
    assert!(
        result == "failed" && node.contains("jailed until"),
        "{node}"
    );
    assert_eq!(found(&report, "fines").0, "warning");

    trial.freeze(&trial.user).await;
    let report = trial.doctor(&trial.user).await;
    let (result, usdc) = found(&report, "usdc");
    assert!(result == "failed" && usdc.contains("frozen"), "{usdc}");
}
