//! `atoma model seal`: a folder's files, each encrypted under one new key.

use crate::output::Output;
use anyhow::Result;
use atoma_broker::seal_folder;
use atoma_runtime::{SystemRandom, Threads};
use clap::Args;
use serde_json::json;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Seal {
    /// The model's folder: weights, configuration, tokenizer, template.
    folder: PathBuf,
    /// The new folder for what is sealed; it can lie anywhere.
    #[arg(long, value_name = "FOLDER")]
    out: PathBuf,
    /// The new file for the key, which only you can read. Without it nobody ever opens the model.
    #[arg(long, value_name = "FILE")]
    key_file: PathBuf,
}

pub(super) async fn run(args: Seal, output: &Output) -> Result<()> {
    let progress = output.progress(format!("sealing {}", args.folder.display()));
    let (out, key_file) = (args.out.clone(), args.key_file.clone());
    let seal = move || seal_folder(&args.folder, &args.out, &args.key_file, &SystemRandom);
    let sealed = Threads::Real.blocking(seal).await??;
    progress.finish_and_clear();
    output.object(vec![
        ("model", json!(sealed.model)),
        ("files", json!(sealed.files)),
        ("bytes", json!(sealed.bytes)),
        ("sealed", json!(out)),
        ("key_file", json!(key_file)),
    ]);
    output.note("keep the key file: without it nobody ever opens the model");
    Ok(())
}
