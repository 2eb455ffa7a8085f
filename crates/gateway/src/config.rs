//! The gateway's configuration, as it stands in a file.

use crate::{keys::KeyHash, purchase::Purchases};
use atoma_client::{Confidential, NodeReach};
use atoma_http::server::{Limits, ZeroLimit};
use atoma_runtime::Runtime;
use atoma_types::{ComputeUnits, DurationMs, MicroUsdc, Price, TaskId, chain::Deployment};
use serde::{Deserialize, Serialize};
use std::{net::SocketAddr, path::PathBuf};

/// Everything but the wallet's key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GatewayConfig {
    /// URL of the ledger's gRPC.
    pub ledger: String,
    /// Where the package stands there; localnet's own place when absent.
    #[serde(default)]
    pub deployment: Option<Deployment>,
    /// Where users connect; port 0 takes any.
    #[serde(default = "defaults::listen")]
    pub listen: SocketAddr,
    /// Where metrics are read; nowhere if absent. Not for the public.
    #[serde(default)]
    pub admin_listen: Option<SocketAddr>,
    /// Stacks, receipts and what was spent.
    pub data_dir: PathBuf,
    /// The keys that requests may be made with.
    #[serde(default)]
    pub api_keys: Vec<ApiKeyConfig>,
    /// What may be put into stacks in all, refunds taken off.
    pub budget: MicroUsdc,
    /// How stacks are bought, where a model has no policy of its own.
    #[serde(default)]
    pub policy: StackPolicy,
    /// The models served; every model on the ledger if empty.
    #[serde(default)]
    pub models: Vec<ModelConfig>,
    /// What strangers may do to the servers: the same section in every configuration file.
    #[serde(default)]
    pub limits: Limits,
    /// Bounds on what the gateway takes on.
    #[serde(default)]
    pub requests: RequestLimits,
    /// Whether nodes at addresses that aren't public (loopback, home and company networks) are used: for
    /// local networks alone. Elsewhere whoever registers a node could have the gateway ask services
    /// that trust it.
    #[serde(default)]
    pub local_nodes: bool,
    /// Whether nodes' settlements are held against the receipts, and answered: records that aren't explained are
    /// demanded, for at most four fees a stack, and who can be convicted is. The wallet pays the fees.
    #[serde(default = "defaults::watch_settlements")]
    pub watch_settlements: bool,
    /// Whether the nodes that are asked must answer by themselves. Otherwise a node that is full may have another
    /// node answer, and show both receipts.
    #[serde(default)]
    pub no_forward: bool,
    /// Bonds of challenges that may stand or be lost in all. With some, answers that are known to be wrong by their
    /// bytes are challenged on examined tasks; a bond comes back if the jury agrees. Nothing is challenged by default.
    #[serde(default)]
    pub max_bonds: MicroUsdc,
    /// Whether stopping also closes the stacks, so that what is left comes back.
    #[serde(default)]
    pub close_stacks_on_stop: bool,
    /// Whether it serves one user on this machine, who pays with stacks of their own: whoever connects may
    /// ask, on the first key's account. No file can say so.
    #[serde(skip)]
    pub own_use: bool,
    /// Where stacks and receipts are kept; `client` in the data folder if absent. No file can say so.
    #[serde(skip)]
    pub client_dir: Option<PathBuf>,
    /// Whether it seals its user's requests itself, and to which nodes. No file can say so: it reads them first.
    #[serde(skip)]
    pub confidential: Option<Confidential>,
    /// The gateway, and its key, that pays for what is sealed here; this one's own stacks if absent. No file can say so.
    #[serde(skip)]
    pub through: Option<(String, String)>,
    /// Who is told of what is bought. No file can say so.
    #[serde(skip)]
    pub purchases: Option<Purchases>,
    /// The clock, randomness, threads and network that it runs on: the machine's, but for simulations.
    #[serde(skip)]
    pub runtime: Runtime,
}

/// An API key and what its holder may do.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyConfig {
    /// Whose it is; what it has spent is kept under this name.
    pub name: String,
    /// Hash of the key (see [`ApiKey`](crate::ApiKey)); the key itself is nowhere stored.
    pub hash: KeyHash,
    /// What it may spend in all.
    pub budget: MicroUsdc,
    /// Requests under way at once; only the gateway's own limit if absent.
    #[serde(default)]
    pub max_concurrent: Option<usize>,
}

