//! Granting units of a stack to a node. The node takes the grant to the ledger; what counts is
//! what the ledger says afterwards.

use crate::{ClientError, MalformedAnswer, StackHandle, http::bad_url};
use atoma_types::{
    ComputeUnits, DurationMs, NodeId, Price, TimestampMs,
    message::{Domain, Grant, Signed},
};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, header::CONTENT_TYPE};
use http_body_util::Full;
use serde::Deserialize;

/// Time enough for a node to take the grant to the ledger, even a busy one.
const GRANT_LIFETIME: DurationMs = DurationMs(300_000);

/// A lease after a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeaseTerms {
    /// The node that holds it.
    pub node: NodeId,
    /// The units granted to the node so far, used or not.
    pub units: ComputeUnits,
    /// What the node is paid per million units.
    pub price: Price,
    /// When the stack ends.
    pub expires_at: TimestampMs,
}

/// The node's own account of it; only that there is one matters.
#[derive(Deserialize)]
struct Accepted {}

impl StackHandle {
    /// Grants a node this many units more, and returns once they are its own on the ledger.
    ///
    /// # Errors
    ///
    /// If node or ledger can't be reached, or the node doesn't take the grant. A grant that seems to
    /// have failed may still be taken to the ledger until it expires, five minutes later.
    pub fn grant(
        &self,
        node: NodeId,
        more: ComputeUnits,
    ) -> BoxFuture<'_, Result<LeaseTerms, ClientError>> {
        Box::pin(self.grant_units(node, more))
    }

    async fn grant_units(
        &self,
        node: NodeId,
        more: ComputeUnits,
    ) -> Result<LeaseTerms, ClientError> {
        let client = &self.client;
        let info = client.find_node(node).await?;
        let stack = self.refresh().await?;
        let before = stack
            .lease(node)
            .map_or(ComputeUnits::ZERO, |lease| lease.units);
        let cumulative_units = before.checked_add(more).ok_or(ClientError::Overflow)?;
        let grant = Grant {
            domain: Domain::default(),
            network: client.ledger().network(),
            stack: self.id(),
            node,
            cumulative_units,
            expires_at_ms: client.runtime().now().saturating_add(GRANT_LIFETIME),
        };
        let signed = Signed::new(grant, client.inner.signer.key());
        let body = serde_json::json!({ "grant": signed.to_text() }).to_string();
        let request = Request::post(info.at("/v1/leases"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|_| bad_url(&info))?;
        let answer = client.inner.http.ask::<Accepted>(&info, request).await;
        // whatever the node said, or didn't: the ledger knows
        let stack = self.refresh().await?;
        match (stack.lease(node), answer) {
            (Some(lease), _) if lease.units >= cumulative_units => Ok(LeaseTerms {
                node,
                units: lease.units,
                price: lease.price,
                expires_at: stack.expires_at_ms,
            }),
            (_, Err(error)) => {
                if matches!(error, ClientError::Unreachable { .. }) {
                    client.forget_node(node);
                }
                Err(error)
            }
            (_, Ok(_)) => Err(ClientError::Malformed {
                node,
                reason: MalformedAnswer::NoLease,
            }),
        }
    }
}
