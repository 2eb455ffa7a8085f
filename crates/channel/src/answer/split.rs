//! An answer's parts as they come, for whoever has no key: a gateway that looks for the end and the receipt.

use super::head::{ANSWER_HEAD, AnswerHead};
use crate::{
    fault::{Fault, Result},
    frame::{FRAME_HEAD, FrameHead, Kind, Sequence, TAG},
    limits::{MAX_ANSWER_FRAME_BYTES, MAX_RECEIPT_BYTES, MAX_REFUSAL_BYTES},
};
use atoma_types::hash::{Hash32, Hasher};
use bytes::{Buf, Bytes, BytesMut};

/// Cuts an answer into its parts, in whatever pieces it comes. It holds one frame at most, beside what was pushed last.
#[derive(Debug, Default)]
pub struct AnswerSplitter {
    buffer: BytesMut,
    begun: bool,
    sequence: Sequence,
    failed: Option<Fault>,
    committing: Option<Hasher>,
}

/// A part of an answer, as far as somebody without a key can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SealedPart {
    /// What stands before the frames.
    Head,
    /// A frame that only the asker can read.
    Frame {
        /// Whether it is the last.
        last: bool,
        /// Bytes of its padded text.
        length: usize,
    },
    /// The only frame of an answer that is a refusal: the node wants nothing for it.
    Refusal {
        /// Bytes of its padded text.
        length: usize,
    },
    /// The receipt's signed bytes.
    Receipt(Bytes),
}

/// The same with what a reader who has the key needs.
pub(super) enum Raw {
    Head(AnswerHead),
    Frame(FrameHead, BytesMut),
    Receipt(Bytes),
}

impl AnswerSplitter {
    /// Nothing has come yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The same, and what a receipt's `response_hash` commits to is hashed as it comes: `hasher` is the
    /// [`Salt`](atoma_types::message::Salt)'s own.
    #[must_use]
    pub fn committing(hasher: Hasher) -> Self {
        Self {
            committing: Some(hasher),
            ..Self::default()
        }
    }

    /// What the receipt must commit to, once the answer has [`ended`](Self::ended); none if nothing was hashed. Nothing
    /// commits to a refusal.
    #[must_use]
    pub fn commitment(&self) -> Option<Hash32> {
        let hasher = self.committing.as_ref().filter(|_| self.ended());
        hasher.map(Hasher::finish)
    }

    /// Takes in what has come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next part; `None` until more has come.
    ///
    /// # Errors
    /// If what has come is no sealed answer, or isn't in order; then for ever the same.
    pub fn part(&mut self) -> Result<Option<SealedPart>> {
        let part = self.raw()?.map(|raw| match raw {
            Raw::Head(_) => SealedPart::Head,
            Raw::Frame(head, content) if head.kind == Kind::Refusal => SealedPart::Refusal {
                length: content.len() - TAG,
            },
            Raw::Frame(head, content) => SealedPart::Frame {
                last: head.kind == Kind::Last,
                length: content.len() - TAG,
            },
            Raw::Receipt(receipt) => SealedPart::Receipt(receipt),
        });
        Ok(part)
    }

    /// Whether the answer's last frame has come. A receipt may still follow.
    #[must_use]
    pub fn ended(&self) -> bool {
        self.failed.is_none() && self.sequence.ended()
    }

    /// Says that nothing more comes.
    ///
    /// # Errors
    /// If the answer isn't whole, or something is left that is no part of it.
    pub fn finish(&mut self) -> Result<()> {
        match self.failed {
            Some(fault) => Err(fault),
            None if !self.begun && self.buffer.is_empty() => Err(Fault::Truncated),
            None if !self.begun && !AnswerHead::may_begin(&self.buffer) => Err(Fault::PlainAnswer),
            None if !self.sequence.ended() => Err(Fault::Truncated),
            // a receipt that isn't all there is nothing that belongs there
            None if !self.buffer.is_empty() => Err(Fault::AfterEnd),
            None => Ok(()),
        }
    }

    pub(super) fn raw(&mut self) -> Result<Option<Raw>> {
        if let Some(fault) = self.failed {
            return Err(fault);
        }
        let cut = if self.begun {
            self.cut_frame()
        } else {
            self.cut_head()
        };
        cut.map_err(|fault| self.fail(fault))
    }

    /// What comes after `fault` isn't looked at.
    pub(super) fn fail(&mut self, fault: Fault) -> Fault {
        self.failed = Some(fault);
        self.buffer = BytesMut::new();
        fault
    }

    fn cut_head(&mut self) -> Result<Option<Raw>> {
        // a plain answer is told at its first bytes, and may be shorter than a head
        if !AnswerHead::may_begin(&self.buffer) {
            return Err(Fault::PlainAnswer);
        }
        let Some(bytes) = self.buffer.first_chunk::<ANSWER_HEAD>() else {
            return Ok(None);
        };
        let head = AnswerHead::read(bytes)?;
        if let Some(hasher) = &mut self.committing {
            hasher.update(bytes);
        }
        self.buffer.advance(ANSWER_HEAD);
        self.begun = true;
        Ok(Some(Raw::Head(head)))
    }

    fn cut_frame(&mut self) -> Result<Option<Raw>> {
        if self.sequence.closed() && !self.buffer.is_empty() {
            return Err(Fault::AfterEnd);
        }
        let Some(head) = FrameHead::read(&self.buffer)? else {
            return Ok(None);
        };
        let fits = match head.kind {
            Kind::Receipt => head.length <= MAX_RECEIPT_BYTES,
            Kind::More | Kind::Last => {
                head.length > TAG && head.length <= MAX_ANSWER_FRAME_BYTES + TAG
            }
            Kind::Refusal => head.length > TAG && head.length <= MAX_REFUSAL_BYTES + TAG,
        };
        if !fits {
            return Err(Fault::FrameLength);
        }
        if self.buffer.len() < FRAME_HEAD + head.length {
            return Ok(None);
        }
        self.sequence.take(head)?;
        if let (Some(hasher), Kind::More | Kind::Last) = (&mut self.committing, head.kind) {
            hasher.update(&self.buffer[..FRAME_HEAD + head.length]);
        }
        self.buffer.advance(FRAME_HEAD);
        let content = self.buffer.split_to(head.length);
        Ok(Some(match head.kind {
            Kind::Receipt => Raw::Receipt(content.freeze()),
            Kind::More | Kind::Last | Kind::Refusal => Raw::Frame(head, content),
        }))
    }
}
