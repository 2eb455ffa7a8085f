//! What is bought within a budget where answers are examined: a token costs a thousand times as much there, so that a
//! question of the usual length is worth more than small change.

use crate::{
    atoma::{Process, command, objects},
    proxy::{does, http},
};
use serde_json::{Value, json};
use std::path::Path;

/// A devnet whose answers may be challenged, and a user with 20 USDC.
fn world() -> (tempfile::TempDir, Process) {
    let home = tempfile::tempdir().unwrap();
    let devnet = ["devnet", "--any-port", "--examined", "0"];
    let devnet = Process::start_at(home.path(), &devnet);
    does(home.path(), &["wallet", "new"]);
    does(home.path(), &["wallet", "fund", "--usdc", "20"]);
    (home, devnet)
}

/// A command that fails: what it says, and on stderr.
fn fails(home: &Path, args: &[&str]) -> String {
    let output = command(args).env("ATOMA_HOME", home).output().unwrap();
    assert!(!output.status.success(), "{args:?}");
    let lines = objects(&output.stdout);
    lines[0]["error"].as_str().unwrap().to_owned()
}

fn dollars(home: &Path) -> u64 {
    let wallets = does(home, &["wallet", "list"]);
    wallets[0]["balance_micro_usdc"].as_u64().unwrap()
}

/// What stands behind a word in a text, up to a blank or a comma.
fn after<'a>(text: &'a str, word: &str) -> &'a str {
    let (_, rest) = text
        .split_once(word)
        .unwrap_or_else(|| panic!("{word}: {text}"));
    rest.trim_start().split([' ', ',']).next().unwrap()
}

#[test]
fn a_budget_buys_what_the_question_may_need_or_nothing() {
    let (home, devnet) = world();
    let home = home.path();
    fn with<'a>(more: &[&'a str]) -> Vec<&'a str> {
        [&["chat", "What is the sun?"], more].concat()
    }

    // too little for the usual 256 tokens: nothing is bought, at the second try neither
    let before = dollars(home);
    for _ in 0..2 {
        let error = fails(home, &with(&["--budget", "1"]));
        assert!(error.contains("at 2.00 USDC per million"), "{error}");
        assert!(error.contains("use --budget "), "{error}");
        assert_eq!(dollars(home), before);
    }
    assert_eq!(does(home, &["stack", "list"]), [] as [Value; 0]);

    // what it says does
    let error = fails(home, &with(&["--budget", "1.5"]));
    let (budget, tokens) = (after(&error, "--budget"), after(&error, "--max-tokens"));
    let said = does(home, &with(&["--budget", "1.5", "--max-tokens", tokens]));
    assert!(said[0]["text"].is_string(), "{said:?}");
    let stacks = does(home, &["stack", "list"]);
    assert_eq!(stacks.len(), 1);
    let signed = &stacks[0]["max_price_micro_usdc_per_million_units"];
    assert_eq!(
        *signed,
        json!(2_000_000),
        "nobody's dearest price is signed"
    );
    does(
        home,
        &["stack", "close", stacks[0]["stack"].as_str().unwrap()],
    );
    does(home, &with(&["--budget", budget]));
    // the rest of it answers the next question, too
    does(home, &with(&["--budget", budget]));
    assert_eq!(does(home, &["stack", "list"]).len(), 1);

    // who names no price for a stack signs the fair one: most of the collateral here asks ten dollars
    let model = devnet.text("model");
    let bought = does(home, &["stack", "buy", model, "--units", "1000"]);
    let price = &bought[0]["max_price_micro_usdc_per_million_units"];
    assert_eq!(*price, json!(10_000_000));
}

#[test]
fn a_gateway_answers_a_request_that_names_no_limit_and_says_what_no_node_can_take_on() {
    let (home, devnet) = world();
    let chat = format!("{}/chat/completions", devnet.text("endpoint"));
    let key = format!("POST authorization: Bearer {}\r\n", devnet.text("api_key"));
    let asked = |url: &str, head: &str, more: &Value| {
        let mut body = json!({
            "model": devnet.text("model"),
            "messages": [{ "role": "user", "content": "What is the sun?" }],
        });
        let fields = body.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        let (status, body) = http(url, head, &body.to_string());
        (status, serde_json::from_str::<Value>(&body).unwrap())
    };
    let (status, answer) = asked(&chat, &key, &json!({}));
    assert_eq!(status, 200, "{answer}");
    // one after the other they need no more
    let (status, answer) = asked(&chat, &key, &json!({ "max_tokens": 1_000 }));
    assert_eq!(status, 200, "{answer}");
    // nor does a long prompt
    let (status, answer) = asked(
        &chat,
        &key,
        &json!({ "max_tokens": 8, "n": 1, "messages": [
        { "role": "user", "content": "sun ".repeat(300) }
    ] }),
    );
    assert_eq!(status, 200, "{answer}");

    // what a small budget pays for is answered, by whoever is cheapest, as often as it does
    let run = ["proxy", "--listen", "127.0.0.1:0", "--budget", "2"];
    let mut ready = command(&run);
    ready
        .env("ATOMA_HOME", home.path())
        .stderr(std::process::Stdio::piped());
    let mut proxy = Process::start_command(ready, &run);
    let chat = format!("{}/chat/completions", proxy.text("endpoint"));
    for _ in 0..2 {
        let (status, answer) = asked(&chat, "POST", &json!({ "max_tokens": 64 }));
        assert_eq!(status, 200, "{answer}");
    }
    let stacks = does(home.path(), &["stack", "list"]);
    let signed = &stacks[0]["max_price_micro_usdc_per_million_units"];
    assert_eq!((stacks.len(), signed), (1, &json!(2_000_000)));

    // of what it doesn't pay for it says which budget would do, and what fits, when it starts and when it is asked
    let (status, answer) = asked(&chat, "POST", &json!({ "max_tokens": 900 }));
    assert_eq!(status, 402, "{answer}");
    let message = answer["error"]["message"].as_str().unwrap();
    let budget = after(message, "--budget of");
    assert!(budget.parse::<f64>().unwrap() > 1.0, "{message}");
    // and what it says is served
    let tokens: u64 = after(message, "`max_tokens` of at most").parse().unwrap();
    let (status, answer) = asked(&chat, "POST", &json!({ "max_tokens": tokens - 10 }));
    assert_eq!(status, 200, "{answer}");
    proxy.terminate();
    let told = proxy.errors();
    assert!(
        told.contains("and --budget is 2.00 USDC: --budget "),
        "{told}"
    );
}