/// A model that is served.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelConfig {
    /// Its name on the ledger.
    pub name: String,
    /// Its task, where several have this name.
    #[serde(default)]
    pub task: Option<TaskId>,
    /// How its stacks are bought.
    #[serde(default)]
    pub policy: Option<StackPolicy>,
}

/// How stacks are bought and topped up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct StackPolicy {
    /// The highest price. If absent, the median of what nodes ask for the task, weighted by their collateral; never
    /// above the task's own ceiling.
    pub max_price: Option<Price>,
    /// Units of a new stack, and of each top-up.
    pub stack_units: ComputeUnits,
    /// The most that one purchase puts into a stack: of a dear model's units fewer are bought. A tenth of
    /// the gateway's budget if absent. (Only a single request that may cost more, which its key's budget
    /// covers, makes it larger.)
    pub max_purchase: Option<MicroUsdc>,
    /// Units granted to a node at a time: enough for some minutes, as a grant takes a transaction. (A
    /// node can take only what vouchers are signed for, however much it is granted.)
    pub grant_units: ComputeUnits,
    /// How long a stack lives.
    pub lifetime: DurationMs,
    /// Output tokens held for a request that names no limit.
    pub default_output_tokens: u64,
}

impl Default for StackPolicy {
    fn default() -> Self {
        Self {
            max_price: None,
            stack_units: ComputeUnits(2_000_000),
            max_purchase: None,
            grant_units: ComputeUnits(200_000),
            lifetime: DurationMs(24 * 3_600 * 1_000),
            default_output_tokens: 2_048,
        }
    }
}

/// Bounds on the requests of users with a key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RequestLimits {
    /// Requests under way at once; more get 429. Each holds at most a body.
    pub max_concurrent: usize,
    /// How long a request may wait for a stack to be bought and a lease to be open, in milliseconds.
    pub lease_timeout_ms: DurationMs,
    /// Nodes tried for one request. It is sent at most five times more than that: once for each reason to mend it
    /// and ask the same node again.
    pub max_tries: usize,
    /// How long a node may take until a stream begins, in milliseconds; a whole answer has a tenth of a
    /// second more for each of its tokens.
    pub answer_begins_timeout_ms: DurationMs,
    /// After this time no further node is tried for a request, in milliseconds.
    pub retry_for_ms: DurationMs,
}

impl Default for RequestLimits {
    fn default() -> Self {
        Self {
            max_concurrent: 1_024,
            lease_timeout_ms: DurationMs(20_000),
            max_tries: 6,
            answer_begins_timeout_ms: DurationMs(30_000),
            retry_for_ms: DurationMs(60_000),
        }
    }
}

mod defaults {
    use std::net::{Ipv4Addr, SocketAddr};

    pub(super) fn listen() -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))
    }

    pub(super) fn watch_settlements() -> bool {
        true
    }
}

/// A configuration that a file can hold and no gateway can run with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The name is a key of the database and stands in logs.
    #[error("configuration: an API key's name has 1 to {MAX_NAME_LENGTH} bytes")]
    KeyName,
    /// What is spent is kept by name.
    #[error("configuration: two API keys have the name `{0}`")]
    SameName(String),
    /// A key that may have no request under way can't be used.
    #[error("configuration: the API key `{0}` may do nothing: max_concurrent is 0")]
    IdleKey(String),
    /// A stack that soon ends takes no requests.
    #[error("configuration: a stack must live at least {MIN_STACK_LIFETIME}")]
    ShortLife,
    /// A grant is a part of a stack.
    #[error("configuration: grant_units must be above zero and at most stack_units")]
    GrantUnits,
    /// A limit that lets nothing through.
    #[error("configuration: {0}")]
    ZeroLimit(ZeroLimit),
    /// A bound that lets nothing through.
    #[error("configuration: requests.{0} must be above zero")]
    ZeroBound(&'static str),
}

/// Stacks that end soon take no new requests, so shorter lives would buy a new one all the time.
const MIN_STACK_LIFETIME: DurationMs = DurationMs(10 * 60 * 1_000);
/// So many purchases fit into the budget: a single model, however dear, must not take all of it.
const PURCHASES: u64 = 10;
/// Names are short: they are keys of the database and stand in logs.
const MAX_NAME_LENGTH: usize = 64;

