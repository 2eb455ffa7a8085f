//! The way in: a place for each request, here or on the way to another node.

use super::{admitted::Onward, inference::Inference};
use crate::forward::Forwarder;
use atoma_types::{
    message::Origin,
    refusal::{Refusal, RefusalCode},
};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// A request's place, and whether it is for passing it on.
pub(super) struct Entry {
    pub permit: OwnedSemaphorePermit,
    pub onward: Option<Onward>,
}

/// A place for a request, here or on the way to another node.
///
/// # Errors
/// If there is neither.
pub(super) fn enter(inference: &Inference, origin: Origin) -> Result<Entry, Refusal> {
    let here = &inference.concurrency;
    let forwarder = inference.forwarder.as_ref();
    let was_passed_on = matches!(origin, Origin::Forwarded(_));
    let refusal = match here.enter() {
        Ok(permit) => {
            let busy = |forwarder: &Arc<Forwarder>| {
                forwarder.is_too_much(here.running(), here.size() as usize)
            };
            let onward = forwarder.is_some_and(busy) && !was_passed_on;
            let onward = onward.then_some(Onward::Rather);
            return Ok(Entry { permit, onward });
        }
        Err(refusal) => refusal,
    };
    let passes_on = |forwarder: &&Arc<Forwarder>| {
        refusal.code == RefusalCode::Overloaded || forwarder.config().draining
    };
    let Some(forwarder) = forwarder.filter(passes_on) else {
        return Err(refusal);
    };
    if was_passed_on {
        let message = "too many requests at once, and this one was passed on before; ask another";
        return Err(Refusal::new(RefusalCode::SecondHop, message));
    }
    match forwarder.place() {
        Some(permit) => Ok(Entry {
            permit,
            onward: Some(Onward::Only(refusal)),
        }),
        None => Err(refusal),
    }
}
