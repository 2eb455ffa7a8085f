//! A Walrus for the node's tests.

use atoma_http::server::Server;
use atoma_node::EvidenceConfig;
use atoma_walrus::{
    client::{ClientConfig, WalrusClient},
    http::{HttpOptions, serve},
    store::{Fault, Store, StoreOptions},
};
use std::path::Path;
use tokio::net::TcpListener;

/// A Walrus of ten storage nodes on loopback.
pub(crate) struct Walrus {
    pub(crate) url: String,
    store: Store,
    _server: Server,
}

impl Walrus {
    pub(crate) async fn start(folder: &Path) -> Self {
        let store = Store::open(StoreOptions::new(folder)).await.unwrap();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = serve(listener, store.clone(), HttpOptions::default()).unwrap();
        Self {
            url,
            store,
            _server: server,
        }
    }

    pub(crate) fn config(&self) -> EvidenceConfig {
        EvidenceConfig {
            patience_ms: Some(50),
            ..EvidenceConfig::new(&self.url, &self.url, 10)
        }
    }

    pub(crate) fn client(&self) -> WalrusClient {
        let url: url::Url = self.url.parse().unwrap();
        WalrusClient::new(ClientConfig::new(Some(url.clone()), url, 10)).unwrap()
    }

    /// So many of its nodes are down: from four on nothing can be written.
    pub(crate) fn down(&self, nodes: usize) {
        for node in 0..10 {
            let fault = if node < nodes {
                Fault::Down
            } else {
                Fault::None
            };
            self.store.set_fault(node, fault).unwrap();
        }
    }
}
