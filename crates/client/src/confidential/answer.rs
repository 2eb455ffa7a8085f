//! A sealed answer as it comes: opened piece by piece, its last piece held back until its receipt is good.

use crate::{ClientError, error_frame::ErrorFrames, lines::Lines};
use atoma_channel::{AnswerOpener, AnswerPart, Fault};
use atoma_evidence::receipt::ReceiptError;
use atoma_types::{NodeId, hash::Hash32};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};
use http::StatusCode;

/// Opens one answer.
pub(crate) struct SealedAnswer {
    opener: Option<AnswerOpener>,
    is_stream: bool,
    pub(crate) lines: Lines,
    errors: ErrorFrames,
    begun: bool,
    /// Text has been passed on.
    said: bool,
    last: Bytes,
    verified: bool,
    failed: Option<Failed>,
}

/// The node's word that the answer failed.
struct Failed {
    status: u16,
    body: Bytes,
    /// A part of the answer came before.
    late: bool,
}

/// What some bytes hold.
#[derive(Default)]
pub(crate) struct Pieces {
    /// Text to be passed on.
    pub(crate) text: BytesMut,
    /// What was said, the last piece included.
    pub(crate) said: Vec<Bytes>,
    /// An event of a stream was completed.
    pub(crate) event: bool,
    /// The receipt's text, and what it must commit to.
    pub(crate) receipt: Option<(String, Hash32)>,
}

impl SealedAnswer {
    pub(super) fn new(opener: AnswerOpener, is_stream: bool) -> Self {
        Self {
            opener: Some(opener),
            is_stream,
            lines: Lines::default(),
            errors: ErrorFrames::default(),
            begun: false,
            said: false,
            last: Bytes::new(),
            verified: false,
            failed: None,
        }
    }

    /// Who answers, once that is known.
    pub(crate) fn node(&self) -> Option<NodeId> {
        self.opener.as_ref()?.node()
    }

    /// Whether it is a stream of events.
    pub(crate) fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// Whether an event has come that is no error.
    pub(crate) fn has_begun(&self) -> bool {
        self.begun
    }

    /// Takes in what has come.
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<Pieces, Fault> {
        let mut pieces = Pieces::default();
        let Some(opener) = &mut self.opener else {
            return Err(Fault::AfterEnd);
        };
        opener.push(bytes);
        while let Some(part) = opener.part()? {
            match part {
                AnswerPart::Text(text) => {
                    if self.is_stream {
                        self.errors.feed(&text);
                        let event = self.lines.feed(&text);
                        pieces.event |= event;
                        self.begun |= event && !self.errors.is_last();
                    }
                    pieces.said.push(text.clone());
                    // whoever reads on believes that the answer is whole
                    if opener.commitment().is_some() {
                        self.last = text;
                    } else {
                        self.said |= !text.is_empty();
                        pieces.text.extend_from_slice(&text);
                    }
                }
                AnswerPart::Error { status, body } => {
                    if self.said && self.is_stream {
                        // as a node's stream says it in clear
                        pieces.text.extend_from_slice(b"data: ");
                        pieces.text.extend_from_slice(&body);
                        pieces.text.extend_from_slice(b"\n\n");
                    }
                    let late = self.said;
                    self.failed = Some(Failed { status, body, late });
                }
                AnswerPart::Receipt(receipt) => {
                    let covered = opener.commitment().ok_or(Fault::Truncated)?;
                    pieces.receipt = Some((BASE64_STANDARD.encode(receipt), covered));
                }
            }
        }
        Ok(pieces)
    }

    /// Its receipt is good. Gives the last piece, which waited for that.
    pub(crate) fn verified(&mut self) -> Bytes {
        self.verified = true;
        self.said = true;
        std::mem::take(&mut self.last)
    }

    /// What it refused with, if it is a refusal and no answer.
    pub(crate) fn refusal(&self) -> Option<(StatusCode, Bytes)> {
        let failed = self.failed.as_ref().filter(|failed| !failed.late)?;
        let status = StatusCode::from_u16(failed.status);
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Some((status, failed.body.clone()))
    }

    /// Nothing more comes: is it whole, and its receipt there and good?
    pub(crate) fn end(&mut self, node: NodeId) -> Result<(), ClientError> {
        let whole = self.opener.take().map_or(Ok(()), AnswerOpener::finish);
        whole.map_err(|source| ClientError::Sealed { node, source })?;
        match &self.failed {
            Some(failed) if failed.late => Err(ClientError::GaveUp { node }),
            Some(_) => Ok(()),
            None if self.verified => Ok(()),
            None => Err(ClientError::Receipt {
                node,
                reason: ReceiptError::Missing,
            }),
        }
    }
}
