//! The `atoma` command: arguments, progress and tables over the crates that do the work.
//!
//! The modules stand in three layers, each of which knows only those below it: what every command
//! needs (output, settings, files), what some share (a client, a model, a network in this process), and
//! the commands, one module each with its own arguments and its own `run`.

// what every command needs
mod advice;
mod call;
mod config_file;
mod convicted;
mod enough;
mod environment;
mod free_ports;
mod guess;
mod help;
mod history;
mod hyphen;
mod log;
mod mistyped;
mod named;
mod output;
mod profiles;
mod scratch;
mod settings;
mod values;

// what some share
mod client;
mod indexed;
mod local_network;
mod model;
mod model_command;
mod recompute;
mod run;
mod sources;

// the commands
mod audit;
mod chat;
mod confidential;
mod cost;
mod demo;
mod devnet;
mod dispute;
mod due;
mod explore;
mod gateway;
mod localnet;
mod network;
mod node;
mod proxy;
mod receipt;
mod sim;
mod stack;
mod stack_facts;
mod stack_list;
mod stack_watch;
mod task;
mod tee;
mod too_few;
mod verify;
mod wallet;
mod walrus;

use anyhow::Result;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;
use environment::Environment;
use log::LogFormat;
use output::Output;
use scratch::Scratch;
use settings::{Global, Settings};
use std::{future::Future, pin::Pin, process::ExitCode, time::Duration};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A decentralised AI compute cloud: nodes sell inference, users buy it in prepaid stacks, every
/// answer comes with a signed receipt, a ledger settles.
#[derive(Debug, Parser)]
#[command(
    name = "atoma",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    help_template = help::TEMPLATE,
    after_help = help::AFTER
)]
struct Args {
    /// Print JSON, one object a line, instead of text.
    #[arg(long, global = true, help_heading = "Output")]
    json: bool,
    /// Tables with every column and whole ids, however wide.
    #[arg(long, global = true, conflicts_with = "json", help_heading = "Output")]
    wide: bool,
    /// Log more to stderr (-v, -vv, -vvv).
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = "Output")]
    verbose: u8,
    /// What the log looks like.
    #[arg(
        long,
        global = true,
        env = "ATOMA_LOG_FORMAT",
        value_name = "FORMAT",
        default_value_t,
        help_heading = "Output"
    )]
    log_format: LogFormat,
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the whole protocol once, live, on this machine, and leave nothing behind.
    #[command(after_help = help::DEMO)]
    Demo(demo::Demo),
    /// Keep a whole network up on this machine: ledger, three nodes, gateway.
    Devnet(devnet::Devnet),
    /// The development ledger.
    #[command(subcommand, after_help = help::LOCALNET)]
    Localnet(localnet::LocalnetCommand),
    /// The gateway: an OpenAI endpoint for people with an API key.
    #[command(subcommand, after_help = help::GATEWAY)]
    Gateway(gateway::GatewayCommand),
    /// Run a node, or do its operator's steps.
    #[command(subcommand, after_help = help::NODE)]
    Node(node::NodeCommand),
    /// Keys, addresses, balances.
    #[command(subcommand, after_help = help::WALLET)]
    Wallet(wallet::WalletCommand),
    /// Tasks: models under rules, which nodes subscribe to.
    #[command(subcommand, after_help = help::TASK)]
    Task(task::TaskCommand),
    /// Stacks: prepaid compute units.
    #[command(subcommand, after_help = help::STACK)]
    Stack(stack::StackCommand),
    /// Ask a model, paid by a stack.
    Chat(Box<chat::Chat>),
    /// An OpenAI endpoint on this machine, paid by your own stacks.
    Proxy(proxy::Proxy),
    /// Receipts that nodes signed for you.
    #[command(subcommand, after_help = help::RECEIPT)]
    Receipt(receipt::ReceiptCommand),
    /// Check everything about a request, trusting nobody who served it.
    #[command(after_help = help::VERIFY)]
    Verify(Box<verify::Verify>),
    /// Evidence that a node runs where nobody can look, and policies that say which is good enough.
    #[command(subcommand, after_help = help::TEE)]
    Tee(tee::TeeCommand),
    /// Models that only attested nodes can read: sealing them, giving their keys.
    #[command(subcommand, after_help = help::MODEL)]
    Model(model_command::ModelCommand),
    /// Disputes about what nodes settled.
    #[command(subcommand, after_help = help::DISPUTE)]
    Dispute(dispute::DisputeCommand),
    /// Examinations and challenges of what nodes settled, whoever's they are.
    #[command(subcommand, after_help = help::AUDIT)]
    Audit(audit::AuditCommand),
    /// Walrus: blob ids, storing, reading, and a store of one's own.
    #[command(subcommand, after_help = help::WALRUS)]
    Walrus(walrus::WalrusCommand),
    /// The network's nodes, tasks, prices, stacks, settlements and disputes, live in the terminal.
    #[command(after_help = help::EXPLORE)]
    Explore(explore::Explore),
    /// What a workload costs, and where the money goes.
    #[command(after_help = help::COST)]
    Cost(Box<cost::Cost>),
    /// Who earns what under the contract's rules: strategies against honesty, simulated.
    #[command(subcommand, after_help = help::SIM)]
    Sim(sim::SimCommand),
    /// Networks by name; publishing the package; checking that all is well.
    #[command(subcommand, after_help = help::NETWORK)]
    Network(network::NetworkCommand),
    /// Print a completion script for a shell.
    Completions {
        /// Which shell it is for.
        shell: Shell,
    },
}

