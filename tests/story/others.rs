//! Programs of others that take part in stories; `cargo xtask test` installs them.

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// A file or folder of `tests`.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests")
        .join(name)
}

/// A Python that has the OpenAI SDK.
pub(crate) fn python() -> String {
    std::env::var("ATOMA_TEST_PYTHON").unwrap_or_else(|_| {
        folder("../target/sdk-python/bin/python")
            .to_string_lossy()
            .into_owned()
    })
}

/// llama.cpp's own server with the built-in model, which makes embeddings, too; dropping it stops it.
pub(crate) struct Llama {
    child: Child,
    url: String,
}

impl Llama {
    pub(crate) fn start() -> Self {
        let mut child = Command::new(folder("../target/llama/bin/python"))
            .arg(folder("servers/llama.py"))
            .arg(folder("../target/llama/model.gguf"))
            .args(["embeddings=1", "slots=4"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| panic!("llama.cpp's server: {e}; run `cargo xtask test`"));
        let mut url = String::new();
        let out = child.stdout.take().expect("it is piped");
        BufReader::new(out).read_line(&mut url).expect("its URL");
        Self {
            child,
            url: url.trim().to_owned(),
        }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Llama {
    fn drop(&mut self) {
        // it may have ended by itself
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
