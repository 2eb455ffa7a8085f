//! A real server with the built-in model, as `cargo xtask test` installs it: llama.cpp's own, or vLLM where
//! `ATOMA_TEST_SERVER` says so.

use atoma_engine::{Engine, Upstream, UpstreamOptions};
use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

/// Whether vLLM is asked for.
fn is_vllm() -> bool {
    std::env::var("ATOMA_TEST_SERVER").is_ok_and(|name| name == "vllm")
}

/// A running server; dropping it stops it.
pub(crate) struct RealServer {
    child: Child,
    url: String,
    options: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn spawn(options: &[String]) -> (Child, String) {
    let (program, script, model) = if is_vllm() {
        ("target/vllm", "tests/servers/vllm.py", "models/atoma-tiny")
    } else {
        let model = "target/llama/model.gguf";
        ("target/llama", "tests/servers/llama.py", model)
    };
    let mut child = Command::new(root().join(program).join("bin/python"))
        .arg(root().join(script))
        .arg(root().join(model))
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // signals reach its workers, too
        .process_group(0)
        .spawn()
        .unwrap_or_else(|e| panic!("the server: {e}; run `cargo xtask test`"));
    let mut url = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut url).unwrap();
    assert!(
        url.starts_with("http"),
        "the server says where it is: {url:?}"
    );
    (child, url.trim().to_owned())
}

impl RealServer {
    /// Starts it on a free port; `options` as the scripts in `tests/servers` have them.
    pub(crate) fn start(options: &[&str]) -> Self {
        let options: Vec<String> = options.iter().map(|&o| o.to_owned()).collect();
        let (child, url) = spawn(&options);
        Self {
            child,
            url,
            options,
        }
    }

    pub(crate) fn url(&self) -> String {
        self.url.clone()
    }

    /// As a crash does it.
    pub(crate) fn kill(&mut self) {
        self.signal("KILL");
        self.child.wait().unwrap();
    }

    /// Starts it again where it was.
    pub(crate) fn restart(&mut self) {
        let port = self.url.rsplit(':').next().unwrap();
        let mut options = self.options.clone();
        options.push(format!("port={port}"));
        (self.child, self.url) = spawn(&options);
    }

    /// To all of its processes: `STOP`, `CONT`, `KILL`.
    pub(crate) fn signal(&self, signal: &str) {
        assert!(self.send(signal));
    }

    fn send(&self, signal: &str) -> bool {
        let (signal, group) = (format!("-{signal}"), format!("-{}", self.child.id()));
        let sent = Command::new("kill")
            .args([&*signal, "--", &*group])
            .status();
        sent.unwrap().success()
    }
}

/// An engine with these servers, which notices soon what becomes of them.
pub(crate) fn engine(servers: &[RealServer]) -> Arc<dyn Engine> {
    let urls = servers.iter().map(RealServer::url).collect();
    let options = UpstreamOptions {
        model: Some("atoma-tiny".to_owned()),
        probe_interval: Duration::from_millis(50),
        // one step of a long prompt on a busy machine takes several seconds; vLLM compiles at its first request
        // for log probabilities
        stall: Duration::from_secs(if is_vllm() { 40 } else { 12 }),
        ..UpstreamOptions::new("ours", urls)
    };
    Upstream::connect(options).unwrap()
}

impl Drop for RealServer {
    fn drop(&mut self) {
        // it may have been killed before
        let _ = self.send("KILL");
        let _ = self.child.wait();
    }
}