/// What still computes when a command is over isn't waited for any longer.
const LAST_WORK: Duration = Duration::from_millis(500);

fn main() -> ExitCode {
    let words = hyphen::ids_last(std::env::args_os().collect());
    let matches = Args::command().try_get_matches_from(words);
    let read = matches.and_then(|matches| {
        let mut args = Args::from_arg_matches(&matches)?;
        args.global.environment = Environment::of(&matches);
        Ok(args)
    });
    let args = match read {
        Ok(args) => args,
        Err(error) => return help::show(&mistyped::in_words(error)),
    };
    let told = matches!(args.command, Command::Demo(_));
    log::start(args.verbose, args.log_format, told);
    let output = Output::new(args.json, args.wide);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            output.error(&error.into(), None);
            return ExitCode::FAILURE;
        }
    };
    let scratch = Scratch::default();
    let code = runtime.block_on(run(args.command, args.global, &scratch, &output));
    runtime.shutdown_timeout(LAST_WORK);
    match scratch.remove() {
        Ok(()) => code,
        Err(error) => {
            output.error(&error, None);
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command, global: Global, scratch: &Scratch, output: &Output) -> ExitCode {
    let done = tokio::select! {
        biased;
        // when the output can't be written any more the command is dropped, and what it keeps is put away
        () = output.broken() => Ok(()),
        done = dispatch(command, global, scratch, output) => done,
    };
    if let Some(status) = output.lost() {
        return ExitCode::from(status);
    }
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match found(&error) {
            Some(status) => {
                output.note(error.to_string());
                ExitCode::from(status)
            }
            None => {
                output.error(&error, advice::advice(&error).as_deref());
                ExitCode::FAILURE
            }
        },
    }
}

/// The exit status of a command that did what it was told to, and found what its caller must hear of.
fn found(error: &anyhow::Error) -> Option<u8> {
    if error.is::<verify::Incomplete>() {
        return Some(verify::Incomplete::STATUS);
    }
    if error.is::<chat::Stopped>() {
        return Some(chat::Stopped::STATUS);
    }
    let found = error.is::<stack_watch::Found>();
    found.then_some(stack_watch::Found::STATUS)
}

/// That a command which starts a network of its own isn't told of another one.
fn ensure_no_other_network(command: &Command, global: &Global) -> Result<()> {
    let starts_its_own = matches!(command, Command::Demo(_) | Command::Devnet(_));
    match global.named_network() {
        Some(flag) if starts_its_own => anyhow::bail!(
            "it starts a ledger and a network of its own: leave --{flag} out, or use the network that is named with other \
             commands"
        ),
        _ => Ok(()),
    }
}

