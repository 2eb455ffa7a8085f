//! A settlement that can be disputed, whose parties use the command; each story adds what it does with it.

use crate::atoma;
use atoma_client::request_key;
use atoma_keys::{Keystore, SigningKey};
use atoma_localnet::ClockMode;
use atoma_network::{
    Network,
    testing::{PARTS, Trial, UNITS, World},
};
use atoma_runtime::Threads;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use std::{
    ops::{Deref, DerefMut},
    path::Path,
};

/// A party types a command; its lines. Each party has a keystore and a data folder of its own.
pub(crate) async fn types(
    world: &World,
    key: &SigningKey,
    words: &[&str],
) -> Result<Vec<Value>, String> {
    let said = words.iter().map(|word| (*word).to_owned());
    let words: Vec<String> = settings(world, key).into_iter().chain(said).collect();
    // the ledger runs in this process and must go on meanwhile
    let run = move || atoma::run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let done = Threads::Real.blocking(run).await.unwrap();
    let lines = atoma::objects(&done.stdout);
    match lines.first().and_then(|line| line.get("error")) {
        Some(error) => Err(error.to_string()),
        None if done.status.success() => Ok(lines),
        None => Err(String::from_utf8_lossy(&done.stderr).into_owned()),
    }
}

/// A party of a network in this process types what goes well; its lines.
pub(crate) async fn types_on(
    network: &Network,
    home: &Path,
    key: &SigningKey,
    words: &[&str],
) -> Vec<Value> {
    let keystore = home.join("wallet.keystore");
    std::fs::create_dir_all(home).unwrap();
    let mut store = Keystore::open(&keystore).unwrap();
    if store.keys().is_empty() {
        store.add(SigningKey::from_seed(&key.to_seed())).unwrap();
    }
    let (url, keystore, home) = (
        network.localnet.url(),
        keystore.to_string_lossy(),
        home.to_string_lossy(),
    );
    let settings = ["--ledger", &url, "--keystore", &keystore, "--home", &home];
    let words: Vec<String> = [&settings[..], words]
        .concat()
        .into_iter()
        .map(str::to_owned)
        .collect();
    // the ledger runs in this process and must go on meanwhile
    let run = move || atoma::run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let done = Threads::Real.blocking(run).await.unwrap();
    let lines = atoma::objects(&done.stdout);
    assert!(done.status.success(), "{lines:?}");
    lines
}

/// What a party's commands say of ledger, keys and folder.
pub(crate) fn settings(world: &World, key: &SigningKey) -> Vec<String> {
    let home = world.folder.path().join(key.public_key().to_string());
    std::fs::create_dir_all(&home).unwrap();
    let keystore = home.join("wallet.keystore");
    let mut store = Keystore::open(&keystore).unwrap();
    if store.keys().is_empty() {
        store.add(SigningKey::from_seed(&key.to_seed())).unwrap();
    }
    let url = world.localnet().url();
    let (keystore, home) = (keystore.to_string_lossy(), home.to_string_lossy());
    let settings = ["--ledger", &url, "--keystore", &keystore, "--home", &home];
    settings.map(str::to_owned).to_vec()
}

/// The node's owner claims all that it has served; the node itself doesn't run.
pub(crate) async fn settles(trial: &Trial) {
    let (header, receipt) = trial.records.last().unwrap();
    let (header, receipt) = (header.to_text(), receipt.to_text());
    let settle = ["node", "settle", "--receipt", &receipt, "--header", &header];
    let settled = types(&trial.world, &trial.operator, &settle).await.unwrap();
    assert_eq!(settled[0]["ticket"], json!(trial.records.len()));
}

/// The window is over, and the node's owner has it paid.
pub(crate) async fn pays(trial: &Trial) {
    let due = ["stack", "due", &trial.stack.to_string()];
    let paid = types(&trial.world, &trial.operator, &due).await.unwrap();
    assert_eq!(paid[0]["call"], "settlement::claim");
}

/// The evidence of a record as a file: where it is.
pub(crate) fn evidence(trial: &Trial, seq: u64) -> String {
    let (record, proof) = trial.prove(seq);
    let folder = trial.world.folder.path();
    let path = folder.join(format!("evidence-{seq}.json"));
    let evidence = json!({
        "record": BASE64_STANDARD.encode(record.to_bytes()),
        "proof": BASE64_STANDARD.encode(proof.to_bytes()),
    });
    std::fs::write(&path, evidence.to_string()).unwrap();
    path.to_string_lossy().into_owned()
}

/// The bodies of a record as a file, for where there is no Walrus: where it is.
pub(crate) fn bodies(trial: &Trial) -> String {
    let path = trial.world.folder.path().join("bodies");
    std::fs::write(&path, [7; 200]).unwrap();
    path.to_string_lossy().into_owned()
}

/// What moves when all that was claimed is paid.
pub(crate) fn paid() -> Vec<(&'static str, i64)> {
    let claimed = PARTS.iter().sum::<u64>() as i64;
    let fee = claimed / 100;
    vec![
        ("escrow", -claimed),
        ("node's credit", claimed - fee),
        ("task's fees", fee),
    ]
}

/// What moves when the node is convicted instead, after a demand for this fee.
pub(crate) fn convicted(demand_fee: u64) -> Vec<(&'static str, i64)> {
    let (bought, demand_fee) = (UNITS as i64, demand_fee as i64);
    let fine = 10 * PARTS.iter().sum::<u64>() as i64;
    let mut moved = vec![
        ("user", -demand_fee),
        ("escrow", -bought),
        ("stack's credit", bought + demand_fee),
        ("collateral", -fine),
        ("fines", fine),
    ];
    moved.retain(|&(_, moved)| moved != 0);
    moved
}

/// A trial whose stack is one that the user's commands can close.
pub(crate) async fn of_a_wallet() -> Trial {
    let world = World::start_with(|config| config.clock = ClockMode::Adjustable).await;
    let (operator, user) = (world.party().await, world.party().await);
    let task = world.task(&operator, "model").await;
    let requests = request_key(&user);
    Trial::between(world, (operator, user, requests), task, 1).await
}

pub(crate) struct Case(Trial);

impl Case {
    pub(crate) async fn start() -> Self {
        Self(Trial::start().await)
    }

    pub(crate) async fn of_a_wallet() -> Self {
        Self(of_a_wallet().await)
    }
}

impl Deref for Case {
    type Target = Trial;

    fn deref(&self) -> &Trial {
        &self.0
    }
}

impl DerefMut for Case {
    fn deref_mut(&mut self) -> &mut Trial {
        &mut self.0
    }
}
