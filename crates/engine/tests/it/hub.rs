//! Fetching a model from a hub that runs here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use atoma_engine::hub::{HubError, HubOptions, resolve, revision};
use atoma_engine::testing::RandomModel;
use atoma_engine::{Embedded, Engine, GenerateRequest, Prompt};
use bytes::Bytes;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;

/// A hub with one model; large files are elsewhere, as on the real one.
struct FakeHub {
    files: BTreeMap<String, Vec<u8>>,
    requests: AtomicUsize,
    /// Ranges that were asked for.
    ranges: Mutex<Vec<String>>,
    leaked: AtomicUsize,
}

impl FakeHub {
    async fn start() -> (Arc<Self>, String) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        RandomModel::small().write(folder.path()).expect("written");
        let files = std::fs::read_dir(folder.path())
            .expect("readable")
            .map(|entry| {
                let entry = entry.expect("readable");
                let bytes = std::fs::read(entry.path()).expect("readable");
                (entry.file_name().to_string_lossy().into_owned(), bytes)
            });
        let hub = Arc::new(Self {
            files: files.collect(),
            requests: AtomicUsize::new(0),
            ranges: Mutex::default(),
            leaked: AtomicUsize::new(0),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a free port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let state = hub.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let state = state.clone();
                tokio::spawn(async move {
                    let service = service_fn(move |request| {
                        let state = state.clone();
                        async move { Ok::<_, std::convert::Infallible>(state.answer(&request)) }
                    });
                    let builder = hyper::server::conn::http1::Builder::new();
                    let _ = builder
                        .serve_connection(TokioIo::new(socket), service)
                        .await;
                });
            }
        });
        (hub, url)
    }

    fn answer<B>(&self, request: &Request<B>) -> Response<Full<Bytes>> {
        self.requests.fetch_add(1, SeqCst);
        let path = request.uri().path();
        let is_known = request
            .headers()
            .get("authorization")
            .is_some_and(|a| a == "Bearer token");
        let reply = |status: u16, body: Vec<u8>| {
            Response::builder()
                .status(status)
                .body(Full::new(body.into()))
                .expect("valid")
        };
        if let Some(file) = path.strip_prefix("/elsewhere/") {
            if is_known {
                self.leaked.fetch_add(1, SeqCst);
            }
            let bytes = &self.files[file];
            return match request.headers().get("range").and_then(|r| r.to_str().ok()) {
                None => reply(200, bytes.clone()),
                Some(range) => {
                    self.ranges.lock().push(range.to_owned());
                    let from = range.trim_start_matches("bytes=").trim_end_matches('-');
                    reply(
                        206,
                        bytes[from.parse::<usize>().expect("a number")..].to_vec(),
                    )
                }
            };
        }
        if path == "/api/models/gated/model/revision/main" {
            return reply(403, vec![]);
        }
        if path == "/api/models/owner/model/revision/main" && is_known {
            let siblings: Vec<_> = self
                .files
                .keys()
                .map(|f| serde_json::json!({ "rfilename": f }))
                .collect();
            let listing = serde_json::json!({ "sha": "abc", "siblings": siblings });
            return reply(200, listing.to_string().into());
        }
        match path.strip_prefix("/owner/model/resolve/abc/") {
            // The token goes to the hub and no further: "elsewhere" is another host.
            Some(file) if is_known => {
                let port = request.headers()["host"]
                    .to_str()
                    .expect("text")
                    .split(':')
                    .nth(1);
                let url = format!(
                    "http://localhost:{}/elsewhere/{file}",
                    port.expect("a port")
                );
                let redirect = Response::builder().status(302).header("location", url);
                redirect.body(Full::default()).expect("valid")
            }
            _ => reply(404, vec![]),
        }
    }
}

#[tokio::test]
async fn a_named_model_is_fetched_once_and_runs() {
    let (hub, endpoint) = FakeHub::start().await;
    let cache = tempfile::tempdir().expect("a temporary folder");
    let token = Some("token".to_owned());
    let options = HubOptions {
        endpoint,
        token,
        ..HubOptions::new(cache.path())
    };
    assert!(!format!("{options:?}").contains("\"token\""));

    // An earlier try got the first thousand bytes.
    let folder = cache.path().join("owner--model@main");
    std::fs::create_dir_all(&folder).expect("created");
    let part = folder.join("model.safetensors.abc.part");
    std::fs::write(part, &hub.files["model.safetensors"][..1000]).expect("written");

    let seen = Mutex::new(BTreeMap::new());
    let note = |p: atoma_engine::hub::Progress| {
        seen.lock().insert(p.file, (p.done, p.total));
    };
    let fetched = resolve("owner/model", &options, note)
        .await
        .expect("fetched");
    assert_eq!(fetched, folder);
    for (file, bytes) in &hub.files {
        assert_eq!(&std::fs::read(folder.join(file)).expect("there"), bytes);
        let size = bytes.len() as u64;
        assert_eq!(seen.lock()[file], (size, Some(size)));
    }
    assert_eq!(*hub.ranges.lock(), ["bytes=1000-"]);
    assert_eq!(hub.leaked.load(SeqCst), 0);

    let requests = hub.requests.load(SeqCst);
    resolve("owner/model", &options, |_| ())
        .await
        .expect("in the cache");
    let own = folder.to_str().expect("text");
    resolve(own, &options, |_| ()).await.expect("a folder");
    assert_eq!(hub.requests.load(SeqCst), requests);

    let engine = Embedded::open(&folder, crate::common::options()).expect("loaded");
    assert_eq!(engine.info().context, 512);
    let request = GenerateRequest::new(Prompt::Tokens(vec![5]), 2);
    assert_eq!(crate::common::answer(&engine, request).await.ids.len(), 2);
}

#[tokio::test]
async fn a_revision_is_known_without_the_weights() {
    let (hub, endpoint) = FakeHub::start().await;
    let cache = tempfile::tempdir().expect("a temporary folder");
    let options = HubOptions {
        endpoint,
        token: Some("token".to_owned()),
        ..HubOptions::new(cache.path())
    };
    let first = revision("owner/model", &options).await.expect("known");
    assert_eq!(
        revision("owner/model", &options).await.expect("known"),
        first
    );
    assert_ne!(first, [0; 32]);
    // Two listings and nothing else.
    assert_eq!(hub.requests.load(SeqCst), 2);
    let gated = revision("gated/model", &options).await;
    assert!(matches!(gated, Err(HubError::Forbidden(_))));
    assert!(matches!(
        revision("here", &options).await,
        Err(HubError::BadName(_))
    ));
}

#[tokio::test]
async fn failures_say_what_to_do() {
    let (_hub, endpoint) = FakeHub::start().await;
    let cache = tempfile::tempdir().expect("a temporary folder");
    let options = HubOptions {
        endpoint,
        ..HubOptions::new(cache.path())
    };
    let fail = |name: &'static str, options: HubOptions| async move {
        resolve(name, &options, |_| ()).await.expect_err("refused")
    };
    assert!(matches!(
        fail("gated/model", options.clone()).await,
        HubError::Forbidden(_)
    ));
    assert!(matches!(
        fail("owner/other", options.clone()).await,
        HubError::NotFound(_)
    ));
    assert!(matches!(
        fail("../up", options.clone()).await,
        HubError::BadName(_)
    ));
    let nowhere = HubOptions {
        endpoint: "http://127.0.0.1:1".into(),
        ..options
    };
    let error = fail("owner/model", nowhere).await;
    assert!(error.to_string().contains("name a folder"), "{error}");
}
