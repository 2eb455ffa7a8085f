//! CI beyond the tests.

use crate::{
    install,
    shell::{run as shell, run_with},
};
use anyhow::Result;

pub(crate) fn run() -> Result<()> {
    shell("cargo", &["fmt", "--all", "--check"])?;
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
    advisories();
    Ok(())
}

/// The advisory database comes from the network and not from a package registry: where it can't be
/// reached, that is said, and it isn't an error of the change under test.
fn advisories() {
    if let Err(error) = shell("cargo", &["deny", "--all-features", "check", "advisories"]) {
        println!("advisories: NOT PASSED OR NOT CHECKED (see above): {error}");
    }
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
