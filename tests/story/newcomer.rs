//! The first hour: a devnet in one terminal, and in another every command, with no variable and no flag
//! that says where anything is.

use crate::atoma::{Process, command, objects, plain};
use serde_json::Value;
use std::{
    io::Write,
    path::Path,
    process::{Output, Stdio},
    time::Duration,
};
use tokio::time::Instant;

/// Whoever presses Ctrl-C wants to go on; the machine may be busy.
const AT_ONCE: Duration = Duration::from_secs(8);
/// Nothing here takes longer, even on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// A person with a data folder, who types commands.
struct Person<'a>(&'a Path);

impl Person<'_> {
    fn types(&self, args: &[&str]) -> Output {
        let output = command(args).env("ATOMA_HOME", self.0).output();
        output.expect("the binary starts")
    }

    fn does(&self, args: &[&str]) -> Vec<Value> {
        let output = self.types(args);
        let said = objects(&output.stdout);
        assert!(output.status.success(), "{args:?}: {said:?}");
        said
    }

    /// As a person reads it, with something on its standard input.
    fn reads(&self, args: &[&str], input: &str) -> (String, String, Option<i32>) {
        let mut child = plain()
            .args(args)
            .env("ATOMA_HOME", self.0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(input.as_bytes()).expect("it is read");
        drop(stdin);
        let output = child.wait_with_output().expect("it ends");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (
            text(output.stdout),
            text(output.stderr),
            output.status.code(),
        )
    }
}

fn devnet(home: &Path) -> Process {
    Process::start_at(home, &["devnet", "--any-port"])
}

#[test]
fn every_command_finds_a_devnet_without_being_told_where_it_is() {
    let home = tempfile::tempdir().unwrap();
    let person = Person(home.path());
    let mut devnet = devnet(home.path());
    assert_eq!(devnet.ready["profile_in_use"], true);

    person.does(&["wallet", "new"]);
    let funded = person.does(&["wallet", "fund", "--usdc", "5"]);
    assert_eq!(funded[0]["balance_micro_usdc"], 5_000_000);
    // one model: what only shows clients an error isn't on sale
    let tasks = person.does(&["task", "list"]);
    assert_eq!(tasks.len(), 1, "{tasks:?}");
    assert_eq!(tasks[0]["cheapest_micro_usdc_per_million_units"], 2_000_000);
    let model = devnet.text("model");

    // names and beginnings of ids stand for ids
    let units = ["--units", "100000", "--max-price", "5"];
    let bought = person.does(&[&["stack", "buy", model][..], &units].concat());
    let stack = bought[0]["stack"].as_str().unwrap();
    let shown = person.does(&["stack", "show", &stack[..12]]);
    assert_eq!(shown[0]["stack"], stack);
    assert_eq!(
        person.does(&["task", "show", model])[0]["task"],
        tasks[0]["task"]
    );
    let node = shown[1]["node"].as_str().unwrap();
    assert_eq!(person.does(&["node", "show", &node[..12]])[0]["node"], node);

    let ask = ["chat", "What is the sun?", "--max-tokens", "8"];
    let told = person.does(&ask);
    let request = told[0]["request"].as_str().unwrap();
    assert!(told[0]["cost_micro_usdc"].as_u64().is_some());
    assert_eq!(
        person.does(&["receipt", "show", &request[..20]])[0]["request"],
        request
    );

    // the evidence is on Walrus a moment later; what isn't settled yet can't be checked
    let started = Instant::now();
    let verified = loop {
        let output = person.types(&["verify", &request[..20]]);
        let said = objects(&output.stdout);
        assert_eq!(output.status.code(), Some(2), "{said:?}");
        let made = |check: &str| {
            let row = said.iter().find(|row| row["check"] == check);
            row.is_some_and(|row| row["result"] == "passed")
        };
        if made("blob id") && made("certified") {
            break said;
        }
        assert!(started.elapsed() < PATIENCE, "{said:?}");
    };
    assert!(verified.iter().any(|row| row["verdict"] == "incomplete"));

    // the same model gives the same answer here, at the temperature that its makers advise
    let output = person.types(&["verify", &request[..20], "--recompute"]);
    let said = objects(&output.stdout);
    let row = said.iter().find(|row| row["check"] == "computation");
    assert_eq!(row.unwrap()["result"], "passed", "{said:?}");

    let file = home.path().join("greeting.txt");
    std::fs::write(&file, "hello").unwrap();
    let stored = person.does(&["walrus", "store", file.to_str().unwrap()]);
    let blob = stored[0]["blob_id"].as_str().unwrap();
    assert_eq!(person.types(&["walrus", "read", blob]).stdout, b"hello");
    let known = person.does(&["walrus", "blob-id", file.to_str().unwrap()]);
    assert_eq!(known[0]["blob_id"], blob);

    // a closed stack is shown where it is asked for
    person.does(&["stack", "close", stack]);
    assert!(person.does(&["stack", "list"]).is_empty());
    let all = person.does(&["stack", "list", "--all"]);
    assert_eq!(
        (&all[0]["stack"], &all[0]["state"]),
        (&bought[0]["stack"], &"closed".into())
    );

    // what people read fits their terminal, but for a whole id
    for shown in [
        &["stack", "list", "--all"][..],
        &["stack", "show", stack],
        &["task", "list"],
        &["receipt", "list"],
        &["receipt", "show", &request[..20]],
        &["wallet", "list"],
        &["network", "list"],
        &["network", "doctor"],
        &["node", "list"],
        &["verify", &request[..20]],
        &["explore", "stacks", "--once"],
        &["explore", "overview", "--once"],
        &["chat", "Hello", "--budget", "0.0001"],
        &["stack"],
        &["--help"],
    ] {
        let (out, error, _) = person.reads(shown, "");
        let has_id = |line: &str| line.split(' ').any(|word| word.len() > 42);
        let long = |line: &&str| line.chars().count() > 80 && !has_id(line);
        let lines = out.lines().chain(error.lines()).filter(long);
        let lines: Vec<_> = lines.collect();
        assert!(lines.is_empty(), "{shown:?}: {lines:#?}");
    }

    // when it stops, nothing of it stays in use
    assert!(devnet.interrupt() < AT_ONCE);
    let networks = person.does(&["network", "list"]);
    assert!(networks.iter().all(|network| network["used"] == false));
    assert!(
        networks
            .iter()
            .all(|network| network["network"] != "devnet-local")
    );
}

