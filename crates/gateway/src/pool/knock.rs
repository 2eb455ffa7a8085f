//! Whether a node is there at all is asked before money is locked up for it.

use super::LeaseError;
use crate::catalog::Seller;
use atoma_client::NodeReach;
use http::Uri;
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};

/// A node that takes no connection by then is not worth a payment.
const KNOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Connects to where the node says it is, and hangs up.
///
/// # Errors
///
/// [`LeaseError::Unreachable`] if nobody answers in time.
pub(super) async fn knock(seller: &Seller, reach: NodeReach) -> Result<(), LeaseError> {
    let unreachable = || LeaseError::Unreachable {
        url: seller.url.clone(),
    };
    let uri: Uri = seller.url.parse().map_err(|_| unreachable())?;
    let host = uri.host().ok_or_else(unreachable)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let default = if uri.scheme_str() == Some("https") {
        443
    } else {
        80
    };
    let port = uri.port_u16().unwrap_or(default);
    let knock = async {
        let found = lookup_host((host, port)).await?;
        let allowed: Vec<_> = found.filter(|address| reach.allows(address.ip())).collect();
        TcpStream::connect(allowed.as_slice()).await
    };
    match tokio::time::timeout(KNOCK_TIMEOUT, knock).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(unreachable()),
    }
}
