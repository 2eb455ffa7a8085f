//! A Walrus of the test's own, on a free port.

use atoma_walrus::{
    client::{ClientConfig, WalrusClient},
    http::{HttpOptions, routes},
    store::{Store, StoreOptions},
};
use axum::Router;
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::net::TcpListener;
use url::Url;

pub(crate) struct Server {
    url: Url,
    _server: atoma_http::server::Server,
    _folder: TempDir,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(|routes| routes).await
    }

    /// `wrap` may put anything around the API.
    pub(crate) async fn start_with(wrap: impl FnOnce(Router) -> Router) -> Self {
        let folder = TempDir::new().unwrap();
        let store = Store::open(StoreOptions::new(folder.path())).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let routes = wrap(routes(store, HttpOptions::default()));
        let server = atoma_http::server::Server::start(
            listener,
            routes,
            HttpOptions::default().limits,
            Arc::default(),
        );
        Self {
            url: url.parse().unwrap(),
            _server: server.unwrap(),
            _folder: folder,
        }
    }

    pub(crate) fn client(&self) -> WalrusClient {
        let mut config = ClientConfig::new(Some(self.url.clone()), self.url.clone(), 10);
        config.pause = Duration::from_millis(2);
        config.stale_for = Duration::from_millis(50);
        WalrusClient::new(config).unwrap()
    }
}
