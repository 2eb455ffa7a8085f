//! A gateway with three API keys: one with a budget, one without, one for a single request at a time.

use crate::{NetworkError, POCKET_MONEY, fund, progress::Observer, stored_key};
use atoma_gateway::{
    ApiKey, ApiKeyConfig, Gateway, GatewayConfig, Limits, RequestLimits, RunningGateway,
    StackPolicy,
};
use atoma_ledger::Ledger;
use atoma_runtime::Random;
use atoma_types::MicroUsdc;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
};

/// What the normal key may spend: 100 USDC.
const KEY_BUDGET: MicroUsdc = MicroUsdc(100_000_000);
/// What the poor key may spend: nothing, to see what a 402 looks like.
const POOR_BUDGET: MicroUsdc = MicroUsdc(0);
/// How many requests the narrow key may have under way, to see what a 429 looks like.
const NARROW: usize = 1;

/// The API keys of a network.
#[derive(Debug)]
pub struct ApiKeys {
    /// A key that has a budget: its requests are answered.
    pub normal: ApiKey,
    /// A key whose budget is empty.
    pub poor: ApiKey,
    /// May do one thing at a time.
    pub narrow: ApiKey,
}

impl ApiKeys {
    /// Those kept in a folder, made at first use from `random`.
    ///
    /// # Errors
    /// If a file can't be read or written, or holds something else.
    pub fn open(folder: &Path, random: &dyn Random) -> Result<Self, NetworkError> {
        let stored = |name: &str| -> Result<ApiKey, NetworkError> {
            let path = folder.join(name);
            let file = |source| NetworkError::File {
                path: path.clone(),
                source,
            };
            if let Some(text) = atoma_keys::read_private(&path).map_err(file)? {
                let key = text.trim().parse();
                return key.map_err(|source| NetworkError::ApiKey { path, source });
            }
            let key = ApiKey::generate(random);
            atoma_runtime::files::write_private(&path, key.reveal().as_bytes()).map_err(file)?;
            Ok(key)
        };
        Ok(Self {
            normal: stored("api.key")?,
            poor: stored("poor-api.key")?,
            narrow: stored("narrow-api.key")?,
        })
    }
}

/// What a gateway is started with.
#[derive(Debug)]
pub struct GatewayPlan<'a> {
    /// Holds its wallet, stacks and budgets.
    pub folder: PathBuf,
    /// Where users reach it.
    pub listen: SocketAddr,
    /// Where its operator reads metrics.
    pub admin_listen: SocketAddr,
    /// So many requests are worked on at once; more get status 429.
    pub max_concurrent: usize,
    /// The API keys whose requests are answered.
    pub keys: &'a ApiKeys,
    /// Whether it closes its stacks when it stops, so that what is left comes back. This waits for the
    /// nodes to settle, and for the dispute window.
    pub close_stacks_on_stop: bool,
}

/// Starts a gateway with a wallet of its own.
///
/// # Errors
/// If it doesn't start, or nobody gives it money.
pub async fn start_gateway(
    ledger: &Ledger,
    plan: GatewayPlan<'_>,
    observer: &dyn Observer,
) -> Result<RunningGateway, NetworkError> {
    let wallet = stored_key(&plan.folder.join("wallet.key"), &*ledger.runtime().random)?;
    let address = wallet.public_key().address();
    fund(ledger, "gateway", address, POCKET_MONEY, observer).await?;
    let key = |name: &str, key: &ApiKey, budget, max_concurrent| ApiKeyConfig {
        name: name.to_owned(),
        hash: key.hash(),
        budget,
        max_concurrent,
    };
    let config = GatewayConfig {
        ledger: ledger.url().to_owned(),
        deployment: None,
        listen: plan.listen,
        admin_listen: Some(plan.admin_listen),
        data_dir: plan.folder,
        api_keys: vec![
            key("user", &plan.keys.normal, KEY_BUDGET, None),
            key("poor", &plan.keys.poor, POOR_BUDGET, None),
            key("narrow", &plan.keys.narrow, KEY_BUDGET, Some(NARROW)),
        ],
        budget: KEY_BUDGET,
        policy: StackPolicy::default(),
        models: Vec::new(),
        limits: Limits::default(),
        requests: RequestLimits {
            max_concurrent: plan.max_concurrent,
            ..RequestLimits::default()
        },
        local_nodes: true,
        watch_settlements: true,
        no_forward: false,
        max_bonds: MicroUsdc::ZERO,
        close_stacks_on_stop: plan.close_stacks_on_stop,
        own_use: false,
        client_dir: None,
        confidential: None,
        through: None,
        purchases: None,
        runtime: ledger.runtime().clone(),
    };
    let started = Gateway::start(config, Arc::new(wallet)).await;
    started.map_err(|source| NetworkError::Gateway(Box::new(source)))
}
