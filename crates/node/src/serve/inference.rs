//! What the paid endpoints need.

use super::count::Counter;
use crate::{
    billing::Billing, cache_secret::CacheSecret, concurrency::ConcurrencyLimit,
    confidential::Guest, forward::Forwarder, identity::Identity, ledger::LeaseFinder, tasks::Tasks,
};
use atoma_http::server::{BodyRoom, Limits};
use atoma_keys::SigningKey;
use atoma_runtime::Runtime;
use std::sync::Arc;

#[derive(Debug)]
pub(crate) struct Inference {
    pub us: Identity,
    pub concurrency: Arc<ConcurrencyLimit>,
    /// Passes on what is too much; none where the operator doesn't want it.
    pub forwarder: Option<Arc<Forwarder>>,
    pub limits: Limits,
    /// What long bodies share.
    pub body_room: BodyRoom,
    pub finder: Arc<LeaseFinder>,
    pub tasks: Arc<Tasks>,
    /// Opens evidence that users sealed for this node.
    pub response_key: Arc<SigningKey>,
    /// Opens sealed requests; none on a node that anybody may look into.
    pub guest: Option<Arc<Guest>>,
    pub billing: Arc<Billing>,
    /// Keeps stacks from each other's computed beginnings.
    pub cache_secret: CacheSecret,
    pub counter: Counter,
    /// Where inputs are counted, and ids drawn for requests without one.
    pub runtime: Runtime,
}
