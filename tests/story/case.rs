//! A settlement that can be disputed, whose parties use the command; each story adds what it does with it.

use crate::atoma;
use atoma_keys::{Keystore, SigningKey};
use atoma_network::testing::{Trial, World};
use atoma_runtime::Threads;
use serde_json::Value;
use std::ops::{Deref, DerefMut};

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

pub(crate) struct Case(Trial);

impl Case {
    pub(crate) async fn start() -> Self {
        Self(Trial::start().await)
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
