//! Opening an answer, as the client does that sealed the request.

use super::{
    head::{AnswerHead, Asked},
    is_error,
    split::{AnswerSplitter, Raw},
};
use crate::{
    fault::{Fault, Result},
    frame::{FrameHead, FrameOpener, Kind, TAG},
    padding::{Content, Padding},
};
use atoma_types::{
    NodeId,
    hash::{Hash32, Hasher},
};
use bytes::{Bytes, BytesMut};
use std::fmt;

/// Opens the answer to one request as it comes: [`push`](Self::push) what came, then take
/// [`part`](Self::part)s until there is none, and [`finish`](Self::finish) where the stream ends. Text counts as the
/// answer only once `finish` has said that it is whole.
pub struct AnswerOpener {
    asked: Vec<Asked>,
    request: Hash32,
    padding: Padding,
    splitter: AnswerSplitter,
    opener: Option<(NodeId, FrameOpener)>,
}

/// A part of an opened answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AnswerPart {
    /// The next piece of text, which may be empty.
    Text(Bytes),
    /// The node's word that it failed, after which no text comes.
    Error {
        /// The status that the answer would have had in clear: an error's.
        status: u16,
        /// What would have stood in its body.
        body: Bytes,
    },
    /// The receipt's signed bytes. They weren't encrypted: what counts is their signature.
    Receipt(Bytes),
}

impl AnswerOpener {
    pub(crate) fn new(asked: Vec<Asked>, request: Hash32, padding: Padding) -> Self {
        Self {
            asked,
            request,
            padding,
            splitter: AnswerSplitter::new(),
            opener: None,
        }
    }

    /// Hashes what a receipt's `response_hash` commits to as it comes; see [`AnswerSplitter::committing`]. To be said
    /// before anything is pushed.
    #[must_use]
    pub fn committing(mut self, hasher: Hasher) -> Self {
        self.splitter = AnswerSplitter::committing(hasher);
        self
    }

    /// What the receipt must commit to, once the answer has ended; none if nothing was hashed.
    #[must_use]
    pub fn commitment(&self) -> Option<Hash32> {
        self.splitter.commitment()
    }

    /// The hash of the sealed request that was asked.
    #[must_use]
    pub fn request(&self) -> Hash32 {
        self.request
    }

    /// Who answers, once the answer's head has come.
    #[must_use]
    pub fn node(&self) -> Option<NodeId> {
        self.opener.as_ref().map(|(node, _)| *node)
    }

    /// Takes in what has come.
    pub fn push(&mut self, bytes: &[u8]) {
        self.splitter.push(bytes);
    }

    /// The next part; `None` until more has come.
    ///
    /// # Errors
    /// If what has come isn't the sealed answer to this request by a node that was asked; then for ever the same.
    pub fn part(&mut self) -> Result<Option<AnswerPart>> {
        loop {
            let Some(raw) = self.splitter.raw()? else {
                return Ok(None);
            };
            let part = match raw {
                Raw::Head(head) => self.begin(&head).map(|()| None),
                Raw::Frame(head, content) => self.open_frame(head, content).map(Some),
                Raw::Receipt(receipt) => Ok(Some(AnswerPart::Receipt(receipt))),
            };
            match part {
                Ok(None) => {}
                Ok(part) => return Ok(part),
                Err(fault) => return Err(self.splitter.fail(fault)),
            }
        }
    }

    /// Says that nothing more comes.
    ///
    /// # Errors
    /// If the answer isn't whole, or something is left that is no part of it.
    pub fn finish(mut self) -> Result<()> {
        self.splitter.finish()
    }

    fn begin(&mut self, head: &AnswerHead) -> Result<()> {
        let asked = self.asked.iter().find(|asked| asked.node == head.node);
        let asked = asked.ok_or(Fault::AnswerNode)?;
        if head.request != self.request {
            return Err(Fault::AnswerRequest);
        }
        let key = AnswerHead::key(&asked.secret, &self.request, &head.random)?;
        if !key.is_committed_to(&head.commitment) {
            return Err(Fault::AnswerKey);
        }
        let opener = FrameOpener::new(key, Hash32::of(&head.to_bytes()));
        self.opener = Some((head.node, opener));
        Ok(())
    }

    fn open_frame(&mut self, head: FrameHead, mut content: BytesMut) -> Result<AnswerPart> {
        if !self.padding.allows(content.len() - TAG) {
            return Err(Fault::FrameLength);
        }
        let (_, opener) = self.opener.as_ref().ok_or(Fault::Truncated)?;
        let padded = opener.open(head, &mut content)?;
        let (content_kind, place) = self.padding.unpad(padded)?;
        let bytes = content.freeze().slice(place);
        match content_kind {
            Content::Text if head.kind == Kind::Refusal => Err(Fault::Refusal),
            Content::Text => Ok(AnswerPart::Text(bytes)),
            Content::Error if head.kind == Kind::More => Err(Fault::Mixed),
            // what whoever can't read takes for an answer is one, and the other way round
            Content::Error if (head.index == 0) != (head.kind == Kind::Refusal) => {
                Err(Fault::Refusal)
            }
            Content::Error => {
                let (status, _) = bytes.split_first_chunk().ok_or(Fault::Padding)?;
                let status = u16::from_le_bytes(*status);
                if !is_error(status) {
                    return Err(Fault::Refusal);
                }
                Ok(AnswerPart::Error {
                    status,
                    body: bytes.slice(2..),
                })
            }
        }
    }
}

impl fmt::Debug for AnswerOpener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerOpener")
            .field("request", &self.request)
            .finish_non_exhaustive()
    }
}
