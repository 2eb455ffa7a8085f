//! Any OpenAI client on this machine, over stacks of one's own.

use crate::{
    atoma::{Process, command, objects},
    others::{Llama, folder, python},
};
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpStream,
    path::Path,
    process::Command,
};

/// A plain HTTP client that knows nothing of Atoma: one request, its status and its body.
pub(crate) fn http(url: &str, head: &str, body: &str) -> (u16, String) {
    let address = url.trim_start_matches("http://");
    let (address, path) = address.split_once('/').unwrap();
    let (method, more) = head.split_once(' ').unwrap_or((head, ""));
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    write!(
        stream,
        "{method} /{path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n{more}\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

pub(crate) fn does(home: &Path, args: &[&str]) -> Vec<Value> {
    let output = command(args).env("ATOMA_HOME", home).output().unwrap();
    let said = objects(&output.stdout);
    assert!(output.status.success(), "{args:?}: {said:?}");
    said
}

struct World {
    home: tempfile::TempDir,
    devnet: Process,
}

impl World {
    /// A devnet with these arguments, too, and a user with money.
    fn new(devnet: &[&str]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let run = ["devnet", "--any-port"];
        let devnet = Process::start_at(home.path(), &[&run[..], devnet].concat());
        does(home.path(), &["wallet", "new"]);
        does(home.path(), &["wallet", "fund", "--usdc", "20"]);
        Self { home, devnet }
    }

    fn proxy(&self, args: &[&str]) -> Process {
        let run = ["proxy", "--listen", "127.0.0.1:0"];
        Process::start_at(self.home.path(), &[&run[..], args].concat())
    }

    fn question(&self, more: &Value) -> String {
        let mut body = json!({
            "model": self.devnet.text("model"),
            "messages": [{ "role": "user", "content": "What is the sun?" }],
            "max_tokens": 8,
        });
        let fields = body.as_object_mut().unwrap();
        fields.extend(more.as_object().unwrap().clone());
        body.to_string()
    }
}

#[test]
fn a_plain_http_client_asks_over_ones_own_stack() {
    let world = World::new(&[]);
    let home = world.home.path();
    let mut proxy = world.proxy(&[]);
    let endpoint = proxy.text("endpoint").to_owned();
    let chat = format!("{endpoint}/chat/completions");

    // without a stack nothing is bought, and the error is OpenAI's
    let (status, body) = http(&chat, "POST", &world.question(&json!({})));
    assert_eq!(status, 402, "{body}");
    let error: Value = serde_json::from_str(&body).unwrap();
    assert!(
        error["error"]["message"]
            .as_str()
            .unwrap()
            .contains("no stack of yours"),
        "{body}"
    );

    // an empty wallet is named, whatever the budget
    let empty = does(home, &["wallet", "new"]);
    let empty = empty[0]["address"].as_str().unwrap();
    let mut poor = world.proxy(&["--budget", "1", "--address", empty]);
    let asked = format!("{}/chat/completions", poor.text("endpoint"));
    let (status, body) = http(&asked, "POST", &world.question(&json!({})));
    assert_eq!(status, 402, "{body}");
    assert!(
        body.contains(empty) && body.contains("and has 0 USDC"),
        "{body}"
    );
    poor.terminate();

    // one that is bought meanwhile does
    let units = ["--units", "100000", "--max-price", "5"];
    let model = world.devnet.text("model");
    does(home, &[&["stack", "buy", model][..], &units].concat());
    let (status, body) = http(&chat, "POST", &world.question(&json!({})));
    assert_eq!(status, 200, "{body}");
    proxy.terminate();

    // it pays all that it has room for, at the node that took it, before a budget buys anything
    let mut proxy = world.proxy(&["--budget", "5"]);
    let endpoint = proxy.text("endpoint").to_owned();
    let chat = format!("{endpoint}/chat/completions");
    let (status, body) = http(&format!("{endpoint}/models"), "GET", "");
    assert!(status == 200 && body.contains(model), "{body}");
    // any key will do, and none as well
    let keyed = "POST authorization: Bearer anything\r\n";
    for head in ["POST", keyed] {
        let (status, body) = http(&chat, head, &world.question(&json!({})));
        assert_eq!(status, 200, "{body}");
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert!(
            answer["choices"][0]["message"]["content"].is_string(),
            "{body}"
        );
    }
    let (status, stream) = http(&chat, "POST", &world.question(&json!({ "stream": true })));
    assert_eq!(status, 200);
    assert!(stream.contains("data: [DONE]"), "{stream}");
    let text = json!({ "model": model, "prompt": "The sun is", "max_tokens": 4 }).to_string();
    let (status, body) = http(&format!("{endpoint}/completions"), "POST", &text);
    assert_eq!(status, 200, "{body}");
    let text = json!({ "model": model, "input": ["a", "b"] }).to_string();
    let (status, body) = http(&format!("{endpoint}/embeddings"), "POST", &text);
    assert_eq!(status, 200, "{body}");

    // wrong requests get OpenAI's errors, and a web page gets nothing
    let (status, body) = http(&chat, "POST", "{\"model\":\"nobody\"}");
    assert!(
        status == 404 && body.contains("\"error\""),
        "{status} {body}"
    );
    let page = "POST origin: https://example.com\r\n";
    assert_eq!(http(&chat, page, &world.question(&json!({}))).0, 401);

    // every answer has a receipt, checked and kept
    proxy.terminate();
    let receipts = does(home, &["receipt", "list"]);
    assert_eq!(receipts.len(), 6, "{receipts:?}");
    assert!(receipts.iter().all(|receipt| receipt["fault"].is_null()));
    let stacks = does(home, &["stack", "list"]);
    assert_eq!(stacks.len(), 1, "{stacks:?}");
    assert_eq!(stacks[0]["units"], 100_000, "nothing was topped up");
    let node = &receipts[0]["node"];
    assert!(receipts.iter().all(|receipt| receipt["node"] == *node));
}

/// An SDK, with nothing but a base URL, over stacks that the proxy buys.
fn an_sdk_works(world: &World, program: &str, script: &Path) {
    let proxy = world.proxy(&["--budget", "10"]);
    an_sdk_works_at(proxy, world.devnet.text("model"), (program, script));
}

/// An SDK, with nothing but the base URL of a proxy, which ends afterwards.
pub(crate) fn an_sdk_works_at(mut proxy: Process, model: &str, (program, script): (&str, &Path)) {
    let output = Command::new(program)
        .arg(script)
        .env("OPENAI_BASE_URL", proxy.text("endpoint"))
        .env("OPENAI_API_KEY", "unused")
        .env("ATOMA_MODEL", model)
        .output()
        .unwrap_or_else(|e| panic!("cannot start {program}: {e}; run `cargo xtask test`"));
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}\n{errors}");
    proxy.terminate();
}

#[test]
fn within_a_budget_it_buys_what_openais_sdk_needs() {
    let world = World::new(&[]);
    an_sdk_works(&world, &python(), &folder("sdk/python/proxy.py"));
    let home = world.home.path();
    let spent = 20_000_000
        - does(home, &["wallet", "list"])[0]["balance_micro_usdc"]
            .as_u64()
            .unwrap();
    assert!(0 < spent && spent <= 10_000_000, "{spent}");
    assert!(does(home, &["receipt", "list"]).len() >= 4);
}

#[test]
fn both_sdks_work_over_a_node_before_llama_cpp() {
    let llama = Llama::start();
    let world = World::new(&["--model", llama.url()]);
    an_sdk_works(&world, &python(), &folder("sdk/python/proxy.py"));
    an_sdk_works(&world, "node", &folder("sdk/js/proxy.mjs"));
    let receipts = does(world.home.path(), &["receipt", "list"]);
    assert!(receipts.len() >= 8, "{receipts:?}");
    assert!(receipts.iter().all(|receipt| receipt["fault"].is_null()));
}

#[test]
fn it_listens_to_this_machine_alone_unless_that_is_allowed() {
    let output = crate::atoma::run(&["proxy", "--listen", "0.0.0.0:0"]);
    assert!(!output.status.success());
    let said = objects(&output.stdout);
    assert!(
        said[0]["error"].as_str().unwrap().contains("--public"),
        "{said:?}"
    );
}