#[test]
fn an_answer_is_on_stdout_and_its_cost_on_stderr() {
    let home = tempfile::tempdir().unwrap();
    let person = Person(home.path());
    let _devnet = devnet(home.path());
    person.does(&["wallet", "new"]);
    person.does(&["wallet", "fund", "--usdc", "5"]);

    // nothing is bought unasked, and no more than asked
    let limit = ["--max-tokens", "8"];
    let ask = [&["chat", "What is the sun?"][..], &limit].concat();
    let (answer, error, status) = person.reads(&ask, "");
    assert_eq!((answer.as_str(), status), ("", Some(1)), "{error}");
    assert!(error.contains("--budget"), "{error}");
    let within = [&ask[..], &["--budget", "0.5"]].concat();
    let (answer, cost, status) = person.reads(&within, "");
    assert_eq!(status, Some(0), "{cost}");
    assert!(
        !answer.trim().is_empty() && !answer.contains("USDC"),
        "{answer}"
    );
    let lines: Vec<&str> = cost.lines().collect();
    assert!(lines[0].starts_with("bought stack 0x"), "{cost}");
    let last = lines.last().unwrap();
    assert!(
        last.contains(" USDC: ") && last.contains("receipt "),
        "{cost}"
    );
    // a question of eight tokens takes a cent, whatever the budget is
    let left = || person.does(&["wallet", "list"])[0]["balance_micro_usdc"].as_u64();
    assert!(left() >= Some(4_989_000), "{:?}", left());

    // the stack that there is pays for what comes by pipe
    let (answer, cost, status) = person.reads(&[&["chat", "-"][..], &limit].concat(), "Hello!\n");
    assert_eq!(status, Some(0), "{cost}");
    assert!(
        !answer.trim().is_empty() && !cost.contains("bought"),
        "{cost}"
    );
    let (_, facts, _) = person.reads(&[&["chat", "--receipt"][..], &limit].concat(), "Hello!");
    assert!(
        facts
            .lines()
            .any(|line| line.starts_with("cumulative units ")),
        "{facts}"
    );

    // a conversation, line by line
    let talk = [&["chat", "--interactive"][..], &limit].concat();
    let (answers, costs, status) = person.reads(&talk, "Hello!\nWhat is the sun?\n/new\nHello!\n");
    assert_eq!(status, Some(0), "{costs}");
    assert_eq!(
        costs
            .lines()
            .filter(|line| line.contains(" USDC: "))
            .count(),
        3,
        "{costs}"
    );
    assert!(answers.lines().count() >= 3, "{answers}");
    for end in ["/quit\nHello!\n", "/exit\nHello!\n"] {
        let (answers, said, status) = person.reads(&talk, end);
        assert_eq!((answers.as_str(), status), ("", Some(0)), "{said}");
    }
    // nothing that isn't a question is paid, and a script hears of it
    for (words, input, why) in [
        (&talk[..], "/quti\n", "/quti is no command here"),
        (&["chat", ""], "", "the prompt is empty"),
    ] {
        let (_, said, status) = person.reads(words, input);
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(person.does(&["stack", "list"]).len(), 1);
    assert_eq!(person.does(&["receipt", "list"]).len(), 6);
}

#[test]
fn a_choice_of_the_users_own_stays_and_variables_that_decide_are_named() {
    let home = tempfile::tempdir().unwrap();
    let person = Person(home.path());
    person.does(&["network", "use", "testnet"]);
    let mut devnet = devnet(home.path());
    assert_eq!(devnet.ready["profile_in_use"], false);
    let used = person.does(&["network", "show"]);
    assert_eq!(used[0]["network"], "testnet");
    // by its name it is there, whatever the environment says
    let list = ["--network", "devnet-local", "task", "list"];
    let output = command(&list)
        .env("ATOMA_HOME", home.path())
        .env("ATOMA_LEDGER", "http://127.0.0.1:9")
        .output()
        .unwrap();
    assert!(output.status.success());
    assert_eq!(objects(&output.stdout).len(), 1);
    assert!(output.stderr.is_empty());
    // the environment beats the network in use, and this is said
    let output = command(&["task", "list"])
        .env("ATOMA_HOME", home.path())
        .env("ATOMA_LEDGER", devnet.text("ledger"))
        .output()
        .unwrap();
    assert!(output.status.success());
    let note = String::from_utf8(output.stderr).unwrap();
    assert!(
        note.contains("ATOMA_LEDGER") && note.contains("testnet"),
        "{note}"
    );
    devnet.terminate();
    assert_eq!(person.does(&["network", "show"])[0]["network"], "testnet");
}

#[test]
fn a_second_interrupt_ends_any_part_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("ledger");
    let run = ["localnet", "run", "--listen", "127.0.0.1:0", "--data-dir"];
    let mut ledger = Process::start(&[&run[..], &[data.to_str().unwrap()]].concat());
    ledger.signal("-INT");
    assert!(ledger.interrupt() < AT_ONCE);
    let mut devnet = Process::start(&["devnet", "--any-port"]);
    devnet.signal("-INT");
    assert!(devnet.interrupt() < AT_ONCE);
}

