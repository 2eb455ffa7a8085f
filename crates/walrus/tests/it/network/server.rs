//! A store behind the API on a port of its own.

use atoma_walrus::{
    client::{ClientConfig, WalrusClient},
    http::{HttpOptions, routes},
    store::{Store, StoreOptions},
};
use axum::Router;
use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use std::{sync::Arc, time::Duration};
use tempfile::TempDir;
use tokio::net::TcpListener;
use url::Url;

pub(crate) struct Server {
    pub(crate) store: Store,
    pub(crate) url: Url,
    http: Client<HttpConnector, Full<Bytes>>,
    _server: atoma_http::server::Server,
    _folder: TempDir,
}

pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {:?}", self.body))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    pub(crate) fn reason(&self) -> String {
        let json = self.json();
        assert_eq!(json["error"]["code"], self.status.as_u16());
        json["error"]["details"][0]["reason"]
            .as_str()
            .unwrap()
            .to_owned()
    }
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self::start_with(HttpOptions::default(), |routes| routes).await
    }

    /// `wrap` may put anything around the API.
    pub(crate) async fn start_with(
        options: HttpOptions,
        wrap: impl FnOnce(Router) -> Router,
    ) -> Self {
        let folder = TempDir::new().unwrap();
        let store = Store::open(StoreOptions::new(folder.path())).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let limits = options.limits.clone();
        let routes = wrap(routes(store.clone(), options));
        let server = atoma_http::server::Server::start(listener, routes, limits, Arc::default());
        Self {
            store,
            url: url.parse().unwrap(),
            http: Client::builder(TokioExecutor::new()).build_http(),
            _server: server.unwrap(),
            _folder: folder,
        }
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Bytes>,
    ) -> Reply {
        let mut request = Request::builder()
            .method(method)
            .uri(self.url.join(path).unwrap().as_str());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.into())).unwrap();
        let (parts, body) = self.http.request(request).await.unwrap().into_parts();
        Reply {
            status: parts.status,
            headers: parts.headers,
            body: body.collect().await.unwrap().to_bytes(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], "").await
    }

    pub(crate) fn config(&self) -> ClientConfig {
        let mut config = ClientConfig::new(Some(self.url.clone()), self.url.clone(), 10);
        config.pause = Duration::from_millis(2);
        config.stale_for = Duration::from_millis(50);
        config
    }

    pub(crate) fn client(&self) -> WalrusClient {
        WalrusClient::new(self.config()).unwrap()
    }
}
