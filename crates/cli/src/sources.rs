//! Where evidence comes from: the network in use, and what this machine has.

use crate::{settings::Settings, walrus::WalrusReading};
use anyhow::Result;
use atoma_client::{
    evidence::{AskNodes, KeptReceipts, NodeProofs, SourceError, Sources},
    request_key,
};
use atoma_evidence::pack::MAX_PACK;
use atoma_keys::SigningKey;
use atoma_runtime::{Sockets, Threads};
use atoma_walrus::client::{ClientConfig, WalrusClient};

/// An aggregator that can't be reached is asked so often; a check without it is skipped.
const ATTEMPTS: u32 = 2;

/// What this machine has.
pub(crate) struct Has {
    /// Receipts that are kept here, or why there are none.
    pub(crate) receipts: Result<Box<dyn KeptReceipts>, SourceError>,
    /// Keys that may open records.
    pub(crate) keys: Vec<SigningKey>,
}

impl Has {
    /// With ledger, Walrus and nodes of the network in use.
    pub(crate) async fn online(self, settings: &Settings, walrus: &WalrusReading) -> Sources {
        let ledger = settings.ledger().await;
        let nodes = AskNodes::new(Sockets::Tcp).map(|nodes| Box::new(nodes) as Box<dyn NodeProofs>);
        Sources {
            ledger: ledger.map_err(Into::into),
            walrus: client(settings, walrus).map_err(Into::into),
            nodes: nodes.map_err(Into::into),
            ..self.alone(walrus.shards(settings))
        }
    }

    /// What can be told by what was given alone, with neither ledger nor Walrus.
    pub(crate) fn alone(self, shards: u16) -> Sources {
        let offline = || "offline".into();
        Sources {
            ledger: Err(offline()),
            walrus: Err(offline()),
            nodes: Err(offline()),
            receipts: self.receipts,
            keys: self.keys,
            shards,
            threads: Threads::Real,
        }
    }
}

/// All keys that may open records of these wallets' requests.
pub(crate) fn opening<'a>(wallets: impl Iterator<Item = &'a SigningKey>) -> Vec<SigningKey> {
    let both = |key: &SigningKey| [request_key(key), SigningKey::from_seed(&key.to_seed())];
    wallets.flat_map(both).collect()
}

fn client(settings: &Settings, walrus: &WalrusReading) -> Result<WalrusClient> {
    Ok(WalrusClient::new(ClientConfig {
        attempts: ATTEMPTS,
        max_blob: MAX_PACK,
        ..walrus.config(settings)?
    })?)
}
