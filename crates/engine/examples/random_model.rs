//! Writes the 107 M parameter model with random weights that the benchmarks use.
//!
//! `cargo run --release -p atoma-engine --features testing --example random_model -- FOLDER [bf16]`

use std::path::PathBuf;

use atoma_engine::testing::RandomModel;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let folder = PathBuf::from(args.first().ok_or("which folder?")?);
    let bf16 = args.get(1).is_some_and(|a| a == "bf16");
    RandomModel {
        bf16,
        ..RandomModel::m110()
    }
    .write(&folder)?;
    Ok(())
}
