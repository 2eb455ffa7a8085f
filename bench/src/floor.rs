//! The least that a proxy in Rust can do: hyper on both sides, one upstream connection for each
//! client connection, bodies relayed as they are. What the node needs above it is the protocol.

use crate::load::connect;
use anyhow::Result;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    Request, Response, body::Incoming, client::conn::http1::SendRequest, service::service_fn,
};
use hyper_util::rt::TokioIo;
use std::sync::Arc;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Mutex,
};

pub(crate) async fn run(upstream: String) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!(
        "{}",
        serde_json::json!({ "url": format!("http://{}", listener.local_addr()?) })
    );
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        tokio::spawn(serve(socket, upstream.clone()));
    }
}

async fn serve(socket: TcpStream, upstream: String) -> Result<()> {
    let sender = Arc::new(Mutex::new(connect(&upstream).await?));
    let service = service_fn(move |request| relay(request, sender.clone()));
    hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(socket), service)
        .await?;
    Ok(())
}

async fn relay(
    request: Request<Incoming>,
    sender: Arc<Mutex<SendRequest<Full<Bytes>>>>,
) -> Result<Response<BoxBody<Bytes, hyper::Error>>> {
    let (parts, body) = request.into_parts();
    let body = body.collect().await?.to_bytes();
    let mut sender = sender.lock().await;
    sender.ready().await?;
    let response = sender
        .send_request(Request::from_parts(parts, Full::new(body)))
        .await?;
    Ok(response.map(|body| body.boxed()))
}
