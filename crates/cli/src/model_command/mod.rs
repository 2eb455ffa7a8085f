//! `atoma model`: models that their owner seals, and gives the key of to attested nodes alone.

mod seal;
mod serve_keys;

use crate::output::Output;
use anyhow::Result;
use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum ModelCommand {
    /// Seal a model's folder: whoever has the result, and not the key, can't read it.
    Seal(seal::Seal),
    /// Give the keys of sealed models to nodes whose evidence your policy accepts, until Ctrl-C or SIGTERM.
    ServeKeys(Box<serve_keys::ServeKeys>),
}

pub(crate) async fn run(command: ModelCommand, output: &Output) -> Result<()> {
    match command {
        ModelCommand::Seal(args) => seal::run(args, output).await,
        ModelCommand::ServeKeys(args) => serve_keys::run(*args, output).await,
    }
}
