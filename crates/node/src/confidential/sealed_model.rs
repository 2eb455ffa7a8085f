//! A sealed model at a node's start: the guest shows a key broker what it is, and gets the model's key, in memory.
//!
//! ```text
//! broker's nonce ──► a keyset of no node, made for this alone ──► evidence over both ──► broker
//! key, wrapped for this keyset ──► opened, the keyset's secret is wiped ──► the engine reads the sealed files
//! ```
//!
//! The keyset names no node: the engine is loaded before the node knows which it is, and no client takes a keyset that isn't
//! the node's own. So nothing but the key is ever sealed to it, and what was sent can't be opened later.

use super::{config::ConfidentialConfig, error::GuestError, keys, keys::Subject};
use crate::config::NodeConfig;
use atoma_broker::{AskError, KeyBroker, OpenFolder, ReadFolderError, SealedFolder};
use atoma_channel::{
    Fault,
    model::{KeyTerms, ModelKey, open_key},
};
use atoma_keys::SigningKey;
use atoma_ledger::{ConnectError, Ledger, LedgerConfig};
use atoma_tee::statement::FreshnessKind;
use atoma_types::{Address, DurationMs, NodeId, hash::Hash32};
use std::path::PathBuf;

/// How long the keyset counts that the key is wrapped for: as long as a broker's clock may differ, and the question takes.
const LIFETIME: DurationMs = DurationMs(300_000);

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
        let nonce = broker.nonce(model).await?;
        let (keyset, secrets) = keys::keyset(&subject, runtime.now(), LIFETIME, &*runtime.random)?;
        let fresh = FreshnessKind::Nonce(nonce);
        let bundle = keys::bundle(&*attester, &keyset, fresh).await?;
        let released = broker.key(model, bundle.to_bytes()).await?;
        let terms = KeyTerms {
            model,
            release: guest.release,
            nonce,
        };
        let secret = secrets.first().ok_or(GuestError::from(Fault::SealingKey))?;
        let key = open_key(&released, &keyset, secret, &terms);
        let key = key.map_err(|source| SealedModelError::Key {
            url: self.model_keys.clone(),
            source,
        })?;
        tracing::info!(%model, broker = self.model_keys, "a sealed model's key is there");
        Ok(key)
    }
}