impl GatewayConfig {
    /// Looks for what a file can say and no gateway can do.
    ///
    /// # Errors
    ///
    /// The first such thing.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let mut names = std::collections::BTreeSet::new();
        for key in &self.api_keys {
            if key.name.is_empty() || key.name.len() > MAX_NAME_LENGTH {
                return Err(ConfigError::KeyName);
            }
            if !names.insert(key.name.as_str()) {
                return Err(ConfigError::SameName(key.name.clone()));
            }
            if key.max_concurrent == Some(0) {
                return Err(ConfigError::IdleKey(key.name.clone()));
            }
        }
        let policies = self.models.iter().filter_map(|model| model.policy.as_ref());
        for policy in policies.chain([&self.policy]) {
            if policy.lifetime < MIN_STACK_LIFETIME {
                return Err(ConfigError::ShortLife);
            }
            if policy.grant_units.0 == 0 || policy.grant_units > policy.stack_units {
                return Err(ConfigError::GrantUnits);
            }
        }
        self.limits.check().map_err(ConfigError::ZeroLimit)?;
        let requests = &self.requests;
        let zeros = [
            ("max_concurrent", requests.max_concurrent as u64),
            ("max_tries", requests.max_tries as u64),
            (
                "answer_begins_timeout_ms",
                requests.answer_begins_timeout_ms.0,
            ),
            ("retry_for_ms", requests.retry_for_ms.0),
        ];
        match zeros.iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => Err(ConfigError::ZeroBound(name)),
            None => Ok(()),
        }
    }

    /// The policy of a model.
    pub(crate) fn policy_of(&self, model: Option<&ModelConfig>) -> StackPolicy {
        let own = model.and_then(|model| model.policy.clone());
        own.unwrap_or_else(|| self.policy.clone())
    }

    /// The most that one purchase under a policy puts into a stack.
    pub(crate) fn max_purchase(&self, policy: &StackPolicy) -> MicroUsdc {
        let share = MicroUsdc(self.budget.0 / PURCHASES);
        policy.max_purchase.unwrap_or(share)
    }

    /// Which nodes are used.
    pub(crate) fn reach(&self) -> NodeReach {
        match self.local_nodes {
            true => NodeReach::Anywhere,
            false => NodeReach::Public,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::ApiKey;
    use atoma_runtime::SystemRandom;

    fn sample() -> GatewayConfig {
        let hash = ApiKey::generate(&SystemRandom).hash();
        let text = format!(
            "ledger = \"http://127.0.0.1:9000\"\n\
             data_dir = \"data\"\n\
             budget = 5000000\n\
             api_keys = [{{ name = \"ann\", hash = \"{hash}\", budget = 1000000 }}]\n\
             models = [{{ name = \"tiny\", policy = {{ grant_units = 1000 }} }}]\n"
        );
        toml::from_str(&text).unwrap()
    }

    #[test]
    fn a_short_file_is_enough() {
        let config = sample();
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.limits.max_body_bytes, 4 << 20);
        assert_eq!(
            config.policy_of(config.models.first()).grant_units,
            ComputeUnits(1_000)
        );
        assert_eq!(config.policy_of(None), StackPolicy::default());
        let again: GatewayConfig = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(again.api_keys[0].hash, config.api_keys[0].hash);
    }

    #[test]
    fn nonsense_is_refused() {
        use ConfigError as E;
        type Change = fn(&mut GatewayConfig);
        let changes: [(Change, ConfigError); 7] = [
            (
                |config| config.api_keys.push(config.api_keys[0].clone()),
                E::SameName("ann".to_owned()),
            ),
            (|config| config.api_keys[0].name = String::new(), E::KeyName),
            (
                |config| config.api_keys[0].max_concurrent = Some(0),
                E::IdleKey("ann".to_owned()),
            ),
            (
                |config| config.policy.grant_units = ComputeUnits(u64::MAX),
                E::GrantUnits,
            ),
            (
                |config| config.requests.max_tries = 0,
                E::ZeroBound("max_tries"),
            ),
            (
                |config| config.limits.max_connections = 0,
                E::ZeroLimit(ZeroLimit("max_connections")),
            ),
            (
                |config| config.policy.lifetime = DurationMs(1_000),
                E::ShortLife,
            ),
        ];
        for (change, error) in changes {
            let mut config = sample();
            change(&mut config);
            assert_eq!(config.check(), Err(error));
        }
        assert!(toml::from_str::<GatewayConfig>("ledgr = 1").is_err());
    }
}
