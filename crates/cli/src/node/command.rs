//! What an operator may ask for.

use super::settle::Settle;
use crate::{
    named::Named,
    values::{Usdc, some_usdc, web_url_text},
};
use atoma_types::{Address, PublicKey, StackId};
use clap::Subcommand;
use std::path::PathBuf;

/// What an operator may ask for.
#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Run a node until Ctrl-C or SIGTERM, then drain.
    Run {
        /// Configuration file (TOML).
        #[arg(long, value_name = "FILE")]
        config: PathBuf,
        /// URL of the key broker for sealed models whose file names none.
        #[arg(long, env = "ATOMA_MODEL_KEYS", value_name = "URL")]
        model_keys: Option<String>,
    },
    /// List the registered nodes.
    List {
        /// Those that have left as well.
        #[arg(long)]
        all: bool,
    },
    /// Show one node, and what it loses at most if it stays away.
    Show {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
    },
    #[command(flatten)]
    Node(NodeCall),
    #[command(flatten)]
    Task(TaskCall),
    #[command(flatten)]
    Upkeep(UpkeepCall),
}

/// A call about the node itself: collateral, keys, URL, leaving.
#[derive(Debug, Subcommand)]
pub(crate) enum NodeCall {
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
        response_key: PublicKey,
    },
    /// Add collateral, which stands for more leases at once, and counts in draws when it has matured.
    AddCollateral {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// How much, in USDC.
        #[arg(value_parser = some_usdc)]
        amount: Usdc,
    },
    /// Begin to leave the network.
    Unbond {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
    },
    /// Leave after the wait: the collateral becomes credit.
    Leave {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
    },
    /// Pay the node's whole credit out.
    Withdraw {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// To which address (default: the owner's).
        #[arg(long)]
        to: Option<Address>,
    },
    /// Give the node other keys; open leases keep the old response key until they end.
    SetKeys {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// Public key (hex) that signs its receipts from now on.
        #[arg(long, value_name = "HEX")]
        response_key: PublicKey,
    },
    /// Move the node to another URL.
    SetUrl {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// Where it serves from now on.
        #[arg(value_parser = web_url_text)]
        url: String,
    },
    /// Move fines whose time for a pardon is over to the treasury. Anyone may.
    Forfeit {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
    },
}

/// A call about the node's part in a task: serving it, and examining others.
#[derive(Debug, Subcommand)]
pub(crate) enum TaskCall {
    /// Subscribe a node to a task, or change its price.
    Subscribe {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The task's id or a beginning of it, or its model's name.
        task: Named,
        /// USDC per million units.
        #[arg(long, value_name = "USDC")]
        price: Usdc,
    },
    /// Take no more leases of a task.
    Unsubscribe {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The task's id or a beginning of it, or its model's name.
        task: Named,
    },
    /// Take another node's place in a full task: a suspended one's, or the smallest's that is a quarter below.
    Evict {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The task's id or a beginning of it, or its model's name.
        task: Named,
        /// The node that has to go.
        #[arg(long, value_name = "NODE")]
        evicted: Named,
        /// USDC per million units.
        #[arg(long, value_name = "USDC")]
        price: Usdc,
    },
    /// Copy the node's standing into a task, as a running node does by itself. Anyone may.
    Sync {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The task's id or a beginning of it, or its model's name.
        task: Named,
    },
    /// Promise to examine others' answers on an examined task that the node is subscribed to, with a deposit.
    Attest {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The task's id or a beginning of it, or its model's name.
        task: Named,
        /// The most to deposit, in USDC; what is asked is the parameter `attest_deposit` (default: that).
        #[arg(long, value_name = "USDC")]
        deposit: Option<Usdc>,
    },
    /// End the promise to examine: what is left of the deposit, and the fees, become the node's credit. While it has a duty it is
    /// only drawn no more: resign again once that is over, or let the node do it (`leave` in `[attest]`).
    Resign {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The task's id or a beginning of it, or its model's name.
        task: Named,
    },
    /// Make what the node has earned by examining its credit. Anyone may.
    Collect {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The task's id or a beginning of it, or its model's name.
        task: Named,
    },
}

/// What a running node does by itself.
#[derive(Debug, Subcommand)]
pub(crate) enum UpkeepCall {
    /// Claim what a receipt says that a node of yours has served, as a running node does by itself: for one whose journal is
    /// lost, by what its user shows.
    Settle(Settle),
    /// Give back the units of a lease that aren't claimed, as a running node does by itself: its collateral is free
    /// for others.
    Release {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
        /// The stack's whole id.
        stack: StackId,
        /// How many the lease is to have (default: those that are claimed or paid).
        #[arg(long)]
        units: Option<u64>,
    },
    /// Report the fees that the node paid in the last day to the treasury, as a running node does. Anyone may.
    Report {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
    },
    /// Credit the node with its share of the treasury, as a running node does. Anyone may.
    Share {
        /// The node's id or a beginning of it, or its URL.
        node: Named,
    },
}
