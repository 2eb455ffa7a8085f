//! kill -9 between any two steps of a write: what was confirmed is there afterwards, what wasn't
//! has left nothing. `ATOMA_WALRUS_CRASHES` sets how many crashes (default 24).

use atoma_walrus::store::{Check, PutOptions, StepHook, Store, StoreOptions};
use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

const FOLDER: &str = "ATOMA_WALRUS_CRASH_FOLDER";
const STEP: &str = "ATOMA_WALRUS_CRASH_STEP";
/// A little more than the steps of one write with ten nodes.
const STEPS: u64 = 36;

fn blob(number: u64) -> Vec<u8> {
    number.to_le_bytes().repeat(300)
}

/// Not a test by itself: the process that is killed. Writes until the step at which it dies.
#[test]
fn child() {
    let Ok(folder) = std::env::var(FOLDER) else {
        return;
    };
    let last: u64 = std::env::var(STEP).unwrap().parse().unwrap();
    let steps = AtomicU64::new(0);
    let mut options = StoreOptions::new(folder);
    options.step = Some(StepHook(Arc::new(move |_| {
        if steps.fetch_add(1, Ordering::SeqCst) == last {
            let me = std::process::id().to_string();
            Command::new("kill").args(["-9", &me]).status().unwrap();
            std::thread::park();
        }
    })));
    tokio::runtime::Runtime::new().unwrap().block_on(async {
        let store = Store::open(options).await.unwrap();
        for number in last * 1_000.. {
            let put = store
                .put(blob(number).into(), PutOptions::default())
                .await
                .unwrap();
            // to the end of a line of its own, past the harness's own words
            println!("\nconfirmed {number} {}", put.object().blob_id);
        }
    });
}

/// The numbers and ids that a child confirmed before it died.
fn crash(folder: &Path, step: u64) -> Vec<(u64, String)> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "crash::child",
            "--nocapture",
            "--test-threads",
            "1",
        ])
        .env(FOLDER, folder)
        .env(STEP, step.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let confirmed = lines
        .map_while(Result::ok)
        .filter_map(|line| {
            let (number, id) = line.strip_prefix("confirmed ")?.split_once(' ')?;
            Some((number.parse().ok()?, id.to_owned()))
        })
        .collect();
    let status = child.wait().unwrap();
    assert_eq!(status.code(), None, "killed, not ended");
    confirmed
}

#[tokio::test]
async fn no_confirmed_blob_is_ever_lost() {
    let crashes = std::env::var("ATOMA_WALRUS_CRASHES").ok();
    let crashes: u64 = crashes.map_or(24, |text| text.parse().unwrap());
    let folder = tempfile::TempDir::new().unwrap();
    let mut confirmed = Vec::new();
    for crash_number in 0..crashes {
        // spread over all steps of a first write, then over those of later ones
        let step = crash_number * 7 % STEPS + crash_number / STEPS * STEPS;
        confirmed.extend(crash(folder.path(), step));
        let store = Store::open(StoreOptions::new(folder.path())).await.unwrap();
        let live = store.registry().live().await.unwrap();
        assert!(live.iter().all(|object| object.certified_epoch.is_some()));
        for (number, id) in &confirmed {
            let read = store.read(id.parse().unwrap(), Check::Strict).await;
            assert!(
                read.unwrap() == blob(*number),
                "blob {number} after step {step}"
            );
        }
        // nodes keep what is certified and nothing else
        for node in fs::read_dir(folder.path().join("nodes")).unwrap() {
            let names = fs::read_dir(node.unwrap().path().join("blobs")).unwrap();
            for name in names {
                let name = name.unwrap().file_name().into_string().unwrap();
                let known = live.iter().any(|object| object.blob_id.to_string() == name);
                assert!(known, "{name} after step {step}");
            }
        }
    }
    assert!(!confirmed.is_empty());
}
