//! The Move package: compiled, tested and held against the Rust contract, all in Sui's own compiler and
//! Move VM. Compiler and VM are an npm package, the framework's sources come in a crate: nothing else is
//! fetched, and nothing of either is kept in this repository.

use crate::{
    install,
    shell::{root, run, run_with},
    test::Length,
};
use anyhow::Result;

/// Plays of the theorems' search that are played in the VM at full length; the short length is the test's own.
const LONG_PLAYS: &str = "60";

/// Compiles, runs the unit tests, records what the Rust contract does and plays it in the VM; and holds draws to the same
/// work for every seed.
pub(crate) fn run_all(length: Length) -> Result<()> {
    install::node_modules("xtask/move")?;
    install::nextest()?;
    run(
        "cargo",
        &[
            "fetch",
            "--quiet",
            "--locked",
            "--manifest-path",
            "xtask/move/framework/Cargo.toml",
        ],
    )?;
    let recordings = root().join("target/move/recordings");
    if recordings.exists() {
        std::fs::remove_dir_all(&recordings)?;
    }
    std::fs::create_dir_all(&recordings)?;
    let recordings = recordings.canonicalize()?;
    let recordings = recordings.to_string_lossy();
    let mut env = vec![("ATOMA_CONFORMANCE", recordings.as_ref())];
    let mut play = vec!["xtask/move/run.mjs", "move/atoma", &recordings];
    let mut draws = vec!["xtask/move/gas.mjs"];
    if length == Length::Long {
        env.push(("ATOMA_CONFORMANCE_PLAYS", LONG_PLAYS));
        play.push("--long");
        draws.push("--long");
    }
    run_with(
        "cargo",
        &[
            "nextest",
            "run",
            "--locked",
            // with the features of all tests, so that nothing is compiled twice where those have run
            "--workspace",
            "--filterset",
            "package(atoma-contract) & test(/^conformance::/)",
        ],
        &env,
    )?;
    run("node", &play)?;
    run("node", &draws)
}
