//! The ways in which an answer's receipt comes. Each takes in the bytes, says what is passed on of them, and
//! knows at the end whether the receipt was there and good.

use super::{arriving::Arriving, comment::InComment, sealed};
use crate::{
    ClientError,
    confidential::{PassedAnswer, PassedOutcome, SealedAnswer},
};
use atoma_evidence::receipt::ReceiptError;
use atoma_types::{
    hash::Hasher,
    http::RECEIPT,
    message::{CommitmentKind, Salt},
};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header::CONTENT_TYPE};

/// What an answer is for whoever asked here.
pub(crate) enum Form {
    /// It came in clear.
    Plain,
    /// It is opened here.
    Opened(Box<SealedAnswer>),
    /// It is passed on sealed.
    Passed,
}

/// How the receipt comes.
pub(super) enum Proof {
    /// In a header; the hash covers the whole body.
    Header {
        text: Option<String>,
        hasher: Hasher,
    },
    /// In a stream's last comment.
    Comment(InComment),
    /// Behind a sealed answer's end.
    Sealed(Box<SealedAnswer>),
    /// Behind a sealed answer's end, which is somebody else's to open.
    Passed(Box<PassedAnswer>),
}

impl Form {
    /// How the receipt of such an answer comes. The headers become those of what is passed on.
    pub(super) fn proof(self, headers: &mut HeaderMap, salt: &Salt) -> Proof {
        let hasher = salt.hasher(CommitmentKind::Answer);
        match self {
            Self::Opened(answer) => {
                sealed::opened_headers(headers, answer.is_stream());
                Proof::Sealed(answer)
            }
            Self::Passed => Proof::Passed(Box::new(PassedAnswer::committing(hasher))),
            Self::Plain => match header_text(headers) {
                None if is_event_stream(headers) => Proof::Comment(InComment::over(hasher)),
                text => Proof::Header { text, hasher },
            },
        }
    }
}

fn header_text(headers: &HeaderMap) -> Option<String> {
    let value = headers.get(RECEIPT)?;
    value.to_str().ok().map(str::to_owned)
}

fn is_event_stream(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"))
}

impl Proof {
    /// Takes note of bytes, and checks the receipt if it is complete with them. Gives what is passed on.
    pub(super) fn pass(
        &mut self,
        bytes: Bytes,
        arriving: &mut Arriving,
    ) -> Result<Bytes, ClientError> {
        if let Self::Sealed(answer) = self {
            return sealed::open(answer, &bytes, arriving);
        }
        arriving.passed(bytes.len())?;
        arriving.said(&bytes);
        match self {
            Self::Header { hasher, .. } => {
                hasher.update(&bytes);
                Ok(bytes)
            }
            Self::Comment(comment) => comment.pass(bytes, arriving),
            Self::Passed(answer) => sealed::pass_on(answer, bytes, arriving),
            // opened above
            Self::Sealed(_) => Ok(Bytes::new()),
        }
    }

    /// The body is over: is its receipt there and good?
    pub(super) fn end(&mut self, arriving: &mut Arriving) -> Result<(), ClientError> {
        match self {
            Self::Header { text, hasher } => match text {
                Some(text) => arriving.receipt(text, hasher.finish()),
                None => Err(arriving.bad(ReceiptError::Missing)),
            },
            Self::Comment(comment) => comment.end(arriving),
            Self::Sealed(answer) => answer.end(arriving.node),
            Self::Passed(answer) => sealed::passed_on(answer, arriving),
        }
    }

    /// Only what the receipt's hash covers is passed on.
    pub(super) fn only_covered(&mut self) {
        if let Self::Comment(comment) = self {
            comment.only_covered = true;
        }
    }

    /// Whether the answer is a stream of events.
    pub(super) fn is_stream(&self) -> bool {
        match self {
            Self::Header { .. } => false,
            Self::Comment(_) => true,
            Self::Sealed(answer) => answer.is_stream(),
            // whatever it is inside, it is passed on as it comes
            Self::Passed(_) => true,
        }
    }

    /// Whether something was said that is no error.
    pub(super) fn has_begun(&self) -> bool {
        match self {
            Self::Header { .. } => false,
            Self::Comment(comment) => comment.has_begun(),
            Self::Sealed(answer) => answer.has_begun(),
            Self::Passed(answer) => answer.has_begun(),
        }
    }

    /// Whether it is marked as a refusal, for those who can't open it.
    pub(super) fn is_marked_refused(&self) -> bool {
        match self {
            Self::Passed(answer) => answer.outcome() == PassedOutcome::Refused,
            Self::Header { .. } | Self::Comment(_) | Self::Sealed(_) => false,
        }
    }

    /// What a sealed answer refused with, if it is a refusal: then nothing is to be paid.
    pub(super) fn refusal(&self) -> Option<(StatusCode, Bytes)> {
        match self {
            Self::Sealed(answer) => answer.refusal(),
            Self::Header { .. } | Self::Comment(_) | Self::Passed(_) => None,
        }
    }
}
