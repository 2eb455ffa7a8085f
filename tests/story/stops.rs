//! Somebody stops an answer before its end: what is charged is said, and what is left then.

use crate::{atoma::plain, town::Town};
use atoma_runtime::Threads;
use std::{
    io::Read,
    process::{Child, Command, Stdio},
};

/// Presses Ctrl-C once something of the answer is there; what it says, and how it ends.
fn stopped(mut chat: Child) -> (String, Option<i32>) {
    let mut answer = chat.stdout.take().unwrap();
    answer.read_exact(&mut [0]).unwrap();
    let pid = chat.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status();
    assert!(sent.unwrap().success());
    let mut said = String::new();
    chat.stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    (said, chat.wait().unwrap().code())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_an_answer_is_told_what_is_charged_and_what_is_left() {
    let town = Town::stalling().await;
    let stack = town.buys().await.to_string();
    let chat = plain()
        .args(town.settings())
        .args(["chat", "What is the sun?", "--stack", &stack])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (said, status) = Threads::Real.blocking(move || stopped(chat)).await.unwrap();
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert_eq!(status, Some(130), "{said}");

    let receipts = town.does(&["receipt", "list"]).await;
    assert_eq!(receipts.len(), 1, "{said}");
    let units = receipts[0]["units"].as_u64().unwrap();
    assert!(
        said.contains("stopped: what was answered is charged: 0.0000"),
        "{said}"
    );
    assert!(said.contains(&format!(" USDC ({units} units)")), "{said}");
    let left = 5_000 - units;
    assert!(
        said.ends_with(&format!("{left} units are left on the stack")),
        "{said}"
    );
    let shown = town.does(&["stack", "show", &stack]).await;
    assert_eq!(shown[0]["used_units"], units);
    assert_eq!(
        (&shown[0]["open_units"], &shown[0]["left_units"]),
        (&0.into(), &left.into())
    );
}
