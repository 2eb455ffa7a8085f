//! What a localnet is started with.

use atoma_http::server::Limits;
use atoma_runtime::Runtime;
use atoma_types::{Address, MicroUsdc, chain::Params};
use serde::{Deserialize, Serialize};
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
};

/// Settings of one localnet. `params`, `admin` and `unpublished` count at its birth only.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocalnetConfig {
    /// Holds the database and the administrator's key; made if it isn't there.
    pub data_dir: PathBuf,
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether it is born without the contract's package, for someone to publish it as on Sui. The package
    /// then begins with its own first parameters, not with `params`, and its publisher has the `AdminCap`.
    #[serde(default)]
    pub unpublished: bool,
    /// The parameters that the package starts with.
    #[serde(default)]
    pub params: Params,
    /// Who gets the `AdminCap`; the kept key's address if none is named.
    #[serde(default)]
    pub admin: Option<Address>,
    /// When checkpoints are sealed.
    #[serde(default)]
    pub checkpoint: CheckpointMode,
    /// What the faucet gives.
    #[serde(default)]
    pub faucet: FaucetConfig,
    /// Whether the ledger's clock follows the machine's or is moved by hand.
    #[serde(default)]
    pub clock: ClockMode,
    /// What strangers may do to the server: the same section in every configuration file.
    #[serde(default)]
    pub limits: Limits,
    /// The clock, randomness, threads and network that it runs on: the machine's, but for simulations.
    #[serde(skip)]
    pub runtime: Runtime,
}

impl LocalnetConfig {
    /// The defaults: any free port of the loopback interface, a checkpoint per transaction.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            unpublished: false,
            params: Params::default(),
            admin: None,
            checkpoint: CheckpointMode::default(),
            faucet: FaucetConfig::default(),
            clock: ClockMode::default(),
            limits: Limits::default(),
            runtime: Runtime::default(),
        }
    }
}

/// When checkpoints are sealed. Events and lists show sealed checkpoints only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckpointMode {
    /// One for each transaction, in the same commit.
    #[default]
    PerTransaction,
    /// One for all transactions of so many milliseconds; none while there are none.
    EveryMs(u64),
}

/// How the ledger's clock runs. It never goes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockMode {
    /// The ledger's clock follows the machine's.
    #[default]
    System,
    /// With the system's plus what `POST /localnet/clock {"advance_ms": n}` added so far.
    Adjustable,
    /// Stands at this time (milliseconds) but for what the same call adds.
    Manual(u64),
}

/// What the faucet gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaucetConfig {
    /// Whether it gives anything.
    pub enabled: bool,
    /// MIST (billionths of a SUI) that the faucet gives for a request.
    pub sui: u64,
    /// Test dollars per request.
    pub usdc: MicroUsdc,
}

impl Default for FaucetConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            sui: 100_000_000_000,
            usdc: MicroUsdc(1_000_000_000),
        }
    }
}
