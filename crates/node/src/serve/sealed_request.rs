//! Requests that come sealed: which tasks take them, and how they are opened.

use super::admitted::Sealed;
use crate::{
    account::SignedRequest,
    confidential::{Guest, Opened},
    held::Held,
    lease::Lease,
    tasks::ServedTask,
};
use atoma_channel::MEDIA_TYPE;
use atoma_types::{
    TimestampMs,
    refusal::{Refusal, RefusalCode},
};
use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_TYPE};
use std::sync::Arc;

/// What the body says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Plain,
    Sealed,
}

impl Form {
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let sealed = |value: &http::HeaderValue| value.as_bytes() == MEDIA_TYPE.as_bytes();
        match headers.get(CONTENT_TYPE).is_some_and(sealed) {
            true => Self::Sealed,
            false => Self::Plain,
        }
    }
}

/// Whether the task takes such a request here. A confidential task takes nothing that others could have read.
pub(super) fn check_form(form: Form, task: &ServedTask, is_guest: bool) -> Result<(), Refusal> {
    let refuse = |code, message| Err(Refusal::new(code, message));
    match form {
        Form::Plain if task.security.confidential() => refuse(
            RefusalCode::NotSealed,
            "the task is confidential: seal the request to this node (`atoma chat --confidential`)",
        ),
        Form::Sealed if !is_guest => refuse(
            RefusalCode::SealedUnsupported,
            "this node opens no sealed requests: nothing shows that nobody looks into it",
        ),
        // whoever is drawn to examine the answer couldn't read what was asked, and would find it wrong
        Form::Sealed if task.security.samples() => refuse(
            RefusalCode::SealedUnsupported,
            "answers of this task are examined: it takes no sealed requests yet",
        ),
        Form::Plain | Form::Sealed => Ok(()),
    }
}

/// Opens a request once all that it may cost is reserved. Until then nothing was said of it but in clear.
pub(super) async fn open_sealed(
    guest: &Guest,
    lease: &Arc<Lease>,
    request: &SignedRequest,
    body: Bytes,
    now: TimestampMs,
) -> Result<(Bytes, Sealed), Refusal> {
    let header = request.message();
    let most = header.max_units;
    let reserved = Held::reserve(lease, request, most, most, now)?;
    let Opened { text, seal } = guest.open(header, &body).await?;
    let sealed = Sealed {
        body,
        seal,
        reserved: Some(reserved),
    };
    Ok((text, sealed))
}
