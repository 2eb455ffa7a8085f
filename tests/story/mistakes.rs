//! The mistakes that people make most, and what the command says to them. Every text stands in
//! `mistakes.txt`, so that whoever changes one sees it as its reader will. `ATOMA_BLESS=1` writes the file
//! anew.

use crate::atoma::{Process, objects, plain, run};
use serde_json::Value;
use std::{
    fs,
    io::Write,
    net::TcpListener,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Stdio,
};

/// A public key of RFC 8032: any will do for a node that never signs.
const RESPONSE_KEY: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
/// Nothing listens on the discard port.
const NOBODY: &str = "http://127.0.0.1:9";

/// Commands that go wrong, with what they said; what differs from run to run has a name instead.
struct Transcript {
    folder: tempfile::TempDir,
    text: String,
    names: Vec<(String, &'static str)>,
}

impl Transcript {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let names = vec![(folder.path().to_str().unwrap().to_owned(), "FOLDER")];
        Self {
            folder,
            text: String::new(),
            names,
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().unwrap().to_owned()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// From now on a text is shown as a name.
    fn name(&mut self, text: &str, name: &'static str) {
        self.names.push((text.to_owned(), name));
    }

    /// Runs a command that must go well, as the owner of a data folder; its first object.
    fn well(&self, home: &str, args: &[&str]) -> Value {
        let home = self.path(home);
        let output = run(&[&["--home", &home], args].concat());
        let objects = objects(&output.stdout);
        assert!(output.status.success(), "{args:?}: {objects:?}");
        objects.into_iter().next().unwrap_or_default()
    }

    /// Runs a command that must fail, and keeps what it said.
    fn wrong(&mut self, title: &str, args: &[&str]) {
        self.wrong_with(title, args, "");
    }

    /// The same with something on its standard input.
    fn wrong_with(&mut self, title: &str, args: &[&str], input: &str) {
        let mut child = plain()
            .args(["--home", &self.path("home")])
            .args(args)
            // texts as they are, however long the path of a folder in them is
            .env("COLUMNS", "1000")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).unwrap();
        assert!(!output.status.success(), "{title}: {said}");
        let status = output.status.code().unwrap();
        let entry = format!(
            "# {title}\n$ atoma {}\n{said}[exit {status}]\n\n",
            args.join(" ")
        );
        let named = |text: String, (value, name): &(String, &str)| text.replace(value, name);
        self.text += &self.names.iter().fold(entry, named);
    }

    /// Holds it against the file.
    fn finish(self) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/story/mistakes.txt");
        if std::env::var_os("ATOMA_BLESS").is_some() {
            fs::write(&path, self.text).unwrap();
            return;
        }
        let expected = fs::read_to_string(&path).unwrap();
        for (said, expected) in self.text.split("\n\n").zip(expected.split("\n\n")) {
            assert_eq!(said, expected, "ATOMA_BLESS=1 writes {}", path.display());
        }
        assert_eq!(self.text, expected);
    }
}

fn localnet(config: &Path, data: &str) -> Process {
    let config = config.to_str().unwrap();
    let run = ["localnet", "run", "--config", config];
    let place = ["--listen", "127.0.0.1:0", "--data-dir", data];
    Process::start(&[&run[..], &place].concat())
}

#[test]
fn the_commonest_mistakes_are_answered_with_what_to_do() {
    let mut told = Transcript::new();
    at_the_command_line(&mut told);
    in_files(&mut told);
    in_policies(&mut told);
    with_keys(&mut told);
    while_something_else_runs(&mut told);
    on_the_ledger(&mut told);
    told.finish();
}

fn at_the_command_line(told: &mut Transcript) {
    told.wrong("a misspelt command", &["stak", "list"]);
    told.wrong("a misspelt flag", &["chat", "hello", "--max-token", "5"]);
    told.wrong(
        "a value that is no number",
        &["stack", "top-up", &format!("0x{}", "1".repeat(64)), "many"],
    );
    told.wrong(
        "a value that is no amount",
        &["wallet", "fund", "--usdc", "1,5"],
    );
    told.wrong("an address that is none", &["wallet", "send", "alice", "1"]);
    told.wrong(
        "a URL without http",
        &["--ledger", "localhost:9000", "task", "list"],
    );
    told.wrong(
        "a network that isn't known",
        &["--network", "tesnet", "task", "list"],
    );
    told.wrong("no network is up", &["--ledger", NOBODY, "task", "list"]);
    told.wrong(
        "the same, in JSON",
        &["--json", "--ledger", NOBODY, "task", "list"],
    );
    told.wrong(
        "a model that isn't there",
        &["demo", "--model", "./nowhere"],
    );
}

