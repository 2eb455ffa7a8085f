//! Asking a node: reserve, sign, send. [`StackHandle::request`] tries again where signing anew is
//! all that it takes, by the rules in [`retry`](crate::retry); [`StackHandle::try_once`] doesn't.
//!
//! ```text
//! request_try   one try as a value: what will be signed
//! reserve       the lane that pays, and its units until something is signed
//! sign          the header, and the message that carries it
//! send          one try from seal to answer
//! ```

mod request_try;
mod reserve;
mod send;
mod sign;

pub use request_try::RequestTry;

use crate::{
    Answer, ClientError, Evidence, ReceiptWait, StackHandle, estimate,
    retry::{Decision, Failure, NodeRefusal, Retries, UnitBounds},
};
use atoma_types::{ComputeUnits, NodeId, message::Endpoint};
use bytes::Bytes;
use futures::future::BoxFuture;
use tokio::sync::oneshot;

/// What a caller may say about a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestOptions {
    /// The most it may cost. Absent, it is estimated from the body and cut to what the lease has.
    pub max_units: Option<ComputeUnits>,
    /// How far the node's own number may raise that: at most to `max_units` if it is given, else at most to
    /// what the body explains, and to what the lease has.
    pub cap: Option<ComputeUnits>,
    /// The lane that pays: one per program that shares the stack.
    pub lane: Option<u16>,
    /// How it becomes evidence.
    pub evidence: Evidence,
    /// Whether this node alone may answer: one that is full must not pass the request on to another. What is
    /// [stored first](Evidence::Immediate) never is.
    pub no_forward: bool,
}

impl StackHandle {
    /// A chat completion. The body goes out untouched.
    ///
    /// # Errors
    ///
    /// As [`StackHandle::request`].
    pub fn chat(
        &self,
        node: NodeId,
        body: impl Into<Bytes>,
    ) -> BoxFuture<'_, Result<Answer, ClientError>> {
        let options = RequestOptions::default();
        self.request(node, Endpoint::ChatCompletions, body.into(), options)
    }

    /// Asks a node. The body goes out untouched. A refusal comes back as the answer it is, except
    /// that the request is signed anew where that is all that it takes, within the limits (see
    /// [`retry`](crate::retry)).
    ///
    /// # Errors
    ///
    /// If the node isn't trusted, the body can't be read for its limits, the lease has no room, the node asks for a ceiling
    /// that our account doesn't explain, or the node can't be reached or breaks off before its answer
    /// begins.
    pub fn request(
        &self,
        node: NodeId,
        endpoint: Endpoint,
        body: Bytes,
        options: RequestOptions,
    ) -> BoxFuture<'_, Result<Answer, ClientError>> {
        Box::pin(self.retried(node, endpoint, body, options))
    }

    /// Asks a node once. A refusal comes back as the answer it is.
    ///
    /// # Errors
    ///
    /// As [`StackHandle::request`].
    pub fn try_once<'a>(
        &'a self,
        node: NodeId,
        request: &'a RequestTry,
    ) -> BoxFuture<'a, Result<Answer, ClientError>> {
        Box::pin(async move {
            let info = self.client.find_node(node).await?;
            self.prepare(&info).await?;
            self.attempt(&info, request, None).await
        })
    }

    /// As [`try_once`](Self::try_once), for who pays for somebody else: the wait resolves to the receipt even if the call
    /// itself is dropped before it returns, because whoever asked has lost interest, and whenever the receipt comes. To
    /// `None` only once it is clear that it won't.
    ///
    /// # Errors
    ///
    /// As [`StackHandle::request`].
    pub fn try_once_watched<'a>(
        &'a self,
        node: NodeId,
        request: &'a RequestTry,
    ) -> (ReceiptWait, BoxFuture<'a, Result<Answer, ClientError>>) {
        let (watcher, receipt) = oneshot::channel();
        let tried = async move {
            let info = self.client.find_node(node).await?;
            self.prepare(&info).await?;
            self.attempt(&info, request, Some(watcher)).await
        };
        (ReceiptWait::on(receipt), Box::pin(tried))
    }

    async fn retried(
        &self,
        node: NodeId,
        endpoint: Endpoint,
        body: Bytes,
        options: RequestOptions,
    ) -> Result<Answer, ClientError> {
        let info = self.client.find_node(node).await?;
        self.prepare(&info).await?;
        let max_units = match options.max_units {
            Some(max_units) => max_units,
            None => self.estimate(node, endpoint, &body)?,
        };
        let most = match options.cap.or(options.max_units) {
            Some(most) => most,
            None => self.most(endpoint, &body)?.min(self.room(node)),
        };
        let mut next = RequestTry {
            lane: options.lane,
            evidence: options.evidence,
            no_forward: options.no_forward,
            ..RequestTry::new(
                self.client.runtime().request_id(),
                endpoint,
                body,
                max_units,
            )
        };
        let mut retries = Retries::direct();
        loop {
            let answer = self.attempt(&info, &next, None).await?;
            let Some(refusal) = answer.small_body() else {
                return Ok(answer);
            };
            let refusal = NodeRefusal::read(answer.status.as_u16(), refusal);
            let signed = next.max_units;
            match retries.after(Failure::Refused(refusal), UnitBounds { signed, most }) {
                Decision::Again(mend) => {
                    next.mend(self.client.runtime().request_id(), mend);
                }
                Decision::PassOn | Decision::Elsewhere { .. } => return Ok(answer),
            }
        }
    }

    /// What the node's own number may raise the estimate to.
    fn most(&self, endpoint: Endpoint, body: &[u8]) -> Result<ComputeUnits, ClientError> {
        let default_output = self.client.inner.config.default_output_tokens;
        let weights = &self.state.task.weights;
        Ok(estimate::most_units(
            endpoint,
            body,
            weights,
            default_output,
        )?)
    }

    fn estimate(
        &self,
        node: NodeId,
        endpoint: Endpoint,
        body: &[u8],
    ) -> Result<ComputeUnits, ClientError> {
        let default_output = self.client.inner.config.default_output_tokens;
        let weights = &self.state.task.weights;
        let wanted = estimate::max_units(endpoint, body, weights, default_output)?;
        let room = self.room(node);
        if room == ComputeUnits::ZERO {
            return Err(ClientError::NoRoom { room, wanted });
        }
        Ok(wanted.min(room))
    }
}
