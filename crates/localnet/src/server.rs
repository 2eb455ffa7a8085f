//! Starting and stopping: opens the database or makes the first one, starts the writer, serves.

use crate::{
    beacon::Beacon,
    clock::Clock,
    config::LocalnetConfig,
    error::LocalnetError,
    execution::gas,
    faucet, genesis, grpc,
    record::Executed,
    shared::{Command, Shared, View},
    state::State,
    store::{Batch, Store},
    treasury::Treasury,
    writer::{CLOCK_LATEST, CLOCK_OFFSET, Writer},
};
use atoma_http::server::Server;
use atoma_keys::{Keystore, SigningKey};
use atoma_runtime::{Random, Threads, Worker};
use atoma_types::{
    NetworkId, TimestampMs,
    chain::{Deployment, LOCALNET_PACKAGE},
};
use axum::Router;
use parking_lot::RwLock;
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::sync::{broadcast, mpsc, watch};

/// Commands that may wait for the writer: a few commits' worth.
const QUEUE: usize = 1_024;
/// Checkpoints that a subscriber may be behind before it is cut off.
const BACKLOG: usize = 4_096;
/// How long open connections get to end when the localnet stops.
const GRACE: Duration = Duration::from_secs(2);
/// The administrator's key in the data folder.
const ADMIN_KEYSTORE: &str = "admin.keystore";
/// Names of stored values.
const TREASURY_SEED: &str = "treasury_seed";
const BEACON_SECRET: &str = "beacon_secret";

/// The development ledger.
#[derive(Debug)]
pub struct Localnet;

/// A localnet that runs. Dropping it stops it without waiting; see [`Self::shutdown`].
#[derive(Debug)]
pub struct RunningLocalnet {
    shared: Arc<Shared>,
    address: SocketAddr,
    admin: SigningKey,
    server: Option<Server>,
    writer: Option<Worker>,
}

impl Localnet {
    /// Starts a localnet in its data folder, or makes one there.
    ///
    /// # Errors
    /// If the folder is in use or broken, or the address cannot be listened on.
    pub async fn start(config: LocalnetConfig) -> Result<RunningLocalnet, LocalnetError> {
        let address = config.listen;
        let unusable = |source| LocalnetError::Listen { address, source };
        let net = config.runtime.net.clone();
        let listener = net.listen(address).await.map_err(unusable)?;
        let address = listener.local_addr().map_err(unusable)?;
        let threads = config.runtime.threads;
        let (admin, writer, commands) = threads
            .blocking(move || open(config))
            .await
            .map_err(|error| LocalnetError::Writer(error.to_string()))??;
        let shared = Arc::clone(&writer.shared);
        let writer = threads
            .work("localnet-writer", writer.run(commands))
            .map_err(|error| LocalnetError::Writer(error.to_string()))?;
        let limits = shared.config.limits.clone();
        let server = Server::start(listener, routes(&shared), limits, Arc::default());
        let server = server.map_err(|source| LocalnetError::Listen { address, source })?;
        tracing::info!(%address, chain = %shared.chain, "localnet runs");
        Ok(RunningLocalnet {
            shared,
            address,
            admin,
            server: Some(server),
            writer: Some(writer),
        })
    }
}

impl RunningLocalnet {
    /// Where it serves.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The address it listens on.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Which ledger this is.
    #[must_use]
    pub fn network(&self) -> NetworkId {
        self.shared.network()
    }

    /// Where the package stands, or will once it is published.
    #[must_use]
    pub fn deployment(&self) -> Deployment {
        Deployment::localnet(self.network())
    }

    /// Whether the package stands there: it does from the start, unless it was left to be published.
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.shared.view.read().state.is_package(&LOCALNET_PACKAGE)
    }

    /// The administrator's key, as kept in the data folder. It holds the `AdminCap` unless another
    /// address was configured.
    #[must_use]
    pub fn admin_key(&self) -> &SigningKey {
        &self.admin
    }

    /// Checks that all money is accounted for.
    ///
    /// # Errors
    /// What does not add up, in words.
    pub fn audit(&self) -> Result<crate::audit::Audit, String> {
        crate::audit::audit(&self.shared.view.read())
    }

    /// Stops: what was accepted is finished, streams end, the database is closed.
    pub async fn shutdown(mut self) {
        self.shared.stopping.send_replace(true);
        if let Some(server) = self.server.take() {
            server.close(GRACE).await;
        }
        if let Some(writer) = self.writer.take() {
            // an error means that it has stopped already
            let _ = self.shared.commands.send(Command::Stop).await;
            if let Err(error) = writer.join().await {
                tracing::error!(%error, "the writer ended badly");
            }
        }
    }

    /// Tells the writer to stop without waiting for it.
    fn stop_writer(&self) {
        let mut command = Command::Stop;
        // the queue may be full for a moment; a writer on a thread of its own is emptying it
        while let Err(mpsc::error::TrySendError::Full(back)) =
            self.shared.commands.try_send(command)
        {
            if self.shared.config.runtime.threads == Threads::InLine {
                return;
            }
            command = back;
            std::thread::yield_now();
        }
    }
}

