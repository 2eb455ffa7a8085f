//! A sealed answer as it comes: opened piece by piece, its last piece held back until its receipt is good.

use crate::{error_frame::ErrorFrames, lines::Lines};
use atoma_channel::{AnswerOpener, AnswerPart, Fault};
use atoma_types::{NodeId, hash::Hash32};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::{Bytes, BytesMut};

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
    failed: Option<Failed>,
}

/// The node's word that the answer failed.
pub(crate) struct Failed {
    pub(crate) status: u16,
    pub(crate) body: Bytes,
    /// A part of the answer came before.
    pub(crate) late: bool,
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

    /// The last piece, once its receipt is good.
    pub(crate) fn take_last(&mut self) -> Bytes {
        self.said = true;
        std::mem::take(&mut self.last)
    }

    /// Nothing more comes.
    pub(crate) fn end(&mut self) -> Result<(), Fault> {
        self.opener.take().map_or(Ok(()), AnswerOpener::finish)
    }

    /// The node's word that the answer failed, if it gave it.
    pub(crate) fn failed(&self) -> Option<&Failed> {
        self.failed.as_ref()
    }
}
