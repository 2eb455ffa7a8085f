//! The command line.

use crate::walrus::{WalrusCommand, WalrusNetwork};
use atoma_types::{Address, NodeId, Role, SecurityLevel, StackId, TaskId};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use std::{net::SocketAddr, path::PathBuf};

/// A decentralised AI compute cloud: nodes sell inference, users buy it in prepaid stacks, every
/// answer comes with a signed receipt, a ledger settles.
#[derive(Debug, Parser)]
#[command(
    name = "atoma",
    version,
    propagate_version = true,
    max_term_width = 100
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    /// Print JSON, one object a line, instead of text.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Log more to stderr (-v, -vv, -vvv).
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Settings that most commands share. A flag wins over its environment variable, which wins over
/// the configuration file.
#[derive(Debug, Clone, Default, ClapArgs)]
pub(crate) struct Global {
    /// File with these settings (default: config.toml in the data folder).
    #[arg(long, global = true, env = "ATOMA_SETTINGS", value_name = "FILE")]
    pub(crate) settings: Option<PathBuf>,
    /// Folder for keys and receipts (default: ~/.atoma).
    #[arg(long, global = true, env = "ATOMA_HOME", value_name = "FOLDER")]
    pub(crate) home: Option<PathBuf>,
    /// The ledger's gRPC URL; with --network it takes the place of that network's.
    #[arg(long, global = true, env = "ATOMA_LEDGER", value_name = "URL")]
    pub(crate) ledger: Option<String>,
    /// The network, as `atoma network list` names it (default: the one in `atoma network use`).
    #[arg(long, global = true, env = "ATOMA_NETWORK", value_name = "NAME")]
    pub(crate) network: Option<String>,
    /// Keystore file in Sui's format (default: sui.keystore in the data folder).
    #[arg(long, global = true, env = "ATOMA_KEYSTORE", value_name = "FILE")]
    pub(crate) keystore: Option<PathBuf>,
    /// Which of the keystore's addresses acts (default: the first).
    #[arg(long, global = true, env = "ATOMA_ADDRESS", value_name = "ADDRESS")]
    pub(crate) address: Option<Address>,
    /// The most a transaction may take for gas, in MIST.
    #[arg(long, global = true, env = "ATOMA_GAS_BUDGET", value_name = "MIST")]
    pub(crate) gas_budget: Option<u64>,
    /// Whose coins pay for gas; the keystore has its key too (default: the acting address).
    #[arg(long, global = true, env = "ATOMA_SPONSOR", value_name = "ADDRESS")]
    pub(crate) sponsor: Option<Address>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the whole protocol once, live, on this machine, and leave nothing behind.
    Demo(Demo),
    /// Keep a whole network up on this machine: ledger, three nodes, gateway.
    Devnet(Devnet),
    /// The development ledger.
    #[command(subcommand)]
    Localnet(LocalnetCommand),
    /// The gateway: an OpenAI endpoint for people with an API key.
    #[command(subcommand)]
    Gateway(GatewayCommand),
    /// Run a node, or do its operator's steps.
    #[command(subcommand)]
    Node(NodeCommand),
    /// Keys, addresses, balances.
    #[command(subcommand)]
    Wallet(WalletCommand),
    /// Tasks: models under rules, which nodes subscribe to.
    #[command(subcommand)]
    Task(TaskCommand),
    /// Stacks: prepaid compute units.
    #[command(subcommand)]
    Stack(StackCommand),
    /// Ask a model, paid by a stack.
    Chat(Chat),
    /// Receipts that nodes signed for you.
    #[command(subcommand)]
    Receipt(ReceiptCommand),
    /// Check everything about a request, trusting nobody who served it.
    Verify(Box<crate::verify::Verify>),
    /// Disputes about what nodes settled.
    #[command(subcommand)]
    Dispute(DisputeCommand),
    /// Walrus: blob ids, storing, reading, and a store of one's own.
    #[command(subcommand)]
    Walrus(WalrusCommand),
    /// The network's nodes, tasks, prices, stacks, settlements and disputes, live in the terminal.
    Explore(crate::explore::Explore),
    /// What a workload costs, and where the money goes.
    Cost(Box<crate::cost::Cost>),
    /// Networks by name; publishing the package; checking that all is well.
    #[command(subcommand)]
    Network(crate::net::NetworkCommand),
    /// Print a completion script for a shell.
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// What `demo` and `devnet` serve.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct ModelChoice {
    /// Hugging Face folder or hub name of a Llama-family model (default: the built-in one).
    #[arg(long, value_name = "FOLDER|NAME")]
    pub(crate) model: Option<String>,
    /// Threads for the engine (default: all cores).
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Demo {
    /// What to ask the model.
    #[arg(default_value = "What is the sun?")]
    pub(crate) prompt: String,
    #[command(flatten)]
    pub(crate) model: ModelChoice,
    /// How many nodes compete for the stack.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(crate) nodes: u8,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Devnet {
    #[command(flatten)]
    pub(crate) model: ModelChoice,
    /// Where the gateway listens.
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub(crate) listen: SocketAddr,
    /// Where the ledger listens.
    #[arg(long, default_value = "127.0.0.1:9000", value_name = "ADDRESS")]
    pub(crate) ledger_listen: SocketAddr,
    /// Keep the state here and go on from it (default: a temporary folder, removed at the end).
    #[arg(long, value_name = "FOLDER")]
    pub(crate) data_dir: Option<PathBuf>,
    /// How many requests the gateway serves at once; more are answered with 429.
    #[arg(long, default_value_t = 256, value_name = "N")]
    pub(crate) max_concurrent: usize,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LocalnetCommand {
    /// Run it until Ctrl-C.
    Run {
        /// Configuration file (TOML).
        #[arg(long, value_name = "FILE")]
        config: Option<PathBuf>,
        /// Where to listen.
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
        /// Where to keep the state.
        #[arg(long, value_name = "FOLDER")]
        data_dir: Option<PathBuf>,
        /// Where it is new: without the package, for `atoma network publish` to publish it as on Sui.
        #[arg(long)]
        unpublished: bool,
    },
    /// Print a configuration file with every setting at its default.
    Config,
}

#[derive(Debug, Subcommand)]
pub(crate) enum GatewayCommand {
    /// Run it until Ctrl-C.
    Run {
        /// Configuration file (TOML).
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// Make an API key: the key for its holder, its hash for the configuration file.
    NewKey,
}

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Run a node until Ctrl-C or SIGTERM, then drain.
    Run {
        /// Configuration file (TOML).
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
    },
    /// List the registered nodes.
    List,
    /// Show one node.
    Show {
        /// The node.
        node: NodeId,
    },
    /// Register a node; the keystore's address becomes its owner.
    Register {
        /// Where it serves.
        #[arg(long)]
        url: String,
        /// Collateral in USDC.
        #[arg(long, value_name = "USDC")]
        collateral: Usdc,
        /// Public key (hex) that signs its receipts.
        #[arg(long, value_name = "HEX")]
        response_key: atoma_types::PublicKey,
    },
    /// Subscribe a node to a task, or change its price and capacity.
    Subscribe {
        /// The node.
        node: NodeId,
        /// The task.
        task: TaskId,
        /// USDC per million units.
        #[arg(long, value_name = "USDC")]
        price: Usdc,
        /// Units under lease at once.
        #[arg(long, value_name = "UNITS")]
        capacity: u64,
    },
    /// Take no more leases of a task.
    Unsubscribe {
        /// The node.
        node: NodeId,
        /// The task.
        task: TaskId,
    },
    /// Add collateral.
    AddCollateral {
        /// The node.
        node: NodeId,
        /// How much, in USDC.
        amount: Usdc,
    },
    /// Begin to leave the network.
    Unbond {
        /// The node.
        node: NodeId,
    },
    /// Take the collateral out after the wait.
    Withdraw {
        /// The node.
        node: NodeId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum WalletCommand {
    /// Make a key.
    New,
    /// Import a secret key in Sui's form (suiprivkey…), read from standard input.
    Import,
    /// List addresses and balances.
    List,
    /// Get test money from the ledger's faucet (localnet, devnet, testnet).
    Fund {
        /// USDC as well, this much (localnet only).
        #[arg(long, value_name = "USDC")]
        usdc: Option<Usdc>,
    },
    /// Send USDC.
    Send {
        /// To whom.
        to: Address,
        /// How much.
        amount: Usdc,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum TaskCommand {
    /// List the tasks with their nodes and prices.
    List,
    /// Show one task.
    Show {
        /// The task.
        task: TaskId,
    },
    /// Create a task for a model.
    Create(CreateTask),
    /// End new business on a task of yours.
    Deprecate {
        /// The task.
        task: TaskId,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct CreateTask {
    /// The model: `builtin`, a Hugging Face folder, or any name together with --revision.
    pub(crate) model: String,
    /// Name in requests (default: the model's own).
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Content hash of a model that is not on this machine (hex).
    #[arg(long, value_name = "HEX")]
    pub(crate) revision: Option<String>,
    /// What it computes.
    #[arg(long, default_value = "chat-completion")]
    pub(crate) role: Role,
    /// How it is secured.
    #[arg(long, default_value = "none")]
    pub(crate) security: SecurityLevel,
    /// The highest price, USDC per million units.
    #[arg(long, value_name = "USDC", default_value = "10")]
    pub(crate) price_ceiling: Usdc,
    /// Least reputation of its nodes (0 to 1000).
    #[arg(long, default_value_t = 0)]
    pub(crate) min_reputation: u64,
    /// Least collateral of its nodes, USDC.
    #[arg(long, value_name = "USDC", default_value = "0")]
    pub(crate) min_collateral: Usdc,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StackCommand {
    /// Show a stack: units, leases, money.
    Show {
        /// The stack.
        stack: StackId,
    },
    /// List the stacks bought with this data folder.
    List,
    /// Buy one.
    Buy {
        /// The task.
        task: TaskId,
        /// How many units.
        #[arg(long)]
        units: u64,
        /// The highest price, USDC per million units.
        #[arg(long, value_name = "USDC")]
        max_price: Usdc,
        /// `single`, `limited:N` or `any`.
        #[arg(long, default_value = "single")]
        selection: SelectionArg,
        /// How long it lives, in seconds.
        #[arg(long, default_value_t = 86_400, value_name = "SECONDS")]
        lifetime: u64,
    },
    /// Give a node units of a stack (limited, any).
    Grant {
        /// The stack.
        stack: StackId,
        /// The node.
        node: NodeId,
        /// Units in all.
        units: u64,
    },
    /// Add units.
    TopUp {
        /// The stack.
        stack: StackId,
        /// How many.
        units: u64,
    },
    /// Let it live longer.
    Extend {
        /// The stack.
        stack: StackId,
        /// By how many seconds.
        seconds: u64,
    },
    /// End it now: nodes settle, the rest comes back.
    Close {
        /// The stack.
        stack: StackId,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Chat {
    /// What to ask.
    pub(crate) prompt: String,
    /// The stack that pays (default: the one bought last).
    #[arg(long)]
    pub(crate) stack: Option<StackId>,
    /// Which node serves (default: one that holds a lease).
    #[arg(long)]
    pub(crate) node: Option<NodeId>,
    /// A system message before the prompt.
    #[arg(long)]
    pub(crate) system: Option<String>,
    /// Stop after this many tokens.
    #[arg(long, default_value_t = 256)]
    pub(crate) max_tokens: u32,
    /// 0 always takes the likeliest token.
    #[arg(long, default_value_t = 0.7)]
    pub(crate) temperature: f32,
    /// Fixes the choice of tokens.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// How the request becomes evidence on Walrus.
    #[arg(long, value_enum, default_value = "sealed")]
    pub(crate) evidence: EvidenceChoice,
    #[command(flatten)]
    pub(crate) walrus: WalrusNetwork,
}

/// How a request becomes evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EvidenceChoice {
    /// The node stores it afterwards; only you and the node can read it.
    Sealed,
    /// The node stores it afterwards; everyone can read it.
    Open,
    /// It is stored before it is sent, sealed; the node reads it there first.
    Immediate,
}

impl From<EvidenceChoice> for atoma_client::Evidence {
    fn from(choice: EvidenceChoice) -> Self {
        match choice {
            EvidenceChoice::Sealed => Self::Sealed,
            EvidenceChoice::Open => Self::Open,
            EvidenceChoice::Immediate => Self::Immediate,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum ReceiptCommand {
    /// List the receipts kept on this machine.
    List {
        /// Of this stack only.
        #[arg(long)]
        stack: Option<StackId>,
    },
    /// Show one and check it again.
    Show {
        /// The request's id.
        request: atoma_types::RequestId,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DisputeCommand {
    /// Demand, against a bond, to see a record that a node settled; silence loses.
    Open(OpenDispute),
    /// Show a record that is demanded of a node.
    Answer {
        /// The stack.
        stack: StackId,
        /// The node.
        node: NodeId,
        /// JSON file: {"record": base64, "proof": base64}.
        #[arg(long, value_name = "FILE")]
        evidence: PathBuf,
        /// Object of the certified blob that holds the record; the acting address owns it.
        #[arg(long, value_name = "OBJECT")]
        blob: atoma_types::ObjectId,
    },
    /// Show the disputes of a stack.
    Show {
        /// The stack.
        stack: StackId,
    },
    /// End a dispute that the node didn't answer in time.
    Resolve {
        /// The stack.
        stack: StackId,
        /// The node.
        node: NodeId,
        /// Which record was demanded.
        seq: u64,
    },
    /// Prove fraud; the node is punished at once.
    #[command(subcommand)]
    Prove(Proven),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct OpenDispute {
    /// The request of a receipt on this machine: its record must have just this receipt.
    #[arg(conflicts_with_all = ["receipt", "stack", "node", "seq"])]
    pub(crate) request: Option<atoma_types::RequestId>,
    /// A receipt from elsewhere, as `atoma receipt show` prints it (base64).
    #[arg(long, value_name = "BASE64", conflicts_with_all = ["stack", "node", "seq"])]
    pub(crate) receipt: Option<String>,
    /// Without a receipt: the stack.
    #[arg(long, requires = "node")]
    pub(crate) stack: Option<StackId>,
    /// The node that settled.
    #[arg(long, requires = "seq")]
    pub(crate) node: Option<NodeId>,
    /// Which record, from 1 to the settlement's count.
    #[arg(long, requires = "stack")]
    pub(crate) seq: Option<u64>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Proven {
    /// By two receipts that contradict each other.
    Equivocation {
        /// A receipt as `atoma receipt show` prints it (base64).
        first: String,
        /// Another.
        second: String,
    },
    /// By a receipt that charges too much.
    OverClaim {
        /// The request of a receipt on this machine.
        #[arg(conflicts_with_all = ["receipt", "header"], required_unless_present = "receipt")]
        request: Option<atoma_types::RequestId>,
        /// A receipt from elsewhere, as `atoma receipt show` prints it (base64).
        #[arg(long, value_name = "BASE64")]
        receipt: Option<String>,
        /// The header of the order that it is for (base64 of header and signature).
        #[arg(long, value_name = "BASE64", requires = "receipt")]
        header: Option<String>,
    },
    /// By a settled record that isn't an order of the owner's with its receipt.
    Forged {
        /// The stack.
        stack: StackId,
        /// The node.
        node: NodeId,
        /// JSON file: {"record": base64, "proof": base64}.
        #[arg(long, value_name = "FILE")]
        evidence: PathBuf,
    },
}

/// An amount of USDC as people write it: `12`, `0.5`, at most six decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Usdc(pub(crate) atoma_types::MicroUsdc);

impl std::str::FromStr for Usdc {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() > 6 || whole.is_empty() {
            return Err("expected an amount such as 12 or 0.25, at most six decimals".to_owned());
        }
        let whole: u64 = whole.parse().map_err(|_| "too large".to_owned())?;
        let micro: u64 = format!("{fraction:0<6}")
            .parse()
            .map_err(|_| "too large".to_owned())?;
        whole
            .checked_mul(1_000_000)
            .and_then(|amount| amount.checked_add(micro))
            .map(|amount| Self(atoma_types::MicroUsdc(amount)))
            .ok_or_else(|| "too large".to_owned())
    }
}

/// `single`, `limited:N`, `any`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SelectionArg(pub(crate) atoma_types::chain::Selection);

impl std::str::FromStr for SelectionArg {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        use atoma_types::chain::Selection;
        match text.split_once(':') {
            None if text == "single" => Ok(Self(Selection::Single)),
            None if text == "any" => Ok(Self(Selection::Any)),
            Some(("limited", n)) => n
                .parse()
                .map(|nodes| Self(Selection::Limited { nodes }))
                .map_err(|_| "limited takes a number from 1 to 16".to_owned()),
            _ => Err("expected single, limited:N or any".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn amounts_are_exact() {
        let micro = |text: &str| text.parse::<Usdc>().map(|amount| amount.0.0);
        assert_eq!(micro("12"), Ok(12_000_000));
        assert_eq!(micro("0.000001"), Ok(1));
        assert_eq!(micro("0.25"), Ok(250_000));
        for bad in [
            "",
            ".",
            ".5",
            "1.0000001",
            "-1",
            "1e3",
            "99999999999999999999",
        ] {
            assert!(micro(bad).is_err(), "{bad}");
        }
    }
}
