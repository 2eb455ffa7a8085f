//! Another user of the machine, or whoever finds a backup, reads the node's folder; and a kill leaves
//! half-written files in it.

use crate::{
    arena::{Arena, chat, eventually},
    gateway::Office,
};
use atoma_keys::{Keystore, SigningKey};
use atoma_node::{KeySource, Node};
use atoma_runtime::Runtime;
use http::StatusCode;
use std::{
    error::Error,
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// What is asked.
const SECRET: &str = "xyzzy-plugh";

#[tokio::test(flavor = "multi_thread")]
async fn no_file_of_a_node_tells_others_what_was_asked() {
    let arena = Arena::start_with_walrus().await;
    // nothing is packed while the test looks
    let node = arena.node_with(arena.config_with_evidence(3_600_000)).await;
    let stack = arena.buy(100_000).await;
    let body = chat(2, false).replace("Say hello.", SECRET);
    let header = arena.header(
        node.node_id(),
        stack,
        body.as_bytes(),
        Runtime::system().now(),
    );
    let served = arena.send(&node.url(), header, &body).await;
    assert_eq!(served.status(), StatusCode::OK, "{served:?}");
    // and a gateway's, in which its client has a folder
    let office = Office::open(&arena, |_| {}).await;
    let served = office.ask(&arena, body).await;
    assert_eq!(served.status(), StatusCode::OK, "{served:?}");
    let look = |when: &str| {
        let mut folders = Vec::new();
        let mut files = files(&arena.node_folder(), &mut folders);
        files.append(&mut self::files(
            &arena.folder.path().join("gateway"),
            &mut folders,
        ));
        assert!(files.len() > 3, "{files:?}");
        let has = |name: &str| files.iter().any(|file| file.ends_with(name));
        assert!(has("client.sqlite") && has("journal.sqlite"), "{files:?}");
        for folder in folders {
            let mode = fs::metadata(&folder).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o700, "{when}: {}", folder.display());
        }
        for file in files {
            let mode = fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{when}: {} is open", file.display());
            assert!(!has_secret(&file), "{when}: {} has it", file.display());
        }
    };
    look("while it runs");
    office.running.shutdown().await;
    node.drain_and_stop().await;
    look("afterwards");
    arena.network.stop().await;
}

/// Whether the prompt is in a file in clear text.
fn has_secret(file: &Path) -> bool {
    let bytes = fs::read(file).unwrap();
    bytes.windows(SECRET.len()).any(|w| w == SECRET.as_bytes())
}

#[tokio::test(flavor = "multi_thread")]
async fn no_prompt_of_a_closed_stack_is_left_in_clear_text() {
    let arena = Arena::start_with_walrus().await;
    let node = arena.node_with(arena.config_with_evidence(0)).await;
    let stack = arena.buy(100_000).await;
    let body = chat(2, false).replace("Say hello.", SECRET);
    for _ in 0..4 {
        let now = Runtime::system().now();
        let header = arena.header(node.node_id(), stack, body.as_bytes(), now);
        let served = arena.send(&node.url(), header, &body).await;
        assert_eq!(served.status(), StatusCode::OK, "{served:?}");
    }
    arena.close(stack).await;
    // the node's files, the ledger's and those of Walrus, which has the evidence
    let look = || {
        let files = files(arena.folder.path(), &mut Vec::new());
        assert!(files.iter().any(|file| file.ends_with("journal.sqlite")));
        for file in files {
            assert!(!has_secret(&file), "{} has the prompt", file.display());
        }
    };
    look();
    node.drain_and_stop().await;
    look();
    arena.network.stop().await;
}

/// All files below a folder; it and the folders below it go to `folders`.
fn files(folder: &Path, folders: &mut Vec<PathBuf>) -> Vec<PathBuf> {
    let mut found = Vec::new();
    folders.push(folder.to_owned());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.append(&mut files(&path, folders)),
            false => found.push(path),
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_keystore_that_others_can_read_is_refused_with_what_to_do() {
    let arena = Arena::start().await;
    let path = arena.folder.path().join("sui.keystore");
    let mut store = Keystore::open(&path).unwrap();
    let key = SigningKey::from_seed(&arena.operator.to_seed());
    store.add(key).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let mut config = arena.config();
    config.key = KeySource::Keystore {
        path: path.clone(),
        address: None,
    };
    let refused = Node::start(config.clone(), arena.engines())
        .await
        .unwrap_err();
    assert!(told(&refused).contains("chmod 600"), "{}", told(&refused));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let node = arena.node_with(config).await;
    node.drain_and_stop().await;
    arena.network.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_kill_leaves_behind_does_not_keep_a_node_from_starting() {
    let arena = Arena::start().await;
    let folder = arena.node_folder();
    fs::create_dir_all(&folder).unwrap();
    // files that were made and not filled, locks whose holder is gone, a half-written successor
    for name in ["response.key", "lock", "journal.sqlite", "response.key.new"] {
        fs::write(folder.join(name), "").unwrap();
    }
    let keystore = arena.folder.path().join("sui.keystore");
    fs::write(&keystore, "").unwrap();
    let mut store = Keystore::open(&keystore).unwrap();
    store
        .add(SigningKey::from_seed(&arena.operator.to_seed()))
        .unwrap();
    let mut config = arena.config();
    config.key = KeySource::Keystore {
        path: keystore,
        address: None,
    };
    let node = arena.node_with(config.clone()).await;
    let id = node.node_id();
    node.drain_and_stop().await;
    // and it is the same node the next time
    let node = arena.node_with(config).await;
    assert_eq!(node.node_id(), id);
    eventually("it serves", async || {
        arena.get(&format!("{}/readyz", node.url())).await.status() == StatusCode::OK
    })
    .await;
    node.drain_and_stop().await;
    arena.network.stop().await;
}

/// An error with its causes.
fn told(error: &dyn Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", told(source)),
        None => error.to_string(),
    }
}
