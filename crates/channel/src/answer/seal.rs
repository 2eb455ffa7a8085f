//! The node's side, within its guest.

use super::{head::AnswerHead, is_error};
use crate::{
    fault::{Fault, Result},
    frame::{FrameSealer, Kind},
    key::Key,
    limits::{MAX_ERROR_BYTES, MAX_RECEIPT_BYTES},
    padding::{Content, Padding},
};
use atoma_runtime::Random;
use atoma_types::{NodeId, hash::Hash32};
use std::fmt;

/// What an answer's key is made of.
pub(crate) struct AnswerKey {
    pub(crate) node: NodeId,
    pub(crate) request: Hash32,
    pub(crate) secret: Key,
}

/// Seals one answer, frame by frame. What it appends to `out` is to be sent, in this order and exactly once; the
/// receipt's `response_hash` covers all of it but the receipt.
#[derive(Debug)]
pub struct AnswerSealer {
    head: Option<AnswerHead>,
    frames: FrameSealer,
    padding: Padding,
}

// === impl AnswerKey ===

impl AnswerKey {
    pub(crate) fn sealer(&self, padding: Padding, random: &dyn Random) -> Result<AnswerSealer> {
        let random = random.bytes();
        let key = AnswerHead::key(&self.secret, &self.request, &random)?;
        let head = AnswerHead {
            node: self.node,
            request: self.request,
            random,
            commitment: key.commitment,
        };
        Ok(AnswerSealer {
            head: Some(head),
            frames: FrameSealer::new(key, Hash32::of(&head.to_bytes())),
            padding,
        })
    }
}

// === impl AnswerSealer ===

impl AnswerSealer {
    /// Appends text, in as many frames as it takes; one even for no text, to say nothing in the size of something.
    ///
    /// # Errors
    /// Behind the end, or after an error.
    pub fn text(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.frames_of(text, Kind::More, out)
    }

    /// Appends text and says that it is the last.
    ///
    /// # Errors
    /// Behind the end, or after an error.
    pub fn finish(&mut self, text: &[u8], out: &mut Vec<u8>) -> Result<()> {
        self.frames_of(text, Kind::Last, out)
    }

    /// Says that the answer failed, in words that only the asker can read, and that these are the last. Before any text
    /// it is a refusal, which everyone can tell.
    ///
    /// # Errors
    /// Behind the end, if the status isn't an error's, or the words are more than [`MAX_ERROR_BYTES`].
    pub fn fail(&mut self, status: u16, body: &[u8], out: &mut Vec<u8>) -> Result<()> {
        if body.len() > MAX_ERROR_BYTES {
            return Err(Fault::TooLong);
        }
        if !is_error(status) {
            return Err(Fault::Refusal);
        }
        let kind = match self.head {
            Some(_) => Kind::Refusal,
            None => Kind::Last,
        };
        let words = [&status.to_le_bytes()[..], body].concat();
        self.frame(Content::Error, &words, kind, out)
    }

    /// Appends the receipt behind the end: its signed bytes, in clear.
    ///
    /// # Errors
    /// Before the end, behind a refusal, a second time, or if it is longer than receipts are.
    pub fn receipt(&mut self, receipt: &[u8], out: &mut Vec<u8>) -> Result<()> {
        if receipt.len() > MAX_RECEIPT_BYTES {
            return Err(Fault::TooLong);
        }
        self.frames.append_receipt(receipt, out)
    }

    fn frames_of(&mut self, text: &[u8], end: Kind, out: &mut Vec<u8>) -> Result<()> {
        let most = self.padding.most();
        let mut rest = text;
        while rest.len() > most {
            let (piece, after) = rest.split_at(most);
            self.frame(Content::Text, piece, Kind::More, out)?;
            rest = after;
        }
        self.frame(Content::Text, rest, end, out)
    }

    fn frame(
        &mut self,
        content: Content,
        bytes: &[u8],
        kind: Kind,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        if let Some(head) = self.head.take() {
            out.extend_from_slice(&head.to_bytes());
        }
        let padding = self.padding;
        self.frames
            .seal(kind, |out| padding.pad(content, bytes, out), out)
    }
}

impl fmt::Debug for AnswerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerKey").finish_non_exhaustive()
    }
}
