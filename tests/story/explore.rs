//! What happened on a network is found by anyone who reads its ledger.

use crate::{
    atoma,
    case::{paid, pays, settles},
};
use atoma_network::testing::{DAY, Trial};
use serde_json::{Value, json};

/// The explorer's lines for a section of a ledger, by a stranger with an empty data folder.
fn explore(home: &std::path::Path, ledger: &str, section: &str) -> Vec<Value> {
    let home = home.to_string_lossy();
    let output = atoma::run(&["--home", &home, "--ledger", ledger, "explore", section]);
    let objects = atoma::objects(&output.stdout);
    assert!(output.status.success(), "{objects:?}");
    objects
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_sees_the_stack_and_what_was_settled() {
    let trial = Trial::start().await;
    let url = trial.world.localnet().url();
    let home = tempfile::tempdir().expect("a folder");
    let bought = explore(home.path(), &url, "stacks");
    assert_eq!(bought.len(), 1);
    assert_eq!(bought[0]["stack"], json!(trial.stack));
    assert_eq!(
        (&bought[0]["state"], &bought[0]["deposited_micro_usdc"]),
        (&json!("open"), &json!(5_000))
    );
    assert_eq!(bought[0]["paid_micro_usdc"], json!(0));

    let before = trial.accounts().await;
    settles(&trial).await;
    trial.advance(DAY + 1).await;
    pays(&trial).await;
    assert_eq!(before.moved(&trial.accounts().await), paid());
    // the second time it goes on from its file
    let seen = explore(home.path(), &url, "stacks");
    assert_eq!(seen.len(), 1);
    assert_eq!(
        (
            &seen[0]["state"],
            &seen[0]["settled"],
            &seen[0]["in_escrow_micro_usdc"]
        ),
        (&json!("open"), &json!(3_500), &json!(1_500))
    );
    assert_eq!(
        (
            &seen[0]["paid_micro_usdc"],
            &seen[0]["fees_micro_usdc"],
            &seen[0]["freed_micro_usdc"]
        ),
        (&json!(3_465), &json!(35), &json!(0))
    );
    let settlements = explore(home.path(), &url, "settlements");
    assert_eq!(settlements[0]["state"], json!("paid"));
    assert_eq!(settlements[0]["requests"], json!(3));
    let sums = explore(home.path(), &url, "overview");
    assert_eq!(sums[0]["paid_to_nodes_micro_usdc"], json!(3_465));
    assert_eq!(explore(home.path(), &url, "nodes").len(), 1);

    // text, where no terminal is: the same facts as a table
    let folder = home.path().to_string_lossy().into_owned();
    let mut plain = std::process::Command::new(env!("CARGO_BIN_EXE_atoma"));
    plain.args([
        "--home",
        &folder,
        "--ledger",
        &url,
        "explore",
        "settlements",
    ]);
    let text = plain.output().expect("the binary starts").stdout;
    let text = String::from_utf8(text).expect("text");
    assert!(
        text.contains("paid") && text.contains("0.003465 USDC"),
        "{text}"
    );
}
