//! What an operator sets, and the limits that hold in any case.

use crate::confidential::ConfidentialConfig;
use atoma_http::server::Limits;
use atoma_keys::SigningKey;
use atoma_runtime::Runtime;
use atoma_types::{Address, DurationMs, MicroUsdc, NodeId, Price, TaskId, chain::Deployment};
use serde::{Deserialize, Serialize};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    sync::Arc,
};

/// Request headers may be issued this far in the future: clocks of users differ by seconds.
pub const MAX_CLOCK_SKEW_MS: u64 = 30_000;

/// A node's configuration, as its TOML file says it. Unknown keys are refused.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeConfig {
    /// URL of the ledger.
    pub ledger: String,
    /// Where the package stands there; localnet's own place when absent.
    #[serde(default)]
    pub deployment: Option<Deployment>,
    /// Where the wallet's key is: it owns the node and is paid.
    pub key: KeySource,
    /// The node's id; found or registered when absent.
    #[serde(default)]
    pub node: Option<NodeId>,
    /// What a new registration stakes, in micro-USDC.
    #[serde(default = "defaults::collateral")]
    pub collateral: MicroUsdc,
    /// What a grant must add to a lease, in micro-USDC at the node's price: each costs the node a
    /// transaction.
    #[serde(default = "defaults::min_grant")]
    pub min_grant: MicroUsdc,
    /// The part of the free collateral that one grant may put at stake, in thousandths: a stranger's grant costs
    /// nothing, and must not keep others out.
    #[serde(default = "defaults::grant_step_permille")]
    pub grant_step_permille: u64,
    /// Where requests are served.
    #[serde(default = "defaults::listen")]
    pub listen: SocketAddr,
    /// Where the operator's endpoints are served: metrics, settlement. Keep it private.
    #[serde(default = "defaults::admin_listen")]
    pub admin_listen: SocketAddr,
    /// How users reach the node; `http://` and the bound address when absent.
    #[serde(default)]
    pub public_url: Option<String>,
    /// Where the journal, the response key and packs on their way to Walrus are kept.
    pub data_dir: PathBuf,
    /// The tasks to serve.
    #[serde(default)]
    pub subscriptions: Vec<SubscriptionConfig>,
    /// What strangers may do to the servers: the same section in every configuration file.
    #[serde(default)]
    pub limits: Limits,
    /// How many requests are worked on at once.
    #[serde(default)]
    pub requests: RequestLimits,
    /// When leases are settled and claimed.
    #[serde(default)]
    pub settlement: SettlementConfig,
    /// What the node does on the ledger beside serving: its standing, its money.
    #[serde(default)]
    pub upkeep: UpkeepConfig,
    /// When and to whom requests are passed on that are too much for this node. Without it none are.
    #[serde(default)]
    pub forward: Option<ForwardConfig>,
    /// Where evidence is stored. Without it none is kept, and whoever demands a record wins.
    #[serde(default)]
    pub evidence: Option<EvidenceConfig>,
    /// Whether it promises to look at others' answers, and how. Without it, it doesn't.
    #[serde(default)]
    pub attest: Option<AttestConfig>,
    /// Whether it runs where nobody can look, and on whose word. Without it, it takes no sealed requests and no
    /// confidential tasks.
    #[serde(default)]
    pub confidential: Option<ConfidentialConfig>,
    /// The clock, randomness, threads and network that it runs on: the machine's, but for simulations.
    #[serde(skip)]
    pub runtime: Runtime,
}

/// Attesting: looking at others' answers in examined tasks that the node serves, for a fee, with a deposit at stake. It
/// needs `evidence`: records are read from there.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AttestConfig {
    /// The tasks that it attests in; every task that it serves and that is examined by the exact rule, if there are none.
    /// Under the tolerant rule no attester can say anything yet.
    pub tasks: Vec<TaskId>,
    /// Whether its promises end: it isn't drawn any more, does what it was drawn for, and takes its deposits once the last of
    /// that is over.
    pub leave: bool,
    /// The most that may be deposited in a task, micro-USDC. The deposit is what the network says.
    pub max_deposit: MicroUsdc,
    /// What is staked on an accusation, micro-USDC, where the task asks for less; an examiner's fine at least. An owner whose node is
    /// convicted gets ten times the bonds at most, and the rest is the treasury's: a larger one gives owners more back. It comes back
    /// where the jury agrees, and is lost where it doesn't.
    pub bond: MicroUsdc,
    /// Records that are computed again at once. Paying requests come first: a record waits while the engine has a queue,
    /// until half of its time is over.
    pub at_once: usize,
    /// What anyone may do for a ticket, such as its draw, is done once nobody has for a part of this, which is another
    /// for each attester.
    pub spread_ms: u64,
    /// How often to look.
    pub tick_ms: u64,
    /// Fees are taken from a task once they are so much, micro-USDC.
    pub collect_from: MicroUsdc,
}

impl Default for AttestConfig {
    fn default() -> Self {
        Self {
            tasks: Vec::new(),
            leave: false,
            // what the network asks at first
            max_deposit: MicroUsdc(8_000_000),
            bond: MicroUsdc::ZERO,
            at_once: 1,
            // windows are twelve hours and more
            spread_ms: 600_000,
            tick_ms: 5_000,
            // a hundred times its gas
            collect_from: MicroUsdc(1_000_000),
        }
    }
}

