//! Records out of packs that lie on Walrus.

use crate::packs::samples::{all_forms, pack_of};
use crate::server::Server;
use atoma_evidence::pack::{Pack, PackError, RemotePack, verify_record};
use atoma_walrus::client::{ClientError, StoreRequest};
use axum::{
    Router,
    body::Body,
    extract::Request,
    middleware::{Next, from_fn},
    response::Response,
};
use bytes::Bytes;
use tempfile::TempDir;

fn pack() -> Bytes {
    let folder = TempDir::new().unwrap();
    pack_of(&folder.path().join("pack"), &all_forms()).into()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_record_is_fetched_and_proved() {
    let server = Server::start().await;
    let client = server.client();
    let blob = pack();
    let stored = client
        .store(blob.clone(), StoreRequest::permanent(1))
        .await
        .unwrap();
    let id = stored.blob_id;
    let pack = Pack::from_bytes(blob).unwrap();
    let root = pack.catalog().root();

    let remote = RemotePack::open(client.clone(), id, root).await.unwrap();
    assert_eq!(remote.catalog().entries(), pack.catalog().entries());
    for (place, expected) in all_forms().into_iter().enumerate() {
        assert_eq!(remote.record(place).await.unwrap(), expected);
        let bytes = remote.record_bytes(place).await.unwrap();
        let path = remote.catalog().prove(place).unwrap();
        assert_eq!(verify_record(&bytes, &path, root).unwrap(), expected);
    }
    let missing = remote.record(5).await;
    assert!(matches!(missing, Err(PackError::NoRecord(5))));

    let other_root = atoma_types::hash::Hash32([1; 32]);
    let wrong = RemotePack::open(client.clone(), id, other_root).await;
    assert!(matches!(wrong, Err(PackError::WrongRoot { .. })));
    let nothing = atoma_walrus::BlobId([9; 32]);
    let missing = RemotePack::open(client, nothing, root).await;
    assert!(matches!(
        missing,
        Err(PackError::Client(ClientError::NotFound(_)))
    ));
}

/// Changes the last byte of ranges that are long enough to be records.
fn lying(routes: Router) -> Router {
    routes.layer(from_fn(async |request: Request, next: Next| {
        let is_range = request.uri().path().ends_with("byte-range");
        let (parts, body) = next.run(request).await.into_parts();
        let body = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let mut body = body.to_vec();
        if let Some(last) = body.last_mut().filter(|_| is_range) {
            *last ^= 1;
        }
        Response::from_parts(parts, Body::from(body))
    }))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_aggregator_that_lies_about_ranges_is_caught() {
    let server = Server::start_with(lying).await;
    let client = server.client();
    let blob = pack();
    let stored = client
        .store(blob.clone(), StoreRequest::permanent(1))
        .await
        .unwrap();
    let root = Pack::from_bytes(blob.clone()).unwrap().catalog().root();
    let error = RemotePack::open(client.clone(), stored.blob_id, root)
        .await
        .unwrap_err();
    assert_eq!(error.code(), "pack_format");
    // the whole blob is checked by its id, so it is what helps then
    let whole = Pack::from_bytes(client.read(stored.blob_id).await.unwrap()).unwrap();
    assert_eq!(whole.catalog().root(), root);
}
