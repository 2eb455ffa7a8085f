//! Tasks, the nodes that offer to serve them, and those that promise to examine.

mod attester;
mod create;
mod place;
mod release;
mod subscribe;

pub(crate) use attester::{attest, charge, collect, credit, promise, resign, strike};
pub(crate) use create::{create, deprecate, fund};
pub(crate) use place::entry;
pub(crate) use release::{release, withdraw_release};
pub(crate) use subscribe::{
    attested_until, ensure_fits, evict, refresh, subscribe, sync, unsubscribe,
};
