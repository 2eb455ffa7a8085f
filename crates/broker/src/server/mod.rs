//! The broker: who asks with evidence that its owner accepts gets the key; everybody else a reason.
//!
//! ```text
//! http     bytes in, bytes out
//! state    what every request needs
//! judge    what the evidence is worth, and whether this key goes to it: of what it is given, but for the nonce
//! nonce    nonces, each good for one judgement
//! record   a line for each decision, on the disk before it leaves
//! ```

mod http;
mod judge;
mod nonce;
mod record;
mod state;

use self::{http::routes, judge::Judge, nonce::Nonces, record::Record, state::State};
use crate::key_file::KeyFile;
use atoma_http::server::{BodyRoom, Counters, Limits, Server};
use atoma_runtime::Runtime;
use atoma_tee::{Policy, limits::MAX_BUNDLE_BYTES, octets::Digest};
use atoma_types::hash::Hash32;
use parking_lot::Mutex;
use std::{collections::BTreeMap, io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tokio::sync::Semaphore;

/// Bundles that are judged at once: each takes about ten milliseconds of a processor.
const JUDGED_AT_ONCE: usize = 8;
/// Who asks for keys are few nodes at their start: far more connections than that are strangers'.
const CONNECTIONS: usize = 256;
/// Of these, from one address: a data centre's nodes may share one.
const CONNECTIONS_PER_ADDRESS: usize = 32;
/// Requests at once on a connection: a node asks one after the other. With what a body may have before it takes room,
/// all connections together hold 128 MiB.
const STREAMS: u32 = 8;
/// Room that the long bodies of all share; those for one model have a quarter of it.
const LONG_BODIES_BYTES: usize = 64 << 20;
/// A key is given within milliseconds; nobody has to be waited for long.
const GRACE: Duration = Duration::from_secs(5);

/// What a broker is started with.
#[derive(Debug)]
pub struct BrokerConfig {
    /// The models whose keys it gives.
    pub keys: Vec<KeyFile>,
    /// Which evidence is good enough.
    pub policy: Policy,
    /// The releases that a key goes to: those of the policy that are to have the models.
    pub releases: Vec<Digest>,
    /// Where each decision is written down.
    pub record: PathBuf,
    /// Where to listen.
    pub listen: SocketAddr,
    /// The clock, randomness, threads and network that it runs on.
    pub runtime: Runtime,
}

/// A broker can't start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BrokerError {
    /// It would have nothing to give.
    #[error("a key broker needs a key, and a release to give it to")]
    Nothing,
    /// Two keys of one model: one of them opens nothing.
    #[error("there are two keys of model {0}")]
    Twice(Hash32),
    /// A release that no evidence can be of.
    #[error("the policy has no release {0}: no node could be given a key")]
    Release(Digest),
    /// It can't write down what it decides.
    #[error("cannot use the record {path}")]
    Record {
        /// Where it should be.
        path: PathBuf,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
    /// An address can't be listened on.
    #[error("cannot listen on {address}")]
    Listen {
        /// The address as it is configured.
        address: SocketAddr,
        /// The system's own error.
        #[source]
        source: io::Error,
    },
}

/// A broker that runs. Dropping it drops its connections.
#[derive(Debug)]
pub struct Broker {
    server: Server,
}

impl Broker {
    /// Starts a broker.
    ///
    /// # Errors
    /// If it would give no key to anybody, can't write down what it decides, or can't listen.
    pub async fn start(config: BrokerConfig) -> Result<Self, BrokerError> {
        let BrokerConfig {
            keys,
            policy,
            releases,
            record,
            listen,
            runtime,
        } = config;
        if keys.is_empty() || releases.is_empty() {
            return Err(BrokerError::Nothing);
        }
        let known = |id: &&Digest| policy.releases.iter().any(|release| release.id == **id);
        if let Some(unknown) = releases.iter().find(|id| !known(id)) {
            return Err(BrokerError::Release(*unknown));
        }
        let mut by_model = BTreeMap::new();
        for file in keys {
            if by_model.insert(file.model, file.key).is_some() {
                return Err(BrokerError::Twice(file.model));
            }
        }
        let record = Record::open(&record).map_err(|source| BrokerError::Record {
            path: record.clone(),
            source,
        })?;
        let failed = |source| BrokerError::Listen {
            address: listen,
            source,
        };
        let listener = runtime.sockets.listen(listen).await.map_err(failed)?;
        let limits = Limits {
            max_connections: CONNECTIONS,
            max_connections_per_address: CONNECTIONS_PER_ADDRESS,
            max_body_bytes: MAX_BUNDLE_BYTES,
            max_streams: STREAMS,
            ..Limits::default()
        };
        let state = State {
            judge: Judge {
                keys: by_model,
                policy,
                releases,
            },
            nonces: Nonces::new(&*runtime.random),
            record: Mutex::new(record),
            places: Semaphore::new(JUDGED_AT_ONCE),
            bodies: BodyRoom::new(LONG_BODIES_BYTES),
            limits: limits.clone(),
            runtime,
        };
        let counters = Arc::<Counters>::default();
        let server = Server::start(listener, routes(Arc::new(state)), limits, counters);
        Ok(Self {
            server: server.map_err(failed)?,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Gives no more keys, and lets those under way be given.
    pub async fn stop(self) {
        self.server.close(GRACE).await;
    }
}
