//! A guest of software that acts as hardware, and a broker whose policy accepts it.

use atoma_broker::{Broker, BrokerConfig, KeyFile};
use atoma_channel::{
    Fault,
    model::{KeyTerms, ModelKey, open_key},
    testing::{NETWORK, TestNode},
};
use atoma_runtime::Runtime;
use atoma_tee::{
    Bundle, Keyset, Policy,
    bundle::PlatformEvidence,
    octets::{Digest, Measurement, Octets},
    software::SoftwareEvidence,
    statement::{Freshness, FreshnessKind},
};
use atoma_types::{Address, NodeId, TimestampMs, hash::Hash32, message::Domain};
use std::path::Path;

pub(crate) const RELEASE: Digest = Octets([0x0e; 32]);
/// In the policy, and not to have the models.
pub(crate) const OTHER_RELEASE: Digest = Octets([0x0f; 32]);
pub(crate) const MEASUREMENT: Measurement = Octets([0x5f; 48]);

/// What runs, and what it says it started with.
#[derive(Clone)]
pub(crate) struct Guest {
    pub(crate) node: TestNode,
    pub(crate) measurement: Measurement,
}

impl Guest {
    /// One that the policy accepts, with keys for now.
    pub(crate) fn new(number: u8) -> Self {
        let mut node = TestNode::new(number);
        // made for the key alone
        node.keyset.node = NodeId(Address::ZERO);
        let now = Runtime::system().now();
        node.keyset.not_before = TimestampMs(now.0 - 30_000);
        node.keyset.not_after = TimestampMs(now.0 + 300_000);
        Self {
            node,
            measurement: MEASUREMENT,
        }
    }

    /// Evidence of its hardware over its keys.
    pub(crate) fn bundle(&self, fresh: FreshnessKind) -> Bundle {
        self.bundle_over(self.node.keyset.clone(), fresh)
    }

    /// Evidence of its hardware over any keyset.
    pub(crate) fn bundle_over(&self, keyset: Keyset, fresh: FreshnessKind) -> Bundle {
        let evidence = |report_data| {
            PlatformEvidence::Software(SoftwareEvidence {
                measurement: self.measurement,
                report_data,
            })
        };
        let freshness = Freshness::new(keyset.node, fresh);
        let mut bundle = Bundle {
            domain: Domain::default(),
            keyset,
            freshness,
            platform: evidence(Octets([0; 64])),
            devices: Vec::new().try_into().unwrap(),
            manifests: Vec::new().try_into().unwrap(),
        };
        bundle.platform = evidence(bundle.report_data());
        bundle
    }

    pub(crate) fn answering(&self, nonce: Octets<32>) -> Vec<u8> {
        self.bundle(FreshnessKind::Nonce(nonce)).to_bytes()
    }

    /// Opens what was released to it.
    pub(crate) fn open(
        &self,
        released: &[u8],
        model: Hash32,
        nonce: Octets<32>,
    ) -> Result<ModelKey, Fault> {
        let terms = KeyTerms {
            model,
            release: self.node.keyset.release,
            nonce,
        };
        open_key(released, &self.node.keyset, &self.node.secrets()[0], &terms)
    }
}

/// Accepts two releases of such software.
pub(crate) fn policy() -> Policy {
    let release = |id: Digest| {
        format!("[[releases]]\nid = \"{id}\"\nname = \"r\"\nsoftware = [\"{MEASUREMENT}\"]\n")
    };
    let text = format!(
        "tier = \"software\"\nnetworks = [\"{NETWORK}\"]\nmax_checkpoint_age_ms = 3600000\n\
         max_keyset_lifetime_ms = 7200000\n{}{}[software]\n",
        release(RELEASE),
        release(OTHER_RELEASE)
    );
    Policy::from_toml(&text).unwrap()
}

pub(crate) fn config(keys: Vec<KeyFile>, record: &Path) -> BrokerConfig {
    BrokerConfig {
        keys,
        policy: policy(),
        releases: vec![RELEASE],
        record: record.to_owned(),
        listen: ([127, 0, 0, 1], 0).into(),
        runtime: Runtime::system(),
    }
}

pub(crate) async fn broker(keys: Vec<KeyFile>, record: &Path) -> Broker {
    Broker::start(config(keys, record)).await.unwrap()
}
