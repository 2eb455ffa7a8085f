//! What `atoma network doctor` says of the rules: of a network on which nothing is worth anything, of a node in jail,
//! of dollars that can't be moved.

use crate::{
    atoma,
    case::{Case, convicted, settles, types},
};
use atoma_keys::{Keystore, SigningKey};
use atoma_network::testing::DAY;
use atoma_runtime::Threads;
use serde_json::Value;

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

    let before = trial.accounts().await;
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
    // the doctor looks and moves nothing
    let fee = trial.stack().await.terms.demand_fee.0;
    assert_eq!(before.moved(&trial.accounts().await), convicted(fee));

    let user = trial.user.public_key().address();
    trial.world.freeze(user, true).await;
    let report = trial.doctor(&trial.user).await;
    let (result, usdc) = found(&report, "usdc");
    assert!(result == "failed" && usdc.contains("frozen"), "{usdc}");
}
