//! Whom the client talks to, and how patiently.

use crate::{
    ObjectId,
    token::{Claims, sign_token},
};
use atoma_runtime::Runtime;
use std::{fmt, sync::Arc, time::Duration};
use url::Url;

/// Seconds that tokens of our own making are good for.
const TOKEN_SECONDS: u64 = 300;

/// What a [`super::WalrusClient`] is made of.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Where blobs are stored; `None` for a client that only reads.
    pub publisher: Option<Url>,
    /// Where blobs are read, tried in turn.
    pub aggregators: Vec<Url>,
    /// Shards of the network: 1000 on Mainnet and Testnet. Ids depend on it.
    pub shards: u16,
    /// Tokens for the publisher.
    pub tokens: Option<Arc<dyn TokenSource>>,
    /// How often something is tried in all.
    pub attempts: u32,
    /// The first pause between tries; each further is twice as long.
    pub pause: Duration,
    /// For so long a blob that must be there may still be "not found": caches in front of
    /// aggregators remember that it wasn't.
    pub stale_for: Duration,
    /// Longer answers are refused.
    pub max_blob: u64,
    /// What was stored is read back from an aggregator and compared.
    pub read_back: bool,
    /// How long to wait.
    pub timeouts: Timeouts,
    /// The randomness and threads that it runs on: the machine's, but for simulations.
    pub runtime: Runtime,
}

/// How long to wait for an answer, its body included.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Storing: on Mainnet 20 to 75 seconds are common.
    pub store: Duration,
    /// How long reading a blob may take in all.
    pub read: Duration,
    /// Looking a blob up.
    pub lookup: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            store: Duration::from_secs(180),
            read: Duration::from_secs(60),
            lookup: Duration::from_secs(10),
        }
    }
}

impl ClientConfig {
    /// A publisher and an aggregator of a network with so many shards.
    #[must_use]
    pub fn new(publisher: Option<Url>, aggregator: Url, shards: u16) -> Self {
        Self {
            publisher,
            aggregators: vec![aggregator],
            shards,
            tokens: None,
            attempts: 4,
            pause: Duration::from_millis(250),
            stale_for: Duration::from_secs(10),
            max_blob: 1 << 30,
            read_back: true,
            timeouts: Timeouts::default(),
            runtime: Runtime::default(),
        }
    }
}

/// Gives a token for each upload.
pub trait TokenSource: Send + Sync + fmt::Debug {
    /// A fresh token for so many bytes and epochs.
    fn token(&self, bytes: u64, epochs: u32, send_object_to: Option<ObjectId>) -> String;
}

/// Signs tokens with the publisher's own secret.
pub struct SharedSecret {
    secret: zeroize::Zeroizing<Vec<u8>>,
    runtime: Runtime,
}

impl SharedSecret {
    /// The key that the publisher checks tokens with, and what dates them and makes each unlike the
    /// others.
    #[must_use]
    pub fn new(secret: Vec<u8>, runtime: Runtime) -> Self {
        Self {
            secret: zeroize::Zeroizing::new(secret),
            runtime,
        }
    }
}

impl fmt::Debug for SharedSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedSecret")
    }
}

impl TokenSource for SharedSecret {
    fn token(&self, bytes: u64, epochs: u32, send_object_to: Option<ObjectId>) -> String {
        let now = self.runtime.now().0 / 1_000;
        let claims = Claims {
            exp: now + TOKEN_SECONDS,
            jti: hex::encode(self.runtime.random.bytes::<16>()),
            iat: Some(now),
            send_object_to,
            max_epochs: Some(epochs),
            max_size: Some(bytes),
            ..Claims::default()
        };
        sign_token(&self.secret, &claims)
    }
}
