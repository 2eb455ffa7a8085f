//! The `atoma` command: arguments, progress and tables over the crates that do the work.
//!
//! The modules stand in three layers, each of which knows only those below it: what every command
//! needs (output, settings, files), what some share (a client, a model, a network in this process), and
//! the commands, one module each with its own arguments and its own `run`.

// what every command needs
mod advice;
mod config_file;
mod log;
mod output;
mod profiles;
mod settings;
mod values;

// what some share
mod client;
mod local_network;
mod model;
mod run;

// the commands
mod chat;
mod cost;
mod demo;
mod devnet;
mod dispute;
mod explore;
mod gateway;
mod localnet;
mod network;
mod node;
mod receipt;
mod stack;
mod task;
mod verify;
mod wallet;
mod walrus;

use anyhow::Result;
use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use log::LogFormat;
use output::{Output, SIGPIPE_STATUS};
use settings::{Global, Settings};
use std::{future::Future, pin::Pin, process::ExitCode};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A decentralised AI compute cloud: nodes sell inference, users buy it in prepaid stacks, every
/// answer comes with a signed receipt, a ledger settles.
#[derive(Debug, Parser)]
#[command(
    name = "atoma",
    version,
    propagate_version = true,
    max_term_width = 100
)]
struct Args {
    #[command(flatten)]
    global: Global,
    /// Print JSON, one object a line, instead of text.
    #[arg(long, global = true)]
    json: bool,
    /// Log more to stderr (-v, -vv, -vvv).
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// What the log looks like.
    #[arg(
        long,
        global = true,
        env = "ATOMA_LOG_FORMAT",
        value_name = "FORMAT",
        default_value_t
    )]
    log_format: LogFormat,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole protocol once, live, on this machine, and leave nothing behind.
    Demo(demo::Demo),
    /// Keep a whole network up on this machine: ledger, three nodes, gateway.
    Devnet(devnet::Devnet),
    /// The development ledger.
    #[command(subcommand)]
    Localnet(localnet::LocalnetCommand),
    /// The gateway: an OpenAI endpoint for people with an API key.
    #[command(subcommand)]
    Gateway(gateway::GatewayCommand),
    /// Run a node, or do its operator's steps.
    #[command(subcommand)]
    Node(node::NodeCommand),
    /// Keys, addresses, balances.
    #[command(subcommand)]
    Wallet(wallet::WalletCommand),
    /// Tasks: models under rules, which nodes subscribe to.
    #[command(subcommand)]
    Task(task::TaskCommand),
    /// Stacks: prepaid compute units.
    #[command(subcommand)]
    Stack(stack::StackCommand),
    /// Ask a model, paid by a stack.
    Chat(chat::Chat),
    /// Receipts that nodes signed for you.
    #[command(subcommand)]
    Receipt(receipt::ReceiptCommand),
    /// Check everything about a request, trusting nobody who served it.
    Verify(Box<verify::Verify>),
    /// Disputes about what nodes settled.
    #[command(subcommand)]
    Dispute(dispute::DisputeCommand),
    /// Walrus: blob ids, storing, reading, and a store of one's own.
    #[command(subcommand)]
    Walrus(walrus::WalrusCommand),
    /// The network's nodes, tasks, prices, stacks, settlements and disputes, live in the terminal.
    Explore(explore::Explore),
    /// What a workload costs, and where the money goes.
    Cost(Box<cost::Cost>),
    /// Networks by name; publishing the package; checking that all is well.
    #[command(subcommand)]
    Network(network::NetworkCommand),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell it is for.
        shell: Shell,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    log::start(args.verbose, args.log_format);
    let output = Output::new(args.json);
    let done = tokio::select! {
        biased;
        // when nobody reads any more the command is dropped, and what it keeps is put away
        () = output.reader_gone() => Ok(()),
        done = dispatch(args.command, args.global, &output) => done,
    };
    match done {
        _ if output.is_reader_gone() => ExitCode::from(SIGPIPE_STATUS),
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error, advice::advice(&error).as_deref());
            ExitCode::FAILURE
        }
    }
}

/// Starts a command. Each is boxed: its future is as large as all that it may do, and only one is run.
fn dispatch(
    command: Command,
    global: Global,
    output: &Output,
) -> Pin<Box<dyn Future<Output = Result<()>> + '_>> {
    let settings = move || Settings::load(&global);
    match command {
        Command::Demo(args) => Box::pin(demo::run(args, output)),
        Command::Devnet(args) => Box::pin(devnet::run(args, output)),
        Command::Localnet(command) => Box::pin(localnet::run(command, output)),
        Command::Gateway(command) => Box::pin(gateway::run(command, settings, output)),
        Command::Node(command) => {
            Box::pin(async move { node::run(command, settings()?, output).await })
        }
        Command::Wallet(command) => {
            Box::pin(async move { wallet::run(command, settings()?, output).await })
        }
        Command::Task(command) => {
            Box::pin(async move { task::run(command, settings()?, output).await })
        }
        Command::Stack(command) => {
            Box::pin(async move { stack::run(command, settings()?, output).await })
        }
        Command::Chat(args) => Box::pin(async move { chat::run(args, settings()?, output).await }),
        Command::Receipt(command) => {
            Box::pin(async move { receipt::run(command, settings()?, output).await })
        }
        Command::Verify(args) => {
            Box::pin(async move { verify::run(*args, settings()?, output).await })
        }
        Command::Dispute(command) => {
            Box::pin(async move { dispute::run(command, settings()?, output).await })
        }
        Command::Walrus(command) => Box::pin(walrus::run(command, settings, output)),
        Command::Explore(args) => {
            Box::pin(async move { explore::run(args, settings()?, output).await })
        }
        Command::Network(command) => {
            Box::pin(async move { network::run(command, settings()?, output).await })
        }
        Command::Cost(args) => Box::pin(async move { cost::run(&args, output) }),
        Command::Completions { shell } => Box::pin(async move {
            completions(shell, output);
            Ok(())
        }),
    }
}

fn completions(shell: Shell, output: &Output) {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "atoma", &mut script);
    output.bytes(&script);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