/// Nodes are drawn by collateral that has matured: on a network for trying things out it has at once.
#[test]
fn nodes_are_drawn_on_a_devnet_that_has_just_begun_and_else_it_is_said_why_not() {
    let home = tempfile::tempdir().unwrap();
    let person = Person(home.path());
    let devnet = devnet(home.path());
    let model = devnet.text("model");
    person.does(&["wallet", "new"]);
    person.does(&["wallet", "fund", "--usdc", "5"]);
    let buy = ["stack", "buy", model, "--units", "10000", "--nodes"];
    let drawn = person.does(&[&buy[..], &["2"]].concat());
    assert_eq!(drawn[0]["candidates"], 2);
    let (_, said, status) = person.reads(&[&buy[..], &["3", "--max-price", "3"]].concat(), "");
    assert_eq!(status, Some(1));
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains(
            "3 nodes are to be drawn, and 2 can be: 1 of the others asks more than 3.00 USDC"
        ),
        "{said}"
    );
}

/// A name that several stacks have is nobody's: what is typed twice does nothing to another one.
#[test]
fn a_stack_that_is_closed_twice_closes_no_other_one() {
    let home = tempfile::tempdir().unwrap();
    let person = Person(home.path());
    let mut devnet = devnet(home.path());
    let model = devnet.text("model").to_owned();
    person.does(&["wallet", "new"]);
    person.does(&["wallet", "fund", "--usdc", "5"]);
    let buy = [
        "stack",
        "buy",
        &model,
        "--units",
        "10000",
        "--max-price",
        "5",
    ];
    let bought = [(); 2].map(|()| person.does(&buy)[0]["stack"].as_str().unwrap().to_owned());
    let open = || {
        let open = person.does(&["stack", "list"]);
        let ids = open
            .iter()
            .map(|stack| stack["stack"].as_str().unwrap().to_owned());
        ids.collect::<Vec<_>>()
    };
    for changes in [
        &["close", &model][..],
        &["revoke", &model],
        &["top-up", &model, "100"],
    ] {
        let (_, said, status) = person.reads(&[&["stack"], changes].concat(), "");
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(status, Some(1), "{said}");
        assert!(
            said.contains(&format!("there are 2 open stacks of `{model}`")),
            "{said}"
        );
        assert!(bought.iter().all(|id| said.contains(&id[..10])), "{said}");
    }
    assert_eq!(open(), bought);
    person.does(&["stack", "close", &bought[1]]);
    let beginning = &bought[1][..14];
    for again in [&bought[1], beginning] {
        let (_, said, status) = person.reads(&["stack", "close", again], "");
        assert_eq!(status, Some(1), "{said}");
        assert!(said.contains("is closed already"), "{said}");
    }
    assert_eq!(open(), bought[..1]);
    // the only one that is left is meant
    person.does(&["stack", "close", &model]);
    let (_, said, _) = person.reads(&["stack", "close", &model], "");
    assert!(said.contains("are all closed"), "{said}");

    // of a devnet that has ended they are still listed, as of another network
    devnet.terminate();
    let _another = self::devnet(home.path());
    assert!(person.does(&["stack", "list"]).is_empty());
    let all = person.does(&["stack", "list", "--all"]);
    let states: Vec<_> = all
        .iter()
        .map(|stack| stack["state"].as_str().unwrap())
        .collect();
    assert_eq!(states, ["closed, of another network"; 2]);
}