/// Where and how evidence is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceConfig {
    /// URL of a Walrus publisher: best one's own, beside the node.
    pub publisher: String,
    /// URLs of aggregators, tried in turn.
    pub aggregators: Vec<String>,
    /// Shards of that network: 1000 on Mainnet and Testnet.
    #[serde(default = "defaults::shards")]
    pub shards: u16,
    /// A file with the secret that the publisher checks tokens with, if it wants any.
    #[serde(default)]
    pub publisher_secret: Option<PathBuf>,
    /// Epochs that a pack is paid for at a time; 14 days each on Mainnet.
    #[serde(default = "defaults::epochs")]
    pub epochs: u32,
    /// A pack that an open lease needs is renewed so many epochs before its end.
    #[serde(default = "defaults::renew_epochs")]
    pub renew_epochs: u32,
    /// A pack is closed at the latest when its first record is so old; by size and load otherwise.
    #[serde(default)]
    pub patience_ms: Option<u64>,
    /// The largest pack. Publishers take blobs of 10 MiB unless they are told otherwise: raise both
    /// together, for a pack of 64 MiB costs half as much a byte.
    #[serde(default = "defaults::max_pack")]
    pub max_pack_bytes: u64,
    /// Bytes of bodies that wait for Walrus at most: more requests are refused while it is away.
    #[serde(default = "defaults::max_backlog")]
    pub max_backlog_bytes: u64,
}

impl EvidenceConfig {
    /// The defaults with a publisher and an aggregator.
    #[must_use]
    pub fn new(publisher: impl Into<String>, aggregator: impl Into<String>, shards: u16) -> Self {
        Self {
            publisher: publisher.into(),
            aggregators: vec![aggregator.into()],
            shards,
            publisher_secret: None,
            epochs: defaults::epochs(),
            renew_epochs: defaults::renew_epochs(),
            patience_ms: None,
            max_pack_bytes: defaults::max_pack(),
            max_backlog_bytes: defaults::max_backlog(),
        }
    }
}

/// When a request is passed on to another node of its task, and what that may cost. The node pays the other one out
/// of stacks that it buys with its own wallet.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForwardConfig {
    /// Micro-USDC that its stacks may hold at once, of all tasks together.
    pub budget: MicroUsdc,
    /// The most that another node may cost: thousandths of what the request's own lease pays.
    #[serde(default = "defaults::max_price_permille")]
    pub max_price_permille: u64,
    /// Requests are passed on while more than so many thousandths of `requests.max_concurrent` are worked on, or of
    /// the queue before their model's engine are taken: 1000 means once there is no place left.
    #[serde(default = "defaults::above_permille")]
    pub above_permille: u64,
    /// Whether a node that is shutting down passes on what still comes in, until its own answers are complete.
    #[serde(default = "defaults::yes")]
    pub draining: bool,
    /// Only these nodes are asked; any, if there are none.
    #[serde(default)]
    pub nodes: Vec<NodeId>,
    /// Whether nodes in this network are asked, at private addresses: anyone can register one there.
    #[serde(default)]
    pub local_nodes: bool,
    /// Requests passed on at once; more are refused.
    #[serde(default = "defaults::passed_on_at_once")]
    pub max_concurrent: usize,
    /// The other node's answer must begin by then.
    #[serde(default = "defaults::answer_begins")]
    pub answer_begins_timeout_ms: u64,
    /// How long a stack lasts.
    #[serde(default = "defaults::stack_lifetime")]
    pub stack_lifetime: DurationMs,
    /// How often stacks are looked after.
    #[serde(default = "defaults::stack_tick")]
    pub tick_ms: u64,
}

impl ForwardConfig {
    /// The defaults with a budget.
    #[must_use]
    pub fn new(budget: MicroUsdc) -> Self {
        Self {
            budget,
            max_price_permille: defaults::max_price_permille(),
            above_permille: defaults::above_permille(),
            draining: defaults::yes(),
            nodes: Vec::new(),
            local_nodes: false,
            max_concurrent: defaults::passed_on_at_once(),
            answer_begins_timeout_ms: defaults::answer_begins(),
            stack_lifetime: defaults::stack_lifetime(),
            tick_ms: defaults::stack_tick(),
        }
    }
}

/// Where a secret key is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum KeySource {
    /// A file that holds `suiprivkey1…`.
    File(PathBuf),
    /// A Sui keystore: the key of this address, or its first key.
    Keystore {
        /// Where the keystore is: `~/.sui/sui_config/sui.keystore`, usually.
        path: PathBuf,
        /// The address whose key it is; that of the first key when absent.
        #[serde(default)]
        address: Option<Address>,
    },
    /// Handed over by the program that starts the node.
    #[serde(skip)]
    Given(Arc<SigningKey>),
}

/// An offer in one task.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubscriptionConfig {
    /// Id of the task on the ledger.
    pub task: TaskId,
    /// Micro-USDC per million units.
    pub price: Price,
}