fn in_files(told: &mut Transcript) {
    let missing = told.path("missing.toml");
    told.wrong(
        "a file that isn't there",
        &["node", "run", "--config", &missing],
    );
    let node = "data_dir = \"d\"\nkey = { file = \"k\" }\n\n[limits]\nmax_requets = 7\n\
                \n[[engines]]\nmodel = \"m\"\nfrom = \"builtin\"\n";
    let file = told.write("node.toml", node);
    told.wrong(
        "a misspelt key of a node",
        &["node", "run", "--config", &file],
    );
    let file = told.write("engines.toml", "data_dir = \"d\"\nkey = { file = \"k\" }\n");
    told.wrong(
        "a node without engines",
        &["node", "run", "--config", &file],
    );
    let engine = "[[engines]]\nmodel = \"m\"\nfrom = \"bultin\"\n";
    let file = told.write("engine.toml", engine);
    told.wrong("a misspelt engine", &["node", "run", "--config", &file]);
    let gateway =
        "key = { file = \"k\" }\ndata_dir = \"d\"\nbudget = 1\nclose_stack_on_stop = true\n";
    let file = told.write("gateway.toml", gateway);
    told.wrong(
        "a misspelt key of a gateway",
        &["gateway", "run", "--config", &file],
    );
    let file = told.write("unknown.toml", "colour = 1\n");
    told.wrong(
        "a key that no gateway has",
        &["gateway", "run", "--config", &file],
    );
    let file = told.write("kind.toml", "key = { file = \"k\" }\nbudget = \"5 USDC\"\n");
    told.wrong(
        "a value of another kind",
        &["gateway", "run", "--config", &file],
    );
    let file = told.write("localnet.toml", "lisen = \"127.0.0.1:0\"\n");
    told.wrong(
        "a misspelt key of a localnet",
        &["localnet", "run", "--config", &file],
    );
    let file = told.write("params.toml", "[params]\ndispute_windows_ms = 5\n");
    told.wrong(
        "a misspelt parameter",
        &["localnet", "run", "--config", &file],
    );
    let file = told.write("cost.toml", "requests_per_day = 5\ninput_token = 3\n");
    told.wrong("a misspelt figure", &["cost", "--config", &file]);
    let file = told.write("settings.toml", "keystor = \"k\"\n");
    told.wrong(
        "a misspelt setting",
        &["--settings", &file, "wallet", "list"],
    );
    let home = PathBuf::from(told.path("home"));
    fs::create_dir_all(&home).unwrap();
    let file = told.write("walrus.toml", "node = 5\n");
    told.wrong(
        "a misspelt key of a Walrus",
        &["walrus", "serve", "--config", &file],
    );
    let networks = home.join("networks.toml");
    fs::write(
        &networks,
        "[networks.mine]\nledgr = \"http://127.0.0.1:9\"\n",
    )
    .unwrap();
    told.wrong("a misspelt key of a network", &["network", "list"]);
    fs::remove_file(&networks).unwrap();
    let file = told.write("broken.toml", "listen = 127.0.0.1:0\n");
    told.wrong(
        "a file that isn't TOML",
        &["localnet", "run", "--config", &file],
    );
}

fn in_policies(told: &mut Transcript) {
    let file = told.write("policy.toml", "tier = \"software\"\n\nreleses = []\n");
    told.wrong(
        "a misspelt key of a policy",
        &["chat", "--confidential", "--policy", &file, "hello"],
    );
    told.wrong(
        "the same where evidence is verified",
        &["tee", "verify", "bundle", "--policy", &file],
    );
    let file = told.write("incomplete.toml", "tier = \"software\"\n");
    told.wrong(
        "a policy that lacks a key",
        &["tee", "verify", "bundle", "--policy", &file],
    );
}

fn with_keys(told: &mut Transcript) {
    told.wrong_with(
        "a key that is none",
        &["wallet", "import"],
        "suiprivkey1oops",
    );
    let file = told.write("not.keystore", "{}");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    told.wrong(
        "a keystore that is none",
        &["--keystore", &file, "wallet", "list"],
    );
}

