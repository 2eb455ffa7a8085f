//! The way in: a place for each request, here or on the way to another node.

use super::{admitted::Onward, inference::Inference};
use crate::forward::{Filled, Forwarder};
use atoma_types::{
    message::{Origin, RequestHeader},
    refusal::{Refusal, RefusalCode},
};
use std::sync::Arc;
use tokio::sync::OwnedSemaphorePermit;

/// A request's place, and whether it is for passing it on.
pub(super) struct Entry {
    pub permit: OwnedSemaphorePermit,
    pub onward: Option<Onward>,
}

/// A place for a request, here or on the way to another node. Of the header nothing is checked yet; what has none is
/// refused soon.
///
/// # Errors
/// If there is neither.
pub(super) fn enter(
    inference: &Inference,
    header: Option<&RequestHeader>,
) -> Result<Entry, Refusal> {
    let here = &inference.concurrency;
    let origin = header.map(|header| header.origin).unwrap_or_default();
    let forwarder = inference.forwarder.as_ref();
    let refusal = match here.enter() {
        Ok(permit) => {
            let busy = |forwarder: &Arc<Forwarder>| is_busy(inference, forwarder, header);
            let onward = origin.may_be_passed_on() && forwarder.is_some_and(busy);
            let onward = onward.then_some(Onward::Rather);
            return Ok(Entry { permit, onward });
        }
        Err(refusal) => refusal,
    };
    let passes_on = |forwarder: &&Arc<Forwarder>| {
        let stops = forwarder.config().draining && !here.is_retired();
        refusal.code == RefusalCode::Overloaded || stops
    };
    let Some(forwarder) = forwarder.filter(passes_on) else {
        return Err(refusal);
    };
    match origin {
        Origin::Own => {}
        Origin::Kept | Origin::Stored(_) => return Err(refusal),
        Origin::Forwarded(_) => {
            let message =
                "too many requests at once, and this one was passed on before; ask another";
            return Err(Refusal::new(RefusalCode::SecondHop, message));
        }
    }
    match forwarder.place() {
        Some(permit) => Ok(Entry {
            permit,
            onward: Some(Onward::Only(refusal)),
        }),
        None => Err(refusal),
    }
}

/// Whether there is much to do already: on this node, or before the engine that is asked for.
fn is_busy(inference: &Inference, forwarder: &Forwarder, header: Option<&RequestHeader>) -> bool {
    let places = Filled {
        taken: inference.concurrency.running(),
        of: inference.concurrency.size() as usize,
    };
    let task = header.and_then(|header| inference.tasks.get(header.task).ok());
    forwarder.is_too_much(places) || task.is_some_and(|task| forwarder.is_too_much(task.queue()))
}
