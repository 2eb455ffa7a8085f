//! An operator with a server: a task for its model by the hub's word alone, a node before the server, and
//! somebody who asks.

use crate::{
    atoma::{Process, command, objects},
    others::Llama,
};
use atoma_ledger::Ledger;
use atoma_types::{EngineClass, Numerics, Rule, TaskId, hash::Hash32};
use serde_json::Value;
use std::{
    fs,
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
};

/// A hub that knows one model by its commit, and has none of its files.
struct Hub(String);

impl Hub {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        // it ends with the test's process
        #[expect(clippy::disallowed_methods, reason = "stands for a program of others")]
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let asked = lines.next().unwrap_or_default();
                lines.take_while(|line| !line.is_empty()).for_each(drop);
                let (status, body) =
                    if asked.starts_with("GET /api/models/them/model/revision/main ") {
                        ("200 OK", r#"{"sha":"c0ffee","siblings":[]}"#)
                    } else {
                        ("404 Not Found", "{}")
                    };
                let length = body.len();
                let head =
                    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close");
                // whoever left got what it wanted
                let _ = write!(&stream, "{head}\r\n\r\n{body}");
            }
        });
        Self(url)
    }
}

struct Operator<'a> {
    home: &'a Path,
    hub: &'a str,
}

impl Operator<'_> {
    fn does(&self, args: &[&str]) -> Result<Vec<Value>, String> {
        let command = command(args)
            .env("ATOMA_HOME", self.home)
            .env("HF_ENDPOINT", self.hub)
            .output();
        let output = command.expect("the binary starts");
        let said = objects(&output.stdout);
        if output.status.success() {
            Ok(said)
        } else {
            Err(said[0]["error"].to_string())
        }
    }

    fn creates_task(&self, model: &str) -> Result<TaskId, String> {
        let create = [
            "task",
            "create",
            model,
            "--upstream",
            "--price-ceiling",
            "5",
        ];
        let made = self.does(&create)?;
        Ok(made[0]["task"]
            .as_str()
            .expect("an id")
            .parse()
            .expect("an id"))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_only_a_server_has_gets_its_task_from_the_hub_and_is_served() {
    let (home, hub, llama) = (tempfile::tempdir().unwrap(), Hub::start(), Llama::start());
    let home = home.path();
    let operator = Operator { home, hub: &hub.0 };
    let mut devnet = Process::start_at(home, &["devnet", "--any-port"]);
    operator.does(&["wallet", "new"]).unwrap();
    operator.does(&["wallet", "fund", "--usdc", "500"]).unwrap();

    // the class says which repository and commit, and that no bits are promised
    let task = operator.creates_task("them/model").unwrap();
    let ledger = Ledger::connect(devnet.text("ledger")).await.unwrap();
    let created = ledger.task(task).await.unwrap();
    let EngineClass {
        model,
        numerics,
        rule,
    } = created.engine;
    assert_eq!(created.model_name, "them/model");
    assert_eq!((numerics, rule), (Numerics::Tolerant, Rule::Tolerant));
    assert_ne!(model, Hash32::ZERO);
    let again = operator.creates_task("them/model").unwrap();
    assert_eq!(ledger.task(again).await.unwrap().engine, created.engine);
    let unknown = operator.creates_task("them/another").unwrap_err();
    assert!(unknown.contains("them/another"), "{unknown}");

    let config = home.join("node.toml");
    let text = format!(
        "ledger = {:?}\nkey = {{ keystore = {{ path = {:?} }} }}\nlisten = \"127.0.0.1:0\"\n\
         admin_listen = \"127.0.0.1:0\"\ndata_dir = {:?}\ncollateral = 100000000\n\
         [[subscriptions]]\ntask = \"{task}\"\nprice = 1000000\n\
         [[engines]]\nmodel = \"them/model\"\n\
         [engines.from.upstream]\nurls = [{:?}]\nmodel = \"atoma-tiny\"\n",
        devnet.text("ledger"),
        home.join("sui.keystore"),
        home.join("node"),
        llama.url(),
    );
    fs::write(&config, text).unwrap();
    let mut node = Process::start_at(
        home,
        &["node", "run", "--config", &config.to_string_lossy()],
    );
    let units = ["--units", "10000", "--max-price", "5"];
    let task = task.to_string();
    operator
        .does(&[&["stack", "buy", &task][..], &units].concat())
        .unwrap();
    let ask = [
        "chat",
        "What is the sun?",
        "--max-tokens",
        "12",
        "--temperature",
        "0",
    ];
    let told = operator.does(&ask).unwrap();
    assert!(told[0].to_string().contains("star"), "{told:?}");
    node.terminate();
    devnet.terminate();
}
