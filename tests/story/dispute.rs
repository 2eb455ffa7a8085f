//! Each kind of dispute from a user's command to money in the right accounts.

use crate::{
    atoma::{self, Process},
    case::Case,
};
use atoma_keys::{Keystore, SigningKey};
use atoma_network::{
    COLLATERAL,
    testing::{HOUR, PARTS, UNITS},
};
use atoma_runtime::Threads;
use atoma_types::{ComputeUnits, chain::events::Charge, message::Signed};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

const QUARTER: u64 = COLLATERAL.0 / 4;

impl Case {
    /// Runs `atoma dispute` for a party; its lines.
    async fn command(&self, key: &SigningKey, args: &[&str]) -> Result<Vec<Value>, String> {
        let folder = self.world.folder.path();
        let keystore = folder.join(format!("{}.keystore", key.public_key()));
        let mut store = Keystore::open(&keystore).unwrap();
        if store.keys().is_empty() {
            store.add(SigningKey::from_seed(&key.to_seed())).unwrap();
        }
        let url = self.world.localnet().url();
        let (keystore, home) = (keystore.to_string_lossy(), folder.to_string_lossy());
        let settings = ["--ledger", &url, "--keystore", &keystore, "--home", &home];
        let args: Vec<String> = [&settings[..], &["dispute"], args]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect();
        // the ledger runs in this process and must go on meanwhile
        let run = move || atoma::run(&args.iter().map(String::as_str).collect::<Vec<_>>());
        let done = Threads::Real.blocking(run).await.unwrap();
        let lines = atoma::objects(&done.stdout);
        match lines.first().and_then(|line| line.get("error")) {
            Some(error) => Err(error.to_string()),
            None if done.status.success() => Ok(lines),
            None => Err(String::from_utf8_lossy(&done.stderr).into_owned()),
        }
    }

    /// The evidence of a record as a file.
    fn evidence(&self, seq: u64) -> String {
        let (record, proof) = self.prove(seq);
        let path = self
            .world
            .folder
            .path()
            .join(format!("evidence-{seq}.json"));
        let evidence = json!({
            "record": BASE64_STANDARD.encode(record.to_bytes()),
            "proof": BASE64_STANDARD.encode(proof.to_bytes()),
        });
        std::fs::write(&path, evidence.to_string()).unwrap();
        path.to_string_lossy().into_owned()
    }

    /// Half of the collateral is taken and shared; the user has his whole escrow.
    async fn assert_convicted(&self, lines: &[Value], charge: Charge) {
        assert_eq!(lines[0]["outcome"], "convicted");
        assert_eq!(lines[0]["charge"], json!(charge));
        assert_eq!(lines[0]["refunded_micro_usdc"], UNITS);
        self.assert_gained([0, UNITS + QUARTER, QUARTER], COLLATERAL.0 / 2)
            .await;
    }
}

#[tokio::test]
async fn a_node_that_shows_nothing_is_slashed() {
    let trial = Case::start().await;
    trial.settle().await;
    let receipt = trial.records[1].1.to_text();
    let open = ["open", "--receipt", &receipt];
    // only the owner can demand anything
    let refused = trial.command(&trial.operator, &open).await.unwrap_err();
    assert!(refused.contains("not_stack_owner"), "{refused}");
    let opened = trial.command(&trial.user, &open).await.unwrap();
    assert_eq!(
        (&opened[0]["outcome"], &opened[0]["seq"]),
        (&json!("opened"), &json!(2))
    );
    let (stack, node) = (trial.stack.to_string(), trial.node.to_string());
    let shown = trial.command(&trial.user, &["show", &stack]).await.unwrap();
    assert_eq!(
        (&shown[0]["lease"], &shown[0]["seq"]),
        (&json!("disputed"), &json!(2))
    );

    let resolve = ["resolve", &stack, &node, "2"];
    let early = trial.command(&trial.user, &resolve).await.unwrap_err();
    assert!(early.contains("answer_time_not_over"), "{early}");
    trial.advance(HOUR + 1).await;
    // anyone may
    let resolved = trial.command(&trial.operator, &resolve).await.unwrap();
    assert_eq!(resolved[0]["charge"], json!(Charge::Silence));
    let part = COLLATERAL.0 / 20;
    trial
        .assert_gained([0, UNITS + part, part], COLLATERAL.0 - 2 * part)
        .await;
    let shown = trial.command(&trial.user, &["show", &stack]).await.unwrap();
    assert_eq!(
        (&shown[0]["lease"], &shown[0]["convicted"]),
        (&json!("closed"), &json!(true))
    );
}

