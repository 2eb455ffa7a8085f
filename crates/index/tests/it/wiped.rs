use crate::alike::{assert_alike, catch_up};
use atoma_index::{Existing, IndexError, IndexReader, Indexer, Until};
use atoma_ledger::{Ledger, TipError};
use atoma_network::testing::World;
use std::path::Path;
use tokio::sync::watch;

async fn run(ledger: &Ledger, path: &Path) -> Result<(), IndexError> {
    let indexer = Indexer::open(ledger, path, Existing::Keep).await?;
    let (_stop, stopped) = watch::channel(false);
    indexer.run(Until::CaughtUp, stopped, |_| {}).await
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}

#[tokio::test]
async fn a_wiped_network_is_another_one() {
    let world = World::start().await;
    let key = world.party().await;
    world.node(&key).await;
    let indexes = tempfile::tempdir().unwrap();
    let path = indexes.path().join("index.sqlite");
    catch_up(&world.ledger, &path).await;

    // a writer that runs while the network is wiped, under the same address
    let indexer = Indexer::open(&world.ledger, &path, Existing::Keep);
    let indexer = indexer.await.unwrap();
    let (_stop, stopped) = watch::channel(false);
    let live = tokio::spawn(async move { indexer.run(Until::Stopped, stopped, |_| {}).await });
    let (address, _, _) = world.stop().await;
    let world = World::at(address, tempfile::tempdir().unwrap()).await;
    let key = world.party().await;
    world.node(&key).await;
    let ended = live.await.unwrap().unwrap_err();
    let wrong = matches!(ended, IndexError::Tip(TipError::WrongNetwork(_)));
    assert!(wrong, "{ended}");

    // the file is refused, for reading and writing, until it is rebuilt
    let refused = run(&world.ledger, &path).await.unwrap_err();
    assert_eq!(refused.code(), "other_network", "{refused}");
    let reader = IndexReader::open(&path, world.ledger.deployment());
    assert_eq!(reader.unwrap_err().code(), "other_network");
    let rebuilt = Indexer::open(&world.ledger, &path, Existing::Rebuild).await;
    drop(rebuilt.unwrap());
    let reader = catch_up(&world.ledger, &path).await;
    assert_alike(&world.ledger, &reader).await;
    assert_eq!(reader.overview().unwrap().nodes, 1);
}

#[tokio::test]
async fn a_network_that_was_set_back_is_noticed() {
    let world = World::start().await;
    let key = world.party().await;
    world.node(&key).await;
    let indexes = tempfile::tempdir().unwrap();
    let path = indexes.path().join("index.sqlite");
    let (address, folder, _) = world.stop().await;
    let backup = tempfile::tempdir().unwrap();
    copy(folder.path(), backup.path());
    let world = World::at(address, folder).await;
    world.node(&key).await;
    catch_up(&world.ledger, &path).await;
    world.shutdown().await;

    // the same network, from its backup: it lacks what the index has
    let world = World::at(address, backup).await;
    let behind = run(&world.ledger, &path).await.unwrap_err();
    assert_eq!(behind.code(), "behind", "{behind}");
    assert!(behind.is_transient());
    // and once it is as far, it is another history
    for model in ["a", "b", "c", "d"] {
        world.task(&key, model).await;
    }
    let diverged = run(&world.ledger, &path).await.unwrap_err();
    assert_eq!(diverged.code(), "diverged", "{diverged}");
}
