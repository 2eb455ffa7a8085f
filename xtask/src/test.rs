//! All tests, by one command.

use crate::{install, network, shell::run_with};
use anyhow::Result;

/// How long the slow suites (crash loops, property tests) may go on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Length {
    /// Minutes: what CI runs.
    Short,
    /// As long as the issues' numbers ask: a hundred crashes, thousands of random cases.
    Long,
}

pub(crate) fn run(length: Length) -> Result<()> {
    install::nextest()?;
    if let Ok(named) = std::env::var(network::NETWORK) {
        return elsewhere(&named);
    }
    let python = install::python_sdk()?;
    install::llama_server()?;
    install::javascript_sdks()?;
    let python = python.to_string_lossy();
    let mut env = vec![("ATOMA_TEST_PYTHON", python.as_ref())];
    if length == Length::Long {
        env.extend([("ATOMA_TEST_CRASHES", "100"), ("PROPTEST_CASES", "2000")]);
    }
    nextest(&["--workspace"], &env)?;
    // nextest doesn't run the examples in the documentation
    crate::shell::run(
        "cargo",
        &["test", "--workspace", "--locked", "--doc", "--quiet"],
    )
}

/// Tests by their runner, with the lock file's dependencies.
fn nextest(args: &[&str], env: &[(&str, &str)]) -> Result<()> {
    run_with(
        "cargo",
        &[&["nextest", "run", "--locked"], args].concat(),
        env,
    )
}

/// The tests of a node before a real server, with vLLM in place of llama.cpp.
pub(crate) fn vllm() -> Result<()> {
    install::nextest()?;
    install::vllm_server()?;
    nextest(
        &[
            "-p",
            "atoma-node",
            "-j",
            "1",
            "--profile",
            "vllm",
            "-E",
            "test(/^servers::/)",
        ],
        &[("ATOMA_TEST_SERVER", "vllm")],
    )
}

/// The tests of the embedded engine with real models.
pub(crate) fn real_model() -> Result<()> {
    install::nextest()?;
    install::real_models()?;
    nextest(
        &[
            "-p",
            "atoma-engine",
            "--run-ignored",
            "only",
            "--success-output",
            "final",
            "real_model::",
        ],
        &[],
    )
}

/// The tests of what talks to a ledger, on a network that isn't theirs: one after the other, as one key
/// pays for all. Those that must move the clock, kill the ledger or start a network still have one of their
/// own.
fn elsewhere(named: &str) -> Result<()> {
    let file = network::prepare(named)?;
    nextest(
        &["-p", "atoma-cli", "-p", "atoma-ledger", "-j", "1"],
        &[(network::NETWORK, &file.to_string_lossy())],
    )
}
