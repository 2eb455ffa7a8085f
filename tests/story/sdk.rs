//! The official SDKs, unchanged, against `atoma devnet`: over the model in the program, and over llama.cpp's
//! own server.

use crate::{
    atoma::Process,
    others::{Llama, folder, python},
};
use std::{path::Path, process::Command};

fn start_devnet(more: &[&str]) -> Process {
    let mut args = vec!["devnet", "--any-port", "--unreachable-model"];
    args.extend(more);
    Process::start(&args)
}

/// Runs a script with the devnet's addresses and keys in its environment.
fn check(program: &str, script: &Path, devnet: &Process) {
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

/// The same over a real server: gateway, node, llama.cpp.
fn check_over_llama_cpp(program: &str, script: &Path) {
    let llama = Llama::start();
    let mut devnet = start_devnet(&["--model", llama.url()]);
    check(program, script, &devnet);
    devnet.terminate();
}

#[test]
fn openai_for_python_over_llama_cpp() {
    check_over_llama_cpp(&python(), &folder("sdk/python/run.py"));
}

#[test]
fn openai_for_javascript_over_llama_cpp() {
    check_over_llama_cpp("node", &folder("sdk/js/run.mjs"));
}
