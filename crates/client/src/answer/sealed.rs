//! A sealed answer, whose receipt comes behind its end: opened for whoever asked here, or passed on as it is to
//! whoever can open it.

use super::arriving::Arriving;
use crate::{
    ClientError,
    confidential::{PassedAnswer, PassedOutcome, SealedAnswer},
};
use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_LENGTH, CONTENT_TYPE},
};

/// Opens bytes. What is counted is what they say: padding is nobody's.
pub(super) fn open(
    answer: &mut SealedAnswer,
    bytes: &[u8],
    arriving: &mut Arriving,
) -> Result<Bytes, ClientError> {
    let node = arriving.node;
    let fed = answer.feed(bytes);
    let mut pieces = fed.map_err(|source| ClientError::Sealed { node, source })?;
    arriving.passed(pieces.said.iter().map(Bytes::len).sum())?;
    for text in &pieces.said {
        arriving.said(text);
    }
    if pieces.event {
        arriving.pace.event();
    } else if answer.is_stream() {
        arriving.no_event(answer.lines.idle_bytes())?;
    }
    if let Some((receipt, covered)) = pieces.receipt {
        arriving.receipt(&receipt, covered)?;
        pieces.text.extend_from_slice(&answer.verified());
    }
    Ok(pieces.text.freeze())
}

/// What the answer is once it is opened.
pub(super) fn opened_headers(headers: &mut HeaderMap, is_stream: bool) {
    let inside = match is_stream {
        true => "text/event-stream",
        false => "application/json",
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(inside));
    headers.remove(CONTENT_LENGTH);
}

/// Passes bytes on, and checks the receipt if it is complete with them.
pub(super) fn pass_on(
    answer: &mut PassedAnswer,
    bytes: Bytes,
    arriving: &mut Arriving,
) -> Result<Bytes, ClientError> {
    let node = arriving.node;
    let fed = answer.feed(&bytes);
    let fed = fed.map_err(|source| ClientError::Sealed { node, source })?;
    if fed.frames > 0 {
        arriving.pace.event();
    }
    if let Some((receipt, covered)) = fed.receipt {
        arriving.receipt(&receipt, covered)?;
    }
    Ok(bytes)
}

/// All of it was passed on. Whoever can open it hears what it says; here what shows decides what it costs.
pub(super) fn passed_on(
    answer: &mut PassedAnswer,
    arriving: &mut Arriving,
) -> Result<(), ClientError> {
    let node = arriving.node;
    let end = answer.end();
    end.map_err(|source| ClientError::Sealed { node, source })?;
    match answer.outcome() {
        PassedOutcome::Receipted => {}
        PassedOutcome::Refused => arriving.in_flight.was_refused(),
        // it counts until the node shows a receipt, or has none
        PassedOutcome::Bare => arriving.in_flight.unanswered(),
    }
    Ok(())
}
