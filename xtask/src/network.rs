//! `ATOMA_TEST_NETWORK=testnet cargo xtask test`: the same tests on a network that isn't theirs. It is
//! prepared by the command that an operator types: the key is imported, the package published where it
//! isn't yet, and its parameters set to what tests can wait for. What is known of the network then stays
//! in `target/test-network/`, so that the next run publishes nothing.

use crate::shell::{root, run};
use anyhow::{Context, Result, bail, ensure};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// A known network's name, a ledger's URL, or a `networks.toml` with one in use.
pub(crate) const NETWORK: &str = "ATOMA_TEST_NETWORK";
/// Who pays, and administers what is published: `suiprivkey1...`.
pub(crate) const KEY: &str = "ATOMA_TEST_KEY";
/// What is known of networks, in a home folder.
const FILE: &str = "networks.toml";
/// The name that a URL gets.
const GIVEN: &str = "given";
/// Parameters of a package that the tests published: collateral that a test key can spare; windows long enough
/// for a node to answer in them, and short enough to wait for.
const PARAMS: [(&str, u64); 5] = [
    ("min_collateral", 100_000),
    ("dispute_bond", 10_000),
    ("dispute_window_ms", 30_000),
    ("answer_window_ms", 15_000),
    ("settle_grace_ms", 60_000),
];

/// The command, and the folder that it keeps networks and keys in.
struct Atoma {
    binary: PathBuf,
    home: PathBuf,
}

/// Prepares the named network, and gives the file that says what is known of it.
pub(crate) fn prepare(named: &str) -> Result<PathBuf> {
    let key = std::env::var(KEY)
        .with_context(|| format!("{NETWORK}={named} needs {KEY}: a key with SUI and USDC there"))?;
    let (is_url, is_file) = (named.contains("://"), Path::new(named).is_file());
    // a ledger has a folder of its own: what was published on one isn't on another
    let folder: String = named
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let home = root().join("target/test-network").join(folder);
    run("cargo", &["build", "--locked", "-p", "atoma-cli"])?;
    let atoma = Atoma {
        binary: root().join("target/debug/atoma"),
        home,
    };
    atoma.import(&key)?;
    let known = atoma.home.join(FILE);
    if is_file && !known.exists() {
        fs::copy(named, &known)?;
    }
    if is_url {
        atoma.run(&["--ledger", named, "network", "add", GIVEN])?;
    }
    if !is_file {
        let name = if is_url { GIVEN } else { named };
        atoma.run(&["network", "use", name])?;
    }
    // where it answers, somebody published before: in an earlier run, or the ledger was born with it
    if atoma.says(&["network", "params"]).is_none() {
        atoma.run(&["network", "publish", "--yes"])?;
        for (name, value) in PARAMS {
            atoma.run(&["network", "set-param", name, &value.to_string()])?;
        }
    }
    // warnings don't stop the tests, failures do
    atoma.run(&["network", "doctor"])?;
    Ok(known)
}

impl Atoma {
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.arg("--home").arg(&self.home).args(args);
        for name in ["SETTINGS", "LEDGER", "NETWORK", "KEYSTORE", "ADDRESS"] {
            command.env_remove(format!("ATOMA_{name}"));
        }
        command
    }

    fn run(&self, args: &[&str]) -> Result<()> {
        println!("+ atoma {}", args.join(" "));
        let status = self.command(args).status().context("atoma starts")?;
        ensure!(status.success(), "`atoma {}` failed", args.join(" "));
        Ok(())
    }

    /// What it prints, if it ends well.
    fn says(&self, args: &[&str]) -> Option<String> {
        let done = self.command(args).output().ok()?;
        let text = String::from_utf8(done.stdout).ok()?;
        done.status.success().then_some(text)
    }

    /// Brings the key into the folder's keystore, by its standard input: arguments can be seen by others.
    fn import(&self, key: &str) -> Result<()> {
        let mut command = self.command(&["wallet", "import"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("atoma starts")?;
        if let Some(mut stdin) = child.stdin.take() {
            write!(stdin, "{key}")?;
        }
        if !child.wait()?.success() {
            bail!("the key in {KEY} can't be imported");
        }
        Ok(())
    }
}