/// Bounds on load: what the node takes on from users whose requests are in order.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RequestLimits {
    /// Requests worked on at once; more get 429.
    pub max_concurrent: usize,
}

/// When leases are settled and claimed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SettlementConfig {
    /// How often to look.
    pub tick_ms: u64,
    /// A lease is nearly used when this many thousandths of its units are.
    pub nearly_used_permille: u64,
    /// A nearly used lease is settled once it has rested for so long: its last units stay usable
    /// and a top-up has time to come.
    pub rest_ms: u64,
    /// A lease is settled once so much was served that isn't claimed, micro-USDC; it goes on.
    pub worth: MicroUsdc,
    /// And once it has rested for so long, whatever it is worth.
    pub idle_ms: u64,
    /// Units that a lease holds and doesn't use are given back after so long: they hold collateral. What it used in
    /// that time, times `keep_used_permille`, and `min_grant` stay; all goes back if it used nothing. A request that
    /// needs more gets it by a new grant.
    pub release_idle_after_ms: u64,
    /// How many times what a lease used in that time it keeps, in thousandths.
    pub keep_used_permille: u64,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            max_concurrent: 2_048,
        }
    }
}

/// How the node looks after its standing and its money.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct UpkeepConfig {
    /// How often to look.
    pub tick_ms: u64,
    /// The credit is paid out to the owner once it is so much, micro-USDC.
    pub withdraw_from: MicroUsdc,
}

impl Default for UpkeepConfig {
    fn default() -> Self {
        Self {
            tick_ms: 60_000,
            // a thousand times its gas
            withdraw_from: MicroUsdc(10_000_000),
        }
    }
}

impl Default for SettlementConfig {
    fn default() -> Self {
        Self {
            tick_ms: 1_000,
            nearly_used_permille: 950,
            rest_ms: 60_000,
            // a hundred times its gas
            worth: MicroUsdc(1_000_000),
            idle_ms: 3_600_000,
            // six hours: a working day's pauses cost no transaction, a night frees the collateral
            release_idle_after_ms: 6 * 3_600_000,
            // as much as a day of that takes: who uses a lease evenly is never cut, and a grant has time to come
            keep_used_permille: 4_000,
        }
    }
}

mod defaults {
    use super::{DurationMs, Ipv4Addr, MicroUsdc, SocketAddr};

    /// No loss on any request.
    pub(super) fn max_price_permille() -> u64 {
        1_000
    }
    pub(super) fn above_permille() -> u64 {
        1_000
    }
    pub(super) fn yes() -> bool {
        true
    }
    /// Each holds a body and two connections.
    pub(super) fn passed_on_at_once() -> usize {
        256
    }
    /// A whole answer begins when it is complete.
    pub(super) fn answer_begins() -> u64 {
        60_000
    }
    /// Two days: what isn't used comes back soon, and a purchase costs little beside it.
    pub(super) fn stack_lifetime() -> DurationMs {
        DurationMs(2 * 24 * 3_600 * 1_000)
    }
    pub(super) fn stack_tick() -> u64 {
        5_000
    }

    pub(super) fn collateral() -> MicroUsdc {
        MicroUsdc(100_000_000)
    }
    /// A twentieth of a cent: less than a grant's gas, about what a single request costs.
    pub(super) fn min_grant() -> MicroUsdc {
        MicroUsdc(500)
    }
    pub(super) fn grant_step_permille() -> u64 {
        250
    }
    pub(super) fn listen() -> SocketAddr {
        (Ipv4Addr::UNSPECIFIED, 8_080).into()
    }
    pub(super) fn shards() -> u16 {
        1_000
    }
    /// Ten weeks on Mainnet: stacks live for three months at most, and packs are renewed.
    pub(super) fn epochs() -> u32 {
        5
    }
    pub(super) fn renew_epochs() -> u32 {
        1
    }
    pub(super) fn max_pack() -> u64 {
        10 << 20
    }
    /// Hours of a busy node; a small part of its disk.
    pub(super) fn max_backlog() -> u64 {
        4 << 30
    }
    pub(super) fn admin_listen() -> SocketAddr {
        (Ipv4Addr::LOCALHOST, 9_080).into()
    }
}

impl NodeConfig {
    /// A configuration with defaults, on loopback ports that the system picks.
    #[must_use]
    pub fn new(ledger: impl Into<String>, key: KeySource, data_dir: impl Into<PathBuf>) -> Self {
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        Self {
            ledger: ledger.into(),
            deployment: None,
            key,
            node: None,
            collateral: defaults::collateral(),
            min_grant: defaults::min_grant(),
            grant_step_permille: defaults::grant_step_permille(),
            listen: loopback,
            admin_listen: loopback,
            public_url: None,
            data_dir: data_dir.into(),
            subscriptions: Vec::new(),
            limits: Limits::default(),
            requests: RequestLimits::default(),
            settlement: SettlementConfig::default(),
            upkeep: UpkeepConfig::default(),
            forward: None,
            evidence: None,
            attest: None,
            confidential: None,
            runtime: Runtime::default(),
        }
    }
}