fn while_something_else_runs(told: &mut Transcript) {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    told.name(&address, "ADDRESS:PORT");
    let run = ["localnet", "run", "--listen", &address, "--data-dir"];
    let data = told.path("ledger-0");
    told.wrong("a port in use", &[&run[..], &[&data]].concat());
}

fn on_the_ledger(told: &mut Transcript) {
    let config = told.write("ledger.toml", "clock = \"system\"\n");
    let (config, data) = (PathBuf::from(config), told.path("ledger"));
    let ledger = localnet(&config, &data);
    let url = ledger.text("ledger").to_owned();
    told.name(url.trim_start_matches("http://"), "LEDGER");
    told.name(ledger.text("network"), "NETWORK");
    let run = ["localnet", "run", "--listen", "127.0.0.1:0", "--data-dir"];
    told.wrong("a data folder in use", &[&run[..], &[&data]].concat());

    told.well("home", &["--ledger", &url, "network", "add", "mine"]);
    told.well("home", &["network", "use", "mine"]);
    told.wrong(
        "no key yet",
        &["wallet", "send", &format!("0x{}", "1".repeat(64)), "1"],
    );
    let me = told.well("home", &["wallet", "new"])["address"].clone();
    let me = me.as_str().unwrap();
    told.name(me, "ME");
    let revision = "2".repeat(64);
    let create = ["task", "create", "tiny", "--revision", &revision];
    told.wrong("no gas", &create);
    told.well("home", &["wallet", "fund"]);
    let big = ["wallet", "send", me, "1000000"];
    told.wrong("no money", &big);
    told.well("home", &["wallet", "fund", "--usdc", "1000"]);
    told.wrong(
        "a gas budget too small",
        &["--gas-budget", "1", "wallet", "send", me, "1"],
    );
    told.wrong("an id that is none", &["task", "show", "llama"]);
    told.wrong("no stack yet", &["chat", "hello"]);
    let nothing = format!("0x{}", "1".repeat(64));
    told.wrong("a stack that isn't there", &["stack", "show", &nothing]);

    // a node that nobody can reach
    let task = told.well("home", &create);
    let task = task["task"].as_str().unwrap();
    told.name(task, "TASK");
    let register = ["node", "register", "--url", NOBODY, "--collateral", "100"];
    let register = [&register[..], &["--response-key", RESPONSE_KEY]].concat();
    let node = told.well("home", &register);
    let node = node["node"].as_str().unwrap();
    told.name(node, "NODE");
    let terms = ["--price", "1"];
    told.well(
        "home",
        &[&["node", "subscribe", node, task][..], &terms].concat(),
    );
    let buy = ["stack", "buy", task, "--units", "1000", "--max-price"];
    told.wrong("a price that no node takes", &[&buy[..], &["0.5"]].concat());
    let stack = told.well("home", &[&buy[..], &["2"]].concat());
    let stack = stack["stack"].as_str().unwrap();
    told.name(stack, "STACK");
    told.wrong("a node that can't be reached", &["chat", "hello"]);
    told.wrong("another kind of object", &["stack", "show", task]);

    let other = told.well("home", &["wallet", "new"]);
    let other = other["address"].as_str().unwrap();
    told.name(other, "OTHER");
    told.well("home", &["--address", other, "wallet", "fund"]);
    told.wrong(
        "a task of somebody else",
        &["--address", other, "task", "deprecate", task],
    );
    told.well("home", &["task", "deprecate", task]);
    told.wrong("a task that has ended", &[&buy[..], &["2"]].concat());

    // without the package
    let config = told.write("bare.toml", "unpublished = true\n");
    let bare = localnet(&PathBuf::from(config), &told.path("bare"));
    let place = bare.text("ledger").to_owned();
    told.name(place.trim_start_matches("http://"), "BARE");
    told.wrong(
        "no package published",
        &["--ledger", &place, "task", "list"],
    );
    let id = format!("network = {:?}\n", ledger.text("network"));
    let networks = format!("[networks.held]\nledger = {place:?}\n{id}");
    fs::write(
        PathBuf::from(told.path("home")).join("networks.toml"),
        networks,
    )
    .unwrap();
    told.name(bare.text("network"), "OTHER-NETWORK");
    told.wrong(
        "another network than was meant",
        &["--network", "held", "network", "publish"],
    );
}
