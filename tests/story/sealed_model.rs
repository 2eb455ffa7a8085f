//! A model that its owner seals: a node loads it through the owner's key broker, a user asks it, and the node's host, who
//! keeps all that it can, has nothing of it. By software that acts as hardware, which is allowed by name.

use crate::atoma::{Process, command, objects};
use atoma_engine::builtin;
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_runtime::SystemRandom;
use atoma_tee::octets::Octets;
use atoma_types::MicroUsdc;
use parking_lot::Mutex;
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{self, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
};

/// What the devnet's software says it runs.
const RELEASE: &str = "736f667477617265207468617420616374732061732068617264776172652e2e";
const MEASUREMENT: &str = "5f";
/// Pieces of the weights that are looked for.
const PIECE: usize = 16;

/// A devnet whose task is confidential, the owner of its model, and somebody who runs a node.
struct World {
    home: tempfile::TempDir,
    devnet: Process,
}

/// The line between a node and a broker, whose owner keeps what passes.
struct Wire {
    url: String,
    kept: Arc<Mutex<Vec<u8>>>,
}

impl Wire {
    #[expect(clippy::disallowed_methods, reason = "stands for a program of others")]
    fn to(url: &str) -> Self {
        let target = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let kept = Arc::<Mutex<Vec<u8>>>::default();
        let all = Arc::clone(&kept);
        std::thread::spawn(move || {
            for near in listener.incoming() {
                let (near, far) = (near.unwrap(), TcpStream::connect(&target).unwrap());
                let ways = [
                    (near.try_clone().unwrap(), far.try_clone().unwrap()),
                    (far, near),
                ];
                for (from, to) in ways {
                    let all = Arc::clone(&all);
                    std::thread::spawn(move || pass(from, to, &all));
                }
            }
        });
        Self { url, kept }
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, kept: &Mutex<Vec<u8>>) {
    let mut piece = [0; 4_096];
    while let Ok(count @ 1..) = from.read(&mut piece) {
        kept.lock().extend_from_slice(&piece[..count]);
        if to.write_all(&piece[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

impl World {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let devnet = Process::start_at(home.path(), &["devnet", "--any-port", "--confidential"]);
        let world = Self { home, devnet };
        world.does(&["wallet", "new"]);
        world.does(&["wallet", "fund", "--usdc", "20"]);
        let clear = world.at("owner/model");
        fs::create_dir_all(&clear).unwrap();
        for (name, bytes) in builtin::files() {
            fs::write(clear.join(name), bytes).unwrap();
        }
        fs::create_dir_all(world.at("host/tmp")).unwrap();
        world
    }

    fn at(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    fn text(&self, path: &str) -> String {
        self.at(path).to_string_lossy().into_owned()
    }

    fn run(&self, args: &[&str]) -> Output {
        let home = self.home.path();
        command(args).env("ATOMA_HOME", home).output().unwrap()
    }

    fn does(&self, args: &[&str]) -> Vec<Value> {
        let output = self.run(args);
        let said = objects(&output.stdout);
        assert!(output.status.success(), "{args:?}: {said:?}");
        said
    }

    fn seals(&self) -> Value {
        let (model, sealed, key) = (
            self.text("owner/model"),
            self.text("host/sealed"),
            self.text("owner/key"),
        );
        let seal = [
            "model",
            "seal",
            &model,
            "--out",
            &sealed,
            "--key-file",
            &key,
        ];
        self.does(&seal).remove(0)
    }

    fn broker(&self, policy: &str) -> Process {
        let (key, record) = (self.text("owner/key"), self.text("owner/record"));
        Process::start(&[
            "model",
            "serve-keys",
            "--policy",
            policy,
            "--key-file",
            &key,
            "--release",
            RELEASE,
            "--record",
            &record,
            "--listen",
            "127.0.0.1:0",
        ])
    }

    fn records(&self) -> Vec<Value> {
        objects(&fs::read(self.at("owner/record")).unwrap())
    }

    /// Somebody's node, cheaper than the others, with all that it writes in one folder.
    async fn node(&self, broker: Option<&str>, measurement: &str) -> Command {
        let ledger = Ledger::connect(self.devnet.text("ledger")).await.unwrap();
        let key = self.at("host/operator.key");
        if !key.exists() {
            let operator = SigningKey::generate(&SystemRandom);
            let address = operator.public_key().address();
            ledger.faucet(address).await.unwrap();
            let minted = ledger.mint_usdc(address, MicroUsdc(1_000_000_000)).await;
            minted.unwrap();
            let secret = operator.to_suiprivkey().unwrap();
            atoma_runtime::files::write_private(&key, secret.as_bytes()).unwrap();
        }
        let collateral = ledger.db().await.unwrap().params.min_collateral;
        let keys = broker.map(|url| format!(", model_keys = {url:?}"));
        let config = format!(
            "ledger = {:?}\nkey = {{ file = {key:?} }}\nlisten = \"127.0.0.1:0\"\n\
             admin_listen = \"127.0.0.1:0\"\ndata_dir = {:?}\ncollateral = {collateral}\nmin_grant = 1\n\
             [confidential]\nkind = \"software\"\nallow_software = true\nrelease = \"{RELEASE}\"\n\
             measurement = \"{}\"\n\
             [[subscriptions]]\ntask = {:?}\nprice = 1000\n\
             [[engines]]\nmodel = {:?}\nthreads = 1\n\
             from = {{ sealed = {{ model = {:?}{} }} }}\n",
            ledger.url(),
            self.at("host/node"),
            measurement.repeat(48),
            self.devnet.text("task"),
            self.devnet.text("model"),
            self.at("host/sealed"),
            keys.unwrap_or_default(),
        );
        let path = self.text("host/node.toml");
        fs::write(&path, config).unwrap();
        let mut command = command(&["-vvv", "node", "run", "--config", &path]);
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.at("host/log"))
            .unwrap();
        command
            .env("ATOMA_HOME", self.at("host/home"))
            .env("TMPDIR", self.at("host/tmp"))
            .stderr(log);
        command
    }

    /// The error with which a node doesn't start.
    async fn refused(&self, broker: Option<&str>, measurement: &str) -> String {
        let output = self.node(broker, measurement).await.output().unwrap();
        assert!(!output.status.success());
        let said = objects(&output.stdout);
        said[0]["error"].as_str().unwrap().to_owned()
    }
}

/// Pieces of the weights that are of nothing else.
fn pieces() -> BTreeSet<[u8; PIECE]> {
    let (_, weights) = builtin::files()
        .find(|(name, _)| *name == "model.safetensors")
        .unwrap();
    let (pieces, _) = weights.as_chunks::<PIECE>();
    let rich = |piece: &&[u8; PIECE]| piece.iter().collect::<BTreeSet<_>>().len() > 12;
    pieces.iter().filter(rich).step_by(7).copied().collect()
}

/// How often they stand in bytes.
fn found(pieces: &BTreeSet<[u8; PIECE]>, bytes: &[u8]) -> usize {
    let windows = bytes.array_windows::<PIECE>();
    windows.filter(|window| pieces.contains(*window)).count()
}

/// All bytes of a folder's files.
fn all(folder: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => bytes.extend(all(&path)?),
            false => bytes.extend(fs::read(path)?),
        }
    }
    Ok(bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_serves_a_model_of_which_its_host_has_nothing() {
    let world = World::new();
    let sealed = world.seals();
    let broker = world.broker(world.devnet.text("policy"));
    assert_eq!(broker.ready["models"][0], sealed["model"]);
    let wire = Wire::to(broker.text("url"));
    let run = ["node", "run"];
    let mut node = Process::start_command(world.node(Some(&wire.url), MEASUREMENT).await, &run);

    let policy = world.devnet.text("policy");
    let ask = [
        "chat",
        "--budget",
        "1",
        "--max-tokens",
        "8",
        "--temperature",
        "0",
    ];
    let sealed_to = ["--confidential", "--policy", policy, "What is the sun?"];
    let said = world.does(&[&ask[..], &sealed_to].concat());
    assert!(
        said[0]["text"]
            .as_str()
            .is_some_and(|text| !text.is_empty()),
        "{said:?}"
    );
    let receipts = world.does(&["receipt", "list"]);
    assert!(receipts[0]["fault"].is_null());
    let request = receipts[0]["request"].as_str().unwrap();
    let receipt = world.does(&["receipt", "show", request]).remove(0);
    assert_eq!(receipt["node"], node.ready["node"], "{receipt}");
    node.terminate();

    let records = world.records();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(records[0]["outcome"], "released");
    assert_eq!(records[0]["release"], RELEASE);
    assert_eq!(records[0]["model"], sealed["model"]);

    let key = fs::read_to_string(world.at("owner/key")).unwrap();
    let key = key.split_whitespace().last().unwrap().to_owned();
    let raw: Octets<32> = key.parse().unwrap();
    let pieces = pieces();
    assert!(found(&pieces, &all(&world.at("owner/model")).unwrap()) > 10_000);
    let (kept, wire) = (all(&world.at("host")).unwrap(), wire.kept.lock().clone());
    assert!(
        kept.len() > 8_000_000 && wire.len() > 3_000,
        "{} {}",
        kept.len(),
        wire.len()
    );
    for bytes in [&kept, &wire] {
        assert_eq!(found(&pieces, bytes), 0);
        for secret in [key.as_bytes(), &raw.0] {
            assert!(!bytes.windows(secret.len()).any(|part| part == secret));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_the_owner_does_not_accept_is_given_no_key_and_does_not_start() {
    let world = World::new();
    world.seals();
    let broker = world.broker(world.devnet.text("policy"));
    let url = broker.text("url").to_owned();
    // another measurement than the policy has
    let said = world.refused(Some(&url), "60").await;
    assert!(
        said.contains("key_policy") && said.contains("policy_measurement"),
        "{said}"
    );
    // nobody to ask
    let said = world.refused(None, MEASUREMENT).await;
    assert!(said.contains("model_keys"), "{said}");
    let said = world.refused(Some("http://127.0.0.1:9"), MEASUREMENT).await;
    assert!(
        said.contains("cannot ask the key broker at http://127.0.0.1:9"),
        "{said}"
    );
    let records = world.records();
    assert_eq!(records.len(), 1, "{records:?}");
    assert_eq!(
        (&records[0]["outcome"], &records[0]["code"]),
        (&"refused".into(), &"key_policy".into())
    );
    // no node was registered meanwhile
    let nodes = world.does(&["node", "list"]);
    assert_eq!(
        nodes.len(),
        world.devnet.ready["nodes"].as_array().unwrap().len()
    );

    // an owner who has no such release in mind starts no broker at all
    let none = world.at("owner/strict.toml");
    let text = fs::read_to_string(world.devnet.text("policy")).unwrap();
    fs::write(&none, text.replace(RELEASE, &"11".repeat(32))).unwrap();
    let (key, policy) = (world.text("owner/key"), none.to_string_lossy().into_owned());
    let serve = [
        "model",
        "serve-keys",
        "--policy",
        &policy,
        "--key-file",
        &key,
        "--release",
        RELEASE,
    ];
    let refused = objects(&world.run(&serve).stdout);
    let said = refused[0]["error"].as_str().unwrap();
    assert!(said.contains("has no release"), "{said}");
}
