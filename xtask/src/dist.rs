//! The binary that is shipped: thin LTO, and on x86-64 for processors with AVX2, BMI2 and FMA, which is
//! every server's since 2015. Half of a node's own work is ed25519, whose field arithmetic takes a third
//! less time with BMI2's multiplications. An older processor runs what `cargo build --release` makes.

use crate::shell::run_with;
use anyhow::Result;

/// Builds `atoma`, and with more arguments whatever they tell cargo.
pub(crate) fn run(more: &[&str]) -> Result<()> {
    let mut args = vec![
        "build",
        "--profile",
        "dist",
        "--locked",
        "--package",
        "atoma-cli",
    ];
    args.extend(more);
    let flags = if cfg!(target_arch = "x86_64") {
        "-C target-cpu=x86-64-v3"
    } else {
        ""
    };
    run_with("cargo", &args, &[("RUSTFLAGS", flags)])?;
    println!("target/dist/atoma");
    Ok(())
}