/// What stands on this machine is shown whether or not there is a ledger, and what needs one is said.
#[test]
fn what_is_kept_here_needs_no_ledger_and_a_taken_port_is_found_at_once() {
    let home = tempfile::tempdir().unwrap();
    let person = Person(home.path());
    let mut devnet = devnet(home.path());
    person.does(&["wallet", "new"]);
    person.does(&["wallet", "fund", "--usdc", "5"]);
    let ask = [
        "chat",
        "What is the sun?",
        "--max-tokens",
        "8",
        "--budget",
        "1",
    ];
    let told = person.does(&ask);
    let request = told[0]["request"].as_str().unwrap();
    let show = ["receipt", "show", request];
    let shown = person.does(&show);
    assert_eq!(shown[0]["signature_checked"], true);
    devnet.terminate();
    let kept = person.does(&show);
    assert_eq!(kept[0]["signature_checked"], false);
    assert_eq!(kept[0]["receipt"], shown[0]["receipt"]);
    let (out, said, status) = person.reads(&["wallet", "list"], "");
    assert_eq!(status, Some(0));
    assert!(
        out.contains("0x") && said.contains("balances can't be asked: "),
        "{said}"
    );

    // before a model is loaded or anything is started
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let at = taken.local_addr().unwrap().to_string();
    let (out, said, status) = person.reads(&["devnet", "--any-port", "--walrus-listen", &at], "");
    assert_eq!((out.as_str(), status), ("", Some(1)), "{said}");
    assert!(
        said.contains(&format!("Walrus cannot listen on {at}")),
        "{said}"
    );
    assert!(
        said.contains("--walrus-listen") && said.contains("--any-port"),
        "{said}"
    );
}
