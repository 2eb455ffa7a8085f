//! What the broker's requests share.

use super::{judge::Judge, nonce::Nonces, record::Record};
use atoma_http::server::{BodyRoom, Limits};
use atoma_runtime::Runtime;
use parking_lot::Mutex;
use tokio::sync::Semaphore;

/// What every request needs.
#[derive(Debug)]
pub(super) struct State {
    pub(super) judge: Judge,
    pub(super) nonces: Nonces,
    pub(super) record: Mutex<Record>,
    /// Bundles that are judged.
    pub(super) places: Semaphore,
    /// Where long bodies lie.
    pub(super) bodies: BodyRoom,
    pub(super) limits: Limits,
    pub(super) runtime: Runtime,
}
