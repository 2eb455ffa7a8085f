//! CI beyond the tests.

use crate::{
    biased, circles, docs, errors, glossary, install, paths,
    shell::{run as shell, run_with},
    short_docs,
};
use anyhow::Result;

pub(crate) fn run() -> Result<()> {
    docs::check()?;
    shell("cargo", &["fmt", "--all", "--check"])?;
    circles::check(None)?;
    biased::check()?;
    errors::check()?;
    short_docs::check()?;
    paths::check()?;
    glossary::check()?;
    shell(
        "cargo",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--locked",
            "--",
            "--deny",
            "warnings",
        ],
    )?;
    run_with(
        "cargo",
        &[
            "doc",
            "--workspace",
            "--no-deps",
            "--locked",
            "--document-private-items",
        ],
        &[("RUSTDOCFLAGS", "--deny warnings")],
    )?;
    install::deny()?;
    shell(
        "cargo",
        &[
            "deny",
            "--all-features",
            "check",
            "licenses",
            "bans",
            "sources",
        ],
    )?;
    advisories()
}

/// The advisory database is no package: where its host can't be reached the check is left out, and
/// that is said. Where it can, an advisory fails the run.
fn advisories() -> Result<()> {
    if shell("cargo", &["deny", "--all-features", "fetch", "db"]).is_err() {
        println!("advisories: NOT CHECKED, the advisory database can't be reached from here");
        return Ok(());
    }
    shell(
        "cargo",
        &[
            "deny",
            "--all-features",
            "check",
            "--disable-fetch",
            "advisories",
        ],
    )
}

pub(crate) fn fix() -> Result<()> {
    shell(
        "cargo",
        &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--fix",
            "--allow-dirty",
            "--allow-staged",
        ],
    )?;
    shell("cargo", &["fmt", "--all"])
}
