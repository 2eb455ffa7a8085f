//! A user who has some of their answers computed again: what is wrong is found, challenged, and all comes back.

use crate::{
    atoma::{command, objects},
    walk::{Claimed, does, ended},
};
use serde_json::json;

const USDC: u64 = 1_000_000;

#[tokio::test]
async fn a_watcher_finds_a_wrong_answer_by_computing_it_again_and_challenges_it() {
    let claimed = Claimed::start();
    let home = &claimed.home;
    // who asks for no check hears of nothing, and stakes nothing
    let watch = ["stack", "watch", "--once", "--challenge", "5"];
    let unseen = does(home, &watch);
    assert!(
        unseen.iter().all(|line| line["wrong"].is_null()),
        "{unseen:?}"
    );
    // a script that looks is told by the exit code
    let check = [&watch[..], &["--check", "1"]].concat();
    let looked = command(&check).env("ATOMA_HOME", home).output().unwrap();
    assert_eq!(looked.status.code(), Some(2));
    let found = objects(&looked.stdout);
    let claim = found.iter().find(|line| line["event"] == "claim").unwrap();
    assert_eq!(claim["remedy"], "challenge", "{found:?}");
    let challenged = found.iter().find(|line| line["event"] == "challenged");
    assert_eq!(challenged.unwrap()["bond_micro_usdc"], json!(5 * USDC));
    let guilty = "convicted: guilty by the jury of a challenge";
    assert_eq!(ended(home, "challenge").await, guilty);
    let withdrawn = does(home, &["stack", "withdraw", &claimed.stack]);
    let back = withdrawn[0]["withdrawn_micro_usdc"].as_u64().unwrap();
    assert!(
        back > 5 * USDC,
        "the bond and what the node claimed: {back}"
    );
}
