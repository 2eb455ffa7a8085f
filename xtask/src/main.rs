//! What the project does to itself: `cargo xtask test` installs what the tests need and runs all
//! of them; `cargo xtask move` does so for the Move package; `cargo xtask check` is the rest of CI (it
//! never writes the tree); `cargo xtask docs` writes the documents that are made of the code; `cargo xtask
//! fix` formats and applies lints' suggestions; `cargo xtask fuzz` looks for inputs that fail; `cargo xtask dist` builds what is shipped.

mod aarch64;
mod biased;
mod check;
mod circles;
mod dist;
mod docs;
mod errors;
mod fuzz;
mod glossary;
mod install;
mod move_package;
mod network;
mod paths;
mod performance;
mod shell;
mod short_docs;
mod sources;
mod test;

use anyhow::{Result, bail};
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test [--long]   install what the tests need, run all of them (--long: the slow ones at full length);
                            --vllm: instead, those of a node before a real server with vLLM (2.5 GB);
                            --real-model: instead, those of the engine with real models (190 MB);
                            --aarch64: instead, those that hold the engine's bits, built for aarch64 and emulated;
                            ATOMA_TEST_NETWORK=testnet ATOMA_TEST_KEY=suiprivkey1...: on a network that isn't the tests' own
cargo xtask move [--long]   compile the Move package, run its tests and the conformance scenarios in the Move VM
                            (--long: those of thousands of calls too, more plays, more seeds)
cargo xtask check           format, lints, docs, licences, advisories; changes nothing
cargo xtask circles [CRATE] the part of it that looks for circles of modules
cargo xtask errors          the part of it that looks for errors which print their source twice
cargo xtask comments        the part of it that looks for doc comments of one or two words
cargo xtask paths           the part of it that looks for paths which documents name and that aren't there
cargo xtask glossary        the part of it that looks for words which the glossary explains twice
cargo xtask docs            write the documents that are made of the code
cargo xtask performance FOLDER   put the tables that benches left there (--report FOLDER) into docs/performance.md and
                            docs/verification.md, those they replace into docs/performance-history.md
cargo xtask fix             format, and apply what the lints suggest
cargo xtask fuzz [TARGET]... [--minutes N]
                            the fuzz targets led by coverage (--help says more)
cargo xtask dist [ARGS]     build the binary that is shipped: target/dist/atoma (ARGS go to cargo build)";

fn main() -> Result<ExitCode> {
    if let Some(compiled) = fuzz::as_wrapper() {
        return Ok(compiled);
    }
    let args: Vec<String> = std::env::args().skip(1).collect();
    dispatch(&args)?;
    Ok(ExitCode::SUCCESS)
}

fn dispatch(args: &[String]) -> Result<()> {
    match args
        .iter()
        .map(String::as_str)
        .collect::<Vec<_>>()
        .as_slice()
    {
        ["test"] => test::run(test::Length::Short),
        ["test", "--vllm"] => test::vllm(),
        ["test", "--real-model"] => test::real_model(),
        ["test", "--aarch64"] => aarch64::run(),
        ["test", "--long"] => test::run(test::Length::Long),
        ["move"] => move_package::run_all(test::Length::Short),
        ["move", "--long"] => move_package::run_all(test::Length::Long),
        ["check"] => check::run(),
        ["circles"] => circles::check(None),
        ["circles", only] => circles::check(Some(only)),
        ["errors"] => errors::check(),
        ["comments"] => short_docs::check(),
        ["paths"] => paths::check(),
        ["glossary"] => glossary::check(),
        ["docs"] => docs::write(),
        ["performance", folder] => performance::run(folder.as_ref()),
        ["fix"] => check::fix(),
        ["fuzz", more @ ..] => fuzz::fuzz(more),
        ["dist", more @ ..] => dist::run(more),
        _ => bail!("usage:\n{USAGE}"),
    }
}
