//! llama.cpp's own server with the built-in model, as `cargo xtask test` installs it.

use atoma_engine::{Engine, Upstream, UpstreamOptions};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

/// A running server; dropping it stops it.
pub(crate) struct Llama {
    child: Child,
    url: String,
    options: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn spawn(options: &[String]) -> (Child, String) {
    let installed = root().join("target/llama");
    let mut child = Command::new(installed.join("bin/python"))
        .arg(root().join("tests/servers/llama.py"))
        .arg(installed.join("model.gguf"))
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("llama.cpp's server: {e}; run `cargo xtask test`"));
    let mut url = String::new();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    out.read_line(&mut url).unwrap();
    assert!(
        url.starts_with("http"),
        "the server says where it is: {url:?}"
    );
    (child, url.trim().to_owned())
}

impl Llama {
    /// Starts it on a free port; `options` as `tests/servers/llama.py` has them.
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

    /// An engine with this server alone, which notices soon what becomes of it.
    pub(crate) fn engine(&self) -> Arc<dyn Engine> {
        let options = UpstreamOptions {
            model: Some("atoma-tiny".to_owned()),
            probe_interval: Duration::from_millis(50),
            stall: Duration::from_secs(2),
            ..UpstreamOptions::new("ours", vec![self.url()])
        };
        Upstream::connect(options).unwrap()
    }

    /// As a crash does it.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was.
    pub(crate) fn restart(&mut self) {
        let port = self.url.rsplit(':').next().unwrap();
        let mut options = self.options.clone();
        options.push(format!("port={port}"));
        (self.child, self.url) = spawn(&options);
    }

    /// Stops all of its threads, or lets them go on: `STOP`, `CONT`.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill")
            .args([&format!("-{signal}"), &pid])
            .status();
        assert!(sent.unwrap().success());
    }
}

impl Drop for Llama {
    fn drop(&mut self) {
        // it may have been killed before
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
