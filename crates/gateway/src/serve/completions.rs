//! The endpoints that answer: from HTTP to a [`UserRequest`], and its reply back to HTTP.

use super::{body, relay, respond};
use crate::{
    body::read,
    concurrency::{ConcurrencyLimit, User},
    config::RequestLimits,
    keys::KeyRing,
    market::Market,
    metrics::Metrics,
    patience::Patience,
    refusals::unknown_model,
    reply::Reply,
    user_request::{Ask, UserRequest},
};
use atoma_http::server::{BodyRoom, Limits};
use atoma_types::{RequestId, message::Endpoint, refusal::Refusal};
use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    response::Response,
    routing::post,
};
use http::HeaderMap;
use std::{sync::Arc, time::Duration};
use tracing::{Instrument, field::Empty};

/// What answering a request takes.
#[derive(Debug)]
pub(crate) struct Completions {
    pub(crate) keys: Arc<KeyRing<User>>,
    pub(crate) limit: ConcurrencyLimit,
    pub(crate) market: Arc<Market>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) limits: Limits,
    /// What long bodies share.
    pub(crate) room: BodyRoom,
    pub(crate) requests: RequestLimits,
    /// The user's own stacks pay, so that it is theirs to hear when none has room.
    pub(crate) own_use: bool,
    /// Nodes must answer by themselves.
    pub(crate) no_forward: bool,
}

impl Completions {
    pub(super) fn routes(self) -> Router {
        Router::new()
            .route(Endpoint::ChatCompletions.as_str(), post(chat))
            .route(Endpoint::Completions.as_str(), post(completions))
            .route(Endpoint::Embeddings.as_str(), post(embeddings))
            .with_state(Arc::new(self))
    }

    async fn serve(&self, endpoint: Endpoint, request: Request) -> Response {
        let id = self.market.runtime().request_id();
        let span = tracing::info_span!(
            "user_request",
            %id,
            endpoint = endpoint.as_str(),
            served_as = Empty
        );
        let (head, body) = request.into_parts();
        let reply = self.answer(id, endpoint, &head.headers, body);
        let response = match reply.instrument(span.clone()).await {
            Ok(Reply::Whole(whole)) => respond::whole(whole),
            Ok(Reply::Stream(stream)) => relay::stream(stream),
            Err(refusal) => span.in_scope(|| respond::refuse_as(id, &refusal)),
        };
        self.metrics.answered(endpoint, response.status().as_u16());
        response
    }

    /// The way of a request. The key comes first, so that strangers cost nothing; then a permit, so
    /// that only so many bodies are held at once.
    async fn answer(
        &self,
        id: RequestId,
        endpoint: Endpoint,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Reply, Refusal> {
        let user = self.keys.find(headers)?;
        let permit = self.limit.admit(user)?;
        let mut held = self.room.enter(user.account().name());
        let body = body::read(&mut held, headers, body, &self.limits).await?;
        let asked = read(&body)?;
        let pool = self.market.find(&asked.model, endpoint);
        let pool = pool.ok_or_else(|| unknown_model(&asked.model))?;
        let ask = Ask {
            id,
            account: user.account(),
            endpoint,
            asked: &asked,
            body: body.clone(),
            held,
        };
        let patience = Patience {
            nodes: self.requests.max_tries,
            lease_timeout: Duration::from(self.requests.lease_timeout_ms),
            own_use: self.own_use,
            answer_begins: Duration::from(self.requests.answer_begins_timeout_ms),
            retry_for: Duration::from(self.requests.retry_for_ms),
            no_forward: self.no_forward,
        };
        let request = UserRequest::new(ask, pool, Arc::clone(&self.metrics), patience)?;
        request.run(permit).await
    }
}

async fn chat(State(state): State<Arc<Completions>>, request: Request) -> Response {
    state.serve(Endpoint::ChatCompletions, request).await
}

async fn completions(State(state): State<Arc<Completions>>, request: Request) -> Response {
    state.serve(Endpoint::Completions, request).await
}

async fn embeddings(State(state): State<Arc<Completions>>, request: Request) -> Response {
    state.serve(Endpoint::Embeddings, request).await
}
