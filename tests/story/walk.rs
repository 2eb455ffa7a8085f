//! What docs/users.md walks through on a devnet whose cheapest node cheats: a record is demanded and shown; an answer
//! is computed again and found wrong; it is challenged, a jury agrees, and all comes back.

use crate::atoma::{Process, command, objects};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::time::Instant;

const USDC: u64 = 1_000_000;
/// A jury computes an answer again on a busy machine.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long until the ledger is looked at again.
const PAUSE: Duration = Duration::from_millis(200);

/// A user's commands in a data folder: what they printed, and whether they went well.
fn tries(home: &Path, words: &[&str]) -> (Vec<Value>, bool) {
    let mut command = command(words);
    let output = command.env("ATOMA_HOME", home).output().unwrap();
    (objects(&output.stdout), output.status.success())
}

pub(crate) fn does(home: &Path, words: &[&str]) -> Vec<Value> {
    let (lines, well) = tries(home, words);
    assert!(well, "{words:?}: {lines:?}");
    lines
}

/// Waits until a demand or a challenge isn't open any more; how it ended.
pub(crate) async fn ended(home: &Path, what: &str) -> String {
    let started = Instant::now();
    loop {
        let listed = does(home, &["dispute", "list"]);
        let its = listed.iter().find(|line| line["what"] == what).unwrap();
        let state = its["state"].as_str().unwrap();
        if state != "open" {
            return state.to_owned();
        }
        assert!(started.elapsed() < PATIENCE, "it never ends: {its}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Two answers of a node that cheats, on a task that is examined: claimed, and not yet paid.
pub(crate) struct Claimed {
    pub(crate) home: PathBuf,
    pub(crate) stack: String,
    model: String,
    /// The second of them.
    pub(crate) request: String,
    _devnet: Process,
    _folder: tempfile::TempDir,
}

impl Claimed {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (home, data) = (folder.path().join("home"), folder.path().join("devnet"));
        let devnet = ["devnet", "--any-port", "--data-dir", data.to_str().unwrap()];
        let cheats = "--dispute-window 600 --examined 0 --cheat int8".split(' ');
        let devnet: Vec<&str> = devnet.into_iter().chain(cheats).collect();
        let devnet = Process::start_at(&home, &devnet);
        let model = devnet.text("model").to_owned();
        does(&home, &["wallet", "new"]);
        does(&home, &["wallet", "fund", "--usdc", "20"]);
        let buy = ["stack", "buy", &model, "--units", "400000"];
        let stack = does(&home, &[&buy[..], &["--max-price", "5"]].concat());
        let stack = stack.last().unwrap()["stack"].as_str().unwrap().to_owned();
        // one answer is worth less than an examination
        does(&home, &["chat", "What is the sun?"]);
        let said = does(&home, &["chat", "What is the moon?"]);
        let request = said.last().unwrap()["request"].as_str().unwrap().to_owned();
        // what isn't settled can't be demanded: it is said when it can
        let (early, well) = tries(&home, &["dispute", "demand", &request]);
        let told = format!("{} {}", early[0]["error"], early[0]["help"]);
        assert!(!well && told.contains("has not settled unit"), "{early:?}");
        assert!(told.contains("`atoma stack close 0x"), "{early:?}");
        does(&home, &["stack", "close", &model]);
        Self {
            home,
            stack,
            model,
            request,
            _devnet: devnet,
            _folder: folder,
        }
    }
}

#[tokio::test]
async fn a_demand_is_answered_and_a_challenge_of_a_wrong_answer_is_won() {
    let claimed = Claimed::start();
    let (home, request) = (&claimed.home, &*claimed.request);
    let demanded = does(home, &["dispute", "demand", request]);
    assert_eq!(demanded[0]["outcome"], "demanded");
    assert_eq!(ended(home, "demand").await, "answered: record 2");

    let (found, well) = tries(home, &["verify", request, "--recompute"]);
    assert!(!well, "{found:?}");
    let challenged = does(home, &["dispute", "challenge", request, "--bond", "5"]);
    assert_eq!(challenged[0]["outcome"], "challenged");
    assert_eq!(challenged[0]["bond_micro_usdc"], json!(5 * USDC));
    let guilty = "convicted: guilty by the jury of a challenge";
    assert_eq!(ended(home, "challenge").await, guilty);
    // the stack's owner is told without asking for it
    let list = command(&["stack", "list"]).env("ATOMA_HOME", home).output();
    let told = String::from_utf8(list.unwrap().stderr).unwrap();
    assert!(
        told.contains("was convicted (guilty by the jury of a challenge)"),
        "{told}"
    );
    // a model's name stands for the newest stack here, too
    assert!(!does(home, &["dispute", "show", &claimed.model]).is_empty());
    assert!(!does(home, &["audit", "show", &claimed.stack[..12]]).is_empty());
    let explored = does(home, &["explore", "disputes", "--once"]);
    let states: Vec<_> = explored
        .iter()
        .map(|row| (&row["kind"], &row["state"]))
        .collect();
    let ended = [
        ("challenge", "guilty"),
        ("demand", "answered"),
        ("verdict", "guilty: challenge"),
    ];
    for (kind, state) in ended.map(|(kind, state)| (json!(kind), json!(state))) {
        assert!(states.contains(&(&kind, &state)), "{states:?}");
    }
    let withdrawn = does(home, &["stack", "withdraw", &claimed.stack]);
    let back = withdrawn[0]["withdrawn_micro_usdc"].as_u64().unwrap();
    assert!(
        back > 5 * USDC,
        "the bond and what the node claimed: {back}"
    );
}
