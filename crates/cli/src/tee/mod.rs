//! `atoma tee`: evidence that a node runs where nobody can look: what it says, what it is worth by a policy of one's own,
//! and what the ledger is told of it. The checks are `atoma-tee`'s.

mod moment;
mod policy;
mod register;
mod show;
mod source;
mod verify;

use crate::{output::Output, settings::Settings};
use anyhow::Result;
use clap::Subcommand;
use policy::TeePolicy;
use register::TeeRegister;
use show::TeeShow;
use verify::TeeVerify;

#[derive(Debug, Subcommand)]
pub(crate) enum TeeCommand {
    /// Show what a bundle of evidence says, without a word on what it is worth.
    Show(TeeShow),
    /// Check a bundle of evidence, and say what it is worth; of a file nothing is fetched.
    Verify(TeeVerify),
    /// Say what a policy accepts; without a file, print one to begin with.
    Policy(TeePolicy),
    /// Write on the ledger what a node of yours runs on: a confidential task's nodes need it.
    Register(TeeRegister),
}

pub(crate) async fn run(
    command: TeeCommand,
    settings: impl FnOnce() -> Result<Settings>,
    output: &Output,
) -> Result<()> {
    match command {
        TeeCommand::Show(args) => show::show(&args, settings, output).await,
        TeeCommand::Verify(args) => verify::verify(&args, settings, output).await,
        TeeCommand::Policy(args) => policy::policy(&args, output),
        TeeCommand::Register(args) => register::register(&args, &settings()?, output).await,
    }
}