impl Drop for RunningLocalnet {
    fn drop(&mut self) {
        self.shared.stopping.send_replace(true);
        if self.writer.is_some() {
            self.stop_writer();
        }
    }
}

/// gRPC, gRPC-web and the plain routes on one port.
fn routes(shared: &Arc<Shared>) -> Router {
    let grpc = tower::ServiceBuilder::new()
        .layer(tonic_web::GrpcWebLayer::new())
        .service(grpc::routes(Arc::clone(shared)).prepare());
    faucet::routes(Arc::clone(shared)).fallback_service(grpc)
}

/// Opens or makes the ledger.
fn open(
    config: LocalnetConfig,
) -> Result<(SigningKey, Writer, mpsc::Receiver<Command>), LocalnetError> {
    let mut store = Store::open(&config.data_dir)?;
    let admin = admin_key(&config)?;
    if store.genesis()?.is_none() {
        create(&mut store, &config, &admin)?;
    }
    let missing = |what: &str| LocalnetError::Damaged(format!("{what} is missing"));
    let chain = store.genesis()?.ok_or_else(|| missing("genesis"))?;
    let tip = store.tip()?.ok_or_else(|| missing("the last checkpoint"))?;
    let seed = store.meta(TREASURY_SEED)?;
    let seed = seed.and_then(|seed| <[u8; 32]>::try_from(seed).ok());
    let treasury = Treasury::new(SigningKey::from_seed(
        &seed.ok_or_else(|| missing("the treasury's key"))?,
    ));
    let beacon = store.meta(BEACON_SECRET)?;
    let beacon = beacon
        .and_then(|secret| Beacon::restore(&secret))
        .ok_or_else(|| missing("the beacon's secret"))?;
    let number = |key| -> Result<u64, LocalnetError> {
        let bytes = store.meta(key)?.and_then(|bytes| bytes.try_into().ok());
        Ok(bytes.map_or(0, u64::from_le_bytes))
    };
    let latest = store
        .latest_time()?
        .max(TimestampMs(number(CLOCK_LATEST)?))
        .max(TimestampMs(tip.timestamp_ms));
    let system = Arc::clone(&config.runtime.clock);
    let clock = Clock::new(config.clock, system, number(CLOCK_OFFSET)?, latest.0);

    let deployment = Deployment::localnet(NetworkId(chain.into_inner()));
    let restore = |store: &Store| -> Result<State, LocalnetError> {
        State::restore(deployment.clone(), store.objects()?, store.digests()?)
    };
    let open: Vec<Arc<Executed>> = store.unsealed(tip.sequence_number + 1)?;
    let (commands, queue) = mpsc::channel(QUEUE);
    let shared = Arc::new(Shared {
        config,
        chain,
        view: RwLock::new(View {
            state: restore(&store)?,
            gas: open.iter().fold(
                tip.epoch_rolling_gas_cost_summary.clone(),
                |sum, executed| gas::add(&sum, executed.effects.gas_summary()),
            ),
            tip: tip.clone(),
        }),
        readers: store.readers(),
        clock,
        sealed: broadcast::channel(BACKLOG).0,
        stopping: watch::channel(false).0,
        commands,
    });
    let writer = Writer {
        state: restore(&store)?,
        store,
        shared,
        tip,
        open,
        beacon,
        treasury,
    };
    Ok((admin, writer, queue))
}

/// The kept key, made at the first start.
fn admin_key(config: &LocalnetConfig) -> Result<SigningKey, LocalnetError> {
    let mut keystore = Keystore::open(config.data_dir.join(ADMIN_KEYSTORE))?;
    if let Some(key) = keystore.keys().first() {
        return Ok(SigningKey::from_seed(&key.to_seed()));
    }
    let key = SigningKey::from_seed(&config.runtime.random.bytes());
    let kept = SigningKey::from_seed(&key.to_seed());
    keystore.add(key)?;
    Ok(kept)
}

/// Makes a new ledger, whole or not at all.
fn create(
    store: &mut Store,
    config: &LocalnetConfig,
    admin: &SigningKey,
) -> Result<(), LocalnetError> {
    let random: &dyn Random = &*config.runtime.random;
    let key = SigningKey::from_seed(&random.bytes());
    let seed = key.to_seed().to_vec();
    let treasury = Treasury::new(key);
    let clock = Clock::new(config.clock, Arc::clone(&config.runtime.clock), 0, 0);
    let genesis = genesis::create(
        treasury.address(),
        config.admin.unwrap_or_else(|| admin.public_key().address()),
        (!config.unpublished).then(|| config.params.clone()),
        clock.now(),
        random,
    )?;
    let executed = genesis.sealed.transactions.first().cloned();
    store.write(&Batch {
        executed: executed
            .into_iter()
            .map(|e| (e, genesis.delta.clone()))
            .collect(),
        sealed: vec![Arc::clone(&genesis.sealed)],
        meta: vec![
            (TREASURY_SEED, seed),
            (BEACON_SECRET, Beacon::generate(random).to_bytes()),
        ],
    })
}
