//! Opens the database or makes the first one, and starts the writer.

use crate::{
    access::LedgerAccess,
    beacon::Beacon,
    clock::Clock,
    config::LocalnetConfig,
    error::{Damage, LocalnetError},
    execution::gas,
    genesis,
    record::Executed,
    state::State,
    store::{Batch, Store},
    treasury::Treasury,
    trouble::Trouble,
    view::View,
    writer::{CLOCK_LATEST, CLOCK_OFFSET, Writer},
};
use atoma_keys::{Keystore, SigningKey};
use atoma_runtime::Random;
use atoma_store::WriterThread;
use atoma_types::{NetworkId, TimestampMs, chain::Deployment};
use parking_lot::RwLock;
use std::sync::Arc;
use sui_sdk_types::{CheckpointSummary, GasCostSummary};
use tokio::sync::{Notify, broadcast, watch};

/// Checkpoints that a subscriber may be behind before it is cut off.
const BACKLOG: usize = 4_096;
/// The administrator's key in the data folder.
const ADMIN_KEYSTORE: &str = "admin.keystore";
/// Names of stored values.
const TREASURY_SEED: &str = "treasury_seed";
const BEACON_SECRET: &str = "beacon_secret";

/// A ledger that is open, and what else belongs to it.
pub(crate) struct Opened {
    pub(crate) access: Arc<LedgerAccess>,
    pub(crate) writer: WriterThread,
    pub(crate) admin: SigningKey,
    /// Rings when there is a checkpoint to seal.
    pub(crate) bell: Arc<Notify>,
}

/// Opens or makes the ledger.
pub(crate) fn open(config: LocalnetConfig) -> Result<Opened, LocalnetError> {
    let mut store = Store::open(&config.data_dir)?;
    let admin = admin_key(&config)?;
    if store.genesis()?.is_none() {
        create(&mut store, &config, &admin)?;
    }
    let chain = store.genesis()?.ok_or_else(|| missing("genesis"))?;
    let tip = store.tip()?.ok_or_else(|| missing("the last checkpoint"))?;
    let treasury = treasury(&store)?;
    let beacon = store.meta(BEACON_SECRET)?;
    let beacon = beacon.and_then(|secret| Beacon::restore(&secret));
    let beacon = beacon.ok_or_else(|| missing("the beacon's secret"))?;
    let clock = Arc::new(clock(&store, &config, &tip)?);
    let deployment = Deployment::localnet(NetworkId(chain.into_inner()));
    let restore = |store: &Store| -> Result<State, LocalnetError> {
        State::restore(deployment.clone(), store.objects()?, store.digests()?)
    };
    let open: Vec<Arc<Executed>> = store.unsealed(tip.sequence_number + 1)?;
    let view = Arc::new(RwLock::new(View {
        state: restore(&store)?,
        gas: gas_with(&tip, &open),
        tip: tip.clone(),
    }));
    let (bell, frozen) = (Arc::new(Notify::new()), Arc::default());
    let trouble = Arc::new(Trouble::default());
    let readers = Arc::new(store.readers());
    let (sealed, stopping) = (broadcast::channel(BACKLOG).0, watch::channel(false).0);
    let state = restore(&store)?;
    let (connection, lock) = store.into_parts();
    let writer = Writer {
        mode: config.checkpoint,
        chain,
        clock: Arc::clone(&clock),
        frozen: Arc::clone(&frozen),
        readers: Arc::clone(&readers),
        view: Arc::clone(&view),
        sealed: sealed.clone(),
        stopping: stopping.clone(),
        rung: false,
        bell: Arc::clone(&bell),
        state,
        tip,
        open,
        beacon,
        treasury,
        trouble: Arc::clone(&trouble),
        batch: Batch::default(),
        _lock: lock,
    };
    let (writes, writer) = writer.start(connection, config.runtime.threads)?;
    let access = Arc::new(LedgerAccess {
        config,
        chain,
        view,
        readers,
        clock,
        frozen,
        sealed,
        stopping,
        writes,
        trouble,
    });
    Ok(Opened {
        access,
        writer,
        admin,
        bell,
    })
}

/// All gas of the epoch: up to a checkpoint, and of what isn't sealed yet.
fn gas_with(tip: &CheckpointSummary, unsealed: &[Arc<Executed>]) -> GasCostSummary {
    let sealed = tip.epoch_rolling_gas_cost_summary.clone();
    unsealed.iter().fold(sealed, |sum, executed| {
        gas::add(&sum, executed.effects.gas_summary())
    })
}

fn missing(what: &'static str) -> LocalnetError {
    Damage::Missing(what).into()
}

fn treasury(store: &Store) -> Result<Treasury, LocalnetError> {
    let seed = store.meta(TREASURY_SEED)?;
    let seed = seed.and_then(|seed| <[u8; 32]>::try_from(seed).ok());
    let seed = seed.ok_or_else(|| missing("the treasury's key"))?;
    Ok(Treasury::new(SigningKey::from_seed(&seed)))
}

/// Goes on after the latest time that anything has seen.
fn clock(
    store: &Store,
    config: &LocalnetConfig,
    tip: &CheckpointSummary,
) -> Result<Clock, LocalnetError> {
    let number = |key| -> Result<u64, LocalnetError> {
        let bytes = store.meta(key)?.and_then(|bytes| bytes.try_into().ok());
        Ok(bytes.map_or(0, u64::from_le_bytes))
    };
    let latest = store
        .latest_time()?
        .max(TimestampMs(number(CLOCK_LATEST)?))
        .max(TimestampMs(tip.timestamp_ms));
    let system = Arc::clone(&config.runtime.clock);
    let offset = number(CLOCK_OFFSET)?;
    Ok(Clock::new(config.clock, system, offset, latest.0))
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
    store.begin(&Batch {
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
