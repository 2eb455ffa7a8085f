//! The official SDKs, unchanged, against `atoma devnet`: over the model in the program, and over llama.cpp's
//! own server.

use crate::atoma::Part;
use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests")
        .join(name)
}

fn start_devnet(more: &[&str]) -> Part {
    let mut args = vec!["devnet", "--any-port", "--unreachable-model"];
    args.extend(more);
    Part::start(&args)
}

/// llama.cpp's own server, which makes embeddings, too; it ends with its standard input.
fn start_llama() -> (Child, String) {
    let mut server = Command::new(folder("../target/llama/bin/python"))
        .arg(folder("servers/llama.py"))
        .arg(folder("../target/llama/model.gguf"))
        .args(["embeddings=1", "slots=4"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|e| panic!("llama.cpp's server: {e}; run `cargo xtask test`"));
    let mut url = String::new();
    let out = server.stdout.take().expect("it is piped");
    BufReader::new(out).read_line(&mut url).expect("its URL");
    (server, url.trim().to_owned())
}

fn python() -> String {
    std::env::var("ATOMA_TEST_PYTHON").unwrap_or_else(|_| {
        folder("../target/sdk-python/bin/python")
            .to_string_lossy()
            .into_owned()
    })
}

/// Runs a script with the devnet's addresses and keys in its environment.
fn check(program: &str, script: &Path, devnet: &Part) {
    let output = Command::new(program)
        .arg(script)
        .env("ATOMA_BASE_URL", devnet.text("endpoint"))
        .env("ATOMA_API_KEY", devnet.text("api_key"))
        .env("ATOMA_POOR_KEY", devnet.text("poor_key"))
        .env("ATOMA_NARROW_KEY", devnet.text("narrow_key"))
        .env("ATOMA_MODEL", devnet.text("model"))
        .env("ATOMA_DEAD_MODEL", devnet.text("dead_model"))
        .output()
        .unwrap_or_else(|e| panic!("cannot start {program}: {e}; run `cargo xtask test`"));
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success(),
        "{text}\n{}",
        String::from_utf8_lossy(&output.stderr)
    );
    println!("{text}");
}

#[test]
fn openai_for_python() {
    let mut devnet = start_devnet(&[]);
    check(&python(), &folder("sdk/python/run.py"), &devnet);
    devnet.terminate();
}

#[test]
fn openai_for_javascript() {
    let mut devnet = start_devnet(&[]);
    check("node", &folder("sdk/js/run.mjs"), &devnet);
    devnet.terminate();
}

#[test]
fn openai_for_python_over_llama_cpp() {
    let (mut server, url) = start_llama();
    let mut devnet = start_devnet(&["--model", &url]);
    check(&python(), &folder("sdk/python/run.py"), &devnet);
    devnet.terminate();
    server.kill().expect("stopped");
    server.wait().expect("ended");
}
