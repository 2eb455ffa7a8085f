//! Sealing a folder, and loading an engine from what was sealed.

use atoma_broker::{KeyFile, ReadFolderError, SealFolderError, SealedFolder, seal_folder};
use atoma_engine::{EmbeddedOptions, LoadError, builtin, open, open_files};
use atoma_runtime::SystemRandom;
use std::{fs, path::Path, sync::Arc};

/// The built-in model as a folder.
pub(crate) fn clear_model(folder: &Path) {
    fs::create_dir(folder).unwrap();
    for (name, bytes) in builtin::files() {
        fs::write(folder.join(name), bytes).unwrap();
    }
}

fn options() -> EmbeddedOptions {
    EmbeddedOptions {
        threads: Some(1),
        ..EmbeddedOptions::default()
    }
}

#[test]
fn an_engine_reads_a_sealed_model_as_it_was_and_its_class_stays_the_same() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    clear_model(&at("model"));
    let sealed = seal_folder(&at("model"), &at("sealed"), &at("key"), &SystemRandom).unwrap();
    let total = builtin::files().map(|(_, bytes)| bytes.len() as u64).sum();
    assert_eq!((sealed.files, sealed.bytes), (5, total));
    let key = KeyFile::read(&at("key")).unwrap();
    let folder = SealedFolder::read(&at("sealed")).unwrap();
    assert_eq!((folder.id(), key.model), (sealed.model, sealed.model));
    let files = Arc::new(folder.open(key.key).unwrap());
    let engine = open_files(files, "sealed", options()).unwrap();
    let clear = open(&at("model"), options()).unwrap();
    assert_eq!(engine.info().revision, clear.info().revision);
    assert_eq!(engine.info().numerics, clear.info().numerics);
    assert_eq!(engine.info().id, "sealed");
}

/// What a host changes is found when it is read, wherever it is.
#[test]
fn a_changed_folder_loads_no_engine() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    clear_model(&at("model"));
    seal_folder(&at("model"), &at("sealed"), &at("key"), &SystemRandom).unwrap();
    let sealed = |name: &str| at("sealed").join(name);
    let load = || {
        let key = KeyFile::read(&at("key")).unwrap().key;
        let folder = SealedFolder::read(&at("sealed"))
            .unwrap()
            .open(key)
            .unwrap();
        open_files(Arc::new(folder), "sealed", options()).map(|_| ())
    };
    load().unwrap();
    // config, generation config, weights, tokenizer, its config: by name
    let weights = sealed("0002.sealed");
    let good = fs::read(&weights).unwrap();
    for place in [9, good.len() / 2, good.len() - 1] {
        let mut changed = good.clone();
        changed[place] ^= 1;
        fs::write(&weights, &changed).unwrap();
        assert!(load().is_err(), "byte {place}");
    }
    fs::write(&weights, &good[..good.len() - 1]).unwrap();
    assert!(matches!(load(), Err(LoadError::Io { .. })));
    fs::write(&weights, &good).unwrap();
    load().unwrap();
    fs::rename(sealed("0000.sealed"), sealed("spare")).unwrap();
    fs::rename(sealed("0001.sealed"), sealed("0000.sealed")).unwrap();
    fs::rename(sealed("spare"), sealed("0001.sealed")).unwrap();
    assert!(load().is_err(), "two files swapped");
    fs::remove_file(sealed("0000.sealed")).unwrap();
    assert!(load().is_err(), "a file gone");
    fs::remove_file(sealed("model.sealed")).unwrap();
    let gone = SealedFolder::read(&at("sealed"));
    assert!(matches!(gone, Err(ReadFolderError::Io { .. })));
}

#[test]
fn sealing_writes_nothing_over_and_leaves_no_half() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    let seal = || seal_folder(&at("model"), &at("sealed"), &at("key"), &SystemRandom);
    assert!(matches!(seal(), Err(SealFolderError::Io { .. })));
    fs::create_dir(at("model")).unwrap();
    assert!(
        matches!(seal(), Err(SealFolderError::Seal { .. })),
        "no file"
    );
    fs::write(at("model").join("a"), "hello").unwrap();
    fs::create_dir(at("model").join(".git")).unwrap();
    fs::write(at("model").join(".git/config"), "not the model's").unwrap();
    fs::create_dir(at("model").join("1_Pooling")).unwrap();
    fs::write(at("model").join("1_Pooling/config.json"), "{}").unwrap();
    // a hub's folder is full of links
    std::os::unix::fs::symlink(at("model").join("a"), at("model").join("b")).unwrap();
    fs::write(at("key"), "somebody's").unwrap();
    assert!(matches!(seal(), Err(SealFolderError::Key(_))));
    assert!(!at("sealed").exists());
    fs::remove_file(at("key")).unwrap();
    assert_eq!(seal().unwrap().files, 3);
    fs::remove_file(at("key")).unwrap();
    assert!(matches!(seal(), Err(SealFolderError::Exists(_))));
}

/// A key beside the weights would be given away with them.
#[test]
fn a_key_is_kept_in_no_models_folder() {
    let home = tempfile::tempdir().unwrap();
    let at = |name: &str| home.path().join(name);
    clear_model(&at("model"));
    std::os::unix::fs::symlink(at("model"), at("link")).unwrap();
    for key in ["model/key", "link/key", "sealed/key", "sealed/deep/key"] {
        let refused = seal_folder(&at("model"), &at("sealed"), &at(key), &SystemRandom);
        assert!(
            matches!(refused, Err(SealFolderError::KeyPlace(_))),
            "{key}: {refused:?}"
        );
        assert!(!at("sealed").exists() && !at("model/key").exists());
    }
    seal_folder(&at("model"), &at("sealed"), &at("key"), &SystemRandom).unwrap();
}
