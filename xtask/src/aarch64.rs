//! The embedded engine built for aarch64 and run by an emulator: it must give the bits that the tests
//! know, which were computed on x86-64.

use crate::shell::{answers, run_with};
use anyhow::{Result, ensure};

const TARGET: &str = "aarch64-unknown-linux-gnu";
const LINKER: &str = "aarch64-linux-gnu-gcc";
const EMULATOR: &str = "qemu-aarch64";
/// Where the target's dynamic linker and C library are, on Debian.
const LIBRARIES: &str = "/usr/aarch64-linux-gnu";
/// Beginnings or parts of the names of the tests that hold bits.
const TESTS: [&str; 5] = [
    "golden",
    "same_bits",
    "same_everywhere",
    "no_bit_depends",
    "equal_one_chain",
];

/// Builds the engine's tests and runs those that hold bits.
pub(crate) fn run() -> Result<()> {
    prepare()?;
    let runner = format!("{EMULATOR} -L {LIBRARIES}");
    let env = [
        ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER),
        ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", &runner),
        // leaves out what compares with candle
        (
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
            "--cfg emulated",
        ),
    ];
    let mut args = vec!["test", "--locked", "-p", "atoma-engine", "--lib"];
    args.extend(["--test", "it", "--target", TARGET, "--"]);
    args.extend(TESTS);
    run_with("cargo", &args, &env)
}

/// Adds the standard library, and says all that is missing.
fn prepare() -> Result<()> {
    let mut missing = Vec::new();
    if !answers("rustup", &["target", "add", TARGET]) {
        missing.push(format!(
            "Rust's standard library for it: `rustup target add {TARGET}` fails"
        ));
    }
    for (program, packages) in [
        (LINKER, "gcc-aarch64-linux-gnu libc6-dev-arm64-cross"),
        (EMULATOR, "qemu-user"),
    ] {
        if !answers(program, &["--version"]) {
            missing.push(format!("{program} (on Debian: apt install {packages})"));
        }
    }
    ensure!(
        missing.is_empty(),
        "to build for aarch64 and to emulate it, this is missing:\n  {}",
        missing.join("\n  ")
    );
    Ok(())
}
