//! The embedded engine built for aarch64 and run by an emulator: it must give the bits that the tests
//! know, which were computed on x86-64.

use crate::{install, shell::run_with};
use anyhow::Result;

/// What it is built for.
pub(crate) const TARGET: &str = "aarch64-unknown-linux-gnu";
/// Links it.
pub(crate) const LINKER: &str = "aarch64-linux-gnu-gcc";
/// Runs it.
pub(crate) const EMULATOR: &str = "qemu-aarch64";
/// Where its dynamic linker and C library are, on Debian.
const LIBRARIES: &str = "/usr/aarch64-linux-gnu";

/// Builds the engine's tests and runs those that hold bits.
pub(crate) fn run() -> Result<()> {
    install::aarch64()?;
    let runner = format!("{EMULATOR} -L {LIBRARIES}");
    let env = [
        ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", LINKER),
        ("CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER", &runner),
        // leaves out what compares with candle
        (
            "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS",
            "--cfg emulated",
        ),
        // the emulator is some twenty times slower: fewer random cases
        ("PROPTEST_CASES", "4"),
    ];
    let tests = [
        "golden",
        "same_bits",
        "same_everywhere",
        "no_bit_depends",
        "equal_one_chain",
    ];
    let mut args = vec![
        "test",
        "--locked",
        "-p",
        "atoma-engine",
        "--lib",
        "--test",
        "it",
        "--target",
        TARGET,
        "--",
    ];
    args.extend(tests);
    run_with("cargo", &args, &env)
}
