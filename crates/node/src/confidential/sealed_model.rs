//! A sealed model at a node's start: the guest shows a key broker what it is, and gets the model's key, in memory.
//!
//! ```text
//! broker's nonce ──► a keyset of no node, made for this alone ──► evidence over both ──► broker
//! key, wrapped for this keyset ──► opened, the keyset's secret is wiped ──► the engine reads the sealed files
//! ```
//!
//! The keyset names no node: the engine is loaded before the node knows which it is, and no client takes a keyset that isn't
//! the node's own. So nothing but the key is ever sealed to it, and what was sent can't be opened later.

use super::{
    attester::Attester, config::ConfidentialConfig, error::GuestError, keys, keys::Subject,
};
use crate::config::NodeConfig;
use atoma_broker::{AskError, KeyBroker, KeyFault, OpenFolder, ReadFolderError, SealedFolder};
use atoma_channel::{
    Fault,
    model::{KeyTerms, ModelKey, open_key},
};
use atoma_keys::SigningKey;
use atoma_ledger::{ConnectError, Ledger, LedgerConfig};
use atoma_runtime::{Random, Runtime};
use atoma_tee::statement::FreshnessKind;
use atoma_types::{Address, DurationMs, NodeId, hash::Hash32};
use std::{path::PathBuf, time::Duration};
use tokio::time::Instant;

/// How long the keyset counts that the key is wrapped for: as long as a broker's clock may differ, and the question takes.
const LIFETIME: DurationMs = DurationMs(300_000);

/// So often a broker is asked for a key at most, while too many ask it at once: it lets each wait ten seconds for a turn itself.
const TRIES: u32 = 8;
/// The pause before it is asked again doubles from this,
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// and no further try begins after this: whoever starts the node learns why it doesn't.
const PATIENCE: Duration = Duration::from_secs(120);

/// A sealed model, and who has its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedModel {
    /// Its folder, as `atoma model seal` made it.
    pub folder: PathBuf,
    /// URL of its owner's key broker.
    pub model_keys: String,
}

