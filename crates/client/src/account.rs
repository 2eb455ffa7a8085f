//! The client: a wallet, a ledger, a memory, and a pool of connections.

use crate::{
    ClientError, Confidential, NodeReach, Receipts,
    confidential::AttestedNodes,
    http::Http,
    node_info::NodeCache,
    signing::HeaderSigner,
    stack_state::StackState,
    store::{Distrust, LaneKey, Store},
};
use atoma_keys::SigningKey;
use atoma_ledger::Ledger;
use atoma_runtime::Runtime;
use atoma_types::{Address, ComputeUnits, NodeId, PublicKey, StackId, hash::Hash32};
use atoma_walrus::client::WalrusClient;
use futures::future::BoxFuture;
use parking_lot::Mutex;
use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};
use zeroize::Zeroizing;

/// Domain of the key that is derived from the wallet's for requests and grants.
const REQUEST_KEY_DOMAIN: &[u8] = b"atoma/request-key/v1";

/// How the client behaves.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Where receipts and bounds are kept, in a folder for each network, which any number of programs
    /// may use at once; in memory if absent.
    pub data_dir: Option<PathBuf>,
    /// W: what a node may speak of in a lane without our receipts showing it, the next request counted in. A node could
    /// take as much. A request above it is signed only while nothing is doubtful, so too small a window costs requests
    /// after a loss, until it is clear what became of it.
    pub window: ComputeUnits,
    /// Output tokens that are paid for at most where a request names no limit.
    pub default_output_tokens: u64,
    /// Which nodes are asked.
    pub reach: NodeReach,
    /// Where requests with [`Evidence::Immediate`](crate::Evidence) are stored.
    pub walrus: Option<WalrusClient>,
    /// Seals every request to a node whose evidence is good; in clear if absent.
    pub confidential: Option<Confidential>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            data_dir: None,
            window: ComputeUnits(4_096),
            default_output_tokens: 1_024,
            reach: NodeReach::Anywhere,
            walrus: None,
            confidential: None,
        }
    }
}

/// A user's program's way to the network. Clones share everything.
#[derive(Clone)]
pub struct Client {
    pub(crate) inner: Arc<ClientInner>,
}

pub(crate) struct ClientInner {
    pub(crate) ledger: Ledger,
    pub(crate) key: Arc<SigningKey>,
    pub(crate) signer: HeaderSigner,
    pub(crate) config: ClientConfig,
    pub(crate) store: Store,
    pub(crate) http: Http,
    pub(crate) nodes: Mutex<NodeCache>,
    /// One state per stack, whoever opens it: its lanes must not be counted twice.
    pub(crate) stacks: Mutex<HashMap<StackId, Arc<StackState>>>,
    /// Nodes whose evidence was good.
    pub(crate) attested: AttestedNodes,
    /// Nodes that charged what can't be.
    pub(crate) distrusted: Mutex<HashMap<NodeId, Distrust>>,
}

impl Client {
    /// Connects to a localnet-like ledger with a wallet's key.
    ///
    /// # Errors
    ///
    /// If the ledger can't be reached, and as [`Client::with_ledger`].
    pub fn connect(
        ledger_url: impl Into<String>,
        key: impl Into<Arc<SigningKey>>,
        config: ClientConfig,
    ) -> BoxFuture<'static, Result<Self, ClientError>> {
        let (url, key) = (ledger_url.into(), key.into());
        Box::pin(async move { Self::with_ledger(Ledger::connect(url).await?, key, config) })
    }

    /// A client over a ledger that is connected already.
    ///
    /// # Errors
    ///
    /// If the client's files can't be opened, or the system's certificates can't be read.
    pub fn with_ledger(
        ledger: Ledger,
        key: impl Into<Arc<SigningKey>>,
        config: ClientConfig,
    ) -> Result<Self, ClientError> {
        let key = key.into();
        let store = Store::open(
            config.data_dir.as_deref(),
            ledger.network(),
            ledger.runtime().threads,
        )?;
        let distrusted = store.kept().distrusts()?.into_iter();
        let inner = ClientInner {
            signer: HeaderSigner::new(request_key(&key)),
            distrusted: Mutex::new(distrusted.map(|known| (known.node, known)).collect()),
            store,
            http: Http::new(ledger.runtime().sockets.clone(), config.reach)?,
            nodes: Mutex::default(),
            stacks: Mutex::default(),
            attested: AttestedNodes::default(),
            ledger,
            key,
            config,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The ledger on which this client buys and settles.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.inner.ledger
    }

    /// What the client runs on: the same as its ledger.
    #[must_use]
    pub fn runtime(&self) -> &Runtime {
        self.inner.ledger.runtime()
    }

    /// The wallet's address, which owns its stacks and their refunds.
    #[must_use]
    pub fn address(&self) -> Address {
        self.inner.key.public_key().address()
    }

    /// The wallet's key, which signs transactions.
    #[must_use]
    pub fn key(&self) -> &SigningKey {
        &self.inner.key
    }

    /// Where it keeps receipts and bounds, if anywhere.
    #[must_use]
    pub fn data_dir(&self) -> Option<&Path> {
        self.inner.config.data_dir.as_deref()
    }

    /// Whether all its requests are sealed.
    #[must_use]
    pub fn is_confidential(&self) -> bool {
        self.inner.config.confidential.is_some()
    }

    /// The key that signs requests and grants of this wallet's stacks. It is derived from the
    /// wallet's, so a wallet is all that must be kept to use its stacks.
    #[must_use]
    pub fn request_key(&self) -> PublicKey {
        self.inner.signer.key().public_key()
    }

    /// The receipts kept so far.
    #[must_use]
    pub fn receipts(&self) -> Receipts {
        Receipts::of(&self.inner.store)
    }

    /// Drops what is known of a stack that is closed.
    pub(crate) fn forget(&self, stack: StackId) {
        self.inner.stacks.lock().remove(&stack);
        self.inner.store.forget_stack(stack);
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("address", &self.address())
            .field("ledger", &self.inner.ledger)
            .finish_non_exhaustive()
    }
}

impl Drop for ClientInner {
    /// The program ends well: what of its lanes is left is no more than what is open.
    fn drop(&mut self) {
        #[expect(
            clippy::disallowed_methods,
            clippy::iter_over_hash_type,
            reason = "each is written by itself"
        )]
        for (stack, state) in self.stacks.get_mut().drain() {
            for (node, account) in state.accounts.lock().iter() {
                for (&lane, of) in &account.lanes {
                    let node = *node;
                    let key = LaneKey { stack, node, lane };
                    self.store.end_lane(key, of.rest());
                }
            }
        }
    }
}

/// The key that signs a wallet's requests and grants, and opens what is sealed for its stacks.
#[must_use]
pub fn request_key(wallet: &SigningKey) -> SigningKey {
    let secret = wallet.to_seed();
    let seed = Zeroizing::new(Hash32::of_parts(&[REQUEST_KEY_DOMAIN, secret.as_ref()]).0);
    SigningKey::from_seed(&seed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_request_key_is_the_wallets_and_not_the_wallet() {
        let wallet = SigningKey::from_seed(&[1; 32]);
        let derived = request_key(&wallet).public_key();
        assert_eq!(
            derived,
            request_key(&SigningKey::from_seed(&[1; 32])).public_key()
        );
        assert_ne!(derived, wallet.public_key());
    }
}
