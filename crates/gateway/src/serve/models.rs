//! `/v1/models`: what can be asked for, in OpenAI's shape.

use super::respond;
use crate::{
    concurrency::User,
    keys::KeyRing,
    market::{Listed, Market},
    refusals::unknown_model,
};
use atoma_http::server::json;
use axum::{
    Router,
    extract::{Path, State},
    response::Response,
    routing::get,
};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use std::sync::Arc;

/// Who stands behind the models.
const OWNER: &str = "atoma";

/// What listing the models takes.
#[derive(Debug)]
pub(crate) struct Models {
    pub(crate) keys: Arc<KeyRing<User>>,
    pub(crate) market: Arc<Market>,
}

impl Models {
    pub(super) fn routes(self) -> Router {
        Router::new()
            .route("/v1/models", get(models))
            .route("/v1/models/{*model}", get(model))
            .with_state(Arc::new(self))
    }
}

#[derive(Serialize)]
struct ModelObject<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
}

impl<'a> From<&'a Listed> for ModelObject<'a> {
    fn from(listed: &'a Listed) -> Self {
        Self {
            id: &listed.name,
            object: "model",
            created: listed.since.0 / 1_000,
            owned_by: OWNER,
        }
    }
}

#[derive(Serialize)]
struct ModelList<'a> {
    object: &'static str,
    data: Vec<ModelObject<'a>>,
}

async fn models(State(state): State<Arc<Models>>, headers: HeaderMap) -> Response {
    if let Err(refusal) = state.keys.find(&headers) {
        return respond::refuse(state.market.runtime(), &refusal);
    }
    let listed = state.market.list();
    document(&ModelList {
        object: "list",
        data: listed.iter().map(ModelObject::from).collect(),
    })
}

async fn model(
    State(state): State<Arc<Models>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Response {
    if let Err(refusal) = state.keys.find(&headers) {
        return respond::refuse(state.market.runtime(), &refusal);
    }
    let listed = state.market.list();
    match listed.iter().find(|listed| listed.name == name) {
        Some(found) => document(&ModelObject::from(found)),
        None => respond::refuse(state.market.runtime(), &unknown_model(&name)),
    }
}

fn document(value: &impl Serialize) -> Response {
    // structs of strings and numbers always serialise
    json(
        StatusCode::OK,
        serde_json::to_vec(value).expect("a list of models is JSON"),
    )
}
