//! The official SDKs, unchanged, against `atoma devnet`.

use crate::atoma::Part;
use std::{path::Path, process::Command};

fn folder(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests")
        .join(name)
}

fn start_devnet() -> Part {
    Part::start(&["devnet", "--any-port", "--unreachable-model"])
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
    let python = std::env::var("ATOMA_TEST_PYTHON").unwrap_or_else(|_| {
        folder("../target/sdk-python/bin/python")
            .to_string_lossy()
            .into_owned()
    });
    let mut devnet = start_devnet();
    check(&python, &folder("sdk/python/run.py"), &devnet);
    devnet.terminate();
}

#[test]
fn openai_for_javascript() {
    let mut devnet = start_devnet();
    check("node", &folder("sdk/js/run.mjs"), &devnet);
    devnet.terminate();
}
