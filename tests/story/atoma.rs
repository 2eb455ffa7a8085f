//! The `atoma` binary as a user starts it.

use serde_json::Value;
use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

/// A command line of `atoma`, with `--json`, that finds no configuration of the machine's user.
pub(crate) fn command(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_atoma"));
    command.arg("--json").args(args).env_remove("RUST_LOG");
    for name in ["SETTINGS", "HOME", "LEDGER", "KEYSTORE", "ADDRESS"] {
        command.env_remove(format!("ATOMA_{name}"));
    }
    command
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

/// A running `atoma devnet`; stopped with SIGTERM when dropped.
pub(crate) struct Devnet {
    child: Child,
    /// Its `ready` line: endpoint, keys, ledger, nodes.
    pub(crate) ready: Value,
    // keeps the pipe open, or the child's next line would fail
    _stdout: BufReader<ChildStdout>,
}

impl Devnet {
    /// Starts one and waits until it says that it is ready.
    pub(crate) fn start(extra: &[&str]) -> Self {
        let free = [
            "devnet",
            "--listen",
            "127.0.0.1:0",
            "--ledger-listen",
            "127.0.0.1:0",
        ];
        let mut child = command(&[&free, extra].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts");
        let mut stdout = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut line = String::new();
        loop {
            line.clear();
            if stdout.read_line(&mut line).expect("stdout is readable") == 0 {
                let mut errors = String::new();
                let stderr = child.stderr.as_mut().expect("stderr is piped");
                stderr
                    .read_to_string(&mut errors)
                    .expect("stderr is readable");
                panic!("devnet ended before it was ready: {errors}");
            }
            let value: Value = serde_json::from_str(&line).expect("each line is JSON");
            assert!(value.get("error").is_none(), "{value}");
            if value["step"] == "ready" {
                return Self {
                    child,
                    ready: value,
                    _stdout: stdout,
                };
            }
        }
    }

    /// A text field of the `ready` line.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.ready[name]
            .as_str()
            .unwrap_or_else(|| panic!("no `{name}` in {}", self.ready))
    }
}

impl Drop for Devnet {
    fn drop(&mut self) {
        let _ = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}
