//! The endpoints that answer: from HTTP to a [`UserRequest`], and its reply back to HTTP.

use super::{body, relay, respond};
use crate::{
    body::{Asked, is_sealed, read, read_sealed},
    concurrency::{ConcurrencyLimit, User},
    config::RequestLimits,
    keys::KeyRing,
    market::Market,
    metrics::Metrics,
    patience::Patience,
    pool::TaskPool,
    refusals::{only_sealed, unknown_model, unknown_task},
    reply::Reply,
    user_request::{Ask, UserRequest},
};
use atoma_client::{Sealing, Through};
use atoma_http::server::{BodyRoom, Limits};
use atoma_runtime::WithCauses;
use atoma_types::{
    RequestId,
    message::Endpoint,
    refusal::{Refusal, RefusalCode},
};
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
    /// Who passes sealed requests on, and pays for them; nobody where this gateway's own stacks do.
    pub(crate) through: Option<Through>,
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
            Ok(Reply::Through(answer)) => respond::through(answer),
            Err(refusal) => span.in_scope(|| respond::refuse_as(id, &refusal)),
        };
        self.metrics.answered(endpoint, response.status().as_u16());
        response
    }

    /// What a request asks for, and who sells it.
    fn find<'a>(
        &self,
        body: &'a [u8],
        endpoint: Endpoint,
    ) -> Result<(Asked<'a>, Arc<TaskPool>), Refusal> {
        let asked = read(body)?;
        match self.market.find(&asked.model, endpoint) {
            Some(pool) => Ok((asked, pool)),
            None if self.market.is_only_sealed(&asked.model) => Err(only_sealed()),
            None => Err(unknown_model(&asked.model)),
        }
    }

    /// The same of a request that can't be read here.
    fn find_sealed(
        &self,
        body: &[u8],
        endpoint: Endpoint,
    ) -> Result<(Asked<'static>, Arc<TaskPool>), Refusal> {
        if self.market.seals() {
            let message = "requests are sealed here: send them as they are";
            return Err(Refusal::new(RefusalCode::SealedUnsupported, message));
        }
        let asked = read_sealed(body, self.market.network(), endpoint)?;
        let task = asked.sealed.as_ref().map(|sealed| sealed.task);
        let pool = task.and_then(|task| self.market.of_task(task));
        match pool {
            Some(pool) => Ok((asked, pool)),
            None => Err(unknown_task()),
        }
    }

    /// Seals a request and has another gateway pass it on.
    async fn ask_through(
        &self,
        through: &Through,
        endpoint: Endpoint,
        (asked, body): (&Asked<'_>, &[u8]),
        pool: &TaskPool,
    ) -> Result<Reply, Refusal> {
        let offer = pool.offer();
        let default_output = offer.policy.default_output_tokens;
        let nodes: Vec<_> = offer.sellers.iter().map(|seller| seller.node).collect();
        let sealing = Sealing {
            task: offer.task,
            nodes: &nodes,
            endpoint,
            text: body,
            max_units: asked.max_units(endpoint, &offer.weights, default_output),
        };
        let answer = self.market.client().ask_through(through, sealing).await;
        answer.map(Reply::Through).map_err(|error| {
            let error = WithCauses(&error);
            tracing::warn!(%error, "nothing was sent in clear, and there is no answer");
            Refusal::new(RefusalCode::Unavailable, error.to_string())
        })
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
        let (asked, pool) = match is_sealed(headers) {
            true => self.find_sealed(&body, endpoint)?,
            false => self.find(&body, endpoint)?,
        };
        if let Some(through) = &self.through {
            return self
                .ask_through(through, endpoint, (&asked, &body), &pool)
                .await;
        }
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