#[tokio::test]
async fn an_honest_node_under_a_false_accusation_gets_the_bond() {
    let trial = Case::start().await;
    trial.settle().await;
    let (stack, node) = (trial.stack.to_string(), trial.node.to_string());
    let open = ["open", "--stack", &stack, "--node", &node, "--seq", "3"];
    trial.command(&trial.user, &open).await.unwrap();
    // the records lie on a Walrus of one's own, as an object of the node's owner
    let folder = trial.world.folder.path();
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    std::fs::write(path("pack"), [7; 20_000]).unwrap();
    let ledger = trial.world.localnet().url();
    let (keystore, nodes, pack) = (path("admin.keystore"), path("walrus"), path("pack"));
    let serve = move || {
        Process::start(&[
            "--ledger",
            &ledger,
            "--keystore",
            &keystore,
            "walrus",
            "serve",
            "--on-ledger",
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            &nodes,
        ])
    };
    // the ledger runs in this process and must go on meanwhile
    let walrus = Threads::Real.blocking(serve.clone()).await.unwrap();
    let url = walrus.text("url").to_owned();
    let owner = trial.operator.public_key().address().to_string();
    let store = move || {
        let to = ["--publisher", &url, "--aggregator", &url];
        let keep = ["--epochs", "5", "--send-object-to", &owner, &pack];
        atoma::run(&[&["walrus", "store"], &to[..], &keep].concat())
    };
    let stored = Threads::Real.blocking(store).await.unwrap();
    let stored = atoma::objects(&stored.stdout).remove(0);
    let blob = stored["object"].as_str().expect("an object").to_owned();
    // kill -9 takes nothing away
    let restarted = Threads::Real.blocking(move || {
        let mut walrus = walrus;
        walrus.kill();
        let walrus = serve();
        let url = walrus.text("url");
        let id = stored["blob_id"].as_str().expect("a blob id");
        let read = atoma::run(&["walrus", "read", "--aggregator", url, id]);
        assert!(read.stdout == [7; 20_000]);
        walrus
    });
    let _walrus = restarted.await.unwrap();

    let evidence = trial.evidence(3);
    let answer = [
        "answer",
        &stack,
        &node,
        "--evidence",
        &evidence,
        "--blob",
        &blob,
    ];
    // only its owner can show it
    trial.command(&trial.user, &answer).await.unwrap_err();
    let answered = trial.command(&trial.operator, &answer).await.unwrap();
    assert_eq!(answered[0]["outcome"], "answered");
    let bond = trial.stack().await.dispute_bond.0;
    assert_eq!(answered[0]["bond_to_node_micro_usdc"], bond);
    trial.advance(HOUR).await;
    trial.claim().await.unwrap();
    let (sum, fee) = (PARTS.iter().sum::<u64>(), 35);
    let [operator, user, _] = trial.money().await;
    assert_eq!(operator, trial.before[0] + bond + sum - fee);
    assert_eq!(user, trial.before[1] + UNITS - sum - bond);
    let served = trial.world.ledger.node(trial.node).await.unwrap();
    assert_eq!(served.collateral, COLLATERAL);
    trial.world.audit();
}

#[tokio::test]
async fn a_node_that_signs_two_receipts_in_one_place_is_slashed() {
    let trial = Case::start().await;
    let one = trial.records[1].1.to_text();
    let other = trial.record(2, 501, 1_501, trial.records[0].1.hash()).1;
    let next = trial.records[2].1.to_text();
    let innocent = ["prove", "equivocation", &one, &next];
    let innocent = trial.command(&trial.user, &innocent).await.unwrap_err();
    assert!(innocent.contains("receipts_agree"), "{innocent}");
    let guilty = ["prove", "equivocation", &one, &other.to_text()];
    let lines = trial.command(&trial.user, &guilty).await.unwrap();
    trial.assert_convicted(&lines, Charge::Equivocation).await;
}

#[tokio::test]
async fn a_node_that_charges_too_much_is_slashed() {
    let trial = Case::start().await;
    let (header, honest) = &trial.records[1];
    let header = header.to_text();
    let mut dear = honest.message().clone();
    (dear.usage.output, dear.units) = (502, ComputeUnits(502));
    let dear = Signed::new(dear, &trial.operator).to_text();
    let honest = honest.to_text();
    let prove = |receipt| {
        [
            "prove",
            "over-claim",
            "--receipt",
            receipt,
            "--header",
            &header,
        ]
    };
    let innocent = trial
        .command(&trial.user, &prove(&honest))
        .await
        .unwrap_err();
    assert!(innocent.contains("charge_allowed"), "{innocent}");
    let lines = trial.command(&trial.user, &prove(&dear)).await.unwrap();
    trial.assert_convicted(&lines, Charge::OverClaim).await;
}

#[tokio::test]
async fn a_node_that_settles_an_order_nobody_gave_is_slashed() {
    let mut trial = Case::start().await;
    let header = trial.records[1].0.message().clone();
    let header = Signed::new(header, &trial.operator);
    trial.records[1].0 = header;
    trial.settle().await;
    let (stack, node) = (trial.stack.to_string(), trial.node.to_string());
    let (good, bad) = (trial.evidence(1), trial.evidence(2));
    let prove = |file| ["prove", "forged", &stack, &node, "--evidence", file];
    let innocent = trial.command(&trial.user, &prove(&good)).await.unwrap_err();
    assert!(innocent.contains("record_genuine"), "{innocent}");
    let lines = trial.command(&trial.user, &prove(&bad)).await.unwrap();
    trial.assert_convicted(&lines, Charge::ForgedRequest).await;
}
