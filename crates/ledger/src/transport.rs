//! How requests reach a ledger: over TCP as Sui's client does it, or through memory.

use crate::ReadError;
use atoma_runtime::Sockets;
use http::Uri;
use hyper_util::rt::TokioIo;
use std::{io, net::SocketAddr, time::Duration};
use sui_rpc::Client;
use tonic::transport::Endpoint;
use tower::{layer::layer_fn, service_fn};

/// No single question to the ledger takes longer; execution included, which needs consensus.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Sui's client for the endpoint `url`. It connects when it is asked something.
pub(crate) fn client(url: &str, sockets: &Sockets) -> Result<Client, ReadError> {
    let client = match sockets {
        Sockets::Tcp => {
            Client::new(url).map_err(|status| crate::status::unreachable(url, &status))?
        }
        Sockets::Memory(_) => in_memory(url, sockets.clone())?,
    };
    Ok(client.with_response_headers_timeout(ANSWER_TIMEOUT))
}

/// Sui's client knows TCP only. Its own channel, which never connects, is replaced by one that does.
fn in_memory(url: &str, sockets: Sockets) -> Result<Client, ReadError> {
    let unusable = |error: tonic::transport::Error| ReadError::Unreachable {
        url: url.to_owned(),
        source: tonic::Status::from_error(error.into()).into(),
    };
    let endpoint = Endpoint::from_shared(url.to_owned()).map_err(unusable)?;
    let channel = endpoint.connect_with_connector_lazy(service_fn(move |url: Uri| {
        let sockets = sockets.clone();
        async move { Ok::<_, io::Error>(TokioIo::new(sockets.connect(address(&url)?).await?)) }
    }));
    let over = layer_fn(move |_| channel.clone());
    Ok(Client::from_endpoint(&endpoint).request_layer(over))
}

/// Nobody looks names up in memory.
fn address(url: &Uri) -> io::Result<SocketAddr> {
    let authority = url.authority().map(http::uri::Authority::as_str);
    authority
        .and_then(|authority| authority.parse().ok())
        .ok_or_else(|| io::Error::other(format!("{url} names no address")))
}
