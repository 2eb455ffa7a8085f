//! The `atoma` binary as a user starts it.

use atoma_network::testing::get;
use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{self, Child, ChildStdout, Command, Output, Stdio},
    sync::OnceLock,
    time::Duration,
};
use tokio::time::Instant;

/// A command line of `atoma`, with `--json`, that finds no configuration of the machine's user.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = plain();
    command.arg("--json").args(args);
    command
}

/// The same as people type it, still without arguments.
pub(crate) fn plain() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_atoma"));
    command
        .env_remove("RUST_LOG")
        .env_remove("ATOMA_LOG_FORMAT");
    for name in [
        "SETTINGS",
        "LEDGER",
        "NETWORK",
        "KEYSTORE",
        "ADDRESS",
        "SPONSOR",
        "GAS_BUDGET",
        "WALRUS_PUBLISHER",
        "WALRUS_AGGREGATOR",
        "WALRUS_SHARDS",
    ] {
        command.env_remove(format!("ATOMA_{name}"));
    }
    command.env("ATOMA_HOME", no_home()).env_remove("COLUMNS");
    command
}

/// A data folder for commands that name none: this process's own, empty at first.
fn no_home() -> &'static Path {
    static HOME: OnceLock<PathBuf> = OnceLock::new();
    HOME.get_or_init(|| {
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("home-{}", process::id()));
        let _ = std::fs::remove_dir_all(&home);
        home
    })
}

/// Runs to the end.
pub(crate) fn run(args: &[&str]) -> Output {
    command(args).output().expect("the binary starts")
}

/// The JSON objects of an output, one a line.
pub(crate) fn objects(stdout: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stdout).expect("output is UTF-8");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e} in line: {line}")))
        .collect()
}

/// A part of a network, or all of it, as a process; killed when dropped.
pub(crate) struct Process {
    child: Child,
    stdout: BufReader<ChildStdout>,
    /// Its `ready` line.
    pub(crate) ready: Value,
    /// It has a ledger of its own, whose money is counted when it ends.
    has_ledger: bool,
}

impl Process {
    /// Starts it and waits for its `ready` line.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_command(command(args), args)
    }

    /// The same with a data folder of its user.
    pub(crate) fn start_at(home: &Path, args: &[&str]) -> Self {
        let mut command = command(args);
        command.env("ATOMA_HOME", home);
        Self::start_command(command, args)
    }

    /// A command that was made ready.
    pub(crate) fn start_command(mut command: Command, args: &[&str]) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        // from here on dropping it ends the process
        let mut process = Self {
            child,
            stdout,
            ready: Value::Null,
            has_ledger: args.contains(&"devnet") || args.contains(&"localnet"),
        };
        let mut line = String::new();
        while process.ready["step"] != "ready" {
            line.clear();
            let read = process
                .stdout
                .read_line(&mut line)
                .expect("stdout is readable");
            assert!(read > 0, "{args:?} ended before it was ready");
            process.ready = serde_json::from_str(&line).expect("each line is JSON");
            assert!(
                process.ready.get("error").is_none(),
                "{args:?}: {}",
                process.ready
            );
        }
        process
    }

    /// A text field of the `ready` line.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.ready[name]
            .as_str()
            .unwrap_or_else(|| panic!("no `{name}` in {}", self.ready))
    }

    /// What it has said on stderr, which was piped, once it has ended.
    pub(crate) fn errors(&mut self) -> String {
        let mut text = String::new();
        let stderr = self.child.stderr.as_mut().expect("stderr is piped");
        stderr.read_to_string(&mut text).expect("it is text");
        text
    }

    /// Ends the process as `kill -9` does: it has no chance to clean up.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// SIGTERM; waits until it has ended by itself.
    pub(crate) fn terminate(&mut self) {
        self.count_money();
        self.signal("-TERM");
        assert!(
            self.child.wait().expect("it ends").success(),
            "it ends well"
        );
    }

    /// All money of its ledger is there, if it has one and still runs.
    fn count_money(&mut self) {
        let runs = matches!(self.child.try_wait(), Ok(None)) && self.ready["step"] == "ready";
        if runs && self.has_ledger && !std::thread::panicking() {
            let audit = format!(
                "{}/localnet/audit",
                self.text("ledger").trim_end_matches('/')
            );
            let answer = get(&audit);
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    }

    /// Ctrl-C; how long it took to end.
    pub(crate) fn interrupt(&mut self) -> Duration {
        let pressed = Instant::now();
        self.signal("-INT");
        self.child.wait().expect("it ends");
        pressed.elapsed()
    }

    /// Sends a signal and waits for nothing.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([name, &self.child.id().to_string()])
            .status();
        assert!(sent.expect("kill starts").success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.count_money();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
