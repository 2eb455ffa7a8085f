//! The `atoma` command: arguments, progress and tables over the crates that do the work.

mod args;
mod chat;
mod cost;
mod demo;
mod devnet;
mod dispute;
mod explore;
mod net;
mod network;
mod node;
mod output;
mod part;
mod receipt;
mod settings;
mod stack;
mod task;
mod verify;
mod wallet;
mod walrus;

/// The parties of the ledger client's own tests.
#[cfg(test)]
#[allow(dead_code)] // each test program uses its part
#[path = "../../ledger/tests/localnet/trial.rs"]
mod trial;
#[cfg(test)]
#[allow(dead_code)] // as above
#[path = "../../ledger/tests/localnet/world.rs"]
mod world;

use anyhow::Result;
use args::{Args, Command};
use clap::{CommandFactory, Parser};
use output::Output;
use settings::Settings;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    start_logging(args.verbose);
    let output = Output::new(args.json);
    match dispatch(args, &output).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error);
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(args: Args, output: &Output) -> Result<()> {
    let settings = || Settings::load(&args.global);
    match args.command {
        Command::Demo(demo) => demo::run(demo, output).await,
        Command::Devnet(devnet) => devnet::run(devnet, output).await,
        Command::Localnet(part) => part::localnet(part, output).await,
        Command::Gateway(part) => part::gateway(part, settings, output).await,
        Command::Node(command) => node::run(command, settings()?, output).await,
        Command::Wallet(command) => wallet::run(command, settings()?, output).await,
        Command::Task(command) => task::run(command, settings()?, output).await,
        Command::Stack(command) => stack::run(command, settings()?, output).await,
        Command::Chat(chat) => chat::run(chat, settings()?, output).await,
        Command::Verify(verify) => verify::run(*verify, settings()?, output).await,
        Command::Receipt(command) => receipt::run(command, settings()?, output).await,
        Command::Dispute(command) => dispute::run(command, settings()?, output).await,
        Command::Walrus(command) => walrus::run(command, settings, output).await,
        Command::Explore(explore) => explore::run(explore, settings()?, output).await,
        Command::Cost(cost) => cost::run(&cost, output),
        Command::Network(command) => net::run(command, settings()?, output).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Args::command(), "atoma", &mut std::io::stdout());
            Ok(())
        }
    }
}

/// Logs go to stderr: warnings by default, more with `-v`, and as `RUST_LOG` says where it is set.
fn start_logging(verbose: u8) {
    let default = match verbose {
        0 => "error",
        1 => "warn,atoma=info",
        2 => "info,atoma=debug",
        _ => "debug",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
}
