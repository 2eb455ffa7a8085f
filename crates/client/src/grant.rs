//! Granting units of a stack to a node. The node takes the grant to the ledger; what counts is
//! what the ledger says afterwards.

use crate::{ClientError, MalformedAnswer, StackHandle, http::bad_url};
use atoma_types::{
    ComputeUnits, DurationMs, NodeId, Price, TimestampMs,
    message::{Domain, Grant, Signed},
    refusal::RefusalCode,
};
use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, header::CONTENT_TYPE};
use http_body_util::Full;
use serde::Deserialize;

/// Time enough for a node to take the grant to the ledger, even a busy one.
const GRANT_LIFETIME: DurationMs = DurationMs(300_000);

/// A node puts a part of its free collateral at stake by one grant, a quarter if it is told nothing else: so many take
/// it nine tenths of the way.
const GRANT_STEPS: usize = 8;

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

    /// Has a node take the stack's ungranted units: the one that has a lease already, else the drawn ones, else
    /// those that offer, cheapest first. A node takes as many as its free collateral stands for.
    ///
    /// # Errors
    ///
    /// As [`StackHandle::grant`], of the last node that was asked; [`ClientError::NobodyServes`] if there is
    /// none.
    pub fn engage(&self) -> BoxFuture<'_, Result<LeaseTerms, ClientError>> {
        Box::pin(self.engage_some())
    }

    async fn engage_some(&self) -> Result<LeaseTerms, ClientError> {
        let stack = self.read().await?;
        let mut nodes = self.nodes();
        let offers = self.client.offers(stack.task).await?;
        let affordable = offers.iter().filter(|offer| offer.price <= stack.max_price);
        let allowed =
            |node: &NodeId| stack.candidates.is_empty() || stack.candidates.contains(node);
        nodes.extend(affordable.map(|offer| offer.node).filter(allowed));
        let mut last = ClientError::NobodyServes { stack: self.id() };
        for node in nodes {
            match self.grant_most(node, stack.ungranted).await {
                Ok(terms) => return Ok(terms),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    /// Grants a node this many units more, or as many of them as it says that it can take now.
    ///
    /// # Errors
    ///
    /// As [`StackHandle::grant`].
    pub fn grant_some(
        &self,
        node: NodeId,
        more: ComputeUnits,
    ) -> BoxFuture<'_, Result<LeaseTerms, ClientError>> {
        Box::pin(self.grant_most(node, more))
    }

    /// Grants a node up to this many units more, in steps: by one grant it takes on only a part of what it could. Ends
    /// once the node has room for `needed`, or takes no more.
    ///
    /// # Errors
    ///
    /// As [`StackHandle::grant`]; that the node refuses a later step than the first is no error.
    pub fn grant_in_steps(
        &self,
        node: NodeId,
        more: ComputeUnits,
        needed: ComputeUnits,
    ) -> BoxFuture<'_, Result<LeaseTerms, ClientError>> {
        Box::pin(self.granted_in_steps(node, more, needed))
    }

    async fn granted_in_steps(
        &self,
        node: NodeId,
        more: ComputeUnits,
        needed: ComputeUnits,
    ) -> Result<LeaseTerms, ClientError> {
        let total = self.leased(node).saturating_add(more);
        let mut terms = self.grant_most(node, more).await?;
        for _ in 1..GRANT_STEPS {
            let Some(rest) = next_step([terms.units, total], self.room(node), needed) else {
                break;
            };
            match self.grant_most(node, rest).await {
                Ok(more) => terms = more,
                Err(ClientError::Refused { .. }) => break,
                Err(error) => return Err(error),
            }
        }
        Ok(terms)
    }

    async fn grant_most(
        &self,
        node: NodeId,
        more: ComputeUnits,
    ) -> Result<LeaseTerms, ClientError> {
        let error = match self.grant_units(node, more).await {
            Err(error) => error,
            granted => return granted,
        };
        match fewer(&error).filter(|&fewer| ComputeUnits::ZERO < fewer && fewer < more) {
            Some(fewer) => self.grant_units(node, fewer).await,
            None => Err(error),
        }
    }

    async fn grant_units(
        &self,
        node: NodeId,
        more: ComputeUnits,
    ) -> Result<LeaseTerms, ClientError> {
        let client = &self.client;
        client.check_trust(node)?;
        let info = client.find_node(node).await?;
        let stack = self.refresh().await?;
        let before = stack
            .lease(node)
            .map_or(ComputeUnits::ZERO, |lease| lease.units);
        let cumulative_units = before.checked_add(more).ok_or(ClientError::Overflow)?;
        // the ledger judges it by its own clock, the node by its machine's
        let now = client.ledger().clock().await?.max(client.runtime().now());
        let grant = Grant {
            domain: Domain::default(),
            network: client.ledger().network(),
            stack: self.id(),
            node,
            cumulative_units,
            max_price: stack.max_price,
            nonce: stack.nonce,
            expires_at_ms: now.saturating_add(GRANT_LIFETIME),
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

/// How many units are granted next to a node that has so many of a total: none once it has them all, or room enough.
fn next_step(
    [granted, total]: [ComputeUnits; 2],
    room: ComputeUnits,
    needed: ComputeUnits,
) -> Option<ComputeUnits> {
    let rest = total.saturating_sub(granted);
    (rest > ComputeUnits::ZERO && room < needed).then_some(rest)
}

/// How many units a node says that it can take, where it refused a grant as too large.
fn fewer(error: &ClientError) -> Option<ComputeUnits> {
    let ClientError::Refused { code, needed, .. } = error else {
        return None;
    };
    let too_large = code.as_deref() == Some(RefusalCode::GrantTooLarge.as_str());
    needed.filter(|_| too_large).map(ComputeUnits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_is_granted_the_rest_until_it_has_room_or_all_of_it() {
        let next = |granted, room| {
            let units = [granted, 100].map(ComputeUnits);
            next_step(units, ComputeUnits(room), ComputeUnits(30)).map(|rest| rest.0)
        };
        assert_eq!(next(25, 20), Some(75));
        assert_eq!(next(44, 29), Some(56), "one unit is missing");
        assert_eq!(next(44, 30), None, "it has room");
        assert_eq!(next(100, 0), None, "it has them all");
        assert_eq!(
            next(120, 0),
            None,
            "it has more than that from somebody else"
        );
    }
}
