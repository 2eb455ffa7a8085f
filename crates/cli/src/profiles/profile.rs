//! What is known of one network: where its ledger is, which package and money count there, where Walrus is.

use atoma_types::{NetworkId, ObjectId, chain::Deployment};
use serde::{Deserialize, Serialize};

/// What is known of one network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Profile {
    /// The ledger's gRPC URL.
    pub(crate) ledger: String,
    /// Where test money comes from; the ledger itself if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) faucet: Option<String>,
    /// Which ledger it must be; not held to one if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) network: Option<NetworkId>,
    /// The type of the money.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) usdc: Option<String>,
    /// Where its Walrus is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) walrus: Option<Walrus>,
    /// Where the package stands; looked up at localnet's own place if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) deployment: Option<Deployment>,
    /// The publisher's rights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) rights: Option<Rights>,
}

/// Walrus on a network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Walrus {
    /// Its `System` on the ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) system: Option<ObjectId>,
    /// A publisher's URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) publisher: Option<String>,
    /// An aggregator's URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) aggregator: Option<String>,
    /// How many shards it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) shards: Option<u16>,
}

/// Objects that let their owner administer a deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Rights {
    /// To upgrade the package.
    pub(crate) upgrade_cap: ObjectId,
    /// To set parameters.
    pub(crate) admin_cap: ObjectId,
}

impl Profile {
    /// A network of which only the ledger is known.
    pub(crate) fn at(ledger: impl Into<String>) -> Self {
        Self {
            ledger: ledger.into(),
            faucet: None,
            network: None,
            usdc: None,
            walrus: None,
            deployment: None,
            rights: None,
        }
    }

    /// Which ledger it must be, if that is known.
    pub(crate) fn expected_network(&self) -> Option<NetworkId> {
        let deployed = self.deployment.as_ref().map(|d| d.network);
        deployed.or(self.network)
    }
}