/// A sealed model can't be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SealedModelError {
    /// Only a guest is given a key.
    #[error(
        "a sealed model needs `[confidential]`: its key is given to nodes that nobody can look into"
    )]
    NotConfidential,
    /// The folder isn't a sealed model, or the key is another one's.
    #[error(transparent)]
    Folder(#[from] ReadFolderError),
    /// There is no ledger to say on which network this is.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// There is no evidence.
    #[error(transparent)]
    Guest(#[from] GuestError),
    /// The broker gives no key.
    #[error(transparent)]
    Broker(#[from] AskError),
    /// What the broker gave isn't for this guest.
    #[error("what the key broker at {url} gave opens nothing")]
    Key {
        /// Where it is.
        url: String,
        /// Why it doesn't.
        #[source]
        source: Fault,
    },
}

impl SealedModel {
    /// Gets the model's key as the guest that this node is, and opens the model with it.
    ///
    /// # Errors
    /// If the node is no guest, the broker doesn't give the key, or it doesn't fit.
    pub async fn open(&self, config: &NodeConfig) -> Result<OpenFolder, SealedModelError> {
        let guest = config.confidential.as_ref();
        let guest = guest.ok_or(SealedModelError::NotConfidential)?;
        let folder = SealedFolder::read(&self.folder)?;
        let key = self.key(folder.id(), guest, config).await?;
        Ok(folder.open(key)?)
    }

    async fn key(
        &self,
        model: Hash32,
        guest: &ConfidentialConfig,
        config: &NodeConfig,
    ) -> Result<ModelKey, SealedModelError> {
        let (attester, runtime) = (guest.attester()?, &config.runtime);
        let ledger = LedgerConfig {
            url: config.ledger.clone(),
            deployment: config.deployment.clone(),
            runtime: runtime.clone(),
            faucet: None,
        };
        let ledger = Ledger::open(ledger).await?;
        let subject = Subject {
            network: ledger.network(),
            package: ledger.deployment().package,
            node: NodeId(Address::ZERO),
            release: guest.release,
            // it signs nothing
            receipt_key: SigningKey::generate(&*runtime.random).public_key(),
        };
        let broker = KeyBroker::new(&self.model_keys, runtime.sockets.clone())?;
        let ask = async || {
            self.ask(model, &broker, (&subject, &*attester), runtime)
                .await
        };
        let key = while_busy(&*runtime.random, ask).await?;
        tracing::info!(%model, broker = self.model_keys, "a sealed model's key is there");
        Ok(key)
    }

    /// Asks once, with a keyset that is made for it.
    async fn ask(
        &self,
        model: Hash32,
        broker: &KeyBroker,
        (subject, attester): (&Subject, &dyn Attester),
        runtime: &Runtime,
    ) -> Result<ModelKey, SealedModelError> {
        let nonce = broker.nonce(model).await?;
        let (keyset, secrets) = keys::keyset(subject, runtime.now(), LIFETIME, &*runtime.random)?;
        let fresh = FreshnessKind::Nonce(nonce);
        let bundle = keys::bundle(attester, &keyset, fresh).await?;
        let released = broker.key(model, bundle.to_bytes()).await?;
        let terms = KeyTerms {
            model,
            release: subject.release,
            nonce,
        };
        let secret = secrets.first().ok_or(GuestError::from(Fault::SealingKey))?;
        let key = open_key(&released, &keyset, secret, &terms);
        key.map_err(|source| SealedModelError::Key {
            url: self.model_keys.clone(),
            source,
        })
    }
}

/// Asks again, after longer and longer pauses, as long as too many ask at once.
async fn while_busy<T>(
    random: &dyn Random,
    ask: impl AsyncFn() -> Result<T, SealedModelError>,
) -> Result<T, SealedModelError> {
    let started = Instant::now();
    let mut pause = FIRST_PAUSE;
    for _ in 1..TRIES {
        let refused = match ask().await {
            Err(error) if is_busy(&error) => error,
            done => return done,
        };
        // nodes that begin together come again apart
        let [part] = random.bytes();
        let rest = pause + pause * u32::from(part) / 256;
        if started.elapsed() + rest > PATIENCE {
            return Err(refused);
        }
        tracing::info!(?rest, "the key broker is busy: it is asked again");
        tokio::time::sleep(rest).await;
        pause *= 2;
    }
    ask().await
}

fn is_busy(error: &SealedModelError) -> bool {
    let busy = KeyFault::Busy.code();
    matches!(error, SealedModelError::Broker(AskError::Refused { code, .. }) if code == busy)
}

#[cfg(test)]
mod tests {
    use super::*;
    use atoma_runtime::SeededRandom;
    use std::cell::Cell;

    fn refused(code: &str) -> SealedModelError {
        AskError::Refused {
            url: String::new(),
            code: code.to_owned(),
            words: String::new(),
        }
        .into()
    }

    /// What comes of asking a broker that is busy so often, then says this; how often it was asked, and for how long.
    async fn asked(
        busy: u32,
        then: impl Fn() -> Result<(), SealedModelError>,
    ) -> (Result<(), SealedModelError>, u32, Duration) {
        let (times, started) = (Cell::new(0), Instant::now());
        let ask = async || {
            times.set(times.get() + 1);
            match times.get() <= busy {
                true => Err(refused(KeyFault::Busy.code())),
                false => then(),
            }
        };
        let done = while_busy(&SeededRandom::new(1), ask).await;
        (done, times.get(), started.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_broker_is_asked_again_for_two_minutes_at_most() {
        let (done, times, took) = asked(3, || Ok(())).await;
        assert!(done.is_ok() && times == 4, "{done:?} after {times}");
        assert!(
            took >= 7 * FIRST_PAUSE && took < 15 * FIRST_PAUSE,
            "{took:?}"
        );
        let (done, times, took) = asked(u32::MAX, || Ok(())).await;
        assert!(
            is_busy(&done.unwrap_err()) && (2..=TRIES).contains(&times),
            "{times}"
        );
        assert!(took <= PATIENCE, "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn another_refusal_is_final() {
        let (done, times, took) = asked(1, || Err(refused("key_policy"))).await;
        let said = done.unwrap_err().to_string();
        assert!(
            said.contains("key_policy") && times == 2,
            "{said} after {times}"
        );
        assert!(took < 3 * FIRST_PAUSE, "{took:?}");
    }
}