/// Starts a command. Each is boxed: its future is as large as all that it may do, and only one is run.
fn dispatch<'a>(
    command: Command,
    global: Global,
    scratch: &'a Scratch,
    output: &'a Output,
) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>> {
    let home = global.data_folder();
    if let Err(error) = ensure_no_other_network(&command, &global) {
        return Box::pin(async { Err(error) });
    }
    let settings = move || {
        let settings = Settings::load(&global)?;
        settings.remarks.iter().for_each(|text| output.note(text));
        Ok(settings)
    };
    match command {
        Command::Demo(args) => Box::pin(demo::run(args, scratch, output)),
        Command::Devnet(args) => {
            Box::pin(async move { devnet::run(args, &home?, scratch, output).await })
        }
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
        Command::Chat(args) => Box::pin(async move { chat::run(*args, settings()?, output).await }),
        Command::Proxy(args) => {
            Box::pin(async move { proxy::run(args, settings()?, scratch, output).await })
        }
        Command::Receipt(command) => {
            Box::pin(async move { receipt::run(command, settings()?, output).await })
        }
        Command::Verify(args) => {
            Box::pin(async move { verify::run(*args, settings()?, output).await })
        }
        Command::Tee(command) => Box::pin(tee::run(command, settings, output)),
        Command::Model(command) => Box::pin(model_command::run(command, output)),
        Command::Dispute(command) => {
            Box::pin(async move { dispute::run(command, settings()?, output).await })
        }
        Command::Audit(command) => {
            Box::pin(async move { audit::run(command, settings()?, output).await })
        }
        Command::Walrus(command) => Box::pin(walrus::run(command, settings, output)),
        Command::Explore(args) => {
            Box::pin(async move { explore::run(args, settings()?, output).await })
        }
        Command::Network(command) => {
            Box::pin(async move { network::run(command, settings()?, output).await })
        }
        Command::Cost(args) => Box::pin(async move { cost::run(&args, output) }),
        Command::Sim(command) => Box::pin(async move { sim::run(&command, output) }),
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
    use atoma_types::chain::Call;
    use clap::error::ErrorKind;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    /// The commands in the examples of a help text, each as its words.
    fn examples(text: &str) -> Vec<Vec<String>> {
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("  atoma "));
        let typed = lines.flat_map(|line| line.split("  ").next().unwrap_or(line).split(" && "));
        let commands = typed.map(|typed| {
            let typed = typed.strip_prefix("atoma ").unwrap_or(typed);
            let typed = typed.split(['<', '>', '(']).next().unwrap_or(typed);
            let mut words = vec!["atoma".to_owned()];
            for (number, part) in typed.split('"').enumerate() {
                match number % 2 {
                    0 => words.extend(part.split_whitespace().map(str::to_owned)),
                    _ => words.push(part.to_owned()),
                }
            }
            words
        });
        commands.collect()
    }

    #[test]
    fn every_example_of_the_help_is_a_command_that_there_is() {
        let command = Args::command();
        let after = command.get_subcommands().filter_map(|command| {
            let text = command.get_after_help()?;
            Some(text.to_string())
        });
        let texts: Vec<String> = after.chain([help::AFTER.to_owned()]).collect();
        let typed: Vec<_> = texts.iter().flat_map(|text| examples(text)).collect();
        assert!(typed.len() > 40, "{}", typed.len());
        for words in typed {
            let read = Args::command().try_get_matches_from(&words);
            // placeholders stand for values that have a form
            let stands_for = |error: &clap::Error| error.kind() == ErrorKind::ValueValidation;
            if let Err(error) = read.map_err(|error| (stands_for(&error), error)) {
                assert!(error.0, "{words:?}: {}", error.1);
            }
        }
    }

    /// The lines of a command's help, and of those below it, that are longer than a terminal is wide.
    fn long_lines(command: &mut clap::Command, found: &mut Vec<String>) {
        let name = command.get_name().to_owned();
        let help = [command.render_help(), command.render_long_help()];
        let help = help.map(|page| help::fitting(&page.to_string())).concat();
        let long = help
            .lines()
            .filter(|line| line.trim_end().chars().count() > 80);
        found.extend(long.map(|line| format!("{name}: {line}")));
        for below in command.get_subcommands_mut() {
            long_lines(below, found);
        }
    }

    #[test]
    fn every_page_of_help_fits_80_columns() {
        let (mut command, mut found) = (Args::command(), Vec::new());
        command.build();
        long_lines(&mut command, &mut found);
        assert!(found.is_empty(), "{found:#?}");
    }

    /// The commands of the table "By hand" in `docs/protocol.md`, each with the calls that it makes.
    fn by_hand() -> Vec<(Vec<&'static str>, Vec<&'static str>)> {
        let protocol = include_str!("../../../docs/protocol.md");
        let (_, table) = protocol.split_once("**By hand.**").expect("the table");
        let rows = table.lines().skip(2).take_while(|line| !line.is_empty());
        let rows = rows.filter_map(|line| line.strip_prefix("| `atoma "));
        let rows = rows.map(|line| {
            let (command, calls) = line.split_once('`').expect("a command");
            let calls = calls.split('`').filter(|part| part.contains("::"));
            (command.split(' ').collect(), calls.collect())
        });
        rows.collect()
    }

    #[test]
    fn each_call_has_the_command_that_the_protocol_names() {
        let table = by_hand();
        for (words, calls) in &table {
            let mut command = &Args::command();
            for word in words {
                let found = command
                    .get_subcommands()
                    .find(|sub| sub.get_name() == *word);
                command = found.unwrap_or_else(|| panic!("no command `{}`", words.join(" ")));
            }
            assert!(!calls.is_empty(), "{words:?}");
        }
        let mut named: Vec<&str> = table.iter().flat_map(|(_, calls)| calls.clone()).collect();
        named.sort_unstable();
        let functions = Call::FUNCTIONS.iter();
        let mut all: Vec<String> = functions
            .map(|function| format!("{}::{}", function.module, function.name))
            .collect();
        all.sort_unstable();
        assert_eq!(named, all);
    }

    #[test]
    fn the_first_page_of_help_has_every_command_and_each_has_examples() {
        let listed = |name: &str| {
            let entry = format!("\n  {name} ");
            help::AFTER.contains(&entry)
        };
        let command = Args::command();
        let commands = command
            .get_subcommands()
            .filter(|command| !command.is_hide_set());
        for command in commands {
            assert!(listed(command.get_name()), "{}", command.get_name());
            let examples = command.get_after_help().map(ToString::to_string);
            let shown = examples.is_some_and(|text| text.contains("Examples:\n  "));
            assert!(
                shown || command.get_name() == "completions",
                "{}",
                command.get_name()
            );
        }
    }
}
